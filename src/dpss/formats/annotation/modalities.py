"""Recognition of the modalities of a multimodal object that hold gene expression."""

from __future__ import annotations

from collections.abc import Iterable

from dpss.formats.annotation.gene_table import Note
from dpss.model import GeneTable

WITHOUT_GENES = frozenset(
    {"adt", "atac", "cite", "guides", "hto", "peaks", "prot", "protein", "airr"}
)
"""Names, in lower case, of modalities whose features are no genes."""


def holds_genes(modality: str, genes: GeneTable) -> bool:
    """Return whether a modality has genes, by its feature types, else by its name."""
    if genes.feature_types is not None:
        return bool(genes.is_gene.any())
    return modality.lower() not in WITHOUT_GENES


def note_left_out(modalities: Iterable[str]) -> tuple[Note, ...]:
    """Return a warning that names modalities without genes; nothing for none."""
    names = ", ".join(sorted(modalities))
    return (("modalities", "warn", f"Left out, as they hold no genes: {names}."),) if names else ()
