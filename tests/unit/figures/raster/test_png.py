"""PNG files, held against matplotlib's drawing of the same pages."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from dpss.figures.elements.layout import DPI, NARROW, WIDE
from dpss.figures.elements.marks import (
    Area,
    Curve,
    Dots,
    Mark,
    Page,
    Panel,
    PaperArea,
    Rectangles,
    Segments,
)
from dpss.figures.elements.palette import DARK, LIGHT, Theme
from dpss.figures.elements.specification import Axis, Scale
from dpss.figures.raster.glyph_lines import GlyphLines
from dpss.figures.raster.png import draw, png_bytes, png_of
from dpss.figures.registry import EMBEDDING_FIGURES, FIGURES
from dpss.summary.record import Summary
from tests.unit.figures.builder import build, simulate
from tests.unit.figures.embedded import embedded
from tests.unit.figures.raster.reference import figure_of, halved, pixels_of, similarity

LEAST_SIMILAR = 0.96
MOST_DIFFERENT = 0.012
"""Mean absolute difference of grey values from 0 to 1."""
THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
PAPERS = pytest.mark.parametrize("paper", [WIDE, NARROW], ids=["wide", "narrow"])


@pytest.fixture(scope="module")
def summary() -> Summary:
    return build(simulate(1500, 300))


@pytest.fixture(scope="module")
def with_maps() -> Summary:
    return embedded()


def assert_alike(page: Page, theme: Theme) -> None:
    theirs, ours = pixels_of(figure_of(page, theme)), draw(page, theme=theme).pixels
    assert ours.shape == theirs.shape
    a, b = halved(ours), halved(theirs)
    assert similarity(a, b) >= LEAST_SIMILAR
    assert np.abs(a - b).mean() <= MOST_DIFFERENT


@pytest.mark.slow
@PAPERS
@THEMES
@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.slug)
def test_every_figure_looks_as_matplotlib_draws_it(
    figure: object, paper: float, theme: Theme, summary: Summary
) -> None:
    """Wide and narrow, on light and on dark ground: hardly to be told apart on a screen."""
    assert_alike(figure.page(summary, paper), theme)


@pytest.mark.slow
@PAPERS
@pytest.mark.parametrize("figure", EMBEDDING_FIGURES, ids=lambda figure: figure.slug)
def test_every_map_looks_as_matplotlib_draws_it(
    figure: object, paper: float, with_maps: Summary
) -> None:
    """The figures of an embedding, too."""
    assert_alike(figure.page(with_maps, paper), LIGHT)


@pytest.mark.slow
@PAPERS
def test_texts_stand_where_matplotlib_puts_them(paper: float, summary: Summary) -> None:
    """Each begins, ends and stands within two pixels of the other's place."""
    for figure in FIGURES:
        page = figure.page(summary, paper)
        fig = figure_of(page, LIGHT)
        pixels_of(fig)
        height = fig.bbox.height
        tall = height * 72 / DPI
        found = {
            (
                round(t.get_position()[0] * page.width, 1),
                round((1 - t.get_position()[1]) * tall, 1),
            ): t
            for t in fig.texts
        }
        for text in page.texts:
            theirs = found[round(text.x, 1), round(text.y, 1)].get_window_extent()
            line = GlyphLines([(text, (0, 0, 0))], DPI / 72)
            drawn = [n for n, c in enumerate(text.text) if not c.isspace()]
            if text.upward or not drawn:
                continue
            assert line.places[0, 0] == pytest.approx(theirs.x0, abs=2.5), text
            assert theirs.y0 - 2 <= height - line.places[0, 1] <= theirs.y1, text
            advance = line.places[-1, 0] - line.places[0, 0]
            assert advance <= theirs.width + 2, text
            assert advance >= theirs.width - 1.2 * text.size * DPI / 72, text


