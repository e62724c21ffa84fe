"""Laws of samples of cells: any order and cut, all measures of the same cells."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dpss.model import CellBlock
from dpss.stats.accumulator import CellAccumulator, Features
from dpss.stats.cell_hash import hash_cells
from dpss.stats.cell_sample import CellSampler, derive_measures
from dpss.stats.kernels import layout
from tests.examples import examples


@given(st.integers(0, 60), st.integers(1, 40), st.integers(1, 5), st.randoms())
@settings(deadline=None, max_examples=examples(100))
def test_any_cut_and_order(n: int, limit: int, n_parts: int, random: Any) -> None:
    """The same cells are sampled, and all of them while they are no more than the limit."""
    measures = np.random.default_rng(1).uniform(1, 9, (n, layout.N_MEASURES))
    samplers = [CellSampler(limit) for _ in range(n_parts)]
    places = list(range(n))
    random.shuffle(places)
    for part in np.array_split(np.array(places, dtype=np.int64), 7):
        random.choice(samplers).add(part, measures[part])
    for other in samplers[1:]:
        samplers[0].merge(other)
    found = samplers[0].sample(n, (True, True, True))
    hashes = hash_cells(np.arange(n))
    expected = measures[np.argsort(hashes)[:limit], layout.TOTAL_COUNTS]
    assert found.total_counts.tolist() == expected.tolist()
    assert found.is_complete is (n <= limit)


@pytest.mark.parametrize("n", [0, 1, 7, 30])
def test_a_sampler_is_pickled_without_spare_memory(n: int) -> None:
    """It goes on afterwards as the one that was pickled."""
    measures = np.random.default_rng(2).uniform(1, 9, (n + 5, layout.N_MEASURES))
    sampler = CellSampler(1 << 12)
    sampler.add(np.arange(n), measures[:n])
    data = pickle.dumps(sampler)
    assert len(data) < 2_000 + 100 * n
    for each in (sampler, copy := pickle.loads(data)):
        each.add(np.arange(n, n + 5), measures[n:])
    some = (True, True, True)
    expected = sampler.sample(n + 5, some).total_counts.tolist()
    assert copy.sample(n + 5, some).total_counts.tolist() == expected


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5])
def test_a_sample_is_like_the_whole(share: float) -> None:
    """A share of a million cells is estimated within four standard errors."""
    n, limit = 1_000_000, 1 << 14
    sampler = CellSampler(limit)
    for start in range(0, n, 1 << 15):
        places = np.arange(start, min(start + (1 << 15), n))
        measures = np.ones((len(places), layout.N_MEASURES))
        measures[:, layout.TOTAL_COUNTS] += places < share * n
        sampler.add(places, measures)
    found = sampler.sample(n, (False, False, False))
    error = np.mean(found.total_counts > 1) - share
    assert abs(error) < 4 * np.sqrt(share * (1 - share) / limit)


@pytest.mark.slow
@given(
    st.lists(st.integers(0, 40) | st.integers(0, 3_000_000), min_size=1, max_size=150),
    st.sampled_from(["f4", "f8", "i4", "i8"]),
    st.booleans(),
)
@settings(deadline=None, max_examples=150)
def test_the_highest_counts(values: list[int], dtype: str, fractional: bool) -> None:
    """The sum of the 50 highest is that of sorting, in cells of any values and of any type."""
    data = np.array(values, dtype=dtype)
    if fractional and dtype in ("f4", "f8"):
        data = data + np.array(0.5, dtype=dtype)
    n = len(data)
    genes = np.arange(n, dtype=np.int32)
    which = Features(
        np.ones(n, bool), genes % 3 == 0, np.array([0]), genes % 3 == 1, genes % 3 == 2
    )
    accumulator = CellAccumulator(which)
    accumulator.add(CellBlock(0, np.array([0, n, n]), genes, data))
    found = accumulator.result().cells.sample
    total = float(data.astype(np.float64).sum())
    if total == 0:
        return
    cell = int(np.argmax(found.total_counts))
    top = np.sort(data.astype(np.float64))[::-1][:50].sum()
    percents = found.pct_counts_in_top_50_genes
    assert percents is not None
    assert percents[cell] == pytest.approx(100 * top / total, rel=1e-12)
    for group, measured in enumerate(
        (found.pct_counts_mt, found.pct_counts_ribo, found.pct_counts_hb)
    ):
        if measured is not None:
            part = data[genes % 3 == group].astype(np.float64).sum()
            assert measured[cell] == pytest.approx(100 * part / total, rel=1e-12)


@given(st.lists(st.tuples(st.integers(1, 60), st.floats(1e-3, 1e7)), min_size=1, max_size=40))
@example([(1, 1.5)])
@example([(3, 1.999)])
@example([(20, 49.0), (9, 98.0), (8, 196.0)])
def test_complexity_and_the_percentage_of_all_counts(cells: list[tuple[int, float]]) -> None:
    """Complexity is the ratio of two logarithms or undefined; all of the counts are 100 %."""
    measures = np.zeros((len(cells), layout.N_MEASURES))
    measures[:, layout.N_GENES_BY_COUNTS] = [genes for genes, _ in cells]
    measures[:, layout.TOTAL_COUNTS] = measures[:, layout.COUNTS_TOP] = [t for _, t in cells]
    found = derive_measures(measures, (False, False, False))
    percents, complexity = found["pct_counts_in_top_50_genes"], found["complexity"]
    assert percents is not None
    assert complexity is not None
    assert percents.max() <= 100
    np.testing.assert_allclose(percents, 100, rtol=1e-12)
    for (genes, total), value in zip(cells, complexity.tolist(), strict=True):
        expected = math.log10(genes) / math.log10(total) if total >= 2 else math.nan
        assert value == pytest.approx(expected, rel=1e-12, nan_ok=True)
