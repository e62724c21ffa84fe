"""Records of single cells."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from dpss.stats.cell_records import RECORD, HeldRecords, records_of
from dpss.stats.kernels import layout


def measures_of(n_cells: int, seed: int = 0) -> np.ndarray:
    """Return random measures, shape ``(n_cells, N_MEASURES)``."""
    return np.random.default_rng(seed).integers(-1, 9, (n_cells, layout.N_MEASURES)).astype(float)


@pytest.mark.parametrize("n_cells", [0, 1, 7])
def test_a_record_has_what_was_measured(n_cells: int) -> None:
    """Genes, counts and mitochondrial counts, 20 bytes a cell."""
    measures = measures_of(n_cells)
    found = records_of(measures)
    assert found.dtype == RECORD
    assert found.nbytes == 20 * n_cells
    for name, column in (("n_genes", 0), ("total", 1), ("total_mt", 2)):
        assert found[name].tolist() == measures[:, column].tolist()


def test_records_in_memory_merge() -> None:
    """A part that is added again replaces itself; one begun from another is empty."""
    mine, others = HeldRecords(), HeldRecords()
    mine.add(0, measures_of(3))
    others.add(3, measures_of(2, 1))
    others.add(0, measures_of(3, 2))
    mine.merge(others)
    assert sorted(mine.parts) == [0, 3]
    assert mine.parts[0].tolist() == others.parts[0].tolist()
    assert not mine.begin().parts
    assert pickle.loads(pickle.dumps(mine)).parts[3].tolist() == mine.parts[3].tolist()
