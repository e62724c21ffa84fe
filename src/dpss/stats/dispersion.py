"""Normalised dispersion, as scanpy's ``pp.highly_variable_genes(flavor="seurat")``.

Source: R. Satija et al., "Spatial reconstruction of single-cell gene expression data",
Nature Biotechnology 33 (2015), doi:10.1038/nbt.3192, in the form that scanpy gives it:
the logarithm of variance over mean of the counts normalised to 10,000 per cell,
standardised within 20 equally wide bins of log1p(mean).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TARGET_SUM = 1e4
"""Counts per cell after normalisation."""
N_BINS = 20
MIN_MEAN, MAX_MEAN, MIN_DISP = 0.0125, 3.0, 0.5
"""scanpy's default cut-offs on ``means`` and ``dispersions_norm``; all exclusive."""

_MEAN_OF_NOTHING = 1e-12


@dataclass(frozen=True)
class Dispersion:
    """The columns of scanpy's highly variable genes, each of shape ``(n_genes,)``."""

    means: NDArray[np.float64]
    """log1p of the mean normalised count."""
    dispersions: NDArray[np.float64]
    """log(variance / mean) of the normalised counts; NaN where the variance is zero."""
    dispersions_norm: NDArray[np.float64]
    """Dispersion standardised within its bin of means; NaN where undefined."""
    highly_variable: NDArray[np.bool_]
    """Whether mean and normalised dispersion lie within the cut-offs."""


def normalise_dispersions(
    share_means: NDArray[np.float64], share_variances: NDArray[np.float64]
) -> Dispersion:
    """Compute dispersions from the moments of the shares of a cell's counts.

    Args:
        share_means: Mean share of a cell's counts, shape ``(n_genes,)``.
        share_variances: Its sample variance, shape ``(n_genes,)``.

    Returns:
        The columns that scanpy makes.
    """
    means = share_means * TARGET_SUM
    variances = share_variances * TARGET_SUM**2
    means = np.where(means == 0, _MEAN_OF_NOTHING, means)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = variances / means
        dispersions = np.log(np.where(ratios == 0, np.nan, ratios))
    log_means = np.log1p(means)
    bins = _cut(log_means)
    normalised = _standardise(dispersions, bins)
    defined = np.nan_to_num(normalised)
    return Dispersion(
        means=log_means,
        dispersions=dispersions,
        dispersions_norm=normalised,
        highly_variable=(log_means > MIN_MEAN) & (log_means < MAX_MEAN) & (defined > MIN_DISP),
    )


def _cut(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return each value's bin of equal width, right-closed, as `pandas.cut` does."""
    if len(values) == 0 or np.isnan(values).all():
        return np.zeros(len(values), dtype=np.int64)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if low == high:
        low -= 0.001 * abs(low) if low != 0 else 0.001
        high += 0.001 * abs(high) if high != 0 else 0.001
        edges = np.linspace(low, high, N_BINS + 1)
    else:
        edges = np.linspace(low, high, N_BINS + 1)
        edges[0] -= (high - low) * 0.001
    return np.clip(np.searchsorted(edges, values, side="left") - 1, 0, N_BINS - 1)


def _standardise(dispersions: NDArray[np.float64], bins: NDArray[np.int64]) -> NDArray[np.float64]:
    """Subtract each bin's mean and divide by its standard deviation (``ddof=1``).

    A bin with a single defined dispersion gives it the normalised value 1.
    """
    normalised = np.full(len(dispersions), np.nan)
    for number in range(N_BINS):
        members = np.flatnonzero(bins == number)
        defined = members[~np.isnan(dispersions[members])]
        if len(defined) == 1:
            normalised[defined] = 1.0
        elif len(defined) > 1:
            # Relative to the first of them, so that equal dispersions have exactly no spread.
            part = dispersions[defined] - dispersions[defined[0]]
            spread = part.std(ddof=1)
            with np.errstate(divide="ignore", invalid="ignore"):
                normalised[defined] = (part - part.mean()) / spread
    return normalised
