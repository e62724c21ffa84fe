"""Axes with few, round, readable ticks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_MANTISSAS = ((1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0), (1.0, 2.0, 5.0), (1.0, 3.0), (1.0,))


def number(value: float) -> str:
    """Return a number as axes write it, millions from ten of them on.

    >>> number(12000.0), number(0.25), number(2.0), number(3e7)
    ('12,000', '0.25', '2', '30 M')
    """
    if value >= 10_000_000:
        return f"{value / 1_000_000:,.0f} M"
    if value == round(value) or value >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.6f}".rstrip("0").rstrip(".")


def rounded(value: float) -> str:
    """Return a median for a person: ``1,236`` or ``1,236.5``, as `number` writes it."""
    return number(round(value, 1))


def percent(value: float) -> str:
    """Return a percentage for a person: two digits that tell something.

    >>> percent(100.0), percent(99.96), percent(3.14159), percent(0.0421), percent(0.0)
    ('100 %', '99.96 %', '3.1 %', '0.042 %', '0 %')
    """
    if value in (0.0, 100.0):
        return f"{value:.0f} %"
    if value > 99:
        return f"{min(value, 99.99):.2f} %"
    digits = max(1, min(4, 1 - int(np.floor(np.log10(value)))))
    return f"{value:.{digits}f} %"


def linear_ticks(low: float, high: float, n: int = 5) -> NDArray[np.float64]:
    """Return about ``n`` round numbers within ``low`` to ``high``."""
    rough = (high - low) / n
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * min(s for s in _STEPS if s * power >= rough * 0.999)
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    ticks: NDArray[np.float64] = np.round(np.arange(first, last + 1) * step, 12)
    return ticks + 0.0  # -0 becomes 0


def log_ticks(low: float, high: float, n: int = 8) -> NDArray[np.float64]:
    """Return at most ``n`` round numbers within ``low`` to ``high``, evenly spread by logarithm."""
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for mantissas in _MANTISSAS:
        ticks = np.sort(np.outer(10.0**powers, mantissas).ravel())
        ticks = ticks[(ticks >= low * 0.9999) & (ticks <= high * 1.0001)]
        if len(ticks) <= n:
            break
    else:
        ticks = ticks[:: int(np.ceil(len(ticks) / n))]
    return ticks if len(ticks) > 1 else linear_ticks(low, high, 3)


def span_of(low: float, high: float, *, log: bool, pad: float = 0.04) -> tuple[float, float]:
    """Return limits a little wider than the data, and never of no width."""
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


def set_axis(
    ax: Axes,
    which: str,
    limits: tuple[float, float],
    *,
    log: bool,
    n: int | None = None,
    whole: bool = False,
) -> None:
    """Give one axis its scale, limits, round ticks and a faint grid.

    Args:
        ax: The axes.
        which: ``x`` or ``y``.
        limits: Both ends.
        log: Whether the axis is logarithmic.
        n: About how many ticks.
        whole: Whether only whole numbers are meant, such as numbers of cells.
    """
    from matplotlib.ticker import NullLocator

    low, high = limits
    ticks = log_ticks(low, high, n or 8) if log else linear_ticks(low, high, n or 5)
    if whole:
        ticks = ticks[ticks == np.round(ticks)]
    if which == "x":
        if log:
            ax.set_xscale("log")
        ax.set_xlim(low, high)
        ax.set_xticks(ticks, labels=[number(tick) for tick in ticks])
    else:
        if log:
            ax.set_yscale("log")
        ax.set_ylim(low, high)
        ax.set_yticks(ticks, labels=[number(tick) for tick in ticks])
    axis = ax.xaxis if which == "x" else ax.yaxis
    if log:
        axis.set_minor_locator(NullLocator())
    axis.grid(True)
