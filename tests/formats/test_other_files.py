"""No file makes the program read another one: every object of every format is tried.

Each group and dataset of a good file is replaced by one whose values lie in another file, which
holds a canary or is a pipe that nobody writes to. Either the file is refused, or the object is
not needed, and then the result is the same as before.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from dpss import api
from dpss.demo.files import write_h5ad_csc
from dpss.errors import CorruptMatrixError, OtherFileError
from dpss.formats.registry import open_matrices
from dpss.summary.record import Summary
from tests.summarise import summarise, summarise_matrix
from tests.unit.cli.test_commands import dpss
from tests.unit.formats.hdf5.test_loom import write_loom
from tests.unit.formats.zarr.test_reader import write_hca
from tests.unit.small import counts, write_h5ad_csr, write_tenx_h5
from tests.unit.storage.blobs import MemoryBlob

CANARY = b"CANARY00"
N_CELLS, N_GENES = 20, 8


def write_h5mu(path: Path, drawn: Any) -> None:
    """Write two modalities, one of them dense."""
    write_h5ad_csr(path.with_suffix(".rna"), drawn)
    with h5py.File(path, "w") as file, h5py.File(path.with_suffix(".rna")) as rna:
        file.attrs["encoding-type"] = "MuData"
        rna.copy(rna["/"], file.create_group("mod"), "rna")


def write_loom_file(path: Path, drawn: Any) -> None:
    """Write a loom file with a layer."""
    write_loom(path, drawn.matrix.T.copy())


FAMILIES: dict[str, Callable[[Path, Any], Any]] = {
    "csr.h5ad": write_h5ad_csr,
    "csc.h5ad": write_h5ad_csc,
    "tenx.h5": write_tenx_h5,
    "m.loom": write_loom_file,
    "m.h5mu": write_h5mu,
}


def external_link(file: h5py.File, path: str, other: Path) -> None:
    """Put a link to the same path of another HDF5 file."""
    file[path] = h5py.ExternalLink(str(other), path)


def soft_link(file: h5py.File, path: str, other: Path) -> None:
    """Put a link to a link to another file."""
    file["way_out"] = h5py.ExternalLink(str(other), path)
    file[path] = h5py.SoftLink("/way_out")


def external_storage(file: h5py.File, path: str, other: Path) -> None:
    """Put a dataset of text whose bytes lie in another file."""
    file.create_dataset(path, (N_GENES,), "S8", external=[(str(other), 0, 8 * N_GENES)])


def virtual(file: h5py.File, path: str, other: Path) -> None:
    """Put a dataset that is a view of another file's."""
    layout = h5py.VirtualLayout((N_GENES,), "S8")
    layout[:] = h5py.VirtualSource(str(other), path, (N_GENES,))
    file.create_virtual_dataset(path, layout)


def virtual_printf(file: h5py.File, path: str, other: Path) -> None:
    """Put a dataset whose extent HDF5 can only tell by opening other files."""
    space = h5py.h5s.create_simple((0,), (h5py.h5s.UNLIMITED,))
    space.select_hyperslab((0,), (h5py.h5s.UNLIMITED,), (N_GENES,), (N_GENES,))
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    source = h5py.h5s.create_simple((N_GENES,), (N_GENES,))
    properties.set_virtual(space, os.fsencode(other) + b"%b", path.encode(), source)
    h5py.h5d.create(file.id, path.encode(), h5py.h5t.NATIVE_INT64, space, dcpl=properties)


WAYS = (external_link, soft_link, external_storage, virtual, virtual_printf)


