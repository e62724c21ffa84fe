"""Coordinates in R's objects: Seurat's reductions and SingleCellExperiment's reducedDims.

Files that R wrote are parsed, and reductions are put into their objects.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdata.parser import (
    RObject,
    RObjectInfo,
    RObjectType,
)

import dpss
from dpss.formats.r import reader
from dpss.formats.r.objects import RDATA, parse_objects
from dpss.formats.r.reductions import find_reductions
from dpss.formats.r.values import attributes_of, items_of, pairs_of, type_of
from tests.examples import examples
from tests.unit.formats.layers import open_path
from tests.unit.formats.r.test_reader import COUNTS

FILES = Path(__file__).parents[1] / "r_files"
N_CELLS = len(COUNTS)


def r_object(kind: str, value: Any, **attributes: RObject) -> RObject:
    """Return an R object with attributes."""
    listed = pair_list(attributes) if attributes else None
    info = RObjectInfo(RObjectType[kind], "class" in attributes, bool(attributes), False, 0, 0)
    return RObject(info, value, listed)


def pair_list(items: dict[str, RObject]) -> RObject:
    """Return a pair list."""
    end = RObject(RObjectInfo(RObjectType.NILVALUE, False, False, False, 0, 0), None, None)
    for name, value in reversed(items.items()):
        info = RObjectInfo(RObjectType.LIST, False, False, True, 0, 0)
        symbol = r_object("SYM", text(name.replace("__", ".")))
        end = RObject(info, (value, end), None, symbol)
    return end


def text(value: str) -> RObject:
    """Return R's object for one string."""
    found = r_object("CHAR", value.encode())
    found.info.gp = 64
    return found


def strings(*values: str) -> RObject:
    """Return a vector of strings."""
    return r_object("STR", [text(value) for value in values])


def matrix(values: np.ndarray) -> RObject:
    """Return a matrix, which R has column by column."""
    dim = r_object("INT", np.array(values.shape, dtype=np.int32))
    return r_object("REAL", values.T.ravel().astype(np.float64), dim=dim)


def named_list(items: dict[str, RObject]) -> RObject:
    """Return a list with names."""
    return r_object("VEC", list(items.values()), names=strings(*items))


def reduction(embeddings: RObject) -> RObject:
    """Return a reduction of Seurat's."""
    return r_object("S4", None, cell__embeddings=embeddings)


def parsed(name: str) -> RObject:
    """Return the object of a file that R wrote."""
    data = (FILES / name).read_bytes()
    for unpack in (gzip.decompress, bz2.decompress, lzma.decompress):
        try:
            data = unpack(data)
            break
        except (OSError, lzma.LZMAError):
            continue
    top = parse_objects(data, name, 10**7)
    if data.startswith(RDATA):
        top = next(each for _, each in pairs_of(top))
    return top


def put(thing: RObject, slot: str, value: RObject) -> None:
    """Set a slot of an object, or of what is a pair list already."""
    at = thing.attributes
    while at is not None and type_of(at) == "LIST":
        tag = at.tag.referenced_object if type_of(at.tag) == "REF" else at.tag
        if tag.value.value == slot.encode():
            at.value = (value, at.value[1])
            return
        at = at.value[1]
    whole = pair_list({slot.replace(".", "__"): value})
    whole.value = (whole.value[0], thing.attributes)
    thing.attributes = whole


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[[RObject], Path]:
    """Have a file that R wrote be parsed as an object of a test: rdata writes no S4 objects."""

    def put_in_place(thing: RObject) -> Path:
        monkeypatch.setattr(reader, "parse_objects", lambda *_: thing)
        return FILES / "seurat4.Robj"

    return put_in_place


PLACES = np.arange(N_CELLS * 2.0).reshape(N_CELLS, 2)


def seurat(items: dict[str, RObject]) -> RObject:
    """Return a Seurat object with reductions."""
    found = parsed("seurat4.Robj")
    put(found, "reductions", named_list({name: reduction(each) for name, each in items.items()}))
    return found


def test_reductions_of_seurat(opened: Callable[[RObject], Path]) -> None:
    """Their places are those that were written, cell by cell, read in parts."""
    wide = np.random.default_rng(0).normal(size=(N_CELLS, 5))
    thing = seurat({"pca": matrix(wide), "umap": matrix(PLACES)})
    (found,) = open_path(opened(thing))
    assert found.coordinates is not None
    assert found.coordinates.names() == ["pca", "umap"]
    assert found.coordinates.n_axes("pca") == 5
    np.testing.assert_array_equal(np.concatenate([*found.coordinates.points("umap")]), PLACES)
    np.testing.assert_array_equal(np.concatenate([*found.coordinates.points("pca")]), wide[:, :2])


def test_an_older_object_and_bioconductor() -> None:
    """Seurat 2 calls its reductions ``dr``; a SingleCellExperiment has a table of matrices."""
    old = parsed("seurat2.rds")
    put(old, "dr", named_list({"tsne": reduction(matrix(PLACES))}))
    np.testing.assert_array_equal(find_reductions(old)["tsne"], PLACES)
    experiment = parsed("sce.rds")
    columns = attributes_of(attributes_of(experiment)["int_colData"])["listData"]
    assert find_reductions(experiment) == {}
    reduced = dict(zip(("reducedDims", "altExps"), columns.value, strict=False))["reducedDims"]
    put(reduced, "listData", named_list({"UMAP": matrix(PLACES)}))
    np.testing.assert_array_equal(find_reductions(experiment)["UMAP"], PLACES)


