"""Usual limits beyond which cells are left out, each with its source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dpss.stats.cell_tallies import CellSums
from dpss.stats.histogram import Distribution
from dpss.stats.outliers import MAD_SCALE, LimitSide, deviation_limits

FEW_GENES = 200
"""Least genes detected in a cell; a barcode with fewer is like an empty droplet."""
PANEL_GENES = 10 * FEW_GENES
"""Most genes of a matrix of a targeted panel, for which `FEW_GENES` is too high."""
PANEL_FEW_COUNTS = 10
"""Least counts of a cell in a matrix of a panel."""
MUCH_MITOCHONDRIAL = {"mouse": 5.0, "human": 10.0}
"""Highest percentage of mitochondrial counts of intact cells, by species; others as human."""
FAR_TOO_MITOCHONDRIAL = 20.0
"""Percentage of mitochondrial counts beyond which cells of any tissue are suspect."""
N_MARKERS = 5
"""Least recognised genes of a group for a percentage of counts in them."""

TUTORIALS = "scanpy and Seurat tutorials (min_genes = 200)"
SQUIDPY = "squidpy tutorials of Xenium and MERSCOPE (min_counts = 10)"
OSORIO = "D. Osorio, J. J. Cai, Bioinformatics 37 (2021), doi:10.1093/bioinformatics/btaa751"
HBC = "Harvard Chan Bioinformatics Core, single-cell RNA-seq training (mitoRatio < 0.2)"
HBC_COMPLEXITY = (
    "Harvard Chan Bioinformatics Core, single-cell RNA-seq training (log10GenesPerUMI > 0.8)"
)
LOW_COMPLEXITY = 0.8
"""log10 of genes over log10 of counts below which a cell shows few kinds of RNA."""
SCATER = "scater isOutlier: 3 MADs, times 1.4826"
BOOK = "Single-cell best practices (2023), quality control"

SCATER_DEVIATIONS = 3 * MAD_SCALE
BOOK_DEVIATIONS = 5.0
BOOK_DEVIATIONS_MT = 3.0
"""The book takes median absolute deviations without the factor 1.4826."""


SAMPLED = ("pct_counts_ribo", "pct_counts_hb", "pct_counts_in_top_50_genes", "complexity")
"""Measures whose distribution is that of a sample of cells: exact up to 65,536 cells."""


@dataclass(frozen=True)
class Limit:
    """A limit of a measure of cells."""

    measure: str
    """Name of the measure, as in `measures_of`."""
    value: float
    """The limit; cells exactly at the limit are kept."""
    side: LimitSide
    """Side of the limit on which cells are kept."""
    source: str
    """Source of the limit."""


def measures_of(cells: CellSums) -> dict[str, Distribution]:
    """Return the distribution of each known measure of the kept cells, by its name."""
    found = {
        "n_genes_by_counts": cells.n_genes_by_counts,
        "total_counts": cells.total_counts,
        "pct_counts_mt": cells.pct_counts_mt,
        **{name: cells.sample.distribution(name) for name in SAMPLED},
    }
    return {name: measure for name, measure in found.items() if measure is not None and measure.n}


def suggest_limits(cells: CellSums, n_genes: int, species: Sequence[str]) -> tuple[Limit, ...]:
    """Return the limits that apply to a matrix, fixed ones first.

    Args:
        cells: Distributions of the kept cells' measures.
        n_genes: Genes of the matrix, detected or not.
        species: Recognised species, most genes first.
    """
    if cells.n_cells_kept == 0:
        return ()
    deviations = (each for each in _deviations(cells) if _can_be_missed(each))
    return (*_fixed_limits(cells, n_genes, species), *deviations)


def _can_be_missed(limit: Limit) -> bool:
    """Return whether a cell could lie beyond a limit: not below 0, nor above 100 %."""
    if limit.side is LimitSide.AT_LEAST:
        return limit.value > 0
    return not limit.measure.startswith("pct_") or limit.value < 100


def mitochondrial_limit(species: Sequence[str]) -> float:
    """Return the highest mitochondrial percentage of intact cells of a species."""
    return MUCH_MITOCHONDRIAL.get(next(iter(species), ""), MUCH_MITOCHONDRIAL["human"])


def _fixed_limits(cells: CellSums, n_genes: int, species: Sequence[str]) -> Iterator[Limit]:
    if n_genes > PANEL_GENES:
        yield Limit("n_genes_by_counts", FEW_GENES, LimitSide.AT_LEAST, TUTORIALS)
    else:
        yield Limit("total_counts", PANEL_FEW_COUNTS, LimitSide.AT_LEAST, SQUIDPY)
    if cells.pct_counts_mt is not None:
        yield Limit("pct_counts_mt", mitochondrial_limit(species), LimitSide.AT_MOST, OSORIO)
        yield Limit("pct_counts_mt", FAR_TOO_MITOCHONDRIAL, LimitSide.AT_MOST, HBC)
    if n_genes > PANEL_GENES:
        yield Limit("complexity", LOW_COMPLEXITY, LimitSide.AT_LEAST, HBC_COMPLEXITY)


_DEVIATIONS = (
    *(
        (name, True, n_deviations, source)
        for name in ("total_counts", "n_genes_by_counts")
        for n_deviations, source in (
            (SCATER_DEVIATIONS, SCATER),
            (BOOK_DEVIATIONS, f"{BOOK}: 5 MADs"),
        )
    ),
    (
        "pct_counts_in_top_50_genes",
        False,
        BOOK_DEVIATIONS,
        f"{BOOK}: 5 MADs, there of the top 20 genes",
    ),
    ("pct_counts_mt", False, SCATER_DEVIATIONS, SCATER),
    ("pct_counts_mt", False, BOOK_DEVIATIONS_MT, f"{BOOK}: 3 MADs"),
)
"""Measure, whether its scale is logarithmic, number of deviations, and source."""


def _deviations(cells: CellSums) -> Iterator[Limit]:
    """Yield the limits in median absolute deviations, where the deviation is not 0."""
    for name, log, n_deviations, source in _DEVIATIONS:
        measure = cells.sample.distribution(name) if name in SAMPLED else getattr(cells, name)
        limits = None if measure is None else deviation_limits(measure, n_deviations, log=log)
        if limits is None:
            continue
        if name != "pct_counts_mt":
            yield Limit(name, limits[0], LimitSide.AT_LEAST, source)
        yield Limit(name, limits[1], LimitSide.AT_MOST, source)
