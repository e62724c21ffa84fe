"""The look-up of a gene across all matrices, as many small files.

Genes are spread over *buckets* by the checksum of their name, matrices over *blocks* by
that of their folder; one file holds one bucket of one block. A look-up reads one file of
each block; a changed matrix rewrites the files of its block only. How many there are of
each follows from the number and size of the matrices, so that files stay small.

A file has one line per gene list (the ids and names of its bucket, written once for all
matrices that share them) and one line per matrix (the numbers of those genes). A line is
replaced without looking into the others.

An id is looked up in two steps: the list in the bucket of the id's checksum says under
which names it goes. Names and ids are compared in capitals, without an id's version
(``ENSG00000141510.17``) and a genome's prefix (``GRCh38_TP53``).
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dpss.tables import json_bytes
from dpss.website.genes import GeneColumns, dumps, json_column, read_genes, rounded
from dpss.website.publishing import Publisher
from dpss.website.records import MatrixRecord

log = logging.getLogger(__name__)

SHARDS = "_dpss/genes/"
MATRICES_PER_BLOCK = 96
FILE_BYTES = 1 << 16
"""Aimed-at size of a file."""
ENTRY_BYTES = 24
"""About what one gene of one matrix takes."""
MAX_BUCKETS = 1024

_COLUMNS = (
    ("pct_dropout_by_counts", 5),
    ("mean_counts", 3),
    ("rank_cell_count", 0),
    ("rank_highest_expr", 0),
    ("rank_variability", 0),
)
_VERSION = re.compile(r"^(ENS[A-Z]*\d{6,})\.\d+$")
_GENOME = re.compile(r"^(?:GRC[A-Z]+\d+|HG\d+|MM\d+)_+")


@dataclass(frozen=True)
class Layout:
    """How many files there are."""

    n_blocks: int
    n_buckets: int

    @property
    def name(self) -> str:
        """Name of the folder."""
        return f"{self.n_blocks}x{self.n_buckets}"

    def block_of(self, folder: str) -> int:
        """Return the block of a matrix."""
        return zlib.crc32(folder.encode()) % self.n_blocks

    def bucket_of(self, key: str) -> int:
        """Return the bucket of a name or id, as `gene_key` returns it."""
        return zlib.crc32(key.encode()) % self.n_buckets

    def prefix(self, block: int) -> str:
        """Return the folder of a block."""
        return f"{SHARDS}{self.name}/{block}/"


def layout_for(records: Sequence[MatrixRecord]) -> Layout:
    """Return the layout for these matrices; it changes only when they double or halve."""
    n_blocks = _power_of_two(len(records) / MATRICES_PER_BLOCK)
    n_entries = sum(record.numbers["n_genes"] for record in records)
    n_buckets = _power_of_two(n_entries * ENTRY_BYTES / n_blocks / FILE_BYTES)
    return Layout(n_blocks, min(n_buckets, MAX_BUCKETS))


def gene_key(text: str) -> str:
    """Return what names and ids are compared by.

    >>> gene_key("ENSG00000141510.17"), gene_key("GRCh38_Tp53"), gene_key(" a.1")
    ('ENSG00000141510', 'TP53', 'A.1')
    """
    return _VERSION.sub(r"\1", _GENOME.sub("", text.strip().upper()))


def write_shards(
    publisher: Publisher, records: Sequence[MatrixRecord], *, everything: bool
) -> Layout:
    """Bring the look-up up to date.

    Args:
        publisher: Where to.
        records: All matrices.
        everything: Whether to write all anew, or only what the blocks' manifests show
            to be made from other documents.
    """
    layout = layout_for(records)
    for key in publisher.keys(SHARDS):
        if not key.startswith(f"{SHARDS}{layout.name}/"):
            publisher.delete(key)
    blocks: dict[int, list[MatrixRecord]] = {block: [] for block in range(layout.n_blocks)}
    for record in records:
        blocks[layout.block_of(record.folder)].append(record)
    for block, members in blocks.items():
        _write_block(publisher, layout, block, members, everything=everything)
    return layout


def _write_block(
    publisher: Publisher,
    layout: Layout,
    block: int,
    records: Sequence[MatrixRecord],
    *,
    everything: bool,
) -> None:
    manifest_key = layout.prefix(block) + "manifest.json"
    wanted = {record.folder: record.sha256 for record in records}
    there = {} if everything else _read_manifest(publisher, manifest_key)
    if there == wanted and not everything:
        return
    kept = {folder for folder, sha256 in there.items() if wanted.get(folder) == sha256}
    lines: list[dict[str, _Line]] = [{} for _ in range(layout.n_buckets)]
    for record in records:
        if record.folder in kept:
            continue
        for bucket, line in _lines_of(publisher, layout, record):
            lines[bucket][record.folder] = line
    for bucket, new in enumerate(lines):
        key = f"{layout.prefix(block)}{bucket}.js"
        old = _parse(publisher.read(key)) if kept else {}
        merged = {folder: line for folder, line in old.items() if folder in kept} | new
        publisher.write(key, _format(f"genes/{layout.name}/{block}/{bucket}", merged))
    publisher.flush()
    publisher.write(manifest_key, json_bytes(dict(sorted(wanted.items()))))


@dataclass(frozen=True)
class _Line:
    """One matrix in one file: its genes, as a JSON array, and its numbers, as the rest of one."""

    genes: str
    numbers: str


def _lines_of(
    publisher: Publisher, layout: Layout, record: MatrixRecord
) -> Iterable[tuple[int, _Line]]:
    """Return a matrix's line for each bucket, or none if its table can't be read."""
    data = publisher.read(f"{record.folder}/genes.csv")
    try:
        if data is None:
            raise ValueError("is missing")
        genes = read_genes(data)
        columns = [(genes[name], rounded(digits)) for name, digits in _COLUMNS]
        return list(_cut(layout, genes, columns))
    except ValueError as error:
        log.warning("%s/genes.csv is left out of the gene look-up: it %s", record.folder, error)
        return []


def _cut(layout: Layout, genes: GeneColumns, columns: Sequence[tuple]) -> Iterable:  # type: ignore[type-arg]
    """Yield the buckets' lines of one table."""
    ids, names = genes["gene_id"], genes["gene_name"]
    members: list[list[int]] = [[] for _ in range(layout.n_buckets)]
    pointers: list[list[list[str]]] = [[] for _ in range(layout.n_buckets)]
    for g, (gene_id, name) in enumerate(zip(ids, names, strict=True)):
        id_key = gene_key(gene_id)
        name_key = gene_key(name) or id_key
        members[layout.bucket_of(name_key)].append(g)
        if id_key != name_key:
            pointers[layout.bucket_of(id_key)].append([id_key, name_key])
    for bucket, chosen in enumerate(members):
        listed = [[ids[g] for g in chosen], [names[g] for g in chosen], pointers[bucket]]
        numbers = ",".join(
            json_column([cells[g] for g in chosen], convert) for cells, convert in columns
        )
        yield bucket, _Line(dumps(listed)[1:-1], numbers)