BROKEN = {
    "strings": strings(*"abcdefgh"),
    "a vector": r_object("REAL", np.zeros(2 * N_CELLS)),
    "one column": matrix(np.zeros((N_CELLS, 1))),
    "too few cells": matrix(np.zeros((N_CELLS - 1, 2))),
    "not a number": matrix(np.full((N_CELLS, 2), np.nan)),
    "wrong size": r_object(
        "REAL", np.zeros(5), dim=r_object("INT", np.array([N_CELLS, 2], dtype=np.int32))
    ),
    "negative size": r_object(
        "REAL", np.zeros(4), dim=r_object("INT", np.array([-2, -2], dtype=np.int32))
    ),
    "a list": named_list({"a": matrix(PLACES)}),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_reduction_is_a_warning(fault: str, opened: Callable[[RObject], Path]) -> None:
    """It is named, the next one is taken, and the matrix is read as before."""
    thing = seurat({"umap": BROKEN[fault], "tsne": matrix(PLACES)})
    summary = dpss.summarize(opened(thing), embedding=True)
    said = [each.message for each in summary.checks if each.name == "annotation"]
    assert [each for each in said if "umap" in each]
    assert summary.annotation is not None
    assert summary.annotation.map is not None
    assert summary.annotation.map.name == "tsne"
    assert summary.n_cells == N_CELLS


@settings(max_examples=examples(60), deadline=None)
@given(
    st.sampled_from(["REAL", "INT", "LGL", "STR", "VEC"]),
    st.lists(st.integers(-3, 9), max_size=3),
    st.integers(0, 30),
)
def test_any_reduction_is_a_matrix_or_empty(kind: str, size: list[int], n: int) -> None:
    """Nothing is raised, whatever the size says."""
    items = [text("x")] * n if kind in ("STR", "VEC") else np.zeros(n, dtype=np.int32)
    dim = r_object("INT", np.array(size, dtype=np.int32))
    thing = r_object(
        "S4", None, reductions=named_list({"umap": reduction(r_object(kind, items, dim=dim))})
    )
    found = find_reductions(thing)["umap"]
    assert found.shape in ((0,), tuple(size))


NAMES = [f"cell{k}" for k in range(1, N_CELLS + 1)]


def table_of_cells(names: list[str], numbers: np.ndarray) -> RObject:
    """Return a data.frame with the column ``number``."""
    column = r_object("INT", numbers.astype(np.int32))
    parts = {"names": strings("number"), "row__names": strings(*names)}
    return r_object("VEC", [column], **parts, **{"class": strings("data.frame")})


@pytest.mark.parametrize("seed", range(3))
def test_cells_in_another_order_are_found_by_name(seed: int, opened: Any) -> None:
    """The table of the cells, and the coordinates, need not be in the order of the matrix."""
    order = np.random.default_rng(seed).permutation(N_CELLS)
    names = [NAMES[k] for k in order]
    places = matrix(PLACES[order])
    put(places, "dimnames", r_object("VEC", [strings(*names), strings("UMAP_1", "UMAP_2")]))
    found = seurat({"umap": places})
    put(found, "meta.data", table_of_cells(names, order))
    (read,) = open_path(opened(found))
    assert read.cells is not None
    assert read.coordinates is not None
    assert np.concatenate(list(read.cells.names())).tolist() == NAMES
    assert np.concatenate(list(read.cells.labels("number"))).tolist() == list(
        map(str, range(N_CELLS))
    )
    assert np.concatenate(list(read.coordinates.points("umap"))).tolist() == PLACES.tolist()


def test_a_table_of_other_cells_is_not_used(opened: Any) -> None:
    """Without the names of the matrix its lines belong to none of the cells."""
    found = seurat({})
    others = [f"other{k}" for k in range(N_CELLS)]
    put(found, "meta.data", table_of_cells(others, np.arange(N_CELLS)))
    (read,) = open_path(opened(found))
    assert read.cells is not None
    assert read.cells.columns() == []
    assert np.concatenate(list(read.cells.names())).tolist() == NAMES


def test_cells_of_seurat_5_have_names_without_a_table() -> None:
    """The layers have no names: an assay keeps them apart, and which layer has which."""
    (whole,) = open_path(FILES / "seurat5.rds")
    assert np.concatenate(list(whole.cells.names())).tolist() == NAMES


def test_cells_of_split_layers_have_the_names_of_their_part(opened: Any) -> None:
    """Each part has the names, and the lines of the table, of its own cells."""
    found = parsed("seurat5_split.rds")
    assay = dict(items_of(attributes_of(found)["assays"]))["RNA"]
    has = np.zeros((N_CELLS, 2), dtype=np.int32)
    has[:3, 0] = has[3:, 1] = 1
    log_map = r_object("LGL", has.T.ravel())
    put(log_map, "dim", r_object("INT", np.array(has.shape, dtype=np.int32)))
    sides = r_object("VEC", [strings(*NAMES), strings("counts.a", "counts.b")])
    put(log_map, "dimnames", sides)
    put(assay, "cells", log_map)
    put(found, "meta.data", table_of_cells(NAMES[::-1], np.arange(N_CELLS)[::-1]))
    a, b = open_path(opened(found))
    for part, names in ((a, NAMES[:3]), (b, NAMES[3:])):
        assert np.concatenate(list(part.cells.names())).tolist() == names
        numbers = np.concatenate(list(part.cells.labels("number"))).tolist()
        assert [f"cell{int(n) + 1}" for n in numbers] == names
