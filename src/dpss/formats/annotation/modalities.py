"""Modalities of multimodal objects and files: which of them hold gene expression."""

from __future__ import annotations

from collections.abc import Iterable

from dpss.formats.annotation.gene_table import Note
from dpss.model import GeneTable

OTHERS = frozenset({"adt", "atac", "cite", "guides", "hto", "peaks", "prot", "protein", "airr"})
"""Names, in lower case, of modalities whose features are no genes."""


def holds_genes(modality: str, genes: GeneTable) -> bool:
    """Return whether a modality's features are genes, by its table or its name.

    Args:
        modality: Its name.
        genes: Its features.
    """
    if genes.feature_types is not None:
        return bool(genes.is_gene.any())
    return modality.lower() not in OTHERS


def note_left_out(modalities: Iterable[str]) -> tuple[Note, ...]:
    """Return the note that names modalities which hold no genes; none if there are none."""
    names = ", ".join(sorted(modalities))
    return (("modalities", "warn", f"Left out, as they hold no genes: {names}."),) if names else ()
