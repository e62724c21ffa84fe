"""Recognition of columns of a gene table: ids, names, chromosomes and feature types."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, NoMatrixError
from dpss.formats.annotation.feature_kinds import with_kinds
from dpss.formats.annotation.probes import mark_probes
from dpss.model import GENE_EXPRESSION, GeneTable

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
    """Make a gene table from the columns of a file.

    The index holds the ids if its values have the form of ids, else the names. Features with names
    of another form than genes get another feature type.

    Args:
        columns: Columns of text by name, all of shape ``(n_features,)``; the index is
            called ``index``.

    Raises:
        NoMatrixError: No column could name the genes.
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


def looks_like_ids(names: NDArray[np.object_]) -> bool:
    """Return whether most of these names are ids of a gene database."""
    some = names[:: max(1, len(names) // 1000)]
    return bool(len(some)) and 2 * sum(bool(ENSEMBL.fullmatch(n)) for n in some) > len(some)


def _feature_types(columns: Mapping[str, NDArray[np.object_]]) -> NDArray[np.object_] | None:
    """Return the column of feature types if its values are 10x's; ``None`` for other values."""
    for name in _FEATURE_TYPES:
        types = columns.get(name)
        if types is None or _KNOWN_TYPES.isdisjoint({str(each).lower() for each in set(types)}):
            continue
        is_gene = [str(each).lower() == GENE_EXPRESSION.lower() for each in types]
        return np.where(is_gene, GENE_EXPRESSION, types)
    return None
