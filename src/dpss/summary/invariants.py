"""Laws of every summary; a summary that breaks a law is never shown or published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, agreeing, plural
from dpss.stats.boxes import Box
from dpss.stats.histogram import Distribution
from dpss.stats.ranks import UNRANKED
from dpss.stats.values.kinds import ValueKind
from dpss.summary.record import GeneStatistics, Summary

_RELATIVE = 1e-6
"""Largest relative rounding error of sums of many fractions."""


def check_summary(summary: Summary) -> Summary:
    """Return a summary that obeys all laws.

    Raises:
        CorruptMatrixError: The summary breaks a law: the file or the program is wrong.
    """
    for fault in find_faults(summary):
        raise CorruptMatrixError(f"the statistics are impossible and are not published: {fault}")
    return summary


def find_faults(summary: Summary) -> Iterator[str]:
    """Yield a sentence for each law that a summary breaks."""
    yield from _faults_of_sizes(summary)
    yield from _faults_of_genes(summary.genes, summary.n_cells_kept)
    yield from _faults_of_ranks(summary.genes)
    yield from _faults_of_boxes(summary.highest_expr_boxes)
    if not _close(float(summary.genes.total_counts.sum()), float(summary.total_counts)):
        yield "the genes' counts do not add up to the total"
    if int(summary.genes.n_cells_by_counts.sum()) != summary.n_nonzero:
        yield "the genes' cells do not add up to the number of values above 0"
    n = summary.n_cells_kept
    yield from _faults_of_cells("genes per cell", summary.n_genes_by_counts, n, summary.n_genes)
    yield from _faults_of_cells("counts per cell", summary.counts_per_cell, n, np.inf)
    if summary.pct_counts_mt is not None:
        yield from _faults_of_cells("mitochondrial percentage", summary.pct_counts_mt, n, 100)
    for name, measure in summary.other_measures.items():
        if name.startswith("pct_"):
            yield from _outside(name, measure.values, 100)
    if any(each.n_cells_kept > summary.n_cells_kept for each in summary.thresholds):
        yield "a limit keeps more cells than there are"
    of_cells = float((summary.counts_per_cell.values * summary.counts_per_cell.counts).sum())
    if summary.values is ValueKind.COUNTS and not _close(of_cells, float(summary.total_counts)):
        yield "the cells' counts do not add up to the total"
    found = int((summary.n_genes_by_counts.values * summary.n_genes_by_counts.counts).sum())
    if found != summary.n_nonzero:
        yield "the cells' genes do not add up to the number of values above 0"


def _faults_of_sizes(summary: Summary) -> Iterator[str]:
    if not 0 <= summary.n_cells_kept <= summary.n_cells:
        kept = agreeing(summary.n_cells_kept, "is")
        yield f"{summary.n_cells_kept:,} of {plural(summary.n_cells, 'cell')} {kept} kept"
    if summary.n_genes != len(summary.genes):
        yield f"{plural(len(summary.genes), 'line')} of genes for {plural(summary.n_genes, 'gene')}"
    if not 0 <= summary.n_nonzero <= summary.n_cells_kept * summary.n_genes:
        yield f"there are more values above 0 than cells × genes: {summary.n_nonzero:,}"


def _faults_of_genes(genes: GeneStatistics, n_cells: int) -> Iterator[str]:
    found = genes.n_cells_by_counts
    yield from _outside("n_cells_by_counts", found, n_cells)
    yield from _outside("pct_dropout_by_counts", genes.pct_dropout_by_counts, 100)
    yield from _outside("mean_pct_of_cell_counts", genes.mean_pct_of_cell_counts, 100)
    yield from _outside("total_counts", genes.total_counts, np.inf)
    if bool(((genes.total_counts > 0) & (found == 0)).any()):
        yield "a gene has counts in no cell"
    if not np.isfinite(genes.total_counts.astype(np.float64)).all():
        yield "total_counts of a gene is not finite"


def _faults_of_ranks(genes: GeneStatistics) -> Iterator[str]:
    for name in ("rank_highest_expr", "rank_cell_count", "rank_variability"):
        ranks = getattr(genes, name)
        given = np.sort(ranks[ranks != UNRANKED])
        if not np.array_equal(given, np.arange(1, len(given) + 1)):
            yield f"{name} is not 1, 2, 3 and so on, each once"


def _faults_of_boxes(boxes: Sequence[Box]) -> Iterator[str]:
    slack = _RELATIVE * 100
    for box in boxes:
        quartiles = (-slack, box.q1, box.median, box.q3, 100 + slack)
        whiskers = (-slack, box.whisker_low, box.whisker_high, 100 + slack)
        if not (_ascends(quartiles) and _ascends(whiskers)):
            yield f"the quartiles or whiskers of a box plot are out of order or bounds: {box}"


def _ascends(numbers: Sequence[float]) -> bool:
    """Return whether no number is below the one before; false with NaN."""
    return all(a <= b for a, b in pairwise(numbers))


def _faults_of_cells(name: str, measure: Distribution, n_cells: int, most: float) -> Iterator[str]:
    if measure.n != n_cells:
        yield f"{name}: {plural(measure.n, 'cell')} of {n_cells:,}"
    yield from _outside(name, measure.values, most)
    if not np.isfinite(measure.values.astype(np.float64)).all():
        yield f"{name} is not finite"
    elif measure.n > 0 and not measure.values.min() <= measure.median <= measure.values.max():
        yield f"the median of {name} is outside its values"
    if bool((measure.counts < 0).any()):
        yield f"{name}: a negative number of cells"


def _outside(name: str, values: NDArray[np.generic], most: float) -> Iterator[str]:
    """Yield a sentence if a number is below 0 or above a bound; NaN counts as inside."""
    numbers = values.astype(np.float64)
    slack = _RELATIVE * most if np.isfinite(most) else 0.0
    bad = numbers[(numbers < -slack) | (numbers > most + slack)]
    if len(bad):
        bounds = f"0 to {most:,}" if np.isfinite(most) else "0 and more"
        yield f"{name} is {bad[0]:,.6g}, not within {bounds}"


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= _RELATIVE * max(1.0, abs(a), abs(b))
