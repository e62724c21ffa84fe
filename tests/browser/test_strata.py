"""Strata side by side on a matrix's page, and a summary in a notebook."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import dpss
from dpss.cli import commands
from tests.browser.conftest import Portal
from tests.browser.waiting import address_of, until
from tests.unit.small import counts, write_h5ad_csr


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a matrix of 300 cells of six samples, one of which has a tenth of the counts."""
    path = tmp_path_factory.mktemp("strata") / "six_samples.h5ad"
    drawn = counts(4, n_cells=300, n_genes=80)
    drawn.matrix[5::6] //= 10
    drawn.barcodes[:] = [f"ACGT{i:04d}-{1 + i % 6}" for i in range(300)]
    write_h5ad_csr(path, drawn)
    return path


@pytest.fixture(scope="module")
def strata_portal(matrix: Path, serve: Callable[[Path], Portal]) -> Portal:
    """Return the pages of ``dpss summarize --by barcode_suffix``."""
    output = matrix.parent / "out"
    arguments = ["summarize", str(matrix), "--by", "barcode_suffix", "--output", str(output)]
    with pytest.raises(SystemExit) as ended:
        commands.main(arguments)
    assert ended.value.code == 0
    return serve(output)


@pytest.mark.parametrize("width", [360, 1280])
def test_strata_stand_side_by_side_and_sort(strata_portal, tab, width: int) -> None:
    """A row each with its strips; the odd one out is marked; a heading sorts."""
    made = tab(viewport={"width": width, "height": 900})
    page = made.open(f"{strata_portal.http}six_samples/index.html")
    until(page, "document.querySelector('table.strata [data-sort] button') !== null")
    table = page.locator("table.strata")
    assert table.locator("tbody tr").count() == 6
    assert table.locator(".strip").count() >= 12
    assert table.locator("tr", has_text="apart").locator("th").all_inner_texts() == ["6"]
    table.get_by_role("button", name="Counts per cell").click()
    shown = table.locator("td[data-label='Counts per cell']").all_inner_texts()
    numbers = [float(re.sub(r"[^\d.]", "", text)) for text in shown]
    assert numbers == sorted(numbers, reverse=True)
    assert "by=" not in address_of(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    table.scroll_into_view_if_needed()
    made.shoot(f"strata-{width}")
    assert made.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_notebook_shows_a_summary_whole(matrix: Path, tab, scheme: str) -> None:
    """In a cell of 700 px nothing is cut off, loaded or run, and the list of genes opens."""
    made = tab(viewport={"width": 700, "height": 900}, color_scheme=scheme)
    html = dpss.summarize(matrix)._repr_html_()
    page = made.page
    page.set_content(
        "<!doctype html><meta charset=utf-8><style>:root { color-scheme: light dark; }</style>"
        f"<body>{html}</body>"
    )
    summary = page.locator(".dpss-summary")
    assert "300" in summary.inner_text()
    page.locator("summary", has_text="The best genes").click()
    assert summary.locator("table tbody tr").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    assert summary.locator("script, img, link, iframe").count() == 0
    made.shoot(f"notebook-{scheme}", full=True)
    assert made.problems == []
    assert [one for one in made.requests if not one.startswith(("about:", "data:"))] == []
