"""What every figure promises."""

from __future__ import annotations

import copy
import hashlib
import itertools
import re
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from dpss.figures.elements.layout import NARROW, WIDE
from dpss.figures.elements.style import theme
from dpss.figures.export import figure_files
from dpss.figures.raster.png import png_of
from dpss.figures.registry import FIGURES, draw_figures, figure_infos
from dpss.figures.svg import svg_bytes
from dpss.stats.values.kinds import ValueKind
from dpss.summary.record import Summary
from tests.unit.figures.builder import build, gene_names, simulate
from tests.unit.figures.drawn import assert_readable

ROOT = Path(__file__).parents[3]


def with_empty_cells() -> Summary:
    counts = simulate(600, 200)
    counts[:40] = 0
    return build(counts, n_cells=1000)


NASTY = [
    r"$\frac{1}{0}$",
    "$",
    "a$b_c^d$",
    "<b>&amp;\"'",
    "\x00\x1b[31m\n\t",
    "人間の遺伝子",
    "",
    "\ud800",
]
CASES: dict[str, Callable[[], Summary]] = {
    "ordinary": lambda: build(simulate()),
    "many cells": lambda: build(simulate(3000, 100)),
    "a few cells": lambda: build(simulate(12, 60)),
    "two cells": lambda: build(simulate(2, 60)),
    "one cell": lambda: build(simulate(1, 60)),
    "no cells": lambda: build(simulate(0, 60), n_cells=30),
    "many genes": lambda: build(simulate(60, 4000)),
    "one gene": lambda: build(simulate(60, 1)),
    "seven genes": lambda: build(simulate(60, 7)),
    "no counts": lambda: build(np.zeros((40, 30))),
    "no mitochondrial genes": lambda: build(simulate(), names=[f"G{i}" for i in range(400)]),
    "cells all alike": lambda: build(np.repeat(simulate(1, 60), 700, axis=0)),
    "few cells all alike": lambda: build(np.repeat(simulate(1, 60), 30, axis=0)),
    "empty cells": with_empty_cells,
    "one count in all": lambda: build(np.eye(1, 30)),
    "fractions": lambda: build(simulate(600, 50) / 1e4, values=ValueKind.NORMALISED),
    "huge counts": lambda: build(simulate(600, 50) * 1e6),
    "log-normalised and simulated": lambda: build(
        simulate(), values=ValueKind.LOG_NORMALISED, demo=True
    ),
    "names from outside": lambda: build(
        simulate(30, len(NASTY)), names=NASTY, title=r"$\undefined{ " + "很长的标题 " * 40
    ),
    "endless names": lambda: build(simulate(), names=[f"{i}" * 90 for i in range(400)], title=""),
}


@pytest.fixture(params=CASES)
def summary(request: pytest.FixtureRequest) -> Summary:
    return CASES[request.param]()


def texts_of(fig: mpl.figure.Figure) -> list[Text]:
    """Return the texts that can be seen."""
    return [t for t in fig.findobj(Text) if t.get_visible() and t.get_text().strip()]


def rendered(fig: mpl.figure.Figure) -> np.ndarray:
    """Return a figure's pixels, as matplotlib draws them."""
    with theme():
        canvas = FigureCanvasAgg(fig)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba()).copy()


def assert_fig_readable(slug: str, fig: mpl.figure.Figure) -> None:
    """Check that no text overlaps another or leaves the paper, once the figure was rendered."""
    renderer = FigureCanvasAgg(fig).get_renderer()
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts_of(fig)]
    for text, box in boxes:
        assert box.x0 >= -1, (slug, text)
        assert box.y0 >= -1, (slug, text)
        assert box.x1 <= fig.bbox.x1 + 1, (slug, text)
        assert box.y1 <= fig.bbox.y1 + 1, (slug, text)
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        up = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across < 2 or up < 5, (slug, one, other)


@pytest.mark.slow
def test_every_figure_is_drawn_or_left_out_with_a_reason(summary: Summary) -> None:
    """Ordinary and odd summaries alike: PNG and SVG, quietly and legibly, or one plain reason."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for figure in FIGURES:
            reason = figure.needs(summary)
            assert figure.caption(summary)
            if reason is not None:
                assert reason
                assert reason[-1] != "."
                with pytest.raises(ValueError, match=re.escape(reason)):
                    figure.draw(summary)
                continue
            fig = figure.draw(summary)
            assert rendered(fig).any()
            assert png_of(figure.page(summary)).startswith(b"\x89PNG\r\n")
            assert_fig_readable(figure.slug, fig)
            for page in (figure.page(summary), figure.page(summary, NARROW)):
                svg = svg_bytes(page)
                assert ET.fromstring(svg).tag.endswith("svg")
                assert len(svg) < 200_000


@pytest.mark.slow
@pytest.mark.parametrize("paper", [WIDE, NARROW])
def test_no_text_lies_on_another_or_leaves_the_paper(summary: Summary, paper: float) -> None:
    """On wide paper and on a phone's, every text can be read."""
    for figure in FIGURES:
        if figure.needs(summary) is not None:
            continue
        assert_readable(figure.page(summary, paper), smallest=7.0)


@pytest.mark.parametrize(
    ("case", "slug", "reason"),
    [
        ("no cells", "knee", "no cells were kept"),
        ("no counts", "violin", "the kept cells have no counts"),
        ("one cell", "highly_variable_genes", "a single cell has no variability"),
        ("cells all alike", "highly_variable_genes", "no gene has a defined dispersion"),
        (
            "no mitochondrial genes",
            "scatter_percentMitoGenes_vs_count",
            "the matrix has no mitochondrial genes",
        ),
    ],
)
def test_the_reason_names_what_is_missing(case: str, slug: str, reason: str) -> None:
    """A reader learns why there is no such figure, and the others are still there."""
    infos = {info.slug: info for info in figure_infos(CASES[case]())}
    assert infos[slug].left_out == reason


