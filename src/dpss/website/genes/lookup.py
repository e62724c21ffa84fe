"""The contribution of a matrix to the look-up of genes.

It is made when the matrix is published: two files beside ``genes.csv``, both cut into the same
`N_LINES` lines by the checksum of the genes' ids, so that the look-up is built by cutting and
joining lines:

- ``genes.names``: the names and ids, compressed. Matrices with the same genes have the same file
  and name its checksum, so that it is read once for all of them.
- ``genes.lookup``: the numbers of the genes, five words (`dpss.website.genes.packing`) per gene:
  cells in which it is found, mean count, and the ranks by cells, by share and by variability.

Names and ids are compared in capitals, without an id's version (``ENSG00000141510.17``)
and a genome's prefix (``GRCh38_TP53``).
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.storage.json_text import parse_json
from dpss.storage.plain_text import strip_control_in_all
from dpss.summary.record import GeneStatistics
from dpss.website.genes.packing import N_CHARACTERS, float_words, whole_words, word_text
from dpss.website.genes.tables import table_parts

NAMES = "genes.names"
VALUES = "genes.lookup"
SCHEMA = 2
N_LINES = 1024
"""Number of lines that genes are spread over: the most buckets of a look-up."""
N_NAME_LINES = 64
"""Number of lines that names are spread over."""
RECORD = 5 * N_CHARACTERS
"""Characters of one gene's numbers."""

_VERSION = re.compile(r"^(ENS[A-Z]*\d{6,})\.\d+$")
_GENOME = re.compile(r"^(?:GRC[A-Z]+\d+|HG\d+|MM\d+)_+")
_ENSEMBL = re.compile(r"^ENS[A-Z]*\d{6,}$")
_SEPARATOR = ",\n"
"""Between JSON texts: within one there is no line break."""


@dataclass(frozen=True)
class Names:
    """Names and ids of the genes of a matrix."""

    sha256: str
    """Checksum of all lines."""
    genes: Sequence[bytes]
    """`N_LINES` lines of ``["id","name"]``, the name empty where it is the id."""
    names: Sequence[bytes]
    """`N_NAME_LINES` lines of ``["name","id"]`` as compared, separated by tabs."""


@dataclass(frozen=True)
class GeneNumbers:
    """The numbers of a matrix's genes."""

    table: str
    """Checksum of the ``genes.csv`` from which the numbers were made."""
    names: str
    """Checksum of the `Names` to which the numbers belong."""
    lines: Sequence[bytes]
    """`N_LINES` lines of `RECORD` characters per gene."""


def gene_key(text: str) -> str:
    """Return the form in which names and ids are compared.

    >>> gene_key("ENSG00000141510.17"), gene_key("GRCh38_Tp53"), gene_key(" a.1")
    ('ENSG00000141510', 'TP53', 'A.1')
    """
    text = text.strip().upper()
    if "_" in text:
        text = _GENOME.sub("", text)
    if "." in text:
        text = _VERSION.sub(r"\1", text)
    return text


def line_of(key: str, n_lines: int) -> int:
    """Return the line of a key, of ``n_lines`` (a power of two), by its checksum."""
    return (zlib.crc32(key.encode()) * n_lines) >> 32


