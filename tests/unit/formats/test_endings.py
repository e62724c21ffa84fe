"""Endings of files: what they say of the format, and which part of a name they are."""

from __future__ import annotations

from itertools import pairwise

import pytest

from dpss.formats.endings import (
    cost,
    is_of_matrix_folder,
    is_sure,
    may_be_matrix,
    names_of_files,
    stem_of,
)

BY_COST = [
    *("a.h5ad", "a.h5", "a.h5mu", "a.mtx.gz", "a.zarr.zip", "a.loom", "a.h5seurat", "a.npz"),
    *("a.rds", "a.parquet", "a.feather", "a.csv.zip", "a.txt.gz", "a.tar.gz", "a.pdf"),
]


def test_sparse_files_are_cheaper_than_dense_ones() -> None:
    """Sparse, chunks, dense, read whole, tables, archives; files of other endings come last."""
    assert all(cost(cheaper) < cost(other) for cheaper, other in pairwise(BY_COST))
    assert cost("A.MTX") == cost("a.mtx.zip")


@pytest.mark.parametrize("name", BY_COST)
def test_what_an_ending_proposes(name: str) -> None:
    """Every ending of a format may be a matrix; only the sure ones must be."""
    assert may_be_matrix(name) == (name != "a.pdf")
    unsure = ("npz", "rds", "parquet", "feather", "csv.zip", "txt.gz", "tar.gz", "pdf")
    assert is_sure(name) == (not name.endswith(unsure))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("matrix.mtx", True),
        ("s1_matrix.mtx.gz", True),
        (".zgroup", True),
        ("zarr.json", True),
        ("matrix.mtx.bz2", False),
        ("a.zarr.json", False),
        ("genes.tsv", False),
    ],
)
def test_a_folder_is_known_by_a_file_in_it(name: str, found: bool) -> None:
    """Cell Ranger's matrix under any prefix; zarr's own names only as they are."""
    assert is_of_matrix_folder(name) is found


def test_stems_leave_out_what_is_said_of_the_format() -> None:
    """Formats and packings go, everything else stays."""
    stems = {
        "a.h5ad": "a",
        "A.H5AD": "A",
        "a.mtx.zip": "a",
        "a.zarr.zip": "a",
        "a.csv.gz": "a",
        "a.h5ad.tar.gz": "a",
        "a.h5ad.zst": "a",
        "a.tar.zst": "a",
        "a.csv.tar.bz2": "a",
        "a.tbz2": "a",
        "a.txz": "a",
        "sample.1.h5": "sample.1",
        "a.v2.loom": "a.v2",
        "filtered_feature_bc_matrix": "filtered_feature_bc_matrix",
        "notes.txt": "notes.txt",
    }
    assert {name: stem_of(name) for name in stems} == stems


def test_files_of_one_stem_are_told_apart_by_their_endings() -> None:
    """Adding a file changes no other file's name unless the stems are alike."""
    assert names_of_files(["a.h5ad", "b.h5ad"]) == ["a", "b"]
    assert names_of_files(["a.h5ad", "b.h5ad", "a.loom"]) == ["a.h5ad", "b", "a.loom"]
