"""One specification, several drawings: what each shows, and that no axis squeezes its points."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dpss.figures.elements.axes import make_axis, tick_text
from dpss.figures.elements.layout import NARROW, WIDE, spread, wrap
from dpss.figures.elements.marks import Page
from dpss.figures.elements.specification import Axis, Scale, Specification, shortest_span
from dpss.figures.elements.style import theme
from dpss.figures.elements.text import width
from dpss.figures.gene_plots import drawn_genes, gene_views, variability
from dpss.figures.mpl import draw_page
from dpss.figures.registry import FIGURES
from dpss.figures.scatter_genes_vs_counts import genes_vs_counts
from dpss.figures.scatter_mito_vs_count import mt_vs_counts
from dpss.figures.svg import svg_bytes
from dpss.stats.histogram import Distribution
from dpss.summary.record import Summary
from tests.unit.figures.builder import build, simulate

BY_SLUG = {figure.slug: figure for figure in FIGURES}
INTERACTIVE = {
    "highly_variable_genes": variability,
    "scatter_genes_vs_counts": lambda summary: genes_vs_counts(summary).specification,
    "scatter_percentMitoGenes_vs_count": lambda summary: mt_vs_counts(summary).specification,
}
"""The figures that pages also show as plots to point at, and what these show."""


@pytest.mark.parametrize("slug", INTERACTIVE)
def test_the_picture_shows_what_the_page_s_script_is_told(slug: str) -> None:
    """Limits, scale and ticks of the drawn axes, and the legend, are the specification's."""
    summary = build(simulate(700, 300))
    what: Specification = INTERACTIVE[slug](summary)
    page = BY_SLUG[slug].page(summary)
    with theme():
        ax = draw_page(page).axes[0]
    told = what.document()
    for name, limits, scale, ticks in (
        ("x", ax.get_xlim(), ax.get_xscale(), ax.get_xticks()),
        ("y", ax.get_ylim(), ax.get_yscale(), ax.get_yticks()),
    ):
        axis = told[name]
        assert limits == (axis["low"], axis["high"])
        assert (scale == "log") == (axis["scale"] == "log")
        assert ticks.tolist() == [value for value, _ in axis["ticks"]]
    shown = " ".join(text.text for text in page.texts)
    for _, _, text in told["legend"]:
        assert text in shown
    marks = sorted((mark, colour) for _, _, mark, colour in page.swatches)
    assert marks == sorted((mark, colour) for mark, colour, _ in told["legend"])
    words = svg_bytes(page).decode()
    for name in ("x", "y"):
        for _, text in told[name]["ticks"][:1] + told[name]["ticks"][-1:]:
            assert f">{text}</text>" in words


@pytest.mark.parametrize("slug", INTERACTIVE)
def test_both_papers_are_of_one_specification(slug: str) -> None:
    """The narrow drawing has the axes and the guides' texts of the wide one."""
    summary = build(simulate(700, 300))
    wide, narrow = (BY_SLUG[slug].page(summary, paper) for paper in (WIDE, NARROW))
    assert (narrow.panels[0].x, narrow.panels[0].y) == (wide.panels[0].x, wide.panels[0].y)
    shown = " ".join(text.text for text in narrow.texts)
    for guide in INTERACTIVE[slug](summary).guides:
        assert guide.text in shown


def squeezed(summary: Summary) -> list[str]:
    """Return the axes that put 80 % of their points into 10 % of it."""
    genes, drawn = summary.genes, drawn_genes(summary)
    found = genes.n_cells_by_counts > 0
    shares = 100 * genes.n_cells_by_counts[found] / summary.n_cells_kept
    views = gene_views(summary)
    cells, some = genes_vs_counts(summary).specification, _nonzero(summary.counts_per_cell)
    shown: list[tuple[str, Axis, np.ndarray, np.ndarray | None]] = [
        ("variability x", views["variability"].x, genes.means[drawn], None),
        ("variability y", views["variability"].y, genes.dispersions_norm[drawn], None),
        ("dispersion x", views["dispersion"].x, genes.means[drawn], None),
        ("dispersion y", views["dispersion"].y, genes.dispersions[drawn], None),
        ("detection x", views["detection"].x, genes.mean_counts[found], None),
        ("detection y", views["detection"].y, shares, None),
        ("counts", cells.x, some.values, some.counts),
    ]
    some = _nonzero(summary.n_genes_by_counts)
    shown.append(("genes", cells.y, some.values, some.counts))
    if summary.pct_counts_mt is not None:
        percents = summary.pct_counts_mt
        axis = mt_vs_counts(summary).specification.y
        shown.append(("mitochondrial share", axis, percents.values, percents.counts))
    for panel, measure in zip(
        BY_SLUG["violin"].page(summary).panels,
        (summary.n_genes_by_counts, summary.counts_per_cell, summary.pct_counts_mt),
        strict=False,
    ):
        cells = measure if panel.y.scale is Scale.LINEAR else _nonzero(measure)
        shown.append((f"violin {panel.y.title}", panel.y, cells.values, cells.counts))
    knee, boxes = (BY_SLUG[slug].page(summary).panels[0] for slug in ("knee", "highest_expr_genes"))
    some = _nonzero(summary.counts_per_cell)
    middles = [[box.q1, box.median, box.q3] for box in summary.highest_expr_boxes]
    shown += [
        ("counts by rank", knee.y, some.values, some.counts),
        ("ranks", knee.x, np.arange(1.0, some.n + 1), None),
        ("boxes", boxes.x, np.ravel(middles), None),
    ]
    return [
        name for name, axis, values, counts in shown if shortest_span(axis, values, counts) < 0.1
    ]


