"""Maps of cells: bins as dots in the colours of clusters, and the clusters' numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpss.figures.elements.palette import LIGHT
from dpss.figures.elements.paper import SMALL
from dpss.stats.embedding.maps import N_BINS, CellMap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dpss.summary.record import Summary

CLUSTER_COLOURS = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7b4fa3", "#8c6d31",
    "#3b7d4f", "#b03060", "#5f7f8f", "#c8b400", "#1b3f73", "#f08a7e", "#6fae3a", "#9e9ac8",
    "#7f3b08", "#35a7a0", "#e377c2", "#737373",
)  # fmt: skip
"""Colours of clusters by number, used again beyond; the number stands on the cluster, too."""
_SMALL_PART = 0.03
"""Extent of a cluster, in parts of the map, below which its number stands above it."""
_SPARSE, _DENSE = 3_000, 30_000
"""Bins with cells up to which dots are large, and from which on they are small."""


def needs_embedding(summary: Summary) -> str | None:
    """Return why there is no embedding, or ``None`` if there is."""
    if summary.embedding is None:
        return summary.no_embedding_reason or "no embedding was asked for"
    return None


def colour_of(cluster: int) -> str:
    """Return the colour of a cluster."""
    return CLUSTER_COLOURS[cluster % len(CLUSTER_COLOURS)]


def dot_size(n_bins: int, inches: float) -> float:
    """Return the area of a dot in square points.

    Args:
        n_bins: Number of bins with cells.
        inches: Side of the map.
    """
    full = inches * 72 / N_BINS
    crowded = np.clip(np.log(n_bins / _SPARSE) / np.log(_DENSE / _SPARSE), 0, 1)
    return float((full * (2.6 - 1.3 * crowded)) ** 2)


def prepare_map(ax: Axes, cells: CellMap) -> None:
    """Give axes the range of a map, without ticks."""
    (left, bottom), (right, top) = cells.frame.low, cells.frame.high
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    ax.set_xticks([])
    ax.set_yticks([])


def draw_clusters(ax: Axes, cells: CellMap, inches: float) -> None:
    """Draw each bin in the colour of its most frequent cluster, stronger where cells are many."""
    from matplotlib.colors import to_rgba_array

    bins, clusters, counts = cells.majority()
    colours = to_rgba_array([colour_of(int(k)) for k in clusters])
    strength = np.log1p(counts) / np.log1p(max(float(np.quantile(counts, 0.99)), 1.0))
    colours[:, 3] = 0.45 + 0.5 * np.clip(strength, 0, 1)
    order = np.argsort(counts, kind="stable")
    x, y = cells.frame.middles(bins)[order].T
    ax.scatter(
        x, y, s=dot_size(len(bins), inches), c=colours[order], linewidths=0,
        rasterized=True, zorder=2,
    )  # fmt: skip


def draw_numbers(ax: Axes, cells: CellMap, n_clusters: int) -> None:
    """Write each cluster's number on the densest part of it."""
    from matplotlib.patheffects import withStroke

    for cluster in range(n_clusters):
        of_it = cells.clusters == cluster
        if not of_it.any():
            continue
        places = cells.frame.middles(cells.bins[of_it])
        small = np.ptp(places, axis=0).max() < _SMALL_PART * np.ptp(ax.get_xlim())
        ax.annotate(
            str(cluster), _middle(places, cells.counts[of_it]),
            (0, 9) if small else (0, 0), textcoords="offset points", ha="center", va="center",
            size=SMALL + 1.5, weight="bold",
            color=LIGHT.ink, zorder=5,
            path_effects=[withStroke(linewidth=2.4, foreground=LIGHT.background)],
        )  # fmt: skip


def _middle(places: NDArray[np.float64], counts: NDArray[np.int64]) -> tuple[float, float]:
    """Return the place of the bin that is nearest to the cluster's median."""
    medians = []
    for axis in (0, 1):
        order = np.argsort(places[:, axis], kind="stable")
        half = np.searchsorted(np.cumsum(counts[order]), counts.sum() / 2)
        medians.append(places[order[half], axis])
    nearest = int(np.argmin(((places - np.array(medians)) ** 2).sum(axis=1)))
    return float(places[nearest, 0]), float(places[nearest, 1])
