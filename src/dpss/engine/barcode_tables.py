"""Tables with a barcode and its value on each line, read beside a matrix."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.errors import NoStrataError, SettingsError

_HEADERS = {
    "",
    "barcode",
    "barcodes",
    "cell",
    "cells",
    "cell_id",
    "cellid",
    "index",
    "cell_barcode",
}
"""Titles of the first column, in lower case; a first line with one of them is a header."""
_PIECE_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class BarcodeTableFile:
    """A table ``barcode,value``, separated by commas or tabs; a header is optional."""

    path: str
    """Path of the table."""
    sha256: str
    """SHA-256 checksum of the table's bytes, in hexadecimal; results depend on it."""


@dataclass(frozen=True)
class BarcodeValues:
    """The content of a table; 10 bytes per line, and the distinct values."""

    title: str
    """Title of the column of values, or the file's name without its ending."""
    hashes: NDArray[np.uint64]
    """Hash of each barcode, ascending, shape ``(n,)``."""
    codes: NDArray[np.uint16]
    """Index of each barcode's value in `labels`, shape ``(n,)``."""
    labels: NDArray[np.object_]
    """Distinct values (``str``), ``None`` for an empty one, shape ``(n_labels,)``."""
    example: str
    """A barcode of the table, for messages."""

    @property
    def n(self) -> int:
        """Number of barcodes."""
        return len(self.hashes)

    def indices_of(self, names: NDArray[Any]) -> NDArray[np.int64]:
        """Return the index of each name among the barcodes, -1 where it is missing."""
        wanted = _hashes([str(name) for name in names.tolist()])
        indices = np.searchsorted(self.hashes, wanted)
        inside = np.minimum(indices, self.n - 1)
        found: NDArray[np.int64] = np.where(self.hashes[inside] == wanted, inside, -1)
        return found


def open_barcode_table(path: str) -> BarcodeTableFile:
    """Read a table, and return its path and checksum.

    Raises:
        ValueError: The file can't be read.
        SettingsError: It is no table of barcodes and values; the message gives the reason.
    """
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
    except OSError as error:
        raise ValueError(f"{path} can't be read") from error
    table = BarcodeTableFile(path, digest.hexdigest())
    try:
        read_barcode_values(table)
    except NoStrataError as error:
        raise SettingsError(str(error)) from error
    return table


def read_barcode_values(file: BarcodeTableFile) -> BarcodeValues:
    """Read a table.

    Raises:
        NoStrataError: The file has another form, or gives a barcode two values.
    """
    title = Path(file.path).name.partition(".")[0]
    numbers: dict[str | None, int] = {}
    hashes: list[NDArray[np.uint64]] = []
    codes: list[int] = []
    barcodes: list[str] = []
    example = ""
    for number, (barcode, value) in enumerate(_lines(file)):
        if number == 0 and barcode.lower() in _HEADERS:
            title = value or title
            continue
        example = example or barcode
        barcodes.append(barcode)
        codes.append(numbers.setdefault(value or None, len(numbers)))
        if len(numbers) > np.iinfo(np.uint16).max:
            raise NoStrataError(f"{file.path} has more than 65,535 distinct values")
        if len(barcodes) == 1 << 16:
            hashes.append(_hashes(barcodes))
            barcodes = []
    all_hashes = np.concatenate([np.empty(0, np.uint64), *hashes, _hashes(barcodes)])
    if not len(all_hashes):
        raise NoStrataError(f"{file.path} has no line barcode,value")
    order = np.argsort(all_hashes, kind="stable")
    in_order, code_of = all_hashes[order], np.array(codes, dtype=np.uint16)[order]
    repeated = np.flatnonzero(in_order[1:] == in_order[:-1])
    if (code_of[repeated] != code_of[repeated + 1]).any():
        n = int((code_of[repeated] != code_of[repeated + 1]).sum())
        raise NoStrataError(f"{file.path} gives {n:,} of its barcodes more than one value")
    first = np.concatenate([[True], in_order[1:] != in_order[:-1]])
    labels = np.empty(len(numbers), dtype=object)
    labels[:] = list(numbers)
    return BarcodeValues(title, in_order[first], code_of[first], labels, example)


def _lines(file: BarcodeTableFile) -> Iterator[tuple[str, str]]:
    """Yield the first two fields of each line that is not blank."""
    try:
        with Path(file.path).open("rb") as raw:
            packed = raw.read(2) == _GZIP
            raw.seek(0)
            with gzip.open(raw) if packed else raw as data:
                text = io.TextIOWrapper(data, encoding="utf-8-sig", newline="")
                first = text.readline()
                separator = next((mark for mark in "\t,;" if mark in first), ",")
                yield from _fields(csv.reader([first], delimiter=separator), file.path)
                yield from _fields(csv.reader(text, delimiter=separator), file.path)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise NoStrataError(f"{file.path} can't be read as a table ({error})") from error


def _fields(rows: Iterator[list[str]], path: str) -> Iterator[tuple[str, str]]:
    for row in rows:
        if not row or row == [""]:
            continue
        if len(row) < 2:
            raise NoStrataError(f"{path}: the line {row[0][:40]!r} is not barcode,value")
        yield row[0].strip(), row[1].strip()


def _hashes(barcodes: list[str]) -> NDArray[np.uint64]:
    """Return the first 64 bits of each barcode's BLAKE2b."""
    digests = (hashlib.blake2b(each.encode(), digest_size=8).digest() for each in barcodes)
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)
