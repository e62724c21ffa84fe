"""Pages of real runs over matrices at the edge: what the others show of made-up ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dpss.cli import commands
from dpss.demo.cells import Counts
from tests.browser.conftest import Portal
from tests.browser.test_narrow import BEYOND, OVERFLOWS
from tests.browser.test_pages import violations
from tests.browser.waiting import SECONDS, until
from tests.unit.small import write_h5ad_csr

MITOCHONDRIAL = ("ND1", "ND2", "ND3", "ND4", "ND5", "CO1", "CO2", "CO3", "ATP6", "ATP8", "CYB")
NAMES = ("two_cells", "one_gene_per_cell", "droplets", "dying")


def drawn(name: str) -> Counts:
    """Return the counts of one of `NAMES`."""
    rng = np.random.default_rng(NAMES.index(name))
    n_genes, n_mt = 200, len(MITOCHONDRIAL)
    rates = rng.lognormal(0, 1, n_genes)
    rates[:n_mt] *= 0.5
    if name == "two_cells":
        matrix = rng.poisson(rates, (2, n_genes))
    elif name == "one_gene_per_cell":
        matrix = np.zeros((400, n_genes), dtype=np.int64)
        matrix[np.arange(400), rng.integers(0, n_genes, 400)] = rng.integers(1, 9, 400)
    elif name == "droplets":
        depth = np.concatenate([rng.lognormal(2.2, 0.3, 400), rng.lognormal(-2.5, 0.4, 4000)])
        matrix = rng.poisson(depth[:, None] * rates)
    else:
        matrix = rng.poisson(5 * rates, (600, n_genes))
        matrix[:240, :n_mt] *= 12
    names = [f"MT-{each}" for each in MITOCHONDRIAL] + [f"GENE{i}" for i in range(n_mt, n_genes)]
    cells = [f"ACGT{i:06d}" for i in range(len(matrix))]
    ids = [f"ENSG{i:011d}" for i in range(n_genes)]
    return Counts(matrix.astype(np.int32), names, ids, cells)


@pytest.fixture(scope="module")
def extremes(tmp_path_factory: pytest.TempPathFactory, serve: Callable[[Path], Portal]) -> Portal:
    """Return the pages of ``dpss summarize`` over all of them."""
    folder = tmp_path_factory.mktemp("extremes")
    for name in NAMES:
        write_h5ad_csr(folder / f"{name}.h5ad", drawn(name))
    files = [str(folder / f"{name}.h5ad") for name in NAMES]
    with pytest.raises(SystemExit) as ended:
        commands.main(["summarize", *files, "--output", str(folder / "out")])
    assert ended.value.code == 0
    return serve(folder / "out")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_page_holds_at_the_edge(extremes, tab, name: str) -> None:
    """On a phone, at 200 % and on paper nothing is cut off; axe finds nothing in any form."""
    from playwright.sync_api import expect

    for width, scale in ((360, 1), (640, 2), (1280, 1)):
        made = tab(viewport={"width": width, "height": 900}, device_scale_factor=scale)
        page = made.open(f"{extremes.http}{name}/index.html")
        until(page, "document.querySelector('main h1') !== null")
        plots = page.get_by_role("button", name="Interactive plot")
        closed = plots.filter(has_not_text="all genes")
        for left in range(closed.count(), 0, -1):
            closed.first.click()
            expect(closed).to_have_count(left - 1, timeout=1000 * SECONDS)
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(BEYOND) == []
        if width == 360:
            assert page.evaluate(OVERFLOWS) == []
        assert violations(page) == []
        made.shoot(f"{name}-{width}", full=True)
    page.set_viewport_size({"width": 718, "height": 1000})
    page.emulate_media(media="print")
    assert page.evaluate(BEYOND) == []
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("one_gene_per_cell", "the medians are 1 gene and"),
        ("droplets", "barcodes"),
        ("dying", "mitochondrial"),
    ],
)
def test_the_sentence_says_what_is_wrong(extremes, tab, name: str, words: str) -> None:
    """None of them is called good, and the sentence names the reason."""
    page = tab().open(f"{extremes.http}{name}/index.html")
    sentence = page.locator(".judgement").inner_text()
    assert not sentence.startswith("No cause for concern")
    assert words in sentence
