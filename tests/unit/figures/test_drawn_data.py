"""What is drawn is what was measured: computed again from the matrix, with numpy alone."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.figures.elements.density_scatter import rebin
from dpss.figures.elements.labels import place_labels
from dpss.figures.elements.palette import DARK, LIGHT, SEQUENTIAL
from dpss.figures.elements.smoothing import smooth
from dpss.figures.elements.text import clean, elide, width
from dpss.figures.knee import ranked
from dpss.figures.registry import FIGURES
from dpss.stats.density import log_edges
from tests.unit.figures.builder import build, simulate

BY_SLUG = {figure.slug: figure for figure in FIGURES}


def offsets(ax: object) -> list[np.ndarray]:
    """Return the points of each scatter in axes."""
    return [np.asarray(c.get_offsets()) for c in ax.collections if len(c.get_offsets()) > 1]  # type: ignore[attr-defined]


def test_cell_counts_lie_where_the_matrix_says() -> None:
    """The dots are the largest numbers of cells per gene, best first."""
    counts = simulate(300, 80)
    ax = BY_SLUG["genes_by_cell_count"].draw(build(counts)).axes[0]
    expected = np.sort((counts > 0).sum(axis=0))[::-1][:20]
    (dots,) = offsets(ax)
    np.testing.assert_array_equal(dots[:, 0], expected)
    np.testing.assert_array_equal(dots[:, 1], np.arange(20))


def test_boxes_span_the_middle_half_and_diamonds_are_means() -> None:
    """Boxes are numpy's quartiles of a cell's shares, diamonds their means."""
    counts = simulate(300, 80)
    shares = 100 * counts / counts.sum(axis=1, keepdims=True)
    best = np.argsort(-shares.mean(axis=0))[:20]
    ax = BY_SLUG["highest_expr_genes"].draw(build(counts)).axes[0]
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    np.testing.assert_allclose(ends, np.quantile(shares[:, best], [0.25, 0.75], axis=0).T)
    diamonds = offsets(ax)[-1]
    np.testing.assert_allclose(diamonds[:, 0], shares[:, best].mean(axis=0))


@pytest.mark.slow
def test_all_cells_are_in_the_bins() -> None:
    """The colours of a density add up to the cells, for few bins and for many."""
    for n_cells in (600, 20_000):
        summary = build(simulate(n_cells, 40))
        for slug in ("scatter_genes_vs_counts", "scatter_percentMitoGenes_vs_count"):
            mesh = BY_SLUG[slug].draw(summary).axes[0].collections[0]
            empty = int((summary.genes_vs_counts.counts[summary.genes_vs_counts.x == 0]).sum())
            assert float(mesh.get_array().sum()) == pytest.approx(n_cells - empty, rel=1e-3)


def test_few_cells_are_dots_in_their_place() -> None:
    """Up to 500 cells, each has its dot, within the width of a bin of where it belongs."""
    counts = simulate(90, 200)
    ax = BY_SLUG["scatter_genes_vs_counts"].draw(build(counts)).axes[0]
    (dots,) = offsets(ax)
    cells = np.column_stack([counts.sum(axis=1), (counts > 0).sum(axis=1)])
    np.testing.assert_allclose(np.sort(dots, axis=0), np.sort(cells, axis=0))
    for dot in dots:
        assert (np.abs(np.log2(cells / dot)) <= 1 / 22).all(axis=1).any()


def test_rebinned_parts_add_up() -> None:
    """Every fine bin goes somewhere, whole, and new bins are equally wide by logarithm."""
    edges = log_edges()[200:400]
    for n_wanted in (5, 30, 80):
        new, parts = rebin(edges, n_wanted, log=True)
        np.testing.assert_allclose(parts.sum(axis=1), 1)
        np.testing.assert_allclose(np.diff(np.log2(new)), np.log2(new[1] / new[0]))
        assert new[0] <= edges[0] * (1 + 1e-9)
        assert new[-1] >= edges[-1] * (1 - 1e-9)


def test_knee_goes_through_every_cell() -> None:
    """Each cell's rank and total lies on the curve, the many no less than the few."""
    totals = np.sort(simulate(200, 50).sum(axis=1))[::-1]
    ranks, heights = ranked(build(simulate(200, 50)).counts_per_cell)
    at = np.arange(1, (totals > 0).sum() + 1)
    np.testing.assert_allclose(np.interp(at, ranks, heights), totals[totals > 0])


def test_smooth_outline_is_a_kernel_density() -> None:
    """The binned estimate is the plain sum of Gaussian kernels, in shape."""
    rng = np.random.default_rng(3)
    sample = np.round(rng.normal(100, 15, 4000))
    values, counts = np.unique(sample, return_counts=True)
    grid, density = smooth(values, counts)
    q1, q3 = np.quantile(sample, [0.25, 0.75])
    wide = 0.9 * min(sample.std(), (q3 - q1) / 1.34) * len(sample) ** -0.2
    plain = np.exp(-0.5 * ((grid[:, None] - sample) / wide) ** 2).sum(axis=1)
    np.testing.assert_allclose(density, plain / plain.max(), atol=0.01)


def test_the_most_variable_genes_are_all_named() -> None:
    """Twenty names, each its own place, where there is room."""
    summary = build(simulate(400, 500))
    ax = BY_SLUG["highly_variable_genes"].draw(summary).axes[0]
    shown = {text.get_text() for text in ax.texts}
    assert shown == set(summary.gene_labels(summary.top_variable()))


def test_labels_in_a_crowd_do_not_overlap() -> None:
    """Even points on top of each other get labels apart, inside the area, always the same."""
    points = np.array([[100.0, 100.0]] * 12)
    sizes = [(40.0, 9.0)] * 12
    places = place_labels(points, sizes, (300.0, 300.0), points)
    assert places == place_labels(points, sizes, (300.0, 300.0), points)
    found = [place for place in places if place is not None]
    assert len(found) == 12
    for n, a in enumerate(found):
        assert 0 <= a.x <= 260
        assert 0 <= a.y <= 291
        for b in found[:n]:
            assert abs(a.x - b.x) >= 40 or abs(a.y - b.y) >= 9


def test_texts_are_one_line_of_known_glyphs() -> None:
    """Control and direction characters go; what the font lacks is a square."""
    assert clean("a\x00b\n c\u202ed") == "a b cd"
    assert clean("基因 Ä") == "□□ Ä"
    long = elide("x" * 5000, 100, 9)
    assert long.endswith("…")
    assert width(long, 9) <= 100
    assert elide("short", 100, 9) == "short"
    assert elide("", 100, 9) == ""


def luminance(colour: str) -> float:
    """Return the relative luminance that WCAG 2 defines."""
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_text_stands_out_from_its_ground(theme: object) -> None:
    """Text colours have the contrast that WCAG 2 asks for."""
    ground = luminance(theme.background)  # type: ignore[attr-defined]
    for name, least in (("ink", 7), ("muted", 4.5), ("blue", 4.5), ("orange", 4.5)):
        colour = luminance(getattr(theme, name))
        light, dark = max(colour, ground), min(colour, ground)
        assert (light + 0.05) / (dark + 0.05) >= least, name


def test_densities_darken_steadily() -> None:
    """More cells are always darker: readable in grey and for every eye."""
    shades = [luminance(colour) for colour in SEQUENTIAL]
    assert shades == sorted(shades, reverse=True)
