"""A fault in the authors' map or types of cells is a warning that names it, never a failure.

The matrix is read as if they were not there, the next best map or column is taken, and no other
file is read.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

import dpss
from dpss.engine.cell_labels import one_line
from dpss.engine.progress import NullProgress
from dpss.job.renderer import render_files
from tests.formats.test_other_files import (
    external_link,
    external_storage,
    soft_link,
    time_limit,
    virtual,
)
from tests.unit.formats.hdf5.test_loom import write_loom

N_CELLS, N_GENES = 30, 12
Break = Callable[[h5py.File, str, Path], None]


def adata() -> anndata.AnnData:
    """Few cells with a good map, one that tests break, and a good and a breakable column."""
    rng = np.random.default_rng(3)
    found = anndata.AnnData(sparse.csr_matrix(rng.poisson(1.0, (N_CELLS, N_GENES)) + 0.0))
    found.obs["cell_type"] = pd.Categorical(rng.choice(["T", "B"], N_CELLS))
    found.obs["leiden"] = rng.integers(0, 3, N_CELLS)
    found.obsm["X_umap"] = rng.normal(size=(N_CELLS, 2))
    found.obsm["X_tsne"] = rng.normal(size=(N_CELLS, 2))
    return found


def summarise(path: Path | anndata.AnnData) -> dpss.Summary:
    """Return the summary, with the annotation."""
    with time_limit(300):
        return dpss.summarize(path, embedding=True)


def numbers_of(summary: dpss.Summary) -> str:
    """Return all of a summary but the annotation and what is said of it."""
    checks = tuple(each for each in summary.checks if each.name != "annotation")
    whole = str(dataclasses.replace(summary, annotation=None, checks=checks))
    return re.sub(r"fingerprint='[^']*'", "", whole)


def warnings_of(summary: dpss.Summary) -> list[str]:
    """Return the warnings about the annotation."""
    return [each.message for each in summary.checks if each.name == "annotation"]


def soft_loop(file: h5py.File, path: str, _: Path) -> None:
    """Put a soft link that leads to itself."""
    file[path] = h5py.SoftLink(f"/{path}")


def dangling(file: h5py.File, path: str, _: Path) -> None:
    """Put a soft link that leads nowhere."""
    file[path] = h5py.SoftLink("/nowhere/at/all")


def values(made: Any) -> Break:
    """Return what puts other values."""

    def put(file: h5py.File, path: str, _: Path) -> None:
        file[path] = made

    return put


FAULTS: dict[str, Break] = {
    "external link": external_link,
    "soft link to an external link": soft_link,
    "external storage": external_storage,
    "virtual dataset": virtual,
    "soft link in a circle": soft_loop,
    "dangling link": dangling,
    "one column": values(np.zeros((N_CELLS, 1))),
    "no axis": values(np.zeros(N_CELLS)),
    "three axes": values(np.zeros((N_CELLS, 2, 2))),
    "scalar": values(1.0),
    "strings": values(np.full((N_CELLS, 2), b"place")),
    "not a number": values(np.full((N_CELLS, 2), np.nan)),
    "infinite": values(np.full((N_CELLS, 2), np.inf)),
    "too few cells": values(np.zeros((N_CELLS - 1, 2))),
    "too many cells": values(np.zeros((N_CELLS + 1, 2))),
    "no cells": values(np.zeros((0, 2))),
}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good h5ad file."""
    path = tmp_path_factory.mktemp("annotations") / "good.h5ad"
    adata().write_h5ad(path)
    return path


