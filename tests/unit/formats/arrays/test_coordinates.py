"""Coordinates of cells, read in parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.errors import ColumnError
from dpss.formats.arrays.coordinates import InMemoryCoordinates, find_pairs


@given(st.integers(0, 50), st.integers(2, 5))
def test_parts_are_the_first_two_axes(n_cells: int, n_axes: int) -> None:
    """Joined, the parts are the first two columns."""
    values = np.random.default_rng(n_cells).normal(size=(n_cells, n_axes)).astype(np.float32)
    held = InMemoryCoordinates({"X_umap": values})
    joined = np.concatenate([np.empty((0, 2)), *held.points("X_umap")])
    np.testing.assert_array_equal(joined, values[:, :2].astype(np.float64))
    assert held.n_axes("X_umap") == n_axes


@pytest.mark.parametrize("shape", [(5,), (5, 1), (5, 3000), (5, 2, 2)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    """What is not a few numbers for each cell is an error that names the shape."""
    with pytest.raises(ColumnError, match="shape"):
        InMemoryCoordinates({"X_odd": np.zeros(shape)}).n_axes("X_odd")


@pytest.mark.parametrize("pair", [("_X", "_Y"), ("UMAP1", "UMAP2"), ("tsne_1", "tsne_2")])
def test_two_attributes_are_axes(pair: tuple[str, str]) -> None:
    """The names that loom files have are found; numbered measures are not."""
    assert list(find_pairs([*pair, "Cluster1", "Cluster2"]).values()) == [pair]
