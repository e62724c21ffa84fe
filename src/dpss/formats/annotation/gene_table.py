"""Gene tables from columns of any name, or with numbers where a file names no genes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dpss.errors import LimitError
from dpss.formats.annotation.gene_columns import gene_table, looks_like_ids
from dpss.model import GeneTable

MAX_FEATURES = 1 << 22
"""Most features that a matrix may have: atlases of peaks have two million."""

_KNOWN = frozenset(
    (
        *("gene_ids", "gene_id", "ensembl_id", "ensembl_ids", "ensembl", "ensemblid"),
        *("ensembl_gene_id", "feature_id", "featurekey", "accession", "id", "ids", "index"),
        *("feature_name", "gene_name", "gene_names", "gene_symbols", "gene_symbol", "symbol"),
        *("symbols", "gene_short_name", "genesymbol", "hgnc_symbol", "featurename", "gene"),
        *("genes", "name", "names"),
    )
)
Note = tuple[str, str, str]
"""A note for the checks: name, status and sentence."""


def name_genes(
    columns: Mapping[str, NDArray[np.object_]], n_genes: int, where: str
) -> tuple[GeneTable, tuple[Note, ...]]:
    """Make a gene table of columns of any name, or of none.

    Args:
        columns: Columns of text by name, all of shape ``(n_genes,)``.
        n_genes: Number of features.
        where: The file and the part of it that is named, for the message.

    Returns:
        The table, and notes about it.

    Raises:
        LimitError: There are more than `MAX_FEATURES` features.
    """
    check_feature_count(n_genes, where)
    if any(name.lower() in _KNOWN for name in columns):
        return gene_table(columns), ()
    best = _most_telling(columns)
    if best is None:
        return number_genes(n_genes), (_NUMBERED,)
    note = ("gene_names", "pass", f"Genes are named by {best!r}, the column that tells most apart.")
    return gene_table({"index": columns[best], **columns}), (note,)


def number_genes(n_genes: int) -> GeneTable:
    """Make a gene table whose names are numbers from 1."""
    numbers = np.array([f"gene {i}" for i in range(1, n_genes + 1)], dtype=object)
    return GeneTable(ids=numbers, names=numbers)


def check_feature_count(n_genes: int, where: str) -> None:
    """Check that a number of features is within the limit.

    Raises:
        LimitError: The number is above `MAX_FEATURES`.
    """
    if n_genes > MAX_FEATURES:
        raise LimitError(f"{where} has {n_genes:,} features; at most {MAX_FEATURES:,} are possible")


_NUMBERED = ("gene_names", "warn", "The file names no genes: they are numbered in its order.")
NUMBERED_NOTE: Note = _NUMBERED
"""Note for matrices whose genes are numbered."""


def _most_telling(columns: Mapping[str, NDArray[np.object_]]) -> str | None:
    """Return the column whose values look most like names: ids, else the most distinct."""
    for name, column in columns.items():
        if looks_like_ids(column):
            return name
    distinct = {name: len(set(column)) for name, column in columns.items() if len(column)}
    best = max(distinct, key=lambda name: distinct[name], default=None)
    if best is None or 2 * distinct[best] <= len(columns[best]):
        return None
    return best
