"""Texts that a file states of its whole data set."""

from __future__ import annotations

import warnings
from pathlib import Path

import anndata
import h5py
import numpy as np
import pytest

from dpss.errors import CorruptMatrixError
from dpss.formats.annotation.dataset_facts import MAX_CHARACTERS, InMemoryFacts
from dpss.formats.base import DatasetFacts, Matrix
from dpss.formats.discovery import iter_matrices
from dpss.formats.options import OpenOptions
from dpss.storage.locations import open_source

UNS = {"title": "A lung", "long": "x" * 10_000, "n": 3, "list": ["a", "b"], "dict": {"a": "b"}}


def facts_of(path: Path) -> DatasetFacts:
    """Return the facts of a file."""
    (matrix,) = iter_matrices(open_source(str(path)), OpenOptions())
    assert isinstance(matrix, Matrix) and matrix.facts is not None
    return matrix.facts


def written(tmp_path: Path, kind: str) -> Path:
    """Write a data set with `UNS`."""
    data = anndata.AnnData(np.ones((3, 2), dtype=np.float32))
    data.uns = dict(UNS)
    path = tmp_path / f"a.{kind}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of defaults that anndata is to change
        (data.write_h5ad if kind == "h5ad" else data.write_zarr)(path)
    return path


@pytest.mark.parametrize("kind", ["h5ad", "zarr", "object"])
def test_single_texts(kind: str, tmp_path: Path) -> None:
    """A text is given, a long one cut; numbers, lists, groups and what is not there are not."""
    facts = InMemoryFacts(UNS) if kind == "object" else facts_of(written(tmp_path, kind))
    assert facts.text("title") == "A lung"
    assert facts.text("long") == "x" * MAX_CHARACTERS
    for name in ("n", "list", "dict", "absent", "dict/none"):
        assert facts.text(name) is None


def test_old_layouts(tmp_path: Path) -> None:
    """A text of fixed length, or in a vector of one, is given, too."""
    path = written(tmp_path, "h5ad")
    with h5py.File(path, "r+") as file:
        file["uns/fixed"] = np.bytes_(b"5.0.0")
        file["uns/vector"] = np.array(["6.0.0"], dtype=h5py.string_dtype())
    facts = facts_of(path)
    assert (facts.text("fixed"), facts.text("vector")) == ("5.0.0", "6.0.0")


def test_damaged_heap(tmp_path: Path) -> None:
    """A heap of which the library would read for ever is refused."""
    path = written(tmp_path, "h5ad")
    with h5py.File(path, "r+") as file:
        file["uns/title"][()] = "another text that lies in the heap"
    raw = path.read_bytes()
    at = raw.find(b"another text that lies in the heap")
    path.write_bytes(raw[: at - 8] + b"\xff" * 8 + raw[at:])
    with pytest.raises(CorruptMatrixError, match="strings"):
        facts_of(path).text("title")
