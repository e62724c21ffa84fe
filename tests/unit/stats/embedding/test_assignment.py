"""Cells that get clusters and places from the sketch."""

from __future__ import annotations

import random

import numpy as np

from dpss.stats.embedding.assignment import CellSketch
from tests.laws.test_embedding_laws import (
    N_CELLS,
    covariances,
    cut_and_merged,
    sketch,
)


def test_cells_of_the_sketch_keep_their_own() -> None:
    """Their cluster and place are the sketch's; all others lie within the map."""
    chosen = sketch()
    assert isinstance(chosen, CellSketch)
    found = cut_and_merged(covariances, random.Random(2))
    for number, cell in enumerate(chosen.cells):
        one = found.sketch_cells.select(np.array([number]))
        assigned = chosen.assign(one, int(cell))
        assert assigned.labels[0] == chosen.labels[number]
        np.testing.assert_array_equal(assigned.places[0], chosen.places[number])
    elsewhere = chosen.assign(found.sketch_cells, 10 * N_CELLS)
    assert (elsewhere.labels >= 0).all()
    assert (elsewhere.places >= chosen.places.min(axis=0)).all()
    assert (elsewhere.places <= chosen.places.max(axis=0)).all()
