"""Pages as matplotlib draws them, and how much two pictures are alike."""

from __future__ import annotations

import math
from dataclasses import replace
from unittest.mock import patch

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.ndimage import uniform_filter

from dpss.figures.elements.layout import DPI
from dpss.figures.elements.marks import Page
from dpss.figures.elements.palette import Theme
from dpss.figures.elements.style import theme as style
from dpss.figures.mpl import draw_page


def figure_of(page: Page, theme: Theme) -> Figure:
    """Return a page drawn by matplotlib, in the colours of a theme.

    The page is made whole pixels high: matplotlib counts them from below and cuts off a part of
    one above, which would move everything by that part.
    """
    pixels = math.floor(page.height * DPI / 72)
    with (
        patch("dpss.figures.mpl.LIGHT", theme),
        patch("dpss.figures.elements.style.LIGHT", theme),
        style(),
    ):
        figure = draw_page(replace(page, height=(pixels + 1e-6) * 72 / DPI))
        for axes in figure.axes:
            axes.patch.set_visible(False)
        return figure


def pixels_of(figure: Figure) -> np.ndarray:
    """Return a figure's pixels, shape ``(height, width, 3)``."""
    # Hinted, matplotlib's glyphs are wider than the font has them, by a hundredth and more.
    with style(), rc_context({"text.hinting": "none"}):
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[:, :, :3].copy()


def halved(pixels: np.ndarray) -> np.ndarray:
    """Return grey values from 0 to 1 at half the resolution, about that of a screen."""
    grey = pixels @ np.array([0.299, 0.587, 0.114]) / 255
    height, width = (size // 2 * 2 for size in grey.shape)
    return grey[:height, :width].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))


def similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mean structural similarity of two pictures of grey values, 1 for equal ones.

    Source: Z. Wang et al., "Image quality assessment: from error visibility to structural
    similarity", IEEE Transactions on Image Processing 13 (2004) 600; windows of 7 pixels.
    """

    def mean(values: np.ndarray) -> np.ndarray:
        return uniform_filter(values, 7)

    mean_a, mean_b = mean(a), mean(b)
    within_a, within_b = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2
    between = mean(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    found = (2 * mean_a * mean_b + c1) * (2 * between + c2)
    return float(np.mean(found / ((mean_a**2 + mean_b**2 + c1) * (within_a + within_b + c2))))