def members(path: Path) -> list[str]:
    """Return the paths of all objects of a file."""
    found: list[str] = []
    with h5py.File(path) as file:
        file.visit(found.append)
    return found


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Interrupt what hangs."""

    def give_up(*_: Any) -> None:
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.slow
@pytest.mark.parametrize("target", ["canary", "pipe"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_object_that_lies_elsewhere(
    family: str, way: Callable[[h5py.File, str, Path], None], target: str, tmp_path: Path
) -> None:
    """What is read is refused; the rest changes nothing."""
    good, bad, other = tmp_path / f"good-{family}", tmp_path / family, tmp_path / "other"
    FAMILIES[family](good, counts(0, N_CELLS, N_GENES))
    expected = str(summarise(good))
    if target == "pipe":
        os.mkfifo(other)
    elif way is external_storage:
        other.write_bytes(CANARY * 1000)
    else:
        shutil.copy(good, other)
    refused = []
    for path in members(good):
        shutil.copy(good, bad)
        with h5py.File(bad, "r+") as file:
            del file[path]
            way(file, path, other)
        try:
            with time_limit(300):
                found = str(summarise(bad))
        except OtherFileError as error:
            assert "another file" in str(error)
            refused.append(path)
        else:
            assert found == expected
    assert any(path.rpartition("/")[2] in {"X", "matrix", "data"} for path in refused)
    assert any("var" in path or "row_attrs" in path or "features" in path for path in refused)


@pytest.mark.parametrize("way", WAYS)
def test_a_file_that_is_not_local(way: Callable[[h5py.File, str, Path], None], tmp_path) -> None:
    """What comes from a server must not name files of this machine either."""
    other = tmp_path / "other.h5ad"
    write_h5ad_csr(other, counts(0, N_CELLS, N_GENES))
    for path in ("var/gene_ids", "X/data", "obs"):
        bad = tmp_path / "bad.h5ad"
        shutil.copy(other, bad)
        with h5py.File(bad, "r+") as file:
            if path in file:
                del file[path]
            way(file, path, other)
        with pytest.raises(OtherFileError, match="another file"):
            (matrix,) = open_matrices(MemoryBlob("bad.h5ad", bad.read_bytes()))
            summarise_matrix(matrix)


def test_references_and_links_within_the_file(tmp_path: Path) -> None:
    """Soft links that stay inside are followed; those in a circle, and references out, are not."""
    path, other = tmp_path / "m.h5ad", tmp_path / "other"
    write_h5ad_csr(path, counts(0, N_CELLS, N_GENES))
    expected = str(summarise(path))
    with h5py.File(path, "r+") as file:
        file.move("X", "kept")
        file["between"] = h5py.SoftLink("kept")
        file["X"] = h5py.SoftLink("/between")
    assert str(summarise(path)) == expected
    other.write_bytes(CANARY * 1000)
    with h5py.File(path, "r+") as file:
        secret = file.create_dataset("uns/secret", (N_GENES,), "S8", external=[(str(other), 0, 64)])
        codes = file.create_dataset("var/gene_name", data=np.arange(N_GENES, dtype="i1"))
        codes.attrs["categories"] = secret.ref
    with pytest.raises(OtherFileError, match="referenced object"):
        summarise(path)
    with h5py.File(path, "r+") as file:
        del file["X"], file["var/gene_name"]
        file["X"] = h5py.SoftLink("/X")
    with pytest.raises(CorruptMatrixError, match="circle"):
        summarise(path)


@pytest.mark.slow
def test_nothing_of_another_file_is_published(tmp_path: Path) -> None:
    """The command fails in one line, and writes nothing of the other file."""
    path, other, out = tmp_path / "m.h5ad", tmp_path / "secret.txt", tmp_path / "out"
    write_h5ad_csr(path, counts(0, N_CELLS, N_GENES))
    other.write_bytes(CANARY * 1000)
    with h5py.File(path, "r+") as file:
        index = file["var"].attrs["_index"]
        del file[f"var/{index}"]
        external_storage(file, f"var/{index}", other)
    result = dpss("summarize", path, "--output", out)
    assert result.returncode == 1
    assert "stored in another file" in " ".join(result.stderr.split())
    published = [each.read_bytes() for each in out.rglob("*") if each.is_file()]
    assert not any(CANARY in each for each in published)


def without_cell_names(summary: Summary) -> Summary:
    """Return a summary without the check of the names of cells and the decision about them."""
    return dataclasses.replace(
        summary,
        checks=tuple(each for each in summary.checks if each.name != "cell_names"),
        reading=tuple(each for each in summary.reading if each.topic != "cell_names"),
    )


@pytest.mark.slow
@pytest.mark.parametrize("relative", [False, True])
def test_links_out_of_a_zarr_folder(relative: bool, tmp_path: Path) -> None:
    """A chunk, or metadata, that is a link out of the folder is never read.

    The matrix is refused; where only names of cells are lost, a warning says so.
    """
    values = counts(0, N_CELLS, N_GENES).matrix
    good = tmp_path / "good.zarr"
    write_hca(good, values)
    expected = summarise(good)
    n_refused = 0
    for member in sorted(p.relative_to(good) for p in good.rglob("*") if p.is_file()):
        bad, other = tmp_path / "bad.zarr", tmp_path / "other"
        shutil.rmtree(bad, ignore_errors=True)
        shutil.copytree(good, bad)
        shutil.copy(bad / member, other)
        (bad / member).unlink()
        up = Path(*[".."] * len(member.parts), "other")
        (bad / member).symlink_to(up if relative else other)
        try:
            found = summarise(bad)
        except OtherFileError as error:
            assert "outside of the zarr folder" in str(error)
            n_refused += 1
        else:
            assert str(without_cell_names(found)) == str(without_cell_names(expected))
            if str(found) != str(expected):
                assert member.parts[0] == "cell_id"
                warning = next(each for each in found.checks if each.name == "cell_names")
                assert warning.status == "warn"
                assert "outside of the zarr folder" in warning.message
    assert n_refused >= 4


@pytest.mark.parametrize("parent", [False, True])
def test_links_out_of_a_zarr_folder_given_by_its_path(parent: bool, tmp_path: Path) -> None:
    """The folder is opened by its address, or lies in one that is: the same refusal."""
    good = tmp_path / "in" / "good.zarr"
    good.parent.mkdir()
    write_hca(good, counts(0, N_CELLS, N_GENES).matrix)
    path = good.parent if parent else good
    whole = str(api.summarize(path))
    n_refused = 0
    for member in sorted(p for p in (good / "expression").rglob("*") if p.is_file()):
        other, kept = good.parent.parent / "other", member.read_bytes()
        other.write_bytes(kept)
        member.unlink()
        member.symlink_to(other)
        try:
            found = str(api.summarize(path))
        except OtherFileError as error:
            assert "outside of the zarr folder" in str(error)
            n_refused += 1
        else:
            assert found == whole
        member.unlink()
        member.write_bytes(kept)
    assert n_refused >= 2


def test_links_within_a_zarr_folder(tmp_path: Path) -> None:
    """The folder itself may be a link, and so may what stays in it."""
    folder, link = tmp_path / "m.zarr", tmp_path / "link.zarr"
    write_hca(folder, counts(0, N_CELLS, N_GENES).matrix)
    expected = str(summarise(folder))
    chunk = folder / "expression" / "0.0"
    chunk.rename(folder / "expression" / "kept")
    chunk.symlink_to("kept")
    link.symlink_to(folder)
    assert str(summarise(link)) == expected
