"""Numbers about genes beside the counts of cells are no cells, whatever their title."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpss.formats.text.fields import Rows
from dpss.formats.text.outer_columns import find_outer_columns
from tests.summarise import summarise
from tests.unit.formats.text.test_cell_annotation import assert_equal, counts

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("where", ["first", "last"])
@pytest.mark.parametrize(
    "titles",
    [
        ("mean", "sd"),
        ("log2FC", "pvalue", "padj"),
        ("Average",),
        ("p_val_adj",),
        ("GC",),
        ("n_cells",),
    ],
)
def test_statistics_are_no_cells(titles: tuple[str, ...], where: str, tmp_path: Path) -> None:
    """Each was counted as a cell, or its negative values kept the table from being read."""
    frame = counts(1)
    table = frame.T.astype(object)
    for title in titles:
        values = RNG.normal(size=len(table)) if "FC" in title else RNG.random(len(table))
        table.insert(0 if where == "first" else table.shape[1], title, values)
    table.to_csv(tmp_path / "m.csv")
    assert_equal(tmp_path / "m.csv", frame, *titles)


@pytest.mark.parametrize("title", ["exonic_bases", "weight", "Nr"])
def test_a_title_of_no_known_kind(title: str, tmp_path: Path) -> None:
    """Without the title and the zeros of a cell it is left out, with a warning."""
    frame = counts(2)
    table = frame.T.copy()
    table.insert(0, title, RNG.integers(200, 9000, len(table)))
    table.to_csv(tmp_path / "m.csv")
    assert_equal(tmp_path / "m.csv", frame, title)
    (said,) = [each for each in summarise(tmp_path / "m.csv").reading if each.is_warning]
    assert said.topic == "annotation"


@pytest.mark.parametrize("name", ["pool", "Zelle 1", "water"])
def test_a_cell_of_another_name_is_a_cell(name: str, tmp_path: Path) -> None:
    """It has zeros, as others have."""
    frame = counts(3)
    frame.index = [name, *frame.index[1:]]
    frame.T.to_csv(tmp_path / "m.csv")
    assert_equal(tmp_path / "m.csv", frame)


@given(st.lists(st.sampled_from(["mean", "AAACCTGAGAAACCAT-1", "Sox2", "cell_7", "x"]), max_size=9))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_some_columns_always_remain(titles: list[str]) -> None:
    """However many titles are those of statistics, columns are left between both ends."""
    rows = Rows([["1"] * len(titles)] * 3, [2, 3, 4], "m.csv")
    before, after, _ = find_outer_columns(rows, titles, range(len(titles)), ".")
    assert before + after < max(1, len(titles))


def test_genes_in_the_columns_are_left_to_the_rules_of_cells(tmp_path: Path) -> None:
    """Of cells × genes such columns are facts about cells."""
    frame = counts(5)
    table = frame.astype(object)
    table.insert(0, "mean", RNG.random(len(table)))
    table.to_csv(tmp_path / "m.csv")
    assert_equal(tmp_path / "m.csv", frame, "mean")
