"""The table of all checks, and the function that makes them.

``docs/reference/checks.md`` is generated from the table.
"""

from __future__ import annotations

from dpss.stats.knee import FAR_APART, FEW_COUNTS, STEEP
from dpss.stats.values.logarithms import LOG_CEILING
from dpss.summary.checks.cells import (
    FEW_CELLS,
    MANY,
    check_cells,
    check_depth,
    check_droplets,
    check_mitochondrial_genes,
    check_mitochondrial_share,
    check_outliers,
    check_total,
)
from dpss.summary.checks.clusters import check_clusters
from dpss.summary.checks.genes import (
    MIN_GENES,
    check_dates,
    check_features,
    check_genes,
    check_identity,
    check_names,
)
from dpss.summary.checks.kind import CheckKind
from dpss.summary.checks.values import (
    check_assumptions,
    check_ceiling,
    check_layers,
    check_raw,
    check_values,
    check_zeros,
)
from dpss.summary.findings import Findings
from dpss.summary.limits import (
    FAR_TOO_MITOCHONDRIAL,
    FEW_GENES,
    HBC,
    N_MARKERS,
    OSORIO,
    PANEL_FEW_COUNTS,
    PANEL_GENES,
    SCATER,
    SQUIDPY,
    TUTORIALS,
)
from dpss.summary.record import Check

_CONTRACT = "HCA expression matrix contract"
_OURS = "this program"

CHECKS = (
    CheckKind("values", "Are the values counts?",
              "warn: anything but whole numbers ≥ 0, or such with rounding noise, "
              "or nothing but 0 and 1",
              _CONTRACT, check_values),
    CheckKind("assumptions", "Was anything assumed that changes numbers?",
              "warn: the file neither states nor shows it, and another choice gives other numbers",
              _OURS, check_assumptions),
    CheckKind("layers", "What does each layer hold?",
              "warn: a layer can't be read, holds NaN or infinite values, or holds counts as well "
              "as the used one, but others",
              _CONTRACT, check_layers),
    CheckKind("x_identical_to_raw", "Does raw.X hold what X was made from?",
              "warn: X and raw.X are the same where they were sampled, or raw.X is not counts; not "
              "measured: one of them is not there",
              _CONTRACT, check_raw),
    CheckKind("log1p_ceiling", "Could the values be logarithms of counts?",
              f"fail: log-normalised values above {LOG_CEILING:.0f}; not measured: other values",
              _CONTRACT, check_ceiling),
    CheckKind("cell_count", "Are there as many cells as the source states?",
              "warn: another number; not measured: none is stated",
              "CELLxGENE Discover states cell_count, Azul matrixCellCount",
              check_total),
    CheckKind("cells", "Do all cells have counts?",
              f"fail: no cell is kept; warn: empty cells, or fewer than {FEW_CELLS} cells",
              "CELLxGENE schema 7.1.0 (every cell has a non-zero value); Cell Ranger's summary "
              "(ideal: more than 100 cells)", check_cells),
    CheckKind("droplets", "Were cells called?",
              f"warn: counts by rank fall by a factor of {10**STEEP:.0f} within a fifth of a "
              "decade, more than half of the barcodes lie below, their median is under "
              f"{FEW_COUNTS} counts and a {FAR_APART:.0f}th of that above",
              "this program; compared with Cell Ranger's and DropletUtils' rules in "
              "docs/explanation/knee.md", check_droplets, "knee"),
    CheckKind("depth", "Are these cells, or all droplets?",
              f"warn: more than {MANY:.0%} of the cells have fewer than {FEW_GENES} genes; in a "
              f"panel of up to {PANEL_GENES:,} genes fewer than {PANEL_FEW_COUNTS} counts, or one "
              "gene",
              f"{TUTORIALS}; {SQUIDPY}; the share: this program", check_depth, "knee"),
    CheckKind("outliers", "Are the cells like each other?",
              f"warn: more than {MANY:.0%} of the cells lie beyond 3 MADs on a side of the median "
              "of counts, genes (both logarithmic) or mitochondrial share; not measured: half of "
              "the cells have the same number",
              f"{SCATER}; the share: this program", check_outliers, "violin"),
    CheckKind("clusters", "Are there clusters of low quality?",
              "warn: a cluster's median is more than 3 MADs below that of all cells in genes or "
              "counts (logarithmic), or as far above in the mitochondrial share and above 10 % "
              "(mouse: 5 %); not measured: no embedding, or half of the cells have the same number",
              f"{SCATER}; {OSORIO}; of clusters: this program", check_clusters, "cluster_qc"),
    CheckKind("genes", "Are genes detected?",
              f"warn: none is; one of {MIN_GENES} or more has half of all counts",
              _OURS, check_genes),
    CheckKind("unique_gene_names", "Has every gene its own name and id?",
              "warn: a name or an id occurs more than once", "CELLxGENE schema 7.1.0",
              check_names),
    CheckKind("names_as_dates", "Did a spreadsheet make dates of gene names?",
              "warn: a name is a date, a day's number or a number in scientific notation",
              "M. Ziemann, Y. Eren, A. El-Osta, Genome Biology 17 (2016), "
              "doi:10.1186/s13059-016-1044-7", check_dates),
    CheckKind("gene_ids", "What are genes called, and whose are they?",
              "warn: species not recognised, or several of them; transcripts, numbers, other names",
              "Ensembl, stable id prefixes", check_identity),
    CheckKind("mitochondrial_genes", "Are there mitochondrial genes?",
              f"warn: fewer than {N_MARKERS} are recognised", _OURS, check_mitochondrial_genes),
    CheckKind("mitochondrial_share", "Do the cells look intact?",
              f"warn: more than {MANY:.0%} of the cells are above {FAR_TOO_MITOCHONDRIAL:.0f} %, "
              "or a median above 10 % (human and others) or 5 % (mouse); not measured: under "
              f"{N_MARKERS} mitochondrial genes, or none with a count",
              f"{HBC}; {OSORIO}; the share: this program",
              check_mitochondrial_share, "scatter_percentMitoGenes_vs_count"),
    CheckKind("feature_types", "Are all features genes?",
              "warn: others are there; they are left out",
              "Cell Ranger's feature_types; names by their form",
              check_features),
    CheckKind("explicit_zeros", "Are zeros stored?", "warn: some are", "CELLxGENE schema 7.1.0",
              check_zeros),
)  # fmt: skip
"""All checks, in the order of display."""


def check_matrix(findings: Findings) -> tuple[Check, ...]:
    """Make every check."""
    return tuple(Check(kind.name, *kind.check(findings)) for kind in CHECKS)
