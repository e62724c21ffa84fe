"""Gene tables as pages need them: read from ``genes.csv``, written in parts as data files.

A data file is a script that hands one JSON value to the page: a page opened from a
folder may load scripts from it, but may not fetch anything.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dpss.tables import GENE_COLUMNS
from dpss.website.publishing import Publisher
from dpss.website.records import MatrixRecord, path_of

TABLES = "_dpss/tables/"
N_PER_PART = 4096
"""Genes in one part: about 100 kB compressed, so that the first rows are there at once."""

_NUMBERS = {
    # What a page shows: the column, and with how many digits.
    "n_cells_by_counts": 0,
    "mean_counts": 4,
    "mean_pct_of_cell_counts": 4,
    "means": 5,
    "dispersions": 4,
    "dispersions_norm": 4,
    "rank_highest_expr": 0,
    "rank_cell_count": 0,
    "rank_variability": 0,
}


@dataclass(frozen=True)
class GeneColumns:
    """The columns of a ``genes.csv`` as text, each of the same length."""

    columns: dict[str, Sequence[str]]

    def __len__(self) -> int:
        """Return the number of genes."""
        return len(self.columns["gene_id"])

    def __getitem__(self, name: str) -> Sequence[str]:
        """Return a column."""
        return self.columns[name]


def read_genes(data: bytes) -> GeneColumns:
    """Read a ``genes.csv``.

    Raises:
        ValueError: It isn't one.
    """
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    if not rows or tuple(rows[0]) != GENE_COLUMNS:
        raise ValueError("has other columns than a genes.csv")
    if any(len(row) != len(GENE_COLUMNS) for row in rows):
        raise ValueError("has lines of different lengths")
    columns = list(zip(*rows[1:], strict=True)) or [()] * len(GENE_COLUMNS)
    return GeneColumns(dict(zip(GENE_COLUMNS, columns, strict=True)))


def script(name: str, json_text: str) -> bytes:
    r"""Return a data file: a script that hands a JSON value to the page.

    >>> script("a", "[1]")
    b'dpss.receive("a",[1]);\n'

    Args:
        name: What the page asked for.
        json_text: The value; as it holds no object whose keys come from outside, it
            means the same in JavaScript.
    """
    return f"dpss.receive({json.dumps(name)},{json_text});\n".encode()


def dumps(value: Any) -> str:
    """Return a value as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def rounded(digits: int) -> Callable[[str], str]:
    """Return a function that turns a cell of the table into JSON.

    >>> rounded(3)("0.123456"), rounded(0)("12"), rounded(3)("")
    ('0.123', '12', 'null')

    Args:
        digits: Significant digits to keep; 0 for whole numbers.
    """
    if not digits:
        return lambda text: str(int(text)) if text else "null"
    form = f"%.{digits}g"
    return lambda text: form % float(text) if text else "null"


def json_column(cells: Sequence[str], convert: Callable[[str], str]) -> str:
    """Return a column of numbers as a JSON array; what isn't finite becomes null."""
    text = ",".join(map(convert, cells))
    if "n" in text.replace("null", ""):  # nan, inf
        raise ValueError("holds a number that is not finite")
    return f"[{text}]"


def write_tables(publisher: Publisher, record: MatrixRecord, genes: GeneColumns) -> None:
    """Write a matrix's gene table in parts, and remove parts that are no more."""
    there = set(publisher.keys(f"{TABLES}{record.folder}/"))
    for number, (name, text) in enumerate(table_parts(record.folder, genes)):
        key = f"{TABLES}{record.folder}/{number}.js"
        publisher.write(key, script(name, text))
        there.discard(key)
    for key in there:
        if key.removeprefix(f"{TABLES}{record.folder}/").count("/") == 0:
            publisher.delete(key)


def table_parts(folder: str, genes: GeneColumns) -> Iterator[tuple[str, str]]:
    """Yield the parts of a table: each with its name and its content as JSON."""
    converters = {name: rounded(digits) for name, digits in _NUMBERS.items()}
    for number, start in enumerate(range(0, len(genes), N_PER_PART)):
        part = slice(start, start + N_PER_PART)
        ids, names = genes["gene_id"][part], genes["gene_name"][part]
        flags = [
            (a == "True") + 2 * (b == "True")
            for a, b in zip(
                genes["mitochondrial"][part], genes["highly_variable"][part], strict=True
            )
        ]
        fields = [
            f'"gene_id":{dumps(ids)}',
            # A name that is the id again needn't be sent twice.
            f'"gene_name":{dumps(["" if n == i else n for n, i in zip(names, ids, strict=True)])}',
            f'"flags":{dumps(flags)}',
        ]
        fields += [
            f'"{name}":{json_column(genes[name][part], convert)}'
            for name, convert in converters.items()
        ]
        yield f"tables/{path_of(folder)}/{number}", "{" + ",".join(fields) + "}"


def n_parts(n_genes: int) -> int:
    """Return how many parts a table has."""
    return -(-n_genes // N_PER_PART)
