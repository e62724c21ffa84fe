"""A format entered in the tables, as CONTRIBUTING says, is read wherever a matrix may lie."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from dpss.formats import contents, registry
from dpss.formats.arrays.memory import InMemoryLayer
from dpss.formats.base import Matrix
from dpss.formats.discovery import OpenFailure, holds_matrix, iter_matrices
from dpss.formats.options import OpenOptions
from dpss.formats.record import About, Format
from dpss.formats.registry import FORMATS
from dpss.model import GeneTable
from dpss.storage.base import Blob
from dpss.storage.compression import open_decompressed, peek
from dpss.storage.file_formats import FILE_FORMATS
from dpss.storage.locations import Source
from tests.summarise import source_of, summarise_matrix

COUNTS = np.arange(12).reshape(4, 3) % 5


def is_toy(blob: Blob) -> bool:
    """Tell by its first bytes whether a file is a toy."""
    return peek(blob, 4) == b"TOY:"


def open_toy(source: Source, options: OpenOptions) -> tuple[Matrix, ...]:
    """Open a toy: counts as JSON after four bytes."""
    assert isinstance(source, Blob)
    with open_decompressed(source) as file:
        values = np.array(json.loads(file.read()[4:]))
    names = np.array([f"G{i}" for i in range(values.shape[1])], dtype=object)
    layer = InMemoryLayer(
        "X", lambda cells: values[cells.start : cells.stop], len(values),
        GeneTable(names, names), cell_major=True, n_values=values.size, value_bytes=8,
    )  # fmt: skip
    return (Matrix("", "toy", (layer,)),)


TOY = Format((About("toy", "toy", "toy"),), open_toy, is_file=is_toy)
TEXT = b"TOY:" + json.dumps(COUNTS.tolist()).encode()


@pytest.fixture(autouse=True)
def _entered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Enter the format in the table of formats: nothing else is told of it."""
    for module in (registry, contents):
        monkeypatch.setattr(module, "FORMATS", (TOY, *FORMATS))
    yield


def in_zip(path: Path, **members: bytes) -> Path:
    """Write a zip archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def in_tar(path: Path, **members: bytes) -> Path:
    """Write a compressed tar archive."""
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def as_file(path: Path, data: bytes = TEXT) -> Path:
    """Write a file."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: as_file(folder / "a.toy"),
        lambda folder: as_file(folder / "a.toy.gz", gzip.compress(TEXT)),
        lambda folder: as_file(folder / "a.toy.bz2", bz2.compress(TEXT)),
        lambda folder: as_file(folder / "b" / "a.toy").parent,
        lambda folder: in_zip(folder / "a.zip", a=TEXT),
        lambda folder: in_tar(folder / "a.tar.gz", a=TEXT, notes=b"\x00\x01"),
        lambda folder: in_zip(
            folder / "outer.zip", inner=in_zip(folder / "inner.zip", a=TEXT).read_bytes()
        ),
    ],
)
def test_it_is_read_wherever_it_lies(make, tmp_path: Path) -> None:
    """Alone, compressed, in a folder, an archive, and an archive within one."""
    source = source_of(make(tmp_path))
    assert holds_matrix(source)
    (found,) = iter_matrices(source)
    assert not isinstance(found, OpenFailure)
    summary = summarise_matrix(found)
    assert summary.genes.total_counts.tolist() == COUNTS.sum(0).tolist()


def test_every_format_has_its_module_and_its_endings() -> None:
    """The table of formats and that of endings name the same ones."""
    abouts = [about for known in FORMATS for about in known.abouts]
    for about in abouts:
        assert import_module(f"dpss.formats.{about.reader}").__doc__
    named = {about.endings for about in abouts}
    listed = {each.name for each in FILE_FORMATS if each.names_format}
    assert named == listed
