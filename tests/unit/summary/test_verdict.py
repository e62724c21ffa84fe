"""The one sentence above all numbers: the worst finding, in the same words everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dpss
from dpss.summary.record import Check
from dpss.summary.tables import summary_document
from dpss.summary.verdict import first_sentence, judge
from dpss.website import wording as words
from tests.summarise import summarise
from tests.unit.summary.checks.test_cells import dying, write


def test_the_worst_goes_first() -> None:
    """A failure before cautions, then dying cells before names, assumptions last."""
    checks = [
        Check("assumptions", "warn", "Log base e was assumed."),
        Check("unique_gene_names", "warn", "2 gene names occur twice."),
        Check("mitochondrial_share", "warn", "34 % of cells are above 20 %. The median is 16 %."),
        Check("depth", "pass", "No cell has fewer."),
    ]
    found = judge(checks)
    assert found.sentence == "Look closer: 34 % of cells are above 20 %."
    assert (found.status, found.figure) == ("warn", "scatter_percentMitoGenes_vs_count")
    assert judge(checks[:2]).finding == "2 gene names occur twice."
    assert judge(checks[:1]).finding == "log base e was assumed."
    failed = judge([*checks, Check("cells", "fail", "None of the 3 cells was kept.")])
    assert failed.sentence == "Do not rely on it: none of the 3 cells was kept."


@given(st.integers(0, 20), st.integers(0, 9))
def test_what_is_not_measured_is_not_passed(n_passed: int, n_unmeasured: int) -> None:
    """Both are counted, apart from each other."""
    checks = [Check("a", "pass", "Good.")] * n_passed
    found = judge(checks + [Check("b", "not measured", "Not there.")] * n_unmeasured)
    assert found.status == "pass"
    assert f"{n_passed} check" in found.finding
    assert ("could not be measured" in found.finding) is (n_unmeasured > 0)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("It has 2.5 % of them. The others do not.", "It has 2.5 % of them."),
        ("Was it raw.X? X is not.", "Was it raw.X?"),
        ("no full stop", "no full stop"),
    ],
)
def test_the_first_sentence(text: str, first: str) -> None:
    """A point within a number or name ends none."""
    assert first_sentence(text) == first


@pytest.mark.slow
def test_dying_cells_everywhere(tmp_path: Path) -> None:
    """A matrix of which 40 % is dying says so in notebooks and on pages."""
    path = write(tmp_path / "dying40.h5ad", dying(0.4))
    said = "40 % of cells are above 20 % mitochondrial counts."
    assert said in dpss.summarize(path)._repr_html_()
    document = summary_document(summarise(path), [])
    assert words.judgement(document).sentence == f"Look closer: {said}"
