"""Sums per cluster of a third pass against numpy."""

from __future__ import annotations

import random

import numpy as np

from dpss.stats.embedding.fixed import UNIT
from dpss.stats.embedding.group_tables import BINS_SCALE
from dpss.stats.embedding.groups import GroupAccumulator
from tests.laws.test_embedding_laws import (
    cut_and_merged,
    genes,
    groups,
    matrix,
)


def test_group_sums_are_those_of_numpy() -> None:
    """Sums per cluster and gene, histograms and measures are what numpy makes of the labels."""
    found = cut_and_merged(lambda: groups(2), random.Random(5))
    chosen = genes()
    counts = matrix().toarray().astype(np.float64) * (chosen.kinds > 0)
    totals = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    values = np.rint(np.log1p(counts / totals * 1e4) * UNIT).astype(np.int64)
    labels = found.cells.labels
    np.testing.assert_array_equal(labels < 0, (counts > 0).sum(axis=1) < 2)
    assert np.isnan(found.cells.places[labels < 0]).all()
    bins = np.minimum(values * 8 * BINS_SCALE >> 32, 7)
    for k, size in enumerate(found.sizes):
        members = labels == k
        assert size == members.sum()
        some = values[members]
        sums, histograms = found.sums(k), found.histograms(k).reshape(-1, 8)
        expected = np.column_stack([some.sum(axis=0), (some**2).sum(axis=0)])
        is_gene = np.flatnonzero(chosen.kinds)
        for gene in is_gene[is_gene >= 5].tolist():
            np.testing.assert_array_equal(sums[gene - 5], expected[gene])
            found_in = bins[members, gene][some[:, gene] > 0]
            expected_bins = np.bincount(found_in, minlength=8)
            np.testing.assert_array_equal(histograms[gene - 5], expected_bins)
        assert found.measures[k][1].median == np.median(counts[members].sum(axis=1))
    assert list(found.sizes) == sorted(found.sizes, reverse=True)
    assert found.map.counts.sum() == found.components.counts.sum() == (labels >= 0).sum()


def test_no_cells_give_no_sums() -> None:
    """An accumulator that saw nothing has no cells, and means that are not defined."""
    found = groups().result()
    assert isinstance(groups(), GroupAccumulator)
    assert found.sizes.sum() == 0
    assert np.isnan(found.map_means).all()
    assert (found.cells.labels == -1).all()
    assert np.isnan(found.cells.places).all()