def _format(name: str, lines: Mapping[str, _Line]) -> bytes:
    """Return a file: the gene lists in use by their checksums, then the matrices by folder."""
    lists = {
        hashlib.sha256(line.genes.encode()).hexdigest()[:16]: line.genes for line in lines.values()
    }
    keys = {genes: key for key, genes in lists.items()}
    first = ",\n".join(f'["{key}",{genes}]' for key, genes in sorted(lists.items()))
    second = ",\n".join(
        f'[{dumps(folder)},"{keys[line.genes]}",{line.numbers}]'
        for folder, line in sorted(lines.items())
    )
    head = f"dpss.receive({json.dumps(name)},"
    return f'{head}{{"lists":[\n{first}\n],"matrices":[\n{second}\n]}});\n'.encode()


def _parse(data: bytes | None) -> dict[str, _Line]:
    """Return the matrices of a file as `_format` wrote it."""
    if data is None:
        return {}
    text = data.decode()
    first, second = text[text.index("\n") + 1 :].split('\n],"matrices":[\n')
    lists = {}
    for row in filter(None, first.split("\n")):
        body = row.rstrip(",")
        lists[body[2:18]] = body[20:-1]
    lines = {}
    for row in filter(None, second.removesuffix("\n]});\n").split("\n")):
        body = row.rstrip(",")
        folder, end = json.JSONDecoder().raw_decode(body, 1)
        lines[folder] = _Line(lists[body[end + 2 : end + 18]], body[end + 20 : -1])
    return lines


def _read_manifest(publisher: Publisher, key: str) -> dict[str, str]:
    data = publisher.read(key)
    try:
        found = json.loads(data) if data is not None else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _power_of_two(least: float) -> int:
    """Return the smallest power of two that is at least this."""
    power = 1
    while power < least:
        power *= 2
    return power
