"""Gene tables for pages: in parts, each a data file beside ``genes.csv``."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from dpss.stats.ranks import UNRANKED
from dpss.summary.record import GeneStatistics
from dpss.summary.tables import GENE_COLUMNS
from dpss.website.data_files import dumps, script
from dpss.website.genes.packing import float_words, word_text

N_PER_PART = 8192
"""Genes in one part: about 250 kB compressed, so that the first rows show at once."""
PART = re.compile(r"genes\.\d+\.js")
"""Pattern of the parts' names."""

_FLOATS = ("mean_counts", "mean_pct_of_cell_counts", "means", "dispersions", "dispersions_norm")
_WHOLE = ("n_cells_by_counts", "rank_highest_expr", "rank_cell_count", "rank_variability")


def read_genes(data: bytes) -> GeneStatistics:
    """Read a ``genes.csv``.

    Raises:
        ValueError: The bytes are not such a table.
    """
    try:
        rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    except csv.Error as error:
        raise ValueError(f"can't be read as CSV ({error})") from error
    if not rows or tuple(rows[0]) != GENE_COLUMNS:
        raise ValueError("has other columns than a genes.csv")
    if any(len(row) != len(GENE_COLUMNS) for row in rows):
        raise ValueError("has lines of different lengths")
    columns = list(zip(*rows[1:], strict=True)) or [()] * len(GENE_COLUMNS)
    try:
        return GeneStatistics(
            **{
                name: _array(name, column)
                for name, column in zip(GENE_COLUMNS, columns, strict=True)
            }
        )
    except OverflowError as error:
        raise ValueError("holds a number that is too large") from error


def _array(name: str, column: Sequence[str]) -> NDArray[Any]:
    if name in ("gene_id", "gene_name"):
        return np.array(column, dtype=object)
    if name in ("mitochondrial", "highly_variable"):
        return np.array([text == "True" for text in column], dtype=bool)
    if name in _WHOLE:
        return np.array([int(text) if text else UNRANKED for text in column], dtype=np.int64)
    return np.array([float(text) if text else np.nan for text in column], dtype=np.float64)


def table_parts(genes: GeneStatistics) -> dict[str, bytes]:
    """Return the table that a page shows in parts, by file name.

    Each gene has its id and name, whole numbers as numbers, and floats as words
    (`dpss.website.genes.packing`); ``flags`` is 1 for mitochondrial plus 2 for highly variable.
    """
    return {
        f"genes.{number}.js": script(_part(genes, slice(start, start + N_PER_PART)))
        for number, start in enumerate(range(0, len(genes), N_PER_PART))
    }


def _part(genes: GeneStatistics, part: slice) -> str:
    ids, names = genes.gene_id[part].tolist(), genes.gene_name[part].tolist()
    fields = {
        "gene_id": ids,
        # A name that is the id again needn't be sent twice.
        "gene_name": ["" if n == i else n for n, i in zip(names, ids, strict=True)],
        "flags": (genes.mitochondrial[part] + 2 * genes.highly_variable[part]).tolist(),
    }
    words = {name: word_text(float_words(getattr(genes, name)[part])) for name in _FLOATS}
    whole = (f'"{name}":{_numbers(getattr(genes, name)[part])}' for name in _WHOLE)
    return ",".join((dumps(fields)[:-1], *whole, dumps(words)[1:]))


def _numbers(column: NDArray[np.int64]) -> str:
    """Return whole numbers as a JSON list."""
    return orjson.dumps(np.ascontiguousarray(column), option=orjson.OPT_SERIALIZE_NUMPY).decode()


def n_parts(n_genes: int) -> int:
    """Return how many parts a table has."""
    return -(-n_genes // N_PER_PART)