def test_order_and_slugs_are_the_contract_s() -> None:
    """The files' names are relied on by others."""
    assert [figure.slug for figure in FIGURES] == [
        "highest_expr_genes",
        "genes_by_cell_count",
        "highly_variable_genes",
        "violin",
        "scatter_genes_vs_counts",
        "scatter_percentMitoGenes_vs_count",
        "knee",
    ]
    assert list(draw_figures(build(simulate()))) == [figure.slug for figure in FIGURES]


MANY_KINDS = ("highly_variable_genes", "violin", "scatter_genes_vs_counts")
"""Figures that between them use every kind of mark."""


def digest() -> str:
    """Return a digest of all bytes of one summary's figures."""
    summary = build(simulate(700, 120))
    figures = [figure for figure in FIGURES if figure.slug in MANY_KINDS]
    data = b"".join(b"".join(figure_files(figure, summary).values()) for figure in figures)
    return hashlib.sha256(data).hexdigest()


@pytest.mark.slow
def test_same_summary_same_bytes() -> None:
    """Twice here, and once in a process of its own with another hash seed."""
    here = digest()
    assert digest() == here
    code = "from tests.unit.figures.test_registry import digest; print(digest())"
    there = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PYTHONHASHSEED": "7", "PATH": ""},
        check=True,
        capture_output=True,
        text=True,
    )
    assert there.stdout.strip() == here


@pytest.mark.slow
def test_no_word_where_matplotlib_can_t_keep_its_cache() -> None:
    """In a container without a home folder, drawing works and says nothing."""
    env = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "MPLCONFIGDIR": "/proc/none", "PATH": ""}
    code = "from dpss.figures.elements.style import preload; preload()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, check=True, capture_output=True, text=True
    )
    assert done.stdout + done.stderr == ""


def test_importing_the_figures_imports_no_matplotlib() -> None:
    """Captions and titles are to be had without it."""
    code = "import sys, dpss.figures.registry; print([m for m in sys.modules if 'matplotlib' in m])"
    env = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"


def test_style_of_the_caller_neither_matters_nor_changes() -> None:
    """A notebook's own settings are ignored for the drawing and kept afterwards."""
    summary = build(simulate(40, 60))
    plain = rendered(FIGURES[0].draw(summary))
    with mpl.rc_context({"font.size": 30, "axes.grid": False, "text.color": "red"}):
        before = dict(mpl.rcParams)
        np.testing.assert_array_equal(rendered(FIGURES[0].draw(summary)), plain)
        assert dict(mpl.rcParams) == before


@pytest.mark.slow
def test_summary_stays_as_it_is() -> None:
    """Drawing changes none of the summary's arrays."""
    summary = build(simulate())
    before = copy.deepcopy(summary)
    for fig in draw_figures(summary).values():
        rendered(fig)
    for part, old in (
        (summary.genes, before.genes),
        (summary.counts_per_cell, before.counts_per_cell),
        (summary.genes_vs_counts, before.genes_vs_counts),
        (summary.mt_vs_counts, before.mt_vs_counts),
    ):
        for name, value in vars(part).items():
            np.testing.assert_array_equal(value, vars(old)[name], err_msg=name)


def test_names_are_shown_literally() -> None:
    """Dollars and mark-up in names and titles are neither formulas nor elements."""
    names = ["$x^2$", "<script>", *gene_names(28)]
    counts = simulate(50, 30)
    counts[:, :2] += 50
    summary = build(counts, names=names, title="$a_b$ & <i>c</i>")
    fig = draw_figures(summary)["highest_expr_genes"]
    shown = [text.get_text() for text in texts_of(fig)]
    assert {"$x^2$", "<script>"} <= set(shown)
    assert any(text.startswith("$a_b$ & <i>c</i>") for text in shown)
    assert not any(text.get_parse_math() for text in texts_of(fig))
    svg = svg_bytes(FIGURES[0].page(summary))
    assert b"<script>" not in svg
    assert {"$x^2$", "<script>"} <= {element.text for element in ET.fromstring(svg).iter()}


@pytest.mark.slow
def test_captions_say_what_was_done_and_that_data_are_simulated() -> None:
    """What the reader must know stands beside the figure and in it."""
    odd = CASES["log-normalised and simulated"]()
    for figure in FIGURES:
        assert "exponentiated" in figure.caption(odd)
        assert "simulated" in figure.caption(odd)
        shown = [text.get_text() for text in texts_of(figure.draw(odd))]
        assert "SIMULATED DATA" in shown
        plain = build(simulate())
        assert "exponentiated" not in figure.caption(plain)
        assert "simulated" not in figure.caption(plain)


@pytest.mark.slow
def test_number_of_cells_is_told() -> None:
    """Kept cells, and of how many, with thousands separators."""
    for fig in draw_figures(build(simulate(300, 50), n_cells=12_345)).values():
        assert any("300 of 12,345 cells" in text.get_text() for text in texts_of(fig))
    for fig in draw_figures(build(simulate(1200, 30))).values():
        assert any("1,200 cells" in text.get_text() for text in texts_of(fig))


def test_every_figure_is_documented() -> None:
    """The reference names every slug and title."""
    text = (ROOT / "docs" / "reference" / "figures.md").read_text(encoding="utf-8")
    for figure in FIGURES:
        assert f"`{figure.slug}`" in text
        assert figure.title in text
