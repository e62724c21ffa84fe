"""The figure ``strata``."""

from __future__ import annotations

import dataclasses

import pytest

from dpss.figures.export import figure_files
from dpss.figures.registry import figures_of
from dpss.figures.strata import STRATA
from tests.unit.summary.test_strata import summary_of


@pytest.mark.slow
@pytest.mark.parametrize("groups", [["a"] * 9, ["a", "b", None] * 9, [str(i) for i in range(90)]])
def test_the_figure_is_drawn_the_same_each_time(groups: list[str | None]) -> None:
    """Of one stratum, of several, of more than there is room for: the same bytes again."""
    summary = summary_of(groups)
    assert len(STRATA.draw(summary).axes) == 2
    files = figure_files(STRATA, summary)
    assert files.keys() == {"strata.png", "strata.svg"}
    assert figure_files(STRATA, summary) == files


def test_it_is_there_only_if_strata_were_asked_for() -> None:
    """Without strata it is no figure at all; without kept cells the reason is told."""
    summary = summary_of(["a"] * 5)
    assert STRATA in figures_of(summary)
    bare = dataclasses.replace(summary, strata=None)
    assert STRATA not in figures_of(bare)
    assert STRATA.needs(bare) == "no cells were kept"
    assert STRATA.caption(bare)
