"""Clusters and places of cells, added in any order, here and in other processes."""

from __future__ import annotations

import pickle
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError
from dpss.stats.embedding.cell_places import (
    CellPlaces,
    HeldPlaces,
    PlaceParts,
    renumber,
    without_places,
)

N_CELLS = 50


def cells_of(start: int, stop: int) -> CellPlaces:
    """Cells whose cluster and place tell their index; every seventh is not kept."""
    numbers = np.arange(start, stop)
    left_out = numbers % 7 == 0
    labels = np.where(left_out, -1, numbers % 5).astype(np.int16)
    places = np.where(left_out[:, None], np.nan, numbers[:, None] + [0, 0.5])
    return CellPlaces(labels, places.astype(np.float32))


def same(a: CellPlaces, b: CellPlaces) -> bool:
    """Compare bit by bit."""
    return a.labels.tobytes() == b.labels.tobytes() and a.places.tobytes() == b.places.tobytes()


@given(st.sets(st.integers(1, N_CELLS - 1)), st.integers(1, 4), st.randoms())
def test_any_cut_in_any_order_is_the_same(cuts: set[int], n_stores: int, random: Any) -> None:
    """Whether parts are added here, to another store or in another process."""
    ends = [0, *sorted(cuts), N_CELLS]
    parts = list(pairwise(ends))
    random.shuffle(parts)
    whole = HeldPlaces(N_CELLS)
    stores: list[Any] = [whole.begin() for _ in range(n_stores)]
    stores += [pickle.loads(pickle.dumps(HeldPlaces(N_CELLS))).begin() for _ in range(n_stores)]
    for start, stop in parts:
        random.choice(stores).add(start, cells_of(start, stop))
    for store in stores:
        sent = pickle.loads(pickle.dumps(store)) if random.random() < 0.5 else store
        whole.merge(sent)
    assert same(whole.cells(), cells_of(0, N_CELLS))


@pytest.mark.parametrize("make", [lambda: HeldPlaces(6, with_places=False), PlaceParts])
def test_places_are_left_out_where_they_are_not_asked_for(make: Any) -> None:
    """Clusters are there; in another process as well."""
    store = make()
    bare = PlaceParts(with_places=False)
    store.merge(bare)
    bare.add(0, cells_of(0, 6))
    store.merge(bare)
    assert store.cells().labels.tolist() == cells_of(0, 6).labels.tolist()
    assert store.cells().places.shape == (0, 2)


def test_a_store_without_places_stays_so_in_another_process() -> None:
    """It sends 2 bytes per cell back, not 10."""
    away = pickle.loads(pickle.dumps(HeldPlaces(6, with_places=False))).begin()
    away.add(0, cells_of(0, 6))
    assert away.cells().places.shape == (0, 2)


def test_cells_beyond_the_last_are_an_error() -> None:
    """A file that has grown between two passes is named so."""
    with pytest.raises(CorruptMatrixError, match="more than the 5 cells"):
        HeldPlaces(5).add(3, cells_of(0, 3))


@pytest.mark.parametrize("n_cells", [0, 3, 200_000])
def test_new_numbers_of_clusters(n_cells: int) -> None:
    """Cells that are not kept stay so; the given labels are not changed."""
    labels = (np.arange(n_cells) % 4 - 1).astype(np.int16)
    found = renumber(without_places(labels), np.array([2, 0, 1]))
    np.testing.assert_array_equal(found.labels, np.array([-1, 2, 0, 1])[np.arange(n_cells) % 4])
    assert found.labels.dtype == np.int16
    np.testing.assert_array_equal(labels, np.arange(n_cells) % 4 - 1)
