"""What is drawn is what was measured: computed again from the matrix, with numpy alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from dpss.figures.elements.cells import FEW, TOGETHER
from dpss.figures.elements.labels import place_labels
from dpss.figures.elements.marks import Dots, Rectangles
from dpss.figures.elements.palette import DARK, DENSITIES, LIGHT, Theme
from dpss.figures.elements.smoothing import smooth
from dpss.figures.elements.text import clean, elide, width
from dpss.figures.genes_by_cell_count import detection_curve
from dpss.figures.knee import ranked
from dpss.figures.registry import FIGURES
from dpss.figures.scatter_genes_vs_counts import genes_vs_counts
from dpss.figures.scatter_mito_vs_count import mt_vs_counts
from tests.unit.figures.builder import build, simulate

BY_SLUG = {figure.slug: figure for figure in FIGURES}


def test_cell_counts_lie_where_the_matrix_says() -> None:
    """The bars are the largest percentages of cells per gene, best first; the curve, all genes."""
    counts = simulate(300, 80)
    page = BY_SLUG["genes_by_cell_count"].page(build(counts))
    found = (counts > 0).sum(axis=0)
    bars = page.panels[0].marks[1]
    np.testing.assert_allclose(bars.right, 100 * np.sort(found)[::-1][:20] / 300)  # type: ignore[union-attr]
    x, y = detection_curve(build(counts))
    for share in (0.5, 10, 33.3, 50, 99):
        expected = np.count_nonzero(found >= share / 100 * 300)
        assert np.interp(share, x, y, right=0) == pytest.approx(expected, abs=1)


def test_boxes_span_the_middle_half_and_diamonds_are_means() -> None:
    """Boxes are numpy's quartiles of a cell's shares, diamonds their means."""
    counts = simulate(300, 80)
    shares = 100 * counts / counts.sum(axis=1, keepdims=True)
    best = np.argsort(-shares.mean(axis=0))[:20]
    marks = BY_SLUG["highest_expr_genes"].page(build(counts)).panels[0].marks
    (boxes,) = (mark for mark in marks if isinstance(mark, Rectangles))
    (diamonds,) = (mark for mark in marks if isinstance(mark, Dots) and mark.diamond)
    expected = np.quantile(shares[:, best], [0.25, 0.75], axis=0)
    np.testing.assert_allclose([boxes.left, boxes.right], expected)
    np.testing.assert_allclose(diamonds.x, shares[:, best].mean(axis=0))


@pytest.mark.slow
@pytest.mark.parametrize("n_cells", [3, 90, 600, 20_000])
def test_every_cell_is_in_a_bin_or_a_dot(n_cells: int) -> None:
    """Bins and dots add up to the cells; a bin holds some, and no dot lies in one."""
    summary = build(simulate(n_cells, 40))
    empty = int(summary.counts_per_cell.counts[summary.counts_per_cell.values == 0].sum())
    for plot in (genes_vs_counts(summary), mt_vs_counts(summary)):
        picture = plot.picture
        assert picture.n.sum() + len(picture.dot_x) == n_cells - empty
        assert plot.n_hidden == empty
        assert (picture.n >= TOGETHER).all()
        for i in range(len(picture.n) if n_cells > FEW else 0):
            across = (picture.dot_x > picture.left[i]) & (picture.dot_x < picture.right[i])
            up = (picture.dot_y > picture.bottom[i]) & (picture.dot_y < picture.top[i])
            assert not (across & up).any()


@pytest.mark.parametrize("n_cells", [90, 2000])
def test_cells_alone_are_dots_in_their_own_place(n_cells: int) -> None:
    """Each dot is within the width of a fine bin of a cell, and none stands for another."""
    counts = simulate(n_cells, 200)
    picture = genes_vs_counts(build(counts)).picture
    cells = np.column_stack([counts.sum(axis=1), (counts > 0).sum(axis=1)])
    dots = np.column_stack([picture.dot_x, picture.dot_y])
    assert len(dots) > 20
    for dot in dots:
        assert (np.abs(np.log2(cells / dot)) <= 1 / 22).all(axis=1).any()
    if n_cells <= FEW:
        np.testing.assert_allclose(np.sort(dots, axis=0), np.sort(cells, axis=0))


def test_limits_are_three_deviations_and_count_the_cells_beyond() -> None:
    """Lines lie where numpy puts them and say how many cells numpy counts there."""
    counts = simulate(2000, 200)
    counts[:30] *= simulate(30, 1) > 1e9  # cells without counts
    counts[:30, 5] = 1
    totals = counts.sum(axis=1)
    logs = np.log1p(totals)
    spread = 1.4826 * np.median(np.abs(logs - np.median(logs)))
    limit = np.expm1(np.median(logs) - 3 * spread)
    (guide,) = (
        guide
        for guide in genes_vs_counts(build(counts)).specification.guides
        if guide.along == "x" and guide.kind == "limit"
    )
    assert guide.at == pytest.approx(limit)
    n = np.count_nonzero(totals < limit)
    assert n >= 30
    assert guide.text.startswith(f"{n} cells (1.")


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
    page = BY_SLUG["highly_variable_genes"].page(summary)
    shown = {text.text for text in page.texts if text.halo}
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


def contrast(one: str, other: str) -> float:
    """Return the contrast that WCAG 2 defines."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_marks_stand_out_from_their_ground(theme: Theme) -> None:
    """Every mark that means something has a contrast of 3:1 or more (WCAG 2.2, 1.4.11)."""
    for role in (*DENSITIES, "blue", "orange", "grey", "muted"):
        assert contrast(getattr(theme, role), theme.background) >= 3, role


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_densities_leave_the_ground_steadily(theme: Theme) -> None:
    """More cells are always farther from the ground: readable in grey and for every eye."""
    away = [contrast(getattr(theme, role), theme.background) for role in DENSITIES]
    assert all(b > 1.2 * a for a, b in pairwise(away))
