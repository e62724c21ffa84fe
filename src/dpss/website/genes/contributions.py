"""Reader of the contributions to the look-up of genes; makes missing ones.

A contribution is published with its matrix. For results of earlier versions it is made once from
``genes.csv``.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from functools import cached_property

from dpss.errors import ReplacedError
from dpss.website.data_files import dumps
from dpss.website.genes.lookup import (
    NAMES,
    VALUES,
    GeneNumbers,
    Names,
    gene_files,
    parse_names,
    parse_values,
)
from dpss.website.genes.tables import PART, n_parts, read_genes
from dpss.website.records import MatrixRecord
from dpss.website.writer import Publisher

log = logging.getLogger(__name__)

GENES = "genes.csv"
_MAX_KEPT = 8
"""Most lists of genes that are kept from one block to the next."""


@dataclass(frozen=True)
class Contribution:
    """Genes and numbers of one matrix for the look-up."""

    folder: str
    names: Names
    values: GeneNumbers

    @cached_property
    def folder_json(self) -> bytes:
        """The folder's key as JSON."""
        return dumps(self.folder).encode()


def part_keys(publisher: Publisher, folder: str) -> list[str]:
    """Return the keys of the parts of a matrix's gene table."""
    return [
        key
        for key in publisher.keys(f"{folder}/genes.")
        if PART.fullmatch(key.removeprefix(f"{folder}/"))
    ]


def _table_of(record: MatrixRecord) -> str:
    """Return the checksum of a matrix's gene table."""
    return record.files[GENES].sha256 if GENES in record.files else ""


class ContributionReader:
    """Reads contributions, those of the same genes with one copy of their names.

    Several threads may read at once.
    """

    def __init__(self, publisher: Publisher) -> None:
        """Store the publisher, whose store is read."""
        self._publisher = publisher
        self._kept: dict[str, Names] = {}
        self._lock = threading.Lock()

    def read(self, record: MatrixRecord) -> Contribution | None:
        """Return a matrix's contribution; ``None``, with a warning, if it can't be read."""
        try:
            return self._read_published(record) or self._make(record)
        except ValueError as error:
            log.warning("%s/genes.csv is left out of the gene look-up: it %s", record.folder, error)
            return None

    def forget(self) -> None:
        """Discard all but some lists of genes."""
        with self._lock:
            for key in list(self._kept)[:-_MAX_KEPT]:
                del self._kept[key]

    def _read_published(self, record: MatrixRecord) -> Contribution | None:
        """Return the contribution published with the matrix, if it belongs to its summary."""
        data = self._read(record, VALUES)
        parts = range(n_parts(record.numbers["n_genes"]))
        keys = [f"{record.folder}/genes.{part}.js" for part in parts]
        if data is None or not all(map(self._publisher.has, keys)):
            return None
        try:
            values = parse_values(data)
            if values.table != _table_of(record):
                return None
            names = self._kept.get(values.names) or self._read_names(record, values.names)
        except ReplacedError:
            raise
        except ValueError as error:
            log.debug("%s: the look-up is made again: it %s", record.folder, error)
            return None
        return Contribution(record.folder, names, values)

    def _read(self, record: MatrixRecord, name: str) -> bytes | None:
        """Return a file that the run published, or else the one that the pages made."""
        if name in record.files:
            return self._publisher.read_listed(record, name)
        return self._publisher.read(f"{record.folder}/{name}")

    def _read_names(self, record: MatrixRecord, sha256: str) -> Names:
        data = self._read(record, NAMES)
        if data is None:
            raise ValueError("lacks its names")
        names = parse_names(data)
        if names.sha256 != sha256:
            raise ValueError("has other names")
        return self._keep(names)

    def _make(self, record: MatrixRecord) -> Contribution:
        data = self._publisher.read_listed(record, GENES)
        if data is None:
            raise ValueError("is not listed by its summary")
        files = gene_files(read_genes(data), _table_of(record))
        if not record.files.keys().isdisjoint(files):
            raise ValueError("was published by another version of this program; run again")
        for name, content in files.items():
            self._publisher.write(f"{record.folder}/{name}", content)
        for key in part_keys(self._publisher, record.folder):
            if key.rpartition("/")[2] not in files:
                self._publisher.delete(key)
        names = self._keep(parse_names(files[NAMES]))
        return Contribution(record.folder, names, parse_values(files[VALUES]))

    def _keep(self, names: Names) -> Names:
        with self._lock:
            return self._kept.setdefault(names.sha256, names)
