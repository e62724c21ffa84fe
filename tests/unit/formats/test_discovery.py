"""Folders and archives with matrices of all kinds in them: each is found, named and read."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from dpss.errors import CorruptMatrixError, LimitError, NoMatrixError
from dpss.formats.base import Matrix
from dpss.formats.discovery import OpenFailure, holds_matrix, iter_matrices
from dpss.formats.hdf5 import loom
from dpss.formats.options import OpenOptions, copy_to_temp
from dpss.storage.base import Blob
from dpss.storage.local import LocalFile, LocalFolder
from dpss.storage.scratch import Scratch
from tests.unit.formats.layers import dense
from tests.unit.formats.packing import (
    GEO_NAMES,
    geo_raw,
    h5ad,
    table,
    tar,
    tar_gz,
    tenx_h5,
    triple,
    zipped,
)
from tests.unit.small import counts
from tests.unit.storage.blobs import MemoryBlob

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Pack = Callable[[Mapping[str, bytes]], bytes]
PACKINGS: list[Pack] = [
    tar,
    tar_gz,
    lambda files: bz2.compress(tar(files)),
    lambda files: lzma.compress(tar(files)),
    zipped,
    partial(zipped, method=zipfile.ZIP_STORED),
    lambda files: zstd.compress(tar(files)),
]
IDS = ["tar", "tar.gz", "tar.bz2", "tar.xz", "zip", "stored zip", "tar.zst"]


def read(data: bytes, options: OpenOptions | None = None) -> dict[str, np.ndarray | str]:
    """Return every matrix by its name, read while it is there, or why it is none."""
    found: dict[str, np.ndarray | str] = {}
    for each in iter_matrices(MemoryBlob("a", data), options):
        assert each.name not in found
        if isinstance(each, OpenFailure):
            found[each.name] = str(each.error)
        else:
            found[each.name] = dense(each.layers[0])
    return found


def same(found: np.ndarray | str, seed: int) -> bool:
    """Return whether a matrix is the one that was drawn with a seed."""
    return not isinstance(found, str) and np.array_equal(found, counts(seed, 23, 17).matrix)


@pytest.mark.parametrize("pack", PACKINGS, ids=IDS)
def test_geo_raw_gives_each_sample(pack: Pack, tmp_path: Path, monkeypatch) -> None:
    """Each matrix of the archive, nested ones and compressed HDF5 too, named after its sample."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = read(pack(geo_raw()))
    assert "not a" in str(found.pop("filelist.txt"))
    assert list(found) == GEO_NAMES
    assert all(same(found[name], seed) for seed, name in enumerate(GEO_NAMES, 1))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_as_an_archive(tmp_path: Path) -> None:
    """Loose files of all kinds in a folder and below it, several triples in one folder."""
    for name, data in (geo_raw() | {"deep/er/x.h5": tenx_h5(8)}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    found = {each.name: each for each in iter_matrices(LocalFolder(tmp_path))}
    named = [name for name, each in found.items() if isinstance(each, Matrix)]
    assert sorted(named) == sorted([*GEO_NAMES, "deep_er_x"])


@pytest.mark.parametrize("pack", PACKINGS, ids=IDS)
@pytest.mark.parametrize(
    "files",
    [
        {"pbmc/x.h5ad": h5ad(1)},
        {"pbmc/x.h5": tenx_h5(1), "README.md": b"# What this is\n\nWords, and more words.\n"},
        triple("filtered_gene_bc_matrices/hg19/", 1),
        {**triple("", 1), "metadata.csv": b"cell,n_genes,age\nCELL1,5,3\nCELL2,6,4\n"},
        {"table.tsv": table(1, "\t"), "._table.tsv": b"\0"},
    ],
    ids=["h5ad", "h5", "folder", "metadata", "text"],
)
def test_a_single_matrix_needs_no_name(pack: Pack, files: dict[str, bytes]) -> None:
    """An archive with one matrix is that matrix; tables of other things are said to be that."""
    found = read(pack(files))
    assert same(found.pop(""), 1)
    assert all("not a" in str(why) for why in found.values())


@pytest.mark.parametrize("pack", [*PACKINGS[:2], PACKINGS[4]])
def test_names_are_what_paths_do_not_share(pack: Pack) -> None:
    """Common folders are left out, as is what only says the format; no two are alike."""
    files = {"d/e/a.h5": tenx_h5(1), "d/e/b/matrix.csv": table(2), **triple("d/e/c/", 3)}
    files |= {"d/e/a.csv": table(4)}
    found = read(pack(files))
    assert list(found) == ["a.csv", "a.h5", "b_matrix", "c"]
    assert [same(found[name], k) for name, k in zip(found, (4, 1, 2, 3), strict=True)] == [True] * 4


def test_several_matrices_of_one_member_have_both_names(tmp_path: Path) -> None:
    """A nested archive's matrices are named after it and themselves."""
    inner = tar_gz({"a.h5": tenx_h5(1), "b.h5": tenx_h5(2)})
    assert list(read(tar({"in.tgz": inner, "c.csv": table()}))) == ["c", "in.a", "in.b"]
    assert list(read(tar({"in.tgz": inner}))) == ["a", "b"]


@pytest.mark.parametrize("outer", PACKINGS[:2])
@pytest.mark.parametrize("inner", PACKINGS[:2])
def test_a_third_archive_is_refused(outer: Pack, inner: Pack) -> None:
    """An archive within an archive is read; one more is not, but what lies beside it is."""
    deep = {"b.zip": zipped({"c.csv": table()})}
    with pytest.raises(LimitError, match=r"a!/x\.tar!/b\.zip: .*unpack one of them"):
        read(outer({"x.tar": inner(deep)}))
    found = read(outer({"x.tar": inner(deep), "y.csv": table(1)}))
    assert same(found["y"], 1)
    assert "within an archive within an archive" in str(found["x"])


def test_a_quine_of_an_archive_ends(tmp_path: Path) -> None:
    """However deep archives are nested, two are opened."""
    data = table()
    for _ in range(50):
        data = tar_gz({"again.tar.gz": data})
    with pytest.raises(LimitError, match="unpack one of them"):
        read(data)


def test_one_broken_matrix_stops_no_other() -> None:
    """What is damaged is named with its fault; alone it is the archive's."""
    broken = gzip.compress(table())[:-30]
    found = read(tar({"a.csv.gz": broken, "b.csv": table(1), "c.h5": tenx_h5()[:3000]}))
    assert same(found["b"], 1)
    assert "a!/a.csv.gz" in str(found["a"])
    assert "a!/c.h5" in str(found["c"])
    with pytest.raises(CorruptMatrixError, match=r"a!/a\.csv\.gz"):
        read(tar({"a.csv.gz": broken}))


@pytest.mark.parametrize("files", [{"README.txt": b"words\n"}, {"a.png": b"\x89PNG\0"},
                                   {"a.json": b"{}", "b.html": b"<html></html>"}])  # fmt: skip
def test_an_archive_without_a_matrix(files: dict[str, bytes]) -> None:
    """It is said that there is none."""
    with pytest.raises(NoMatrixError):
        read(tar(files))


@pytest.mark.filterwarnings("ignore")
def test_a_zarr_in_a_compressed_tar(tmp_path: Path) -> None:
    """Zarr is read at any place, so that the archive is unpacked as a whole."""
    from tests.unit.formats.zarr.test_reader import write_hca

    write_hca(tmp_path / "z.zarr", counts(1, 23, 17).matrix.astype("f4"), 2)
    files = {
        path.relative_to(tmp_path).as_posix(): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    for pack in PACKINGS:
        assert same(read(pack(files))[""], 1)
        found = read(pack(files | {"t.csv": table(2)}))
        assert same(found["z"], 1)
        assert same(found["t"], 2)


def test_a_loom_whose_tiles_are_scattered_is_unpacked(tmp_path: Path, monkeypatch) -> None:
    """In a plain tar it could be read in place, but some cells' tiles lie all over it."""
    from tests.unit.formats.hdf5.test_loom import write_loom

    path = write_loom(tmp_path / "a.loom", counts(1, 23, 17).matrix.T, chunks=(4, 5))
    files = {"a.loom": path.read_bytes(), "b.csv": table(2)}
    held: list[str] = []

    @contextmanager
    def hold(blob: Blob) -> Iterator[Blob]:
        held.append(blob.url)
        with copy_to_temp(blob) as file:
            yield file

    for near_bytes, unpacked in ((loom._NEAR_BYTES, []), (0, ["memory/a!/a.loom"])):
        monkeypatch.setattr(loom, "_NEAR_BYTES", near_bytes)
        found = read(tar(files), OpenOptions(hold=hold))
        assert [same(found["a"], 1), same(found["b"], 2)] == [True, True]
        assert held == unpacked


def test_text_and_mtx_are_streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are read out of a compressed tar or zip without any scratch space."""

    @contextmanager
    def never(blob: Blob) -> Iterator[Blob]:
        raise AssertionError(f"{blob.url} was unpacked")
        yield blob

    for pack in PACKINGS:
        found = read(pack({**triple("a/", 1), "b.csv": table(2)}), OpenOptions(hold=never))
        assert same(found["a"], 1)
        assert same(found["b"], 2)


def test_scratch_limit_holds(tmp_path: Path) -> None:
    """HDF5 in a tar.gz is kept within the limit, and nothing stays; text is read all the same."""
    files = {"a.h5ad": h5ad(1), "b.h5": tenx_h5(2), "c.csv": table(3)}
    with Scratch(max(map(len, files.values())), tmp_path) as scratch:
        found = read(tar_gz(files), OpenOptions(hold=partial(scratch.hold, wait=False)))
        assert [same(found[name], k) for k, name in enumerate("abc", 1)] == [True] * 3
        assert scratch.used_bytes == 0
    with Scratch(5000, tmp_path) as scratch:
        found = read(tar_gz(files), OpenOptions(hold=partial(scratch.hold, wait=False)))
        assert "more than --scratch-limit" in str(found["a"])
        assert same(found["c"], 3)
    assert list(tmp_path.iterdir()) == []


def test_space_that_is_in_use_is_not_waited_for(tmp_path: Path) -> None:
    """Who holds an archive would wait for itself."""
    big = MemoryBlob("big", bytes(9000))
    with Scratch(10_000, tmp_path) as scratch, scratch.hold(big):
        held = scratch.hold(MemoryBlob("b", bytes(5000)), wait=False)
        with pytest.raises(LimitError, match=r"beside the .* in use, more than --scratch-limit"):
            held.__enter__()
        with scratch.hold(MemoryBlob("c", bytes(1000)), wait=False) as file:
            assert file.size_bytes == 1000
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [KeyboardInterrupt, RuntimeError])
def test_nothing_stays_when_it_is_broken_off(tmp_path: Path, monkeypatch, kind) -> None:
    """Whoever stops in the middle leaves no file behind."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    matrices = iter_matrices(MemoryBlob("a", tar_gz({"a.h5ad": h5ad()})))
    with pytest.raises(kind), closing(matrices):
        next(matrices)
        assert any(path.name == "a.h5ad" for path in tmp_path.rglob("*"))
        raise kind
    assert list(tmp_path.iterdir()) == []


def test_a_bomb_in_an_archive_ends_at_the_limit(tmp_path: Path) -> None:
    """HDF5's signature and then zeros without end: no more is written than allowed."""
    start = io.BytesIO()
    with gzip.GzipFile(fileobj=start, mode="wb") as file:
        file.write(h5ad()[:4096])
        for _ in range(40):
            file.write(bytes(1 << 20))
    with Scratch(2_000_000, tmp_path) as scratch:
        with pytest.raises(LimitError, match="more than --scratch-limit"):
            read(tar({"a.h5ad.gz": start.getvalue()}), OpenOptions(hold=scratch.hold))
        assert scratch.used_bytes == 0
    assert list(tmp_path.iterdir()) == []


def test_only_matrices_are_taken_for_some(tmp_path: Path) -> None:
    """A catalog asks whether a file is worth opening."""
    for name, data, is_one in [
        ("a.tar", tar({"a.csv": table()}), True),
        ("b.tar.gz", tar_gz(geo_raw()), True),
        ("c.tar", tar({"a.png": b"\x89PNG\0", "b.pdf": b"%PDF\xff\0"}), False),
        ("d.bin", os.urandom(10_000), False),
        ("e.h5ad.gz", gzip.compress(h5ad()), True),
    ]:
        (tmp_path / name).write_bytes(data)
        assert holds_matrix(LocalFile(tmp_path / name)) is is_one
