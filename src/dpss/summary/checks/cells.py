"""Checks of the cells: number, droplets, depth, outliers and mitochondrial share."""

from __future__ import annotations

import numpy as np

from dpss.errors import agreeing, plural
from dpss.stats.outliers import LimitSide, count_beyond
from dpss.summary.findings import Findings
from dpss.summary.limits import (
    FAR_TOO_MITOCHONDRIAL,
    FEW_GENES,
    N_MARKERS,
    PANEL_FEW_COUNTS,
    PANEL_GENES,
    measures_of,
    mitochondrial_limit,
)
from dpss.summary.status import FAIL, NOT_MEASURED, PASS, WARN

FEW_CELLS = 100
MANY = 0.1
"""Part of the cells, 0 to 1, that may lie beyond a limit without a warning."""
EMPTY_DROPLETS = 0.5
"""Part of the cells with few genes, 0 to 1, from which the matrix seems to hold all droplets."""
_NOUNS = {
    "total_counts": "counts",
    "n_genes_by_counts": "genes",
    "pct_counts_mt": "mitochondrial counts",
}


def check_total(findings: Findings) -> tuple[str, str]:
    """Compare the number of cells with the one that the source states."""
    n_cells, expected = findings.sums.cells.n_cells, findings.expected_cells
    if expected is None:
        return NOT_MEASURED, f"{plural(n_cells, 'cell', 'was')} read; the source states no number."
    if n_cells != expected:
        return WARN, f"{plural(n_cells, 'cell', 'was')} read, but the source states {expected:,}."
    return PASS, f"{plural(n_cells, 'cell', 'was')} read, as the source states."


def check_cells(findings: Findings) -> tuple[str, str]:
    """Look for cells without counts, and at the number of cells."""
    cells = findings.sums.cells
    empty = int(cells.total_counts.counts[cells.total_counts.values == 0].sum())
    if cells.n_cells_kept == 0:
        all_cells = f"None of the {plural(cells.n_cells, 'cell')} was kept."
        return FAIL, "The only cell was not kept." if cells.n_cells == 1 else all_cells
    if empty:
        kept = plural(cells.n_cells_kept, "cell")
        return WARN, f"{empty:,} of {kept} {agreeing(empty, 'has')} no counts."
    if cells.n_cells_kept < FEW_CELLS:
        there = f"There {agreeing(cells.n_cells_kept, 'is')} only"
        return WARN, f"{there} {plural(cells.n_cells_kept, 'cell')}."
    return PASS, f"All {plural(cells.n_cells_kept, 'cell')} have counts."


def check_droplets(findings: Findings) -> tuple[str, str]:
    """Look for a knee between cells and empty droplets."""
    found = findings.droplets
    if found is None:
        return PASS, "The counts have no knee between cells and empty droplets: cells were called."
    knee = found.knee
    n = knee.n_cells + knee.n_background
    message = f"About {knee.n_cells:,} of {plural(n, 'barcode')} look like cells."
    message += (
        f" Above the knee, {knee.min_counts:,.0f} counts, the medians are "
        f"{plural(round(knee.median_counts), 'count')} and "
        f"{plural(round(found.median_genes), 'gene')}; below it "
        f"{knee.median_counts_background:,.0f} and {found.median_genes_background:,.0f}."
    )
    if findings.above_knee:
        return PASS, f"{message} Only those above are summarised."
    return WARN, f"{message} All numbers are of both; --cells-above-knee leaves out those below."


def check_depth(findings: Findings) -> tuple[str, str]:
    """Look at the share of cells with few genes; of panels, few counts or one gene."""
    cells = findings.sums.cells
    if not cells.n_cells_kept:
        return FAIL, "There are no cells to look at."
    if len(findings.genes) <= PANEL_GENES:
        return _check_panel(findings)
    genes = cells.n_genes_by_counts
    few = count_beyond(genes, FEW_GENES, LimitSide.AT_LEAST)
    share, message = few / cells.n_cells_kept, _share(few, cells.n_cells_kept)
    message += f" fewer than {FEW_GENES} genes detected; the median is {genes.median:,.0f}."
    if share > EMPTY_DROPLETS and findings.droplets is None:
        return WARN, message + " This looks like droplets before empty ones were left out."
    return WARN if share > MANY else PASS, message


