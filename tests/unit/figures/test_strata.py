"""The figure ``strata``."""

from __future__ import annotations

import dataclasses

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import dpss
from dpss.figures.elements.layout import NARROW, WIDE
from dpss.figures.elements.marks import Dots
from dpss.figures.export import figure_files
from dpss.figures.registry import figures_of
from dpss.figures.strata import STRATA
from tests.unit.figures.drawn import assert_readable
from tests.unit.summary.test_strata import summary_of

LONG = "10x 3' v3.1, dual index, nuclei of the left ventricle, second freezing"


def with_one_deep(n_groups: int, deep: int) -> dpss.Summary:
    """Summarise groups of ten cells of which one has eight times the counts."""
    labels = np.repeat(np.arange(n_groups), 10)
    rates = np.where(labels == deep, 8.0, 1.0) * np.linspace(0.9, 1.1, n_groups)[labels]
    counts = np.random.default_rng(5).poisson(rates[:, None], (len(labels), 60))
    obs = pd.DataFrame({"group": [f"donor {k:02d}" for k in labels]})
    obs.index = obs.index.astype(str)
    return dpss.summarize(
        anndata.AnnData(sp.csr_matrix(counts.astype(np.float32)), obs=obs), by="group"
    )


@pytest.mark.slow
@pytest.mark.parametrize("groups", [["a"] * 9, ["a", "b", None] * 9, [str(i) for i in range(90)]])
def test_the_figure_is_drawn_the_same_each_time(groups: list[str | None]) -> None:
    """Of one stratum, of several, of more than there is room for: the same bytes again."""
    summary = summary_of(groups)
    assert len(STRATA.draw(summary).axes) == 2
    files = figure_files(STRATA, summary)
    assert files.keys() == {"strata.png", "strata.svg", "strata.narrow.svg"}
    assert figure_files(STRATA, summary) == files


@pytest.mark.parametrize("paper", [WIDE, NARROW])
@pytest.mark.parametrize(
    "groups",
    [["a", "b"] * 9, [f"{i % 12} {LONG}" for i in range(60)], [str(i) for i in range(90)]],
    ids=["two", "twelve with long names", "more than 64"],
)
def test_every_stratum_has_a_row_that_can_be_read(groups: list[str | None], paper: float) -> None:
    """Texts are apart; wide paper has all rows, narrow paper 24, and says how many are left."""
    summary = summary_of(groups)
    page = STRATA.page(summary, paper)
    assert_readable(page)
    assert summary.strata is not None
    n, most = len(summary.strata.strata), 24 if paper == NARROW else 99
    for panel in page.panels:
        assert sum(len(mark.x) for mark in panel.marks if isinstance(mark, Dots)) == min(n, most)
    said = [text.text for text in page.texts if "more in the wide figure" in text.text]
    assert said == ([f"{n - most} rows more in the wide figure."] if n > most else [])


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=90)), min_size=1, max_size=30))
def test_names_may_be_anything(groups: list[str | None]) -> None:
    """Empty, missing, endless, of any script: each is a row and none runs into another."""
    summary = summary_of(groups)
    for paper in (WIDE, NARROW):
        assert_readable(STRATA.page(summary, paper))


@pytest.mark.parametrize(("n_groups", "deep"), [(4, 0), (12, 7), (60, 58)])
def test_the_odd_one_out_is_marked(n_groups: int, deep: int) -> None:
    """It alone is a diamond, and is on narrow paper even where it is among the last."""
    summary = with_one_deep(n_groups, deep)
    for paper in (WIDE, NARROW):
        for panel in STRATA.page(summary, paper).panels:
            marked = [mark for mark in panel.marks if isinstance(mark, Dots) and mark.diamond]
            assert [len(mark.x) for mark in marked] == [1]
        names = [text.text for text in STRATA.page(summary, paper).texts]
        assert f"donor {deep:02d}" in names


def test_it_is_there_only_if_strata_were_asked_for() -> None:
    """Without strata it is no figure at all; without kept cells the reason is told."""
    summary = summary_of(["a"] * 5)
    assert STRATA in figures_of(summary)
    bare = dataclasses.replace(summary, strata=None)
    assert STRATA not in figures_of(bare)
    assert STRATA.needs(bare) == "no cells were kept"
    assert STRATA.caption(bare)
    with pytest.raises(ValueError, match="no cells were kept"):
        STRATA.page(bare)
