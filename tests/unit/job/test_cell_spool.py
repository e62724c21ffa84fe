"""Files of single cells' numbers: what is written in any order is read in that of the matrix."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path

import numpy as np
import pytest

from dpss.job.cell_spool import SpooledPlaces, SpooledRecords
from dpss.stats.kernels import layout
from tests.unit.stats.embedding.test_cell_places import cells_of

N_CELLS = 60


def test_places_are_in_the_file_and_clusters_in_memory(tmp_path: Path) -> None:
    """Threads and another process add to them."""
    spool = SpooledPlaces(tmp_path / "places", N_CELLS)
    away = pickle.loads(pickle.dumps(spool)).begin()
    away.add(50, cells_of(50, N_CELLS))
    threads = [
        threading.Thread(target=spool.begin().add, args=(start, cells_of(start, start + 10)))
        for start in (40, 0, 20, 10, 30)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spool.merge(spool)
    spool.merge(away)
    expected = cells_of(0, N_CELLS)
    assert spool.cells().labels.tolist() == expected.labels.tolist()
    assert len(spool.cells().places) == 0
    np.testing.assert_array_equal(spool.read(0, N_CELLS), expected.places)
    np.testing.assert_array_equal(spool.read(55, 10), expected.places[55:])
    assert (tmp_path / "places").stat().st_size == 8 * N_CELLS


@pytest.mark.parametrize("starts", [(0, 5), (5, 0)])
def test_records_are_in_the_order_of_the_matrix(tmp_path: Path, starts: tuple[int, int]) -> None:
    """What is added again replaces itself."""
    measures = np.zeros((10, layout.N_MEASURES))
    measures[:, layout.TOTAL_COUNTS] = np.arange(10)
    spool = SpooledRecords(tmp_path / "records")
    for start in (*starts, 0):
        spool.add(start, measures[start : start + 5])
    assert spool.read(0, 20)["total"].tolist() == list(range(10))
