"""Gene tables from a file's columns: ids, names, chromosomes, feature types.

The titles and values of columns tell their roles. Genes are numbered if a file names none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, LimitError, NoMatrixError, plural
from dpss.formats.annotation.feature_kinds import with_kinds
from dpss.formats.annotation.probes import mark_probes
from dpss.formats.annotation.strings import object_array
from dpss.model import GENE_EXPRESSION, GeneTable

MAX_FEATURES = 1 << 22
"""Most features that a matrix may have: atlases of peaks have two million."""

Note = tuple[str, str, str]
"""A note for the checks: name, status and sentence."""
NUMBERED_NOTE: Note = (
    "gene_names", "warn", "The file names no genes: they are numbered in its order.",
)  # fmt: skip
"""Note for matrices whose genes are numbered."""

ENSEMBL = re.compile(r"ENS[A-Z]{0,6}[GT]\d{6,}(\.\d+)?|(?:WBGene|FBgn)\d+|AT[1-5MC]G\d{5}")
"""Ids of Ensembl and of the model organism databases that it takes over."""

_IDS = (
    "gene_ids", "gene_id", "ensembl_id", "ensembl_ids", "ensembl", "ensemblid", "ensembl_gene_id",
    "feature_id", "featurekey", "accession", "id", "ids", "index",
)  # fmt: skip
_NAMES = (
    "feature_name", "gene_name", "gene_names", "gene_symbols", "gene_symbol", "symbol", "symbols",
    "gene_short_name", "genesymbol", "hgnc_symbol", "featurename", "gene", "genes", "name", "names",
    "index",
)  # fmt: skip
_CHROMOSOMES = ("chromosome", "chromosome_name", "chrom", "chr", "seqname", "seqnames")
_FEATURE_TYPES = ("feature_types", "feature_type")
_KNOWN_TYPES = frozenset(
    (
        *("gene expression", "antibody capture", "crispr guide capture", "multiplexing capture"),
        *("custom", "peaks", "antigen capture", "vdj", "protein expression"),
    )
)
"""Values of 10x in a column of feature types, in lower case."""
NAMING_COLUMNS = frozenset((*_IDS, *_NAMES))
"""Titles, in lower case, of columns that hold ids or names."""
_NEVER_NAMES = frozenset(
    (*_CHROMOSOMES, *_FEATURE_TYPES, "feature_biotype", "gene_biotype", "biotype", "gene_type",
     "genome", "feature_reference", "organism", "species", "strand", "feature_is_filtered")
)  # fmt: skip
"""Titles of columns with other facts about genes."""


def gene_table(columns: Mapping[str, NDArray[np.object_]]) -> GeneTable:
    """Return a gene table from the columns of a file.

    The index holds the ids if its values look like ids, else the names. Features whose names are
    not those of genes get another feature type.

    Args:
        columns: Columns of text by title, all of shape ``(n_features,)``; the index is
            called ``index``.

    Raises:
        NoMatrixError: No column names the genes.
        CorruptMatrixError: Columns differ in length.
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} {n:,}" for name, n in list(lengths.items())[:6])
        raise CorruptMatrixError(f"the columns about genes have different lengths ({shown})")
    by_name = {name.lower(): column for name, column in reversed(list(columns.items()))}
    ids = next((by_name[name] for name in _IDS if name in by_name), None)
    names = next((by_name[name] for name in _NAMES if name in by_name), None)
    index = by_name.get("index")
    if index is not None and looks_like_ids(index):
        ids = index
    others = (col for name, col in columns.items() if name.lower() not in _NEVER_NAMES)
    fallback = next((column for column in (names, ids, *others) if column is not None), None)
    if fallback is None:
        raise NoMatrixError("the gene table has no column of names")
    spare = fallback if index is None else index
    ids = fallback if ids is None else np.where(ids == "", spare, ids)
    names = names if names is not None else ids
    names = np.where(names == "", ids, names)
    table = GeneTable(
        ids=ids,
        names=names,
        feature_types=_feature_types(by_name),
        chromosomes=next((by_name[name] for name in _CHROMOSOMES if name in by_name), None),
    )
    return with_kinds(mark_probes(table, by_name))


def name_genes(
    columns: Mapping[str, NDArray[np.object_]], n_genes: int, where: str
) -> tuple[GeneTable, tuple[Note, ...]]:
    """Return a gene table of columns with any titles, or of numbers, and notes.

    Args:
        columns: Columns of text by title, all of shape ``(n_genes,)``.
        n_genes: Number of features.
        where: The file and the part of it that is named, for the message.

    Raises:
        LimitError: There are more than `MAX_FEATURES` features.
    """
    check_feature_count(n_genes, where)
    if any(name.lower() in NAMING_COLUMNS for name in columns):
        return gene_table(columns), ()
    best = _best_column(columns)
    if best is None:
        return number_genes(n_genes), (NUMBERED_NOTE,)
    note = ("gene_names", "pass", f"Genes are named by {best!r}, the column that tells most apart.")
    return gene_table({"index": columns[best], **columns}), (note,)


def number_genes(n_genes: int) -> GeneTable:
    """Return a gene table with the names ``gene 1``, ``gene 2``, ..."""
    numbers = object_array([f"gene {i}" for i in range(1, n_genes + 1)])
    return GeneTable(ids=numbers, names=numbers)


def check_feature_count(n_genes: int, where: str) -> None:
    """Check that a number of features is within the limit.

    Raises:
        LimitError: The number is above `MAX_FEATURES`.
    """
    if n_genes > MAX_FEATURES:
        raise LimitError(
            f"{where} has {plural(n_genes, 'feature')}; at most {MAX_FEATURES:,} are possible"
        )


def _best_column(columns: Mapping[str, NDArray[np.object_]]) -> str | None:
    """Return the first column of ids, else the one with most distinct values."""
    for name, column in columns.items():
        if looks_like_ids(column):
            return name
    distinct = {name: len(set(column)) for name, column in columns.items() if len(column)}
    best = max(distinct, key=lambda name: distinct[name], default=None)
    if best is None or 2 * distinct[best] <= len(columns[best]):
        return None
    return best


def looks_like_ids(names: NDArray[np.object_]) -> bool:
    """Return whether most of these names are ids of a gene database."""
    some = names[:: max(1, len(names) // 1000)]
    return bool(len(some)) and 2 * sum(bool(ENSEMBL.fullmatch(n)) for n in some) > len(some)


def _feature_types(columns: Mapping[str, NDArray[np.object_]]) -> NDArray[np.object_] | None:
    """Return the column of feature types; ``None`` if its values are not 10x's."""
    for name in _FEATURE_TYPES:
        types = columns.get(name)
        if types is None or _KNOWN_TYPES.isdisjoint({str(each).lower() for each in set(types)}):
            continue
        is_gene = [str(each).lower() == GENE_EXPRESSION.lower() for each in types]
        return np.where(is_gene, GENE_EXPRESSION, types)
    return None
