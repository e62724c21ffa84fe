"""Axes with a few round ticks, at least two."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpss.figures.elements.specification import Axis, Scale
from dpss.summary.numerals import number

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_MANTISSAS = ((1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0), (1.0, 2.0, 5.0), (1.0, 3.0), (1.0,))
_MIN_GAP = 0.065
"""Least distance of ticks, in parts of an axis that is neither linear nor logarithmic."""
_IN_WORDS = {
    Scale.LINEAR: "",
    Scale.ROOT: " (square-root scale)",
    Scale.ASINH: " (asinh scale)",
    Scale.LOG: " (log scale)",
}


def tick_text(value: float) -> str:
    """Return a tick's value, exact to twelve decimals; millions from ten of them on.

    >>> tick_text(12000.0), tick_text(0.25), tick_text(-0.5), tick_text(3e7)
    ('12,000', '0.25', '-0.5', '30 M')
    >>> tick_text(10.75), tick_text(1002.5), tick_text(12_500_000)
    ('10.75', '1,002.5', '12.5 M')
    """
    if abs(value) >= 1e7:
        return f"{_exact(value / 1e6)} M"
    text = number(value)
    # Three digits may be too few where an axis shows a small part of large numbers.
    return text if float(text.replace(",", "")) == value else _exact(value)


def _exact(value: float) -> str:
    return f"{value:,.12f}".rstrip("0").rstrip(".")


def linear_ticks(low: float, high: float, n: int = 5) -> NDArray[np.float64]:
    """Return about ``n`` round numbers within ``low`` to ``high``."""
    rough = (high - low) / n
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * min(s for s in _STEPS if s * power >= rough * 0.999)
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    ticks: NDArray[np.float64] = np.round(np.arange(first, last + 1) * step, 12)
    return ticks + 0.0  # -0 becomes 0


def log_ticks(low: float, high: float, n: int = 8) -> NDArray[np.float64]:
    """Return at most ``n`` round numbers from ``low`` to ``high``, even by logarithm."""
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for mantissas in _MANTISSAS:
        ticks = np.sort(np.outer(10.0**powers, mantissas).ravel())
        ticks = ticks[(ticks >= low * 0.9999) & (ticks <= high * 1.0001)]
        if len(ticks) <= n:
            break
    else:
        ticks = ticks[:: int(np.ceil(len(ticks) / n))]
    return ticks if len(ticks) > 1 else linear_ticks(low, high, 3)


def uneven_ticks(scale: Scale, low: float, high: float) -> NDArray[np.float64]:
    """Return round numbers within ``low`` to ``high``, about evenly spread on a scale."""
    largest = max(abs(low), abs(high))
    powers = 10.0 ** np.arange(np.floor(np.log10(largest)), -3, -1)
    steps = np.outer(powers[:3], (5.0, 2.0, 1.0)).ravel()
    wanted = np.concatenate([[0.0], np.column_stack([steps, -steps]).ravel()])
    start, end = scale.forward([low, high])
    kept: list[float] = []
    for value in wanted[(wanted >= low) & (wanted <= high)]:
        gaps = np.abs(scale.forward(kept) - scale.forward(value)) / (end - start)
        if not kept or gaps.min() >= _MIN_GAP:
            kept.append(float(value))
    return np.sort(np.array(kept)) if len(kept) > 1 else linear_ticks(low, high, 3)


def span_of(low: float, high: float, *, log: bool, pad: float = 0.04) -> tuple[float, float]:
    """Return limits a little wider than the data; their distance is never 0."""
    if log:
        below, above = np.log10(low), np.log10(high)
        if above - below < 0.1:
            below, above = below - 0.2, above + 0.2
        space = (above - below) * pad
        return float(10 ** (below - space)), float(10 ** (above + space))
    if high - low < 1e-9 * max(abs(high), 1e-9):
        low, high = low - max(abs(low) * 0.1, 0.5), high + max(abs(high) * 0.1, 0.5)
    space = (high - low) * pad
    return low - space, high + space


def make_axis(
    title: str,
    low: float,
    high: float,
    scale: Scale = Scale.LINEAR,
    *,
    n: int | None = None,
    whole: bool = False,
) -> Axis:
    """Return an axis with round ticks, at least two.

    Args:
        title: With unit; the scale is added in words where it is not linear.
        low: Value at one end.
        high: Value at the other end.
        scale: How values become positions.
        n: About how many ticks.
        whole: Whether values are whole numbers, such as numbers of cells.
    """
    if scale is Scale.LOG:
        ticks = log_ticks(low, high, n or 8)
    elif scale in (Scale.ROOT, Scale.ASINH):
        ticks = uneven_ticks(scale, low, high)
    else:
        ticks = linear_ticks(low, high, n or 5)
    if whole:
        ticks = ticks[ticks == np.round(ticks)]
        if len(ticks) < 2:
            ticks = np.unique([np.ceil(low), np.floor(high)])
            ticks = ticks[(ticks >= low) & (ticks <= high)]
    finer = n or 5
    while len(ticks) < 2:
        finer *= 2
        ticks = linear_ticks(low, high, finer)
    return Axis(
        title + _IN_WORDS[scale],
        scale,
        float(low),
        float(high),
        tuple((float(tick), tick_text(float(tick))) for tick in ticks),
    )