def gene_files(genes: GeneStatistics, table: str) -> dict[str, bytes]:
    """Return the files of a matrix's contribution, by name.

    Args:
        genes: The matrix's genes.
        table: Checksum of its ``genes.csv``.
    """
    ids = strip_control_in_all(genes.gene_id.tolist())
    names = strip_control_in_all(genes.gene_name.tolist())
    keys = [gene_key(text) for text in ids]
    checksums = np.fromiter((zlib.crc32(key.encode()) for key in keys), np.int64, len(keys))
    order = np.argsort(checksums, kind="stable")
    starts = np.arange(N_LINES + 1, dtype=np.int64) * ((1 << 32) // N_LINES)
    cuts = np.searchsorted(checksums[order], starts).tolist()
    text = "\n".join(
        [*_gene_lines(ids, names, order.tolist(), cuts), *_name_lines(ids, names, keys, checksums)]
    )
    named = text.encode()
    digest = hashlib.sha256(named).hexdigest()
    head = json.dumps({"schema": SCHEMA, "table": table, "names": digest})
    records = word_text(_words(genes)[order])
    values = [records[a * RECORD : b * RECORD] for a, b in pairwise(cuts)]
    return {
        **table_parts(genes),
        NAMES: zlib.compress(named, 1),
        VALUES: "\n".join([head, *values]).encode(),
    }


def parse_names(data: bytes) -> Names:
    """Parse a ``genes.names``.

    Raises:
        ValueError: The bytes are not such a file.
    """
    try:
        text = zlib.decompress(data)
    except zlib.error as error:
        raise ValueError(f"can't be decompressed ({error})") from error
    lines = text.split(b"\n")
    if len(lines) != N_LINES + N_NAME_LINES:
        raise ValueError("has another number of lines")
    return Names(hashlib.sha256(text).hexdigest(), lines[:N_LINES], lines[N_LINES:])


def parse_values(data: bytes) -> GeneNumbers:
    """Parse a ``genes.lookup``.

    Raises:
        ValueError: The bytes are not such a file.
    """
    head, *lines = data.split(b"\n")
    document: Mapping[str, Any] = parse_json(head)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA or len(lines) != N_LINES:
        raise ValueError("is of another form")
    return GeneNumbers(str(document.get("table")), str(document.get("names")), lines)


def _words(genes: GeneStatistics) -> NDArray[np.uint32]:
    """Return the numbers of each gene, shape ``(n_genes, 5)``."""
    columns = [
        float_words(genes.n_cells_by_counts),
        float_words(genes.mean_counts),
        whole_words(genes.rank_cell_count),
        whole_words(genes.rank_highest_expr),
        whole_words(genes.rank_variability),
    ]
    return np.stack(columns, axis=1)


def _gene_lines(
    ids: Sequence[str], names: Sequence[str], order: Sequence[int], cuts: Sequence[int]
) -> list[str]:
    shown = ["" if name == gene_id else name for gene_id, name in zip(ids, names, strict=True)]
    pairs = [f"[{i},{n}]" for i, n in zip(_json_texts(ids), _json_texts(shown), strict=True)]
    sorted_pairs = [pairs[gene] for gene in order]
    return [",".join(sorted_pairs[a:b]) for a, b in pairwise(cuts)]


def _name_lines(
    ids: Sequence[str], names: Sequence[str], keys: Sequence[str], checksums: NDArray[np.int64]
) -> list[str]:
    """Return lines of pairs of a name and an id that it leads to.

    An id that is not Ensembl's leads to itself, so that symbols in place of ids are found, too.
    """
    lines: list[dict[str, None]] = [{} for _ in range(N_NAME_LINES)]
    shown = _json_texts(keys)
    texts = dict(zip(keys, shown, strict=True))
    ensembl = [key.startswith("ENS") and _ENSEMBL.match(key) is not None for key in keys]
    # The lines of the keys, as `line_of` gives them one by one.
    places = (checksums * N_NAME_LINES >> 32).tolist()
    found = zip(ids, names, keys, shown, ensembl, places, strict=True)
    for gene_id, name, key, text, is_ensembl, place in found:
        if name and name != gene_id:
            name_key = gene_key(name)
            if name_key and name_key != key:
                named = texts.get(name_key) or json.dumps(name_key, ensure_ascii=False)
                lines[line_of(name_key, N_NAME_LINES)][f"[{named},{text}]"] = None
        if not is_ensembl:
            lines[place][f"[{text},{text}]"] = None
    return ["\t".join(line) for line in lines]


def _json_texts(texts: Sequence[str]) -> list[str]:
    """Return each text as JSON."""
    whole = json.dumps(list(texts), ensure_ascii=False, separators=(_SEPARATOR, ":"))
    return whole[1:-1].split(_SEPARATOR) if texts else []
