"""Simulated counts like those of single-cell experiments, drawn from a seed.

Each gene has a mean (log-normal: few genes take most counts), each kind of cell raises
its markers, each cell has a depth (log-normal) and a mitochondrial share; counts are
negative binomial around that. A few cells are damaged, as in real data: shallow, and
mostly mitochondrial.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpss.demo.genes import HOUSEKEEPING, MARKERS, MITOCHONDRIAL, gene_ids, gene_symbols

_DISPERSION = 5.0
"""Shape of the gamma distribution within the negative binomial."""
_DAMAGED = 0.05
"""Share of damaged cells."""


@dataclass(frozen=True)
class Tissue:
    """Parameters of a simulated tissue."""

    kinds: tuple[str, ...]
    """Kinds of cells in the tissue, the most common first."""
    n_cells: int
    n_genes: int
    depth: float
    """Median counts per cell."""
    mitochondrial: float
    """Typical share of mitochondrial counts."""
    mouse: bool = False


@dataclass(frozen=True)
class Counts:
    """A simulated matrix."""

    matrix: NDArray[np.int32]
    """The counts, shape ``(n_cells, n_genes)``."""
    symbols: list[str]
    ids: list[str]
    barcodes: list[str]


def simulate(tissue: Tissue, seed: int) -> Counts:
    """Draw the counts of a tissue; equal seeds give equal counts.

    Args:
        tissue: The tissue to simulate.
        seed: Seed of the random numbers.
    """
    rng = np.random.default_rng(seed)
    symbols = gene_symbols(tissue.kinds, tissue.n_genes, mouse=tissue.mouse)
    place = {name.upper(): gene for gene, name in enumerate(symbols)}
    n_mt = len(MITOCHONDRIAL)
    base = rng.lognormal(0, 1.9, tissue.n_genes)
    # Made-up genes get no high expression.
    base = np.minimum(base, np.quantile(base, 0.96))
    often = [g for name, g in place.items() if name in HOUSEKEEPING or name[:3] in ("RPL", "RPS")]
    base[often] = base.max() * rng.lognormal(0.7, 0.8, len(often))
    base[:n_mt] = rng.lognormal(0, 0.6, n_mt)
    profiles = np.tile(base, (len(tissue.kinds), 1))
    for number, kind in enumerate(tissue.kinds):
        markers = [place[name.upper()] for name in MARKERS[kind].split()]
        raised = np.quantile(base, 0.96) * rng.lognormal(0.8, 0.9, len(markers))
        profiles[:, markers] *= 0.05
        profiles[number, markers] = raised
    weights = 0.5 ** np.arange(len(tissue.kinds))
    kind_of = rng.choice(len(tissue.kinds), tissue.n_cells, p=weights / weights.sum())
    depth = tissue.depth * rng.lognormal(0, 0.45, tissue.n_cells)
    share = rng.beta(2, 2 / tissue.mitochondrial - 2, tissue.n_cells)
    damaged = rng.random(tissue.n_cells) < _DAMAGED
    depth[damaged] *= 0.15
    share[damaged] = rng.uniform(0.2, 0.7, int(damaged.sum()))
    rates = profiles[kind_of]
    rates[:, :n_mt] *= (share / rates[:, :n_mt].sum(axis=1))[:, None]
    rates[:, n_mt:] *= ((1 - share) / rates[:, n_mt:].sum(axis=1))[:, None]
    rates *= depth[:, None]
    noise = rng.gamma(_DISPERSION, 1 / _DISPERSION, rates.shape)
    letters = rng.choice(list("ACGT"), (tissue.n_cells, 16))
    return Counts(
        matrix=rng.poisson(rates * noise).astype(np.int32),
        symbols=symbols,
        ids=gene_ids(tissue.n_genes),
        barcodes=["".join(row) + "-1" for row in letters],
    )
