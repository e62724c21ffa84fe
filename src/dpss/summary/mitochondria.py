"""Recognition of mitochondrial genes."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from dpss.model import GeneTable
from dpss.summary.name_patterns import find_matches

_CHROMOSOMES = {"mt", "m", "chrm", "chrmt", "mitochondria", "mitochondrion"}
_NAME = re.compile(r"(?:.*_)?(?:MT|mt|Mt)-.+")
_VERSION = re.compile(r"\.\d+$")

_HUMAN_NUMBERS = (
    *(198695, 198712, 198727, 198763, 198786, 198804, 198840, 198886, 198888, 198899, 198938),
    *(209082, 210049, 210077, 210082, 210100, 210107, 210112, 210117, 210127, 210135, 210140),
    *(210144, 210151, 210154, 210156, 210164, 210174, 210176, 210184, 210191, 210194, 210195),
    *(210196, 211459, 212907, 228253),
)
HUMAN = frozenset(f"ENSG00000{number}" for number in _HUMAN_NUMBERS)
"""Ensembl ids of the 37 genes of the human mitochondrial genome (GRCh38, NC_012920.1)."""

MOUSE = frozenset(f"ENSMUSG000000{number}" for number in (*range(64336, 64373), 65947)) - {
    # Numbers within the range that belong to no mitochondrial gene.
    "ENSMUSG00000064362",
}
"""Ensembl ids of the 37 genes of the mouse mitochondrial genome (GRCm38/39, NC_005089.1)."""


def find_mitochondrial(genes: GeneTable) -> NDArray[np.bool_]:
    """Return which genes are mitochondrial.

    They are recognised by chromosome where the file states it, else by name (``MT-CO1``,
    ``mt-Co1``, also with a genome's prefix as in ``GRCh38_MT-CO1``), else by Ensembl id.

    Returns:
        Shape ``(n_features,)``.
    """
    if genes.chromosomes is not None:
        lowered = [str(name).strip().lower() in _CHROMOSOMES for name in genes.chromosomes]
        if any(lowered):
            return np.array(lowered, dtype=bool)
    named = find_matches(_NAME, list(map(str, genes.names)), "MT-", "mt-", "Mt-")
    if named.any():
        return named
    known = HUMAN | MOUSE
    ids = [_VERSION.sub("", each) if "." in each else each for each in map(str, genes.ids)]
    return np.array([each in known for each in ids], dtype=bool)
