"""Cells with fractions: the sums of exact arithmetic, and those of the way value by value."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dpss.model import CellBlock
from dpss.stats.accumulator import CellAccumulator, Features, GeneSums, Sums
from dpss.stats.kernels.fractional import MOST_VALUES
from dpss.stats.kernels.layout import LOW_BITS, TAIL_BITS, TERMS_OF, TOTAL, TOTAL_LOW
from tests.examples import examples

_UNIT_BITS = LOW_BITS + TAIL_BITS


def _features(n_genes: int, boxed_every: int = 3) -> Features:
    groups = np.zeros((3, n_genes), dtype=bool)
    groups[0, ::5], groups[1, 1::5], groups[2, 2::7] = True, True, True
    boxed = np.arange(0, n_genes, boxed_every)
    return Features(np.ones(n_genes, bool), groups[0], boxed, groups[1], groups[2])


def _sums(values: NDArray[Any], *, one_by_one: bool = False, boxed_every: int = 3) -> Sums:
    """Add a dense matrix and a gene of zeros; if they are below 0, cells go value by value."""
    values = np.column_stack((values, np.zeros(len(values), values.dtype)))
    n_cells, n_genes = values.shape
    indptr = np.arange(n_cells + 1) * n_genes
    values[:, -1] = -0.0 if one_by_one else 0.0
    indices = np.tile(np.arange(n_genes, dtype=np.int32), n_cells)
    accumulator = CellAccumulator(_features(n_genes, boxed_every))
    accumulator.add(CellBlock(0, indptr, indices, values.ravel()))
    return accumulator.result()


def _totals(genes: GeneSums) -> list[int]:
    """Return the exact totals of genes but the last one, in units of the lowest limb."""
    limbs = zip(
        genes.table[:-1, TOTAL].tolist(),
        genes.table[:-1, TOTAL_LOW].tolist(),
        genes.tails[:-1].tolist(),
        strict=True,
    )
    return [(whole << _UNIT_BITS) + (low << TAIL_BITS) + tail for whole, low, tail in limbs]


def _exact(values: NDArray[Any]) -> list[int]:
    """Return the same with fractions of whole numbers of any size."""
    return [
        sum(math.floor(Fraction(float(x)) * (1 << _UNIT_BITS)) for x in gene) for gene in values.T
    ]


def _same(a: Sums, b: Sums) -> bool:
    tables = zip(
        (a.genes.table, a.genes.tails, a.genes.boxes),
        (b.genes.table, b.genes.tails, b.genes.boxes),
        strict=True,
    )
    cells = (a.cells.sample, b.cells.sample)
    measured = ("total_counts", "n_genes_by_counts", "pct_counts_in_top_50_genes")
    return (
        all(np.array_equal(x, y) for x, y in tables)
        and all(np.array_equal(*(getattr(c, name) for c in cells)) for name in measured)
        and all(
            np.array_equal(x.values, y.values) and np.array_equal(x.counts, y.counts)
            for x, y in (
                (a.cells.pct_counts_mt, b.cells.pct_counts_mt),
                (a.cells.total_counts, b.cells.total_counts),
            )
            if x is not None and y is not None
        )
        and a.facts == b.facts
    )


@given(
    seed=st.integers(0, 1 << 30),
    n_genes=st.sampled_from([1, 3, 49, 50, 51, TERMS_OF, TERMS_OF + 1, 3 * TERMS_OF]),
    dtype=st.sampled_from(["f4", "f8"]),
    lowest=st.integers(-40, 38),
    share_of_zeros=st.sampled_from([0.0, 0.3, 0.95]),
)
@settings(deadline=None, max_examples=examples(100))
def test_sums_are_exact(
    seed: int, n_genes: int, dtype: str, lowest: int, share_of_zeros: float
) -> None:
    """Values from 1e-12 to 2**40, mixed: totals to the last bit, and all else as one by one."""
    rng = np.random.default_rng(seed)
    shape = (7, n_genes)
    values = rng.uniform(1, 2, shape) * 2.0 ** rng.integers(lowest, 39, shape)
    values[rng.random(shape) < share_of_zeros] = 0
    values[:, 0] = [0.5, 1, 0, 2.25, 1e-12, 2.0**39, 1 - 2.0**-53]
    values = values.astype(dtype)
    found = _sums(values)
    assert _totals(found.genes) == _exact(values)
    assert found.genes.table[:-1, 0].tolist() == (values > 0).sum(axis=0).tolist()
    totals = np.sort(found.cells.sample.total_counts)
    np.testing.assert_allclose(totals, sorted(map(math.fsum, values.astype(float))), rtol=1e-9)
    assert _same(found, _sums(values, one_by_one=True))


@pytest.mark.parametrize("n_genes", [60, 200])
@pytest.mark.parametrize("spread", [0.0, 1.0, 12.0])
def test_the_highest_counts_do_not_depend_on_the_cell_before(n_genes: int, spread: float) -> None:
    """A guess from another cell that is far too high or low gives the same highest counts."""
    rng = np.random.default_rng(n_genes)
    values = rng.uniform(1, 2, (40, n_genes)) * 10 ** rng.uniform(-spread, 0, (40, n_genes))
    values *= 10.0 ** rng.integers(-3, 4, (40, 1))
    highest = np.sort(values, axis=1)[:, :-51:-1]
    shares = 100 * highest.sum(axis=1) / values.sum(axis=1)
    found = _sums(values).cells.sample.pct_counts_in_top_50_genes
    assert found is not None
    np.testing.assert_allclose(np.sort(found), np.sort(shares), rtol=1e-12)


def test_a_gene_of_very_many_cells() -> None:
    """Limbs are carried: fractions of 70,000 cells, close to 1, and those of both ways mixed."""
    n_cells = 70_000
    values = np.full((n_cells, 2), 1 - 2.0**-40)
    values[::3, 1] = 0
    values[1::2, 0] = 7
    assert _totals(_sums(values).genes) == [
        int(np.sum(column == 7)) * 7 * (1 << _UNIT_BITS)
        + int(np.sum((column > 0) & (column < 1))) * ((1 << _UNIT_BITS) - (1 << _UNIT_BITS - 40))
        for column in values.T
    ]


def test_a_cell_of_very_many_values() -> None:
    """A cell with more values than its limbs hold at once is added value by value."""
    values = np.full((1, MOST_VALUES + 3), 1 - 2.0**-50)
    found = _sums(values, boxed_every=3_000)
    assert set(_totals(found.genes)) == set(_exact(values[:, :1]))
    expected = float((MOST_VALUES + 3) * (1 - Fraction(1, 1 << 50)))
    assert found.cells.sample.total_counts.tolist() == [expected]


@pytest.mark.parametrize("bad", [-0.5, np.nan, np.inf, 2.0**40, 1e300])
def test_values_that_can_not_be_added_are_told(bad: float) -> None:
    """One value that is negative, not finite or too large keeps its cell out, and is counted."""
    values = np.full((3, 80), 0.5)
    values[1, 70] = bad
    facts = _sums(values).facts
    assert facts.n_negative + facts.n_nonfinite + facts.n_large == 1


def test_indices_outside_the_matrix_are_told() -> None:
    """A value of a feature that is not there is never added."""
    for outside in (-1, 4, 1 << 30):
        accumulator = CellAccumulator(_features(4))
        indices = np.array([0, outside, 2], dtype=np.int64)
        accumulator.add(CellBlock(0, np.array([0, 3]), indices, np.array([0.5, 0.25, 1.5])))
        assert accumulator.facts.n_outside == 1
