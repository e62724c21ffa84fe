"""Probes of genes, several for each, as Flex and Visium (fixed tissue) count.

10x's id of a probe is ``gene_id|gene_name|hash`` (`Probe sets
<https://www.10xgenomics.com/support/single-cell-gene-expression-flex/documentation/steps/probe-sets/chromium-frp-probe-set-files>`_);
tables made from such files have the gene of each probe in a separate column.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dpss.model import Certainty, GeneTable, ProbeEvidence

Column = NDArray[np.object_]

_PROBE_ID = re.compile(r"([^|]+)\|([^|]*)\|([0-9a-f]+)")
_PROBE_COLUMNS = ("probe_id", "probe_ids", "probe_region")
_GENE_COLUMNS = ("gene_id", "gene_ids")


def mark_probes(genes: GeneTable, columns: Mapping[str, Column]) -> GeneTable:
    """Return a table of probes with the ids and names of their genes.

    Args:
        genes: The features.
        columns: Columns about the features, by title in lower case.

    Returns:
        The same table if the features are not probes. Otherwise ids may repeat, and `probes` holds
        the evidence.
    """
    if not len(genes):
        return genes
    is_gene = genes.is_gene
    titles = [title for title in _PROBE_COLUMNS if title in columns]
    gene_ids = next((columns[title] for title in _GENE_COLUMNS if title in columns), None)
    if titles and gene_ids is not None and _repeats(gene_ids[is_gene]):
        ids = np.where((gene_ids == "") | ~is_gene, genes.ids, gene_ids)
        sentence = f"The features have a {titles[0]}, and a gene id each."
        evidence = ProbeEvidence(sentence, Certainty.STATED)
        return replace(genes, ids=ids, probes=evidence)
    for column in (genes.ids, genes.names):
        names = column.tolist()
        # Most tables have no "|" in any name: this test takes a twentieth of the time.
        if "|" not in "".join(names):
            continue
        parts = [_PROBE_ID.fullmatch(name) for name in names]
        if _are_probes(parts, column, is_gene):
            return _parse(genes, parts)
    return genes


def _repeats(ids: Column) -> bool:
    """Return whether an id that is not empty occurs twice."""
    named = ids[ids != ""]
    return len(set(named.tolist())) < len(named)


def _are_probes(
    parts: list[re.Match[str] | None], column: Column, is_gene: NDArray[np.bool_]
) -> bool:
    """Return whether most genes have distinct probe ids, some of the same gene."""
    found = [
        part for part, counted in zip(parts, is_gene.tolist(), strict=True) if part and counted
    ]
    if 2 * len(found) <= int(is_gene.sum()) or len({part[0] for part in found}) < len(found):
        return False
    names: dict[str, str] = {}
    if any(names.setdefault(part[1], part[2]) != part[2] for part in found):
        return False
    return len(names) < len(found)


def _parse(genes: GeneTable, parts: list[re.Match[str] | None]) -> GeneTable:
    """Return the table with the gene's id and name in place of the probe's."""
    ids, names = genes.ids.copy(), genes.names.copy()
    for i, part in enumerate(parts):
        if part is not None:
            ids[i] = part[1]
            # The table's own names may have been made unique for each probe.
            names[i] = part[2] or part[1]
    sentence = "The features are named gene|name|hash, as 10x names probes."
    return replace(
        genes, ids=ids, names=names, probes=ProbeEvidence(sentence, Certainty.TOLD_BY_CONTENT)
    )
