"""The look-up of a gene across all matrices, as many small files.

Genes are spread over *buckets* by the checksum of their id, matrices over *blocks* by
that of their folder; one file holds one bucket of one block: its genes (once for all matrices that
share them) and one line of numbers per matrix. A look-up reads one file of each block; a changed
matrix rewrites the files of its block only. The numbers of buckets and blocks follow from the
number and size of the matrices, so that files stay small.

Each block also has files with the ids of each name, so that a gene is found under each of its
names.

Nothing is computed here: files are joined from the lines that were made when the matrices
were published (`dpss.website.genes.lookup`).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from dpss.storage.json_text import parse_json
from dpss.summary.tables import json_bytes
from dpss.website.data_files import script
from dpss.website.genes.contributions import Contribution, ContributionReader
from dpss.website.genes.lookup import N_LINES, N_NAME_LINES
from dpss.website.records import N_READERS, MatrixRecord
from dpss.website.writer import Publisher

SHARDS = "_dpss/lookup/"
MATRICES_PER_BLOCK = 96
ENTRIES_PER_BLOCK = 96 * 33_000
"""Most entries of a block, which is held in memory while it is written."""
FILE_BYTES = 1 << 18
"""Most bytes of a file; as their number is a power of two, files have half of this or more. Half
the size saves a look-up some transfer, and costs a build twice the requests: 3,000 matrices of
33,000 genes take 16,384 files of 125 kB."""
ENTRY_BYTES = 24
"""Approximate bytes of one gene of one matrix."""


@dataclass(frozen=True)
class IndexLayout:
    """Numbers of buckets and blocks, which are powers of two."""

    n_blocks: int
    n_buckets: int

    @property
    def n_name_buckets(self) -> int:
        """Number of files with names in a block."""
        return max(1, self.n_buckets * N_NAME_LINES // N_LINES)

    @property
    def name(self) -> str:
        """Name of the folder."""
        return f"{self.n_blocks}x{self.n_buckets}"

    def block_of(self, folder: str) -> int:
        """Return the block of a matrix."""
        return zlib.crc32(folder.encode()) % self.n_blocks

    def prefix(self, block: int) -> str:
        """Return the folder of a block."""
        return f"{SHARDS}{self.name}/{block}/"


def layout_for(records: Sequence[MatrixRecord]) -> IndexLayout:
    """Return the layout for these matrices; it changes only when they double or halve."""
    n_entries = sum(record.numbers["n_genes"] for record in records)
    n_blocks = _power_of_two(max(len(records) / MATRICES_PER_BLOCK, n_entries / ENTRIES_PER_BLOCK))
    n_buckets = _power_of_two(n_entries * ENTRY_BYTES / n_blocks / FILE_BYTES)
    return IndexLayout(n_blocks, min(n_buckets, N_LINES))


def write_shards(
    publisher: Publisher, records: Sequence[MatrixRecord], *, everything: bool
) -> IndexLayout:
    """Bring the look-up up to date.

    Args:
        publisher: Writes the files.
        records: All matrices.
        everything: Whether to write all blocks, or only those whose manifests name other documents.
    """
    layout = layout_for(records)
    for key in publisher.keys(SHARDS):
        if not key.startswith(f"{SHARDS}{layout.name}/"):
            publisher.delete(key)
    blocks: dict[int, list[MatrixRecord]] = {block: [] for block in range(layout.n_blocks)}
    for record in records:
        blocks[layout.block_of(record.folder)].append(record)
    reader = ContributionReader(publisher)
    with ThreadPoolExecutor(N_READERS) as pool:
        for block, members in blocks.items():
            key = layout.prefix(block) + "manifest.json"
            wanted = {record.folder: record.sha256 for record in members}
            if not everything and _read_manifest(publisher, key) == wanted:
                continue
            found = [one for one in pool.map(reader.read, members) if one is not None]
            _write_block(publisher, layout, block, found)
            publisher.flush()
            # The next build tries a matrix without a contribution again.
            made = {one.folder: wanted[one.folder] for one in found}
            publisher.write(key, json_bytes(dict(sorted(made.items()))))
            reader.forget()
    return layout


def _write_block(
    publisher: Publisher, layout: IndexLayout, block: int, found: Sequence[Contribution]
) -> None:
    found = sorted(found, key=lambda one: one.folder)
    for bucket in range(layout.n_buckets):
        publisher.write(f"{layout.prefix(block)}{bucket}.js", _genes_file(layout, bucket, found))
    for bucket in range(layout.n_name_buckets):
        key = f"{layout.prefix(block)}names.{bucket}.js"
        publisher.write(key, _names_file(layout, bucket, found))


def _genes_file(layout: IndexLayout, bucket: int, found: Sequence[Contribution]) -> bytes:
    """Return a file: the lists of genes, then of each matrix its list and its numbers."""
    lines = _lines_of(bucket, layout.n_buckets, N_LINES)
    lists: dict[bytes, int] = {}
    numbers: dict[str, int] = {}
    rows = []
    for one in found:
        values = b"".join(one.values.lines[lines])
        if values:
            number = numbers.get(one.names.sha256)
            if number is None:
                genes = b",".join(filter(None, one.names.genes[lines]))
                number = numbers[one.names.sha256] = lists.setdefault(genes, len(lists))
            rows.append(b'[%b,%d,"%b"]' % (one.folder_json, number, values))
    shown = b",\n".join(b"[%b]" % genes for genes in lists)
    return script(b'{"lists":[\n%b\n],"matrices":[\n%b\n]}' % (shown, b",\n".join(rows)))


def _names_file(layout: IndexLayout, bucket: int, found: Sequence[Contribution]) -> bytes:
    """Return a file: pairs of a name and an id that it leads to, each once, in order."""
    lines = _lines_of(bucket, layout.n_name_buckets, N_NAME_LINES)
    distinct = {b"\t".join(one.names.names[lines]) for one in found}
    pairs = {pair for text in distinct for pair in text.split(b"\t")} - {b""}
    return script(b"[\n%b\n]" % b",\n".join(sorted(pairs)))


def _lines_of(bucket: int, n_buckets: int, n_lines: int) -> slice:
    """Return the lines of a bucket."""
    step = n_lines // n_buckets
    return slice(bucket * step, (bucket + 1) * step)


def _read_manifest(publisher: Publisher, key: str) -> object:
    data = publisher.read(key)
    try:
        return parse_json(data) if data is not None else None
    except ValueError:
        return None


def _power_of_two(least: float) -> int:
    """Return the smallest power of two that is at least this."""
    power = 1
    while power < least:
        power *= 2
    return power