def _check_panel(findings: Findings) -> tuple[str, str]:
    cells = findings.sums.cells
    n, genes, counts = cells.n_cells_kept, cells.n_genes_by_counts, cells.total_counts
    single = count_beyond(genes, 2, LimitSide.AT_LEAST)
    few = count_beyond(counts, PANEL_FEW_COUNTS, LimitSide.AT_LEAST)
    medians = (
        f"the medians are {plural(round(genes.median), 'gene')} and "
        f"{plural(round(counts.median), 'count')}."
    )
    if single > MANY * n:
        return WARN, f"{_share(single, n)} no more than one gene detected; {medians}"
    message = f"{_share(few, n)} fewer than {PANEL_FEW_COUNTS} counts; {medians}"
    return WARN if few > MANY * n else PASS, message


def check_outliers(findings: Findings) -> tuple[str, str]:
    """Look at the share of cells far from the median, on each side of each measure."""
    cells = findings.sums.cells
    if not findings.scater_limits:
        return NOT_MEASURED, (
            "How far cells lie from each other can't be told: half of them have the same numbers."
        )
    n, measures = cells.n_cells_kept, measures_of(cells)
    counted = (
        (count_beyond(measures[limit.measure], limit.value, limit.side), limit)
        for limit in findings.scater_limits
    )
    most, limit = max(counted, key=lambda each: each[0])
    way = "fewer" if limit.side is LimitSide.AT_LEAST else "more"
    edge = f"{limit.value:,.1f} %" if limit.measure == "pct_counts_mt" else f"{limit.value:,.0f}"
    message = f"{_share(most, n)} far {way} {_NOUNS[limit.measure]} than the median, {way} than "
    message += f"{edge} (3 MADs)."
    return WARN if most > MANY * n else PASS, message


def check_mitochondrial_genes(findings: Findings) -> tuple[str, str]:
    """Look at how many mitochondrial genes are recognised."""
    n = int(np.count_nonzero(findings.mitochondrial))
    if n == 0:
        return WARN, (
            "No mitochondrial gene was recognised by chromosome, name or id; "
            "figures of mitochondrial counts are left out."
        )
    if n < N_MARKERS:
        return WARN, (
            f"Only {n} of 37 mitochondrial genes {'was' if n == 1 else 'were'} recognised; "
            "figures of mitochondrial counts are left out."
        )
    return PASS, f"{plural(n, 'mitochondrial gene')} were recognised."


def check_mitochondrial_share(findings: Findings) -> tuple[str, str]:
    """Look at the share of cells with many mitochondrial counts, and at the median."""
    percents = findings.sums.cells.pct_counts_mt
    n = int(np.count_nonzero(findings.mitochondrial))
    if percents is None or not percents.n:
        return NOT_MEASURED, (
            f"The share of mitochondrial counts is not known: {plural(n, 'such gene', 'was')} "
            f"recognised, {N_MARKERS} are needed."
        )
    if percents.values[-1] == 0:
        return NOT_MEASURED, (
            f"The share of mitochondrial counts is not known: no cell has a count of the "
            f"{plural(n, 'such gene')}, as if they had been left out."
        )
    usual, median = mitochondrial_limit(findings.nomenclature.species), percents.median
    n_far = count_beyond(percents, FAR_TOO_MITOCHONDRIAL, LimitSide.AT_MOST)
    far = f"{_percent(n_far, percents.n)} of cells are" if n_far else "No cell is"
    far += f" above {FAR_TOO_MITOCHONDRIAL:.0f} % mitochondrial counts"
    beyond = f", more than the {usual:.0f} % expected of intact cells" if median > usual else ""
    message = f"The median cell has {median:.1f} % mitochondrial counts{beyond}."
    if n_far > MANY * percents.n:
        return WARN, f"{far}. {message}"
    if median > usual:
        return WARN, message
    return PASS, f"{far}; the median is {median:.1f} %."


def _share(n_beyond: int, n: int) -> str:
    return f"{_percent(n_beyond, n)} of cells have" if n_beyond else "No cell has"


def _percent(part: int, whole: int) -> str:
    """Return a share as a whole percentage; 0 % and 100 % only where they are exact."""
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "Fewer than 1 %"
    return f"{min(percent, 99):.0f} %" if part < whole else "100 %"
