"""The one sentence above all numbers: the worst finding, in the same words everywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dpss
from dpss.summary.record import Check
from dpss.summary.tables import summary_document
from dpss.summary.verdict import first_sentence, judge
from dpss.website import wording as words
from tests.summarise import summarise
from tests.unit.test_cell_checks import counts, dying, write


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


def test_dying_cells_everywhere(tmp_path: Path) -> None:
    """A matrix of which 40 % is dying says so in notebooks and on pages."""
    path = write(tmp_path / "dying40.h5ad", dying(0.4))
    said = "40 % of cells are above 20 % mitochondrial counts."
    assert said in dpss.summarize(path)._repr_html_()
    document = summary_document(summarise(path), [])
    assert words.judgement(document).sentence == f"Look closer: {said}"


def test_limits_keep_what_numpy_keeps(tmp_path: Path) -> None:
    """Each limit alone, and all of them together, on the same cells."""
    x = dying(0.1)
    summary = summarise(write(tmp_path / "x.h5ad", x))
    totals, genes = x.sum(axis=1), (x > 0).sum(axis=1)
    cells = {
        "total_counts": totals,
        "n_genes_by_counts": genes,
        "pct_counts_mt": 100 * x[:, :10].sum(axis=1) / totals,
        "pct_counts_in_top_50_genes": 100 * np.sort(x, axis=1)[:, -50:].sum(axis=1) / totals,
        "complexity": np.log10(genes) / np.log10(totals),
    }
    kept = np.ones(len(x), dtype=bool)
    *single, together = summary.thresholds
    assert len({each.measure for each in single}) == len(cells)
    for each in single:
        values = cells[each.measure]
        within = values >= each.limit if each.side == "at least" else values <= each.limit
        assert each.n_cells_kept == np.count_nonzero(within), each
        kept &= within
    assert together.measure == "all together"
    assert together.n_cells_kept == np.count_nonzero(kept) < min(t.n_cells_kept for t in single)
    rows = words.thresholds(summary_document(summary, []))
    assert [row["n_kept"] for row in rows] == [each.n_cells_kept for each in summary.thresholds]
    assert len(counts()) == summary.n_cells
