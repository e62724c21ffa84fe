"""matplotlib's settings for this program's figures."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any

from dpss.compute.extras import require
from dpss.figures.elements.layout import DPI, MEDIUM, SMALL
from dpss.figures.elements.palette import LIGHT

_NOT_OURS = ("backend", "backend_fallback", "interactive", "toolbar", "date.epoch")
_LOCK = threading.RLock()
_themed = False


@cache
def preload() -> None:
    """Import the modules of matplotlib that drawing needs, without its log lines.

    It takes about a second: a caller may want to do so in a thread beside other work. A
    configuration folder that can't be written costs matplotlib its font cache, no more;
    it would warn of that at length.
    """
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        require("notebook", "a figure as an object needs matplotlib")
        for name in ("figure", "font_manager", "backends.backend_agg"):
            import_module(f"matplotlib.{name}")
    finally:
        logger.setLevel(level)


@contextmanager
def theme() -> Iterator[None]:
    """Set this program's style for the length of a context, then restore the caller's.

    matplotlib's settings belong to the process: one thread at a time draws. To set them
    takes a while: set them once around several figures.
    """
    global _themed  # noqa: PLW0603 (guarded by the lock)
    preload()
    import matplotlib as mpl

    with _LOCK:
        if _themed:
            yield
            return
        with mpl.rc_context():
            settings: dict[Any, Any] = {
                key: value for key, value in mpl.rcParamsDefault.items() if key not in _NOT_OURS
            }
            mpl.rcParams.update(settings | _settings())
            _themed = True
            try:
                yield
            finally:
                _themed = False


def _settings() -> dict[str, Any]:
    """Return matplotlib's settings for the style."""
    return {
        "figure.dpi": DPI,
        "figure.facecolor": LIGHT.background,
        "savefig.dpi": "figure",
        "font.family": ["DejaVu Sans"],
        "font.size": SMALL,
        "text.color": LIGHT.ink,
        "text.parse_math": False,  # a `$` in a name is a `$`
        "axes.labelcolor": LIGHT.muted,
        "axes.labelsize": MEDIUM,
        "axes.labelpad": 7,
        "axes.edgecolor": LIGHT.line,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "grid.color": LIGHT.grid,
        "grid.linewidth": 0.8,
        "xtick.major.size": 3,
        "ytick.major.size": 3,
        "xtick.color": LIGHT.line,
        "ytick.color": LIGHT.line,
        "xtick.labelcolor": LIGHT.muted,
        "ytick.labelcolor": LIGHT.muted,
        "xtick.labelsize": SMALL,
        "ytick.labelsize": SMALL,
        "lines.solid_capstyle": "butt",
    }
