"""Pictures to draw on, for the tests of loops."""

from __future__ import annotations

import numpy as np


def blank(height: int = 60, width: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return coverage and a white picture."""
    picture = np.full((height, 1 + 3 * width), 255, dtype=np.uint8)
    picture[:, 0] = 0
    return np.zeros((height, width + 2), dtype=np.float32), picture


def darkness(picture: np.ndarray) -> np.ndarray:
    """Return how dark each pixel is, from 0 to 1, shape ``(height, width)``."""
    return 1 - picture[:, 1::3] / 255