def _nonzero(cells: Distribution) -> Distribution:
    some = cells.values > 0
    return Distribution(cells.values[some], cells.counts[some])


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    depth=st.floats(0.3, 1.2),
    far=st.integers(1, 200),
)
@example(seed=481, depth=1.0, far=1)  # shares alike in all cells but one
@example(seed=4339, depth=1.0, far=1)  # one gene with half of all counts
@example(seed=10033, depth=1.0, far=1)
@example(seed=10144, depth=1.0, far=1)
def test_no_axis_squeezes_its_points(seed: int, depth: float, far: int) -> None:
    """80 % of the points take at least a tenth of every axis, whatever a few of them do."""
    rng = np.random.default_rng(seed)
    rates = rng.lognormal(-1.0, 1.8, 400)
    counts = rng.poisson(rates * rng.lognormal(1.0, depth, 400)[:, None]).astype(float)
    counts[0] *= far
    counts[1, :5] += 20 * far  # one cell that is nearly all mitochondrial
    assert squeezed(build(counts)) == []


def test_a_squeezing_axis_is_found() -> None:
    """The rule itself: 81 % of the points within 5 % of the axis."""
    values = np.concatenate([np.linspace(0, 5, 81), np.linspace(6, 100, 19)])
    axis = make_axis("x", 0, 100)
    assert shortest_span(axis, values) == pytest.approx(0.05, abs=0.002)
    assert shortest_span(axis, values[::-1]) == pytest.approx(0.05, abs=0.002)
    assert shortest_span(make_axis("x", 0, 100, Scale.ROOT), values) > 0.19
    counts = np.array([9, 1], dtype=np.int64)
    assert shortest_span(axis, np.array([1.0, 90.0]), counts) == 0


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(
    low=st.floats(1e-4, 1e6),
    wide=st.floats(1e-3, 1e6),
    scale=st.sampled_from(list(Scale)),
    whole=st.booleans(),
)
def test_every_axis_has_two_ticks_and_they_lie_within(
    low: float, wide: float, scale: Scale, whole: bool
) -> None:
    """No axis with one tick, none beyond the ends, all different as written."""
    axis = make_axis("x", low, low * (1.01 + wide), scale, whole=whole)
    values = [value for value, _ in axis.ticks]
    assert len(values) >= 2
    assert values == sorted(set(values))
    fractions = axis.fractions(values)
    assert fractions.min() >= -1e-3
    assert fractions.max() <= 1.001
    if scale is not Scale.LINEAR:
        np.testing.assert_allclose(scale.inverse(scale.forward(values)), values, rtol=1e-9)


def test_ticks_are_written_as_pages_write_numbers() -> None:
    """Thousands separated, millions in short, and no digit lost: a tick stands at its value."""
    assert [tick_text(v) for v in (4994.5, 0.25, -0.5, 1e6, 3e7)] == [
        "4,994.5", "0.25", "-0.5", "1,000,000", "30 M",
    ]  # fmt: skip


@given(st.lists(st.floats(0, 400), min_size=1, max_size=6).map(sorted), st.floats(5, 60))
def test_labels_along_an_axis_do_not_overlap(places: list[float], size: float) -> None:
    """Each keeps its order and its room, and stays where it wants to be if it can."""
    sizes = [size] * len(places)
    found = spread(places, sizes, -1000, 400)
    for one, other in pairwise(found):
        assert other - one >= size - 1e-9
    assert found[-1] <= 400 - size / 2 + 1e-9
    alone = spread(places[:1], sizes[:1], -1000, 1000)
    assert alone == places[:1]


def test_long_texts_are_wrapped_within_their_room() -> None:
    """No line is wider than asked for, and no word is lost."""
    text = "Genes, counts and mitochondrial share per cell"
    lines = wrap(text, 120, 12, bold=True)
    assert " ".join(lines) == text
    assert all(width(line, 12, bold=True) <= 120 for line in lines)


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.slug)
def test_svg_follows_the_reader_s_theme(figure) -> None:
    """Every colour of the light paper has its counterpart for dark ground in the file."""
    page: Page = figure.page(build(simulate(700, 100)))
    drawn = svg_bytes(page).decode()
    rules, _, body = drawn.partition("</style>")
    used = {kind for part in body.split('class="')[1:] for kind in part.split('"')[0].split()}
    assert used
    assert all(f".{kind}{{" in rules for kind in used)
    assert "prefers-color-scheme:dark" in rules
