"""The interactive plots draw what the pictures show, and can be used without a mouse."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.browser.test_pages import violations
from tests.browser.waiting import until

CELLS = ("scatter_genes_vs_counts", "scatter_percentMitoGenes_vs_count")


def told(portal, name: str = "many") -> dict:
    """Return the published ``plots.json``."""
    return json.loads((portal.root / name / "plots.json").read_text())


def opened(page, slug: str):
    """Open the plot of a figure and return the figure."""
    figure = page.locator(f"figure[data-slug={slug}]")
    figure.get_by_role("button", name="Interactive plot").click()
    until(page, f"document.querySelector('figure[data-slug={slug}] .plot')?.dataset.drawn")
    return figure


def drawn(box) -> dict:
    """Return the axes as they were drawn."""
    return json.loads(box.get_attribute("data-drawn"))


@pytest.mark.parametrize("slug", CELLS)
@pytest.mark.parametrize("name", ["many", "two"])
def test_plots_of_cells_draw_the_specification(real_portal, tab, name, slug):
    """Scale, limits, ticks and legend are those of the picture, which the plot replaces."""
    what = told(real_portal, name)["cells"][slug]
    page = tab().open(real_portal.http + f"{name}/index.html")
    figure = opened(page, slug)
    assert not figure.locator(".paper").is_visible()
    axes = drawn(figure.locator(".plot"))
    assert axes == {"x": what["x"], "y": what["y"]}
    shown = figure.locator(".legend li").all_inner_texts()
    expected = [text for _, _, text in what["legend"]]
    assert shown == expected + [guide["text"] for guide in what["guides"] if guide["text"]]
    button = figure.get_by_role("button", name="Back to the figure")
    assert button.get_attribute("aria-expanded") == "true"
    button.click()
    assert figure.locator(".paper").is_visible()
    assert not figure.locator(".plot").is_visible()


def test_plots_of_genes_draw_the_specification(real_portal, tab):
    """Each view has its own axes and legend, as the figure has them."""
    page = tab().open(real_portal.http + "many/index.html")
    page.get_by_role("button", name="Explore all").click()
    page.locator(".all-genes tbody tr").first.wait_for()
    for view, what in told(real_portal)["genes"].items():
        page.get_by_label("Plot").select_option(view)
        axes = drawn(page.locator(".all-genes .plot"))
        assert axes == {"x": what["x"], "y": what["y"]}
        shown = page.locator(".all-genes .legend li").all_inner_texts()
        assert shown[:-1] == [text for _, _, text in what["legend"]]


def test_limits_say_how_many_cells_remain(real_portal, tab):
    """By keys, as by dragging, the cells within both limits are counted, as numpy counts them."""
    slug = CELLS[1]
    grid = {k: np.array(v) for k, v in told(real_portal)["cells"][slug]["grid"].items()}
    one = tab()
    page = one.open(real_portal.http + "many/index.html")
    figure = opened(page, slug)
    least, most = figure.get_by_role("slider").all()

    def remaining() -> None:
        low, high = (int(each.get_attribute("aria-valuenow")) for each in (least, most))
        n = int(grid["n"][(grid["x"] >= low) & (grid["y"] < high)].sum())
        assert f"{n:,} of 900 cells" in figure.locator(".remain").inner_text()

    remaining()
    figure.get_by_role("button", name="Keep all cells").click()
    assert "900 of 900 cells" in figure.locator(".remain").inner_text()
    least.focus()
    for key in ("PageUp", "PageUp", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
        remaining()
    assert least.get_attribute("aria-valuetext").startswith("at least")
    most.focus()
    page.keyboard.press("End")
    page.keyboard.press("PageDown")
    remaining()
    most.scroll_into_view_if_needed()
    frame = most.bounding_box()
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 60, steps=4)
    page.mouse.up()
    remaining()
    assert int(most.get_attribute("aria-valuenow")) < grid["y"].max()
    one.shoot("limits")


@pytest.mark.parametrize("look", ["light", "dark", "phone", "forced"])
def test_axe_finds_nothing_with_every_plot_opened(real_portal, tab, look):
    """Every rule of axe-core holds with all plots open, in each look."""
    options = {
        "light": {},
        "dark": {"color_scheme": "dark"},
        "phone": {"viewport": {"width": 360, "height": 780}},
        "forced": {"forced_colors": "active"},
    }[look]
    one = tab(**options)
    page = one.open(real_portal.http + "many/index.html")
    for slug in CELLS:
        opened(page, slug)
    page.get_by_role("button", name="Explore all").click()
    page.locator(".all-genes tbody tr").first.wait_for()
    one.shoot(f"plots-{look}", full=True)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@pytest.mark.parametrize(
    ("options", "ending"),
    [
        ({}, ".png"),
        ({"color_scheme": "dark"}, "violin.svg"),
        ({"viewport": {"width": 360, "height": 780}}, ".narrow.svg"),
        ({"viewport": {"width": 360, "height": 780}, "color_scheme": "dark"}, ".narrow.svg"),
    ],
    ids=["light", "dark", "phone", "dark phone"],
)
def test_pictures_suit_their_page(real_portal, tab, options, ending):
    """Dark pages show the drawing that is dark there, phones the narrow one."""
    page = tab(**options).open(real_portal.http + "many/index.html")
    image = page.locator("figure[data-slug=violin] img")
    image.scroll_into_view_if_needed()
    until(page, "document.querySelector('figure[data-slug=violin] img').naturalWidth > 0")
    assert image.evaluate("image => image.currentSrc").endswith(ending)
    assert image.evaluate("image => image.naturalWidth") > 100
    # The ground of the drawing is the ground of its page.
    colour = image.evaluate(
        """async image => {
            const canvas = document.createElement('canvas');
            [canvas.width, canvas.height] = [4, 4];
            const pen = canvas.getContext('2d');
            pen.drawImage(image, 0, 0, 4, 4);
            return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }"""
    )
    dark = options.get("color_scheme") == "dark"
    assert (max(colour) < 90) if dark else (min(colour) > 180)


def test_buttons_are_told_apart(real_portal, tab):
    """No two buttons of the figures have the same name."""
    page = tab().open(real_portal.http + "many/index.html")
    names = page.locator("figure .interactive button").evaluate_all(
        "all => all.map(b => b.textContent)"
    )
    assert len(names) == 3
    assert len(set(names)) == 3


def test_buttons_of_several_matrices_are_told_apart(portal, tab):
    """On a page of several matrices a button names its matrix, so that no name comes twice."""
    page = tab().open(portal.http + "project-0001/index.html")
    names = page.locator("article button").evaluate_all("all => all.map(b => b.textContent)")
    matrices = page.locator("article.matrix h2").all_inner_texts()
    assert len(matrices) == 3
    assert len(names) == len(set(names)) == 3 * len(matrices) + len(matrices)
    for matrix in matrices:
        assert len([name for name in names if matrix in name]) == 4


def test_limits_are_named_by_what_they_limit(real_portal, tab) -> None:
    """A reader of the screen hears what a slider limits, and where it is."""
    page = tab().open(real_portal.http + "many/index.html")
    names = [
        each.get_attribute("aria-label")
        for slug in CELLS
        for each in opened(page, slug).get_by_role("slider").all()
    ]
    assert names == [
        "Fewest counts of a kept cell",
        "Fewest genes of a kept cell",
        "Fewest counts of a kept cell",
        "Highest mitochondrial percentage of a kept cell",
    ]


@pytest.mark.parametrize("slug", CELLS)
def test_limits_move_under_a_finger(real_portal, tab, slug: str) -> None:
    """On a phone a touch drags a limit, the page stays where it is, and the number follows."""
    page = tab(viewport={"width": 360, "height": 780}, has_touch=True, is_mobile=True).open(
        real_portal.http + "many/index.html"
    )
    figure = opened(page, slug)
    session = page.context.new_cdp_session(page)
    for handle, across, up in zip(
        figure.get_by_role("slider").all(), (60, 0), (0, 60), strict=True
    ):
        handle.scroll_into_view_if_needed()
        before = (handle.get_attribute("aria-valuenow"), page.evaluate("scrollY"))
        said = figure.locator(".remain").inner_text()
        frame = handle.bounding_box()
        x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
        way = 1 if y < 400 else -1
        for kind, part in (("Start", 0), *(("Move", n / 6) for n in range(1, 7)), ("End", None)):
            at = [] if part is None else [{"x": x + across * part, "y": y + way * up * part}]
            session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": at})
        after = (handle.get_attribute("aria-valuenow"), page.evaluate("scrollY"))
        assert after[0] != before[0]
        assert after[1] == before[1]
        assert figure.locator(".remain").inner_text() != said