def panel_of(*marks: Mark) -> Page:
    axis = Axis("", Scale.LINEAR, 0.0, 10.0, ((0.0, "0"), (5.0, "5"), (10.0, "10")))
    panel = Panel(PaperArea(40.0, 20.0, 150.0, 100.0), axis, axis, marks)
    return Page("A page", 220.0, 160.0, (panel,), ())


AT = np.array([1.0, 3.5, 6.0, 8.5])
MARKS: dict[str, Mark] = {
    "dots": Dots(AT, AT, "blue", 3.0, 0.6),
    "dots with rims": Dots(AT, AT, "background", 4.0, rim="orange", rim_width=2.0),
    "diamonds": Dots(AT, AT, "orange", 4.0, rim="background", diamond=True),
    "rectangles": Rectangles(AT, AT - 1, AT + 1, AT + 0.7, "density3"),
    "boxes": Rectangles(AT, AT - 1, AT + 1, AT + 0.7, "blue_soft", rim="blue"),
    "segments": Segments(AT, AT, AT + 1, AT - 0.8, "ink", 2.0),
    "level segments": Segments(AT, AT, AT + 1, AT, "ink", 1.1, dashed=True),
    "round segments": Segments(AT, AT, AT, AT + 1.0, "blue", 6.0, round_ends=True),
    "a curve": Curve(AT, np.array([2.0, 8.0, 1.0, 9.0]), "grey", 2.4),
    "an area": Area(AT, np.array([2.0, 8.0, 1.0, 9.0]), "blue_soft", "blue"),
}


@pytest.mark.parametrize("kind", MARKS)
def test_every_kind_of_mark_looks_as_matplotlib_draws_it(kind: str) -> None:
    """One kind alone in a panel; its pixels differ from the panel's without it."""
    page = panel_of(MARKS[kind])
    assert_alike(page, LIGHT)
    assert (draw(page).pixels != draw(panel_of()).pixels).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_marks_in_no_place_draw_nothing_and_end(bad: float) -> None:
    """A place that is no number, or far beyond the paper, is passed over."""
    place = np.array([bad])
    one = np.array([1.0])
    with np.errstate(all="ignore"):
        page = panel_of(
            Dots(place, one, "blue", 3.0), Curve(place, one, "blue"),
            Segments(place, one, place, one + 1, "blue", round_ends=True),
        )  # fmt: skip
        found = draw(page).pixels
    np.testing.assert_array_equal(found, draw(panel_of()).pixels)


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (300, 200)])
def test_a_png_file_holds_the_pixels(shape: tuple[int, int]) -> None:
    """Pillow reads back what was written, with the resolution."""
    rng = np.random.default_rng(3)
    rows = np.zeros((shape[0], 1 + 3 * shape[1]), dtype=np.uint8)
    rows[:, 1:] = rng.integers(0, 256, (shape[0], 3 * shape[1]))
    with Image.open(io.BytesIO(png_bytes(rows, 165))) as image:
        np.testing.assert_array_equal(np.asarray(image), rows[:, 1:].reshape(*shape, 3))
        assert image.info["dpi"] == pytest.approx((165, 165), abs=0.1)


def test_the_same_page_gives_the_same_bytes(summary: Summary) -> None:
    """Also when the page is laid out again."""
    for figure in (FIGURES[0], FIGURES[3]):
        assert png_of(figure.page(summary)) == png_of(figure.page(summary))


@pytest.mark.slow
def test_files_of_figures_are_made_without_matplotlib() -> None:
    """PNG and SVG, of wide and of narrow paper, in a process that does not import it."""
    code = (
        "import sys\n"
        "from dpss.figures.export import figure_files\n"
        "from dpss.figures.registry import FIGURES\n"
        "from tests.unit.figures.builder import build, simulate\n"
        "summary = build(simulate(60, 60))\n"
        "files = [name for figure in FIGURES for name in figure_files(figure, summary)]\n"
        "assert len(files) == 3 * len(FIGURES)\n"
        "assert not any('matplotlib' in name or 'PIL' in name for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