@pytest.mark.parametrize("target", ["file", "pipe"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_map_is_named_and_the_next_one_is_taken(
    fault: str, target: str, good: Path, tmp_path: Path
) -> None:
    """Of an h5ad; the other file is a good one, or a pipe that nobody writes to."""
    bad, other = tmp_path / "good.h5ad", tmp_path / "other"
    shutil.copy(good, bad)
    os.mkfifo(other) if target == "pipe" else shutil.copy(good, other)
    whole = summarise(bad)
    with h5py.File(bad, "r+") as file:
        del file["obsm/X_umap"]
        FAULTS[fault](file, "obsm/X_umap", other)
    found = summarise(bad)
    assert numbers_of(found) == numbers_of(whole)
    assert [said for said in warnings_of(found) if "X_umap" in said]
    assert found.annotation is not None
    assert found.annotation.map is not None
    assert found.annotation.map.name == "X_tsne"
    assert {each.name for each in found.annotation.types} == {"T", "B"}


@pytest.mark.parametrize("fault", ["external link", "soft link in a circle", "dangling link"])
@pytest.mark.parametrize("member", ["obsm", "obs/cell_type", "obs/leiden", "obsm/X_pca"])
def test_other_broken_members(fault: str, member: str, good: Path, tmp_path: Path) -> None:
    """All of ``obsm``, a column of the cells, or coordinates that are no map."""
    bad, other = tmp_path / "good.h5ad", tmp_path / "other"
    shutil.copy(good, bad)
    os.mkfifo(other)
    whole = summarise(bad)
    with h5py.File(bad, "r+") as file:
        if member in file:
            del file[member]
        FAULTS[fault](file, member, other)
    found = summarise(bad)
    assert numbers_of(found) == numbers_of(whole)
    assert found.annotation is not None
    column = "leiden" if member == "obs/cell_type" else "cell_type"
    assert found.annotation.column == column
    if member == "obsm":
        assert found.annotation.map is None
    else:
        assert found.annotation.map is not None
    named = [said for said in warnings_of(found) if member.rpartition("/")[2] in said]
    # What is not looked at is not warned of.
    assert bool(named) == (member in ("obsm", "obs/cell_type") and fault != "dangling link")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_map_of_a_loom_file(fault: str, tmp_path: Path) -> None:
    """A pair of attributes is taken where the attribute with two axes is broken."""
    path, other = tmp_path / "m.loom", tmp_path / "other"
    os.mkfifo(other)
    rng = np.random.default_rng(5)
    write_loom(path, rng.poisson(1.0, (N_GENES, N_CELLS)))
    with h5py.File(path, "r+") as file:
        file["col_attrs/_X"] = rng.normal(size=N_CELLS)
        file["col_attrs/_Y"] = rng.normal(size=N_CELLS)
    whole = summarise(path)
    with h5py.File(path, "r+") as file:
        FAULTS[fault](file, "col_attrs/UMAP", other)
    found = summarise(path)
    assert numbers_of(found) == numbers_of(whole)
    assert found.annotation is not None
    assert found.annotation.map is not None
    assert found.annotation.map.name == "_X, _Y"
    assert [said for said in warnings_of(found) if "UMAP" in said]


@pytest.mark.parametrize("second", ["strings", "external link", "too few cells", "three axes"])
def test_a_broken_second_axis_of_a_loom_file(second: str, tmp_path: Path) -> None:
    """The pair is named, and there is no map."""
    path, other = tmp_path / "m.loom", tmp_path / "other"
    os.mkfifo(other)
    write_loom(path, np.random.default_rng(5).poisson(1.0, (N_GENES, N_CELLS)))
    with h5py.File(path, "r+") as file:
        file["col_attrs/UMAP_1"] = np.arange(N_CELLS) + 0.0
        made: Break = values(np.full(N_CELLS, b"x")) if second == "strings" else FAULTS[second]
        made(file, "col_attrs/UMAP_2", other)
    found = summarise(path)
    assert found.annotation is None or found.annotation.map is None
    assert [said for said in warnings_of(found) if "UMAP_1, UMAP_2" in said]


@pytest.mark.filterwarnings("ignore:Writing zarr v2")
@pytest.mark.parametrize("fault", ["link", "garbage", "no metadata", "shape"])
def test_a_broken_map_of_a_zarr_folder(fault: str, tmp_path: Path) -> None:
    """Metadata or a chunk that is a link out of the folder, or no such thing."""
    path, other = tmp_path / "m.zarr", tmp_path / "other"
    adata().write_zarr(path)
    whole = summarise(path)
    folder = path / "obsm" / "X_umap"
    chunk = next(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    meta = next(p for p in folder.iterdir() if p.name in (".zarray", "zarr.json"))
    if fault == "link":
        shutil.copy(chunk, other)
        chunk.unlink()
        chunk.symlink_to(other)
    elif fault == "garbage":
        chunk.write_bytes(b"\xff" * 40)
    elif fault == "no metadata":
        shutil.copy(meta, other)
        meta.unlink()
        meta.symlink_to(other)
    else:
        meta.write_text(meta.read_text().replace(f"{N_CELLS}", "7", 1))
    found = summarise(path)
    assert numbers_of(found) == numbers_of(whole)
    assert [said for said in warnings_of(found) if "X_umap" in said]
    assert found.annotation is not None
    assert found.annotation.map is not None
    assert found.annotation.map.name == "X_tsne"


HOSTILE = ("<script>alert(1)</script>", "a\nb\x1b[2J", "$x_{1}$", "=1+1", "\u202eright", "x" * 9000)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*(each.encode() for each in HOSTILE), b"\xff\xfe", b"&amp;'\""])
def test_names_from_outside_are_text(name: bytes, good: Path, tmp_path: Path) -> None:
    """Names of columns, types and maps are bounded lines of text, in figures and JSON, too."""
    path = tmp_path / "good.h5ad"
    shutil.copy(good, path)
    with h5py.File(path, "r+") as file:
        for old, new in ((b"obsm/X_umap", b"obsm/umap "), (b"obs/cell_type", b"obs/cell_type ")):
            file.move(old, new + name[:60000].replace(b"/", b"|"))
        del file["obs/leiden"]
        file["obs/leiden"] = np.array([name[:500], b"B"], dtype="S500")[np.arange(N_CELLS) % 2]
    for column in (None, "leiden"):
        summary = dpss.summarize(path, embedding=True, annotation=column)
        assert summary.annotation is not None
        assert summary.annotation.map is not None
        if column:
            assert len(summary.annotation.types) == 2
        files = render_files(summary, NullProgress())
        whole = json.loads(files["summary.json"])["annotation"]
        assert (
            max(map(len, [whole["coordinates"], *(t["annotation"] for t in whole["types"])])) < 201
        )
        for slug in ("authors_embedding", "annotations"):
            for form in ("svg", "narrow.svg"):
                drawn = files[f"{slug}.{form}"]
                ElementTree.fromstring(drawn)
                assert b"<script" not in drawn
                assert b"\x1b" not in drawn


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12)
SHAPES = st.sampled_from([(N_CELLS,), (N_CELLS, 1), (N_CELLS, 2), (N_CELLS, 3), (2, N_CELLS), ()])
KINDS = st.sampled_from(["<f4", "<f8", "<i4", "S3", "?"])


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    members=st.dictionaries(
        NAMES.filter(lambda name: name != "."), st.tuples(SHAPES, KINDS), max_size=4
    ),
    is_map=st.booleans(),
)
def test_any_members_of_obsm(
    members: dict[str, tuple[tuple[int, ...], str]], is_map: bool, good: Path
) -> None:
    """Whatever lies there, the numbers are the same, and what is shown is of two axes or more."""
    path = good.with_name("any.h5ad")
    shutil.copy(good, path)
    prefix = "umap" if is_map else ""
    with h5py.File(path, "r+") as file:
        del file["obsm"]
        group = file.create_group("obsm")
        for name, (shape, kind) in members.items():
            group[prefix + name] = np.ones(shape).astype(kind)
    found = summarise(path)
    with h5py.File(path, "r+") as file:
        del file["obsm"]
    assert numbers_of(found) == numbers_of(summarise(path))
    assert found.annotation is not None
    if found.annotation.map is not None:
        shown = {one_line(prefix + name): member for name, member in members.items()}
        shape, kind = shown[found.annotation.map.name]
        assert len(shape) == 2
        assert shape[0] == N_CELLS
        assert shape[1] > 1
        assert kind != "S3"
