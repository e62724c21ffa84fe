"""Check of the clusters: whether a cluster consists of cells of low quality."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dpss.errors import plural
from dpss.stats.outliers import LimitSide
from dpss.summary.checks.kind import N_NAMED, listed
from dpss.summary.limits import Limit, mitochondrial_limit
from dpss.summary.status import NOT_MEASURED, PASS, WARN

if TYPE_CHECKING:
    from dpss.stats.histogram import Distribution
    from dpss.summary.embedding import Cluster, Embedding
    from dpss.summary.findings import Findings

_NOUNS = {
    "n_genes_by_counts": "genes",
    "total_counts": "counts",
    "pct_counts_mt": "% mitochondrial counts",
}


def check_clusters(findings: Findings) -> tuple[str, str]:
    """Look for clusters whose median cell is beyond 3 MADs of all, on the bad side.

    The bad side is fewer genes, fewer counts or a larger mitochondrial share; the share must
    be above that of the species' intact cells, too.
    """
    found = findings.embedding
    if found is None:
        reason = findings.no_embedding_reason or "that was switched off"
        return NOT_MEASURED, f"The cells were not compared with each other: {reason}."
    limits = [
        each
        for each in findings.scater_limits
        if (each.side is LimitSide.AT_MOST) == (each.measure == "pct_counts_mt")
    ]
    if not limits:
        return NOT_MEASURED, "Half of the cells have the same numbers: no cluster is far from them."
    usual = mitochondrial_limit(findings.nomenclature.species)
    low = [
        (number, cluster, faults)
        for number, cluster in enumerate(found.clusters)
        if (faults := list(_faults_of(cluster, limits, usual)))
    ]
    n = len(found.clusters)
    if not low:
        clusters = "The only cluster is not" if n == 1 else f"None of the {plural(n, 'cluster')} is"
        message = f"{clusters} far below all cells in genes and counts, or far above in the "
        return PASS, message + "mitochondrial share." + _joined(found)
    n_cells = sum(cluster.n_cells for _, cluster, _ in low)
    verb = "looks" if len(low) == 1 else "look"
    named = listed([str(number) for number, _, _ in low[:N_NAMED]])
    more = f" and {len(low) - N_NAMED} more" if len(low) > N_NAMED else ""
    number, _, faults = low[0]
    return WARN, (
        f"Cluster{'s' * (len(low) > 1)} {named}{more}, {n_cells:,} of "
        f"{plural(found.n_cells, 'cell')}, {verb} like cells of low "
        f"quality: the median cell of cluster {number} has {listed(faults)}." + _joined(found)
    )


def _joined(embedding: Embedding) -> str:
    """Return a sentence on clusters that joined others, empty if there are none."""
    if not embedding.n_joined:
        return ""
    joined = f"{plural(embedding.n_joined, 'small cluster')} joined larger ones"
    return f" {joined}: at most {embedding.n_clusters_max} were wanted."


def _faults_of(cluster: Cluster, limits: Sequence[Limit], usual: float) -> Iterator[str]:
    """Yield the faults of a cluster, as parts of a sentence.

    Args:
        cluster: The cluster.
        limits: Limits of genes, counts and mitochondrial share.
        usual: Highest percentage of mitochondrial counts of intact cells.
    """
    for limit in limits:
        measure: Distribution | None = getattr(cluster, limit.measure)
        if measure is None or not measure.n:
            continue
        if limit.side is LimitSide.AT_LEAST and measure.median < limit.value:
            yield f"{measure.median:,.0f} {_NOUNS[limit.measure]}"
        if limit.side is LimitSide.AT_MOST and measure.median > max(limit.value, usual):
            yield f"{measure.median:.1f} {_NOUNS[limit.measure]}"
