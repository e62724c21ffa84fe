"""The outline of a violin."""

from __future__ import annotations

import numpy as np

from dpss.figures.elements.smoothing import smooth


def test_smooth_outline_is_a_kernel_density() -> None:
    """The binned estimate is the plain sum of Gaussian kernels, in shape."""
    rng = np.random.default_rng(3)
    sample = np.round(rng.normal(100, 15, 4000))
    values, counts = np.unique(sample, return_counts=True)
    grid, density = smooth(values, counts)
    q1, q3 = np.quantile(sample, [0.25, 0.75])
    wide = 0.9 * min(sample.std(), (q3 - q1) / 1.34) * len(sample) ** -0.2
    plain = np.exp(-0.5 * ((grid[:, None] - sample) / wide) ** 2).sum(axis=1)
    np.testing.assert_allclose(density, plain / plain.max(), atol=0.01)
