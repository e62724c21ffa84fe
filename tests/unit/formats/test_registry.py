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
from click.testing import CliRunner

from dpss.catalogs.canned import CannedCatalog
from dpss.catalogs.local import GivenCatalog, LocalCatalog
from dpss.catalogs.remote import RemoteCatalog
from dpss.cli.commands import commands
from dpss.formats import contents, endings, registry
from dpss.formats.arrays.memory import InMemoryLayer
from dpss.formats.base import Matrix
from dpss.formats.discovery import OpenFailure, holds_matrix, iter_matrices
from dpss.formats.options import OpenOptions
from dpss.formats.record import Cost, Format, FormatFunctions, FormatInfo
from dpss.formats.registry import FORMATS
from dpss.job.stop import NeverStop
from dpss.model import GeneTable, Project
from dpss.storage.base import Blob
from dpss.storage.compression import open_decompressed, peek
from dpss.storage.locations import Source, open_source
from dpss.storage.s3.store import S3Store
from tests.servers.files import FileServer
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


TOY = Format(
    (FormatInfo("toy", "toy", (".toy",), Cost.SPARSE_TEXT, is_sure=True, marks=("all.toys",)),),
    lambda: FormatFunctions(open_toy, is_file=is_toy),
)
TEXT = b"TOY:" + json.dumps(COUNTS.tolist()).encode()


@pytest.fixture(autouse=True)
def _entered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Enter the format in the table of formats: nothing else is told of it."""
    for module in (registry, contents, endings):
        monkeypatch.setattr(module, "FORMATS", (TOY, *FORMATS))
    endings._endings.cache_clear()
    yield
    monkeypatch.undo()
    endings._endings.cache_clear()


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


def read(project: Project) -> list[int]:
    """Return the counts of each gene of the only matrix of a project."""
    (ref,) = project.refs
    (found,) = iter_matrices(open_source(ref.address))
    assert not isinstance(found, OpenFailure)
    return summarise_matrix(found).genes.total_counts.tolist()


def test_it_is_found_in_a_bucket(bucket: str) -> None:
    """Below a prefix, and among the files of prepared matrices as the cheaper one."""
    store = S3Store(bucket, "in")
    for key, data in {
        "a.toy": TEXT, "b/c.toy": TEXT, "a.csv": b"gene,c1\nG0,1\n",
        "many/x/all.toys": b"",
    }.items():  # fmt: skip
        store.write(key, data)
    found = {each.id: each for each in RemoteCatalog(f"s3://{bucket}/in").projects()}
    assert [*found] == ["a.csv", "a.toy", "b", "many"]
    assert read(found["a.toy"]) == read(found["b"]) == COUNTS.sum(0).tolist()
    assert found["b"].refs[0].certain
    assert found["many"].refs[0].url.endswith("many/x/")
    chosen, *_ = CannedCatalog(f"s3://{bucket}/in").projects()
    assert chosen.refs[0].url.endswith("a.toy")


def test_it_is_found_behind_an_address_and_in_a_folder(tmp_path: Path) -> None:
    """Its ending is no part of the name, and shows that the file is a matrix."""
    with FileServer() as server:
        address = server.add("/data/heart.toy", gzip.compress(TEXT))
        (project,) = GivenCatalog([address]).projects()
        assert (project.id, project.refs[0].certain) == ("heart", True)
        assert read(project) == COUNTS.sum(0).tolist()
    (tmp_path / "liver.toy").write_bytes(TEXT)
    (project,) = LocalCatalog(str(tmp_path), lambda path: False).projects()
    assert (project.id, read(project)) == ("liver", COUNTS.sum(0).tolist())


def test_it_is_listed(tmp_path: Path) -> None:
    """`dpss list` knows a file by its ending, and others by their content."""
    for name, data in {"a.toy": b"", "b.bin": TEXT, "c.bin": b"\x00\x01"}.items():
        (tmp_path / name).write_bytes(data)
    done = CliRunner().invoke(commands, ["list", "--input", str(tmp_path)], obj=NeverStop())
    assert done.exit_code == 0, done.output
    found = [line.split()[0] for line in done.output.splitlines() if "process: new" in line]
    assert found == ["a", "b.bin"]


def test_every_format_has_its_module_and_its_endings() -> None:
    """The module that reads it is there; endings are lower case, and those that two have alike."""
    infos = [info for known in FORMATS for info in known.infos]
    for info in infos:
        assert import_module(f"dpss.formats.{info.reader}").__doc__
        assert info.endings
        for ending in (*info.endings, *info.shared_endings):
            assert ending.startswith(".")
            assert ending == ending.lower()
        same = {(each.cost, each.is_sure) for each in infos if each.endings == info.endings}
        assert len(same) == 1
