"""Phones, medium windows and paper: what matters is seen, and nothing is cut off."""

from __future__ import annotations

import io
import re
import time

import pytest

from tests.browser.waiting import address_of, until

PAGES = ("index", "project")
OVERFLOWS = """() => [...document.querySelectorAll('.scroll')]
  .filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1)
  .map(e => e.getAttribute('aria-label'))"""
BEYOND = """() => [...document.querySelectorAll('main *')]
  .filter(e => e.checkVisibility() && e.getClientRects().length
          && e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('fieldset'))
  .map(e => e.tagName + ' ' + e.className).slice(0, 5)"""


def open_page(portal, tab, name: str, width: int, height: int = 800):
    """Open the first page or that of a project with several matrices, in a window of a size."""
    page = tab(viewport={"width": width, "height": height}).open(portal.http)
    until(page, "document.querySelector('table.ready') !== null")
    if name == "project":
        page.locator("#projects th a", has_text="Atlas").first.click()
        until(page, "document.querySelector('#side-by-side') !== null")
    return page


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_each_line_as_a_card(portal, tab, name: str) -> None:
    """At 360 px no table scrolls sideways, and each number stands below its name."""
    page = open_page(portal, tab, name, 360)
    page.locator("summary", has_text="Source of the data").first.evaluate_all(
        "each => each.forEach(e => e.click())"
    )
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate(OVERFLOWS) == []
    assert page.evaluate(BEYOND) == []
    line = page.locator("#projects tbody tr, #side-by-side tbody tr").first
    boxes = {
        label: line.locator(f"td[data-label='{label}']").bounding_box()
        for label in ("Checks", "Cells", "Genes", "Genes per cell", "Counts per cell")
    }
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= 360 for box in boxes.values())
    assert boxes["Checks"]["y"] <= min(box["y"] for box in boxes.values())
    shown = line.locator("td[data-label='Cells']").evaluate(
        "e => getComputedStyle(e, '::before').content"
    )
    assert shown == '"Cells"'


def test_a_page_is_asked_when_its_stylesheet_is_there(portal, tab) -> None:
    """A stylesheet that comes late changes nothing of what these tests see."""
    asked = []

    def late(route) -> None:
        asked.append(route.request.url)
        time.sleep(0.5)
        route.continue_()

    made = tab(viewport={"width": 360, "height": 800})
    made.page.route(re.compile(r"\.css"), late)
    page = made.open(portal.http)
    page.locator("#projects th a", has_text="Atlas").first.click()
    until(page, "document.querySelector('#side-by-side') !== null")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert asked


def test_the_first_column_stays(portal, tab) -> None:
    """In a medium window the names of the lines stay while the numbers scroll, and hide them."""
    page = open_page(portal, tab, "index", 700)
    region = page.locator(".scroll").first
    assert region.evaluate("e => e.scrollWidth > e.clientWidth")
    before = page.locator("#projects tbody th").first.bounding_box()
    region.evaluate("e => e.scrollLeft = 200")
    after = page.locator("#projects tbody th").first.bounding_box()
    assert after["x"] == pytest.approx(before["x"], abs=1.5)
    top = page.evaluate(
        """([x, y]) => document.elementFromPoint(x, y).closest('th, td').tagName""",
        [after["x"] + after["width"] / 2, after["y"] + after["height"] / 2],
    )
    assert top == "TH"


@pytest.mark.parametrize("width", [660, 768, 1024, 1100, 1280])
def test_the_verdict_of_a_project_is_in_sight(portal, tab, width: int) -> None:
    """In no window is a check cut off in the list of projects; in a wide one nothing is."""
    page = tab(viewport={"width": width, "height": 900}).open(portal.http)
    until(page, "document.querySelector('table.ready') !== null")
    end = page.locator(".scroll").first.evaluate("e => e.getBoundingClientRect().right")
    cells = page.locator("#projects td[data-label=Checks]")
    rights = cells.evaluate_all("all => all.map(e => e.getBoundingClientRect().right)")
    assert max(rights) <= end
    if width >= 1280:
        assert page.evaluate(OVERFLOWS) == []


def test_matrices_side_by_side_sort_and_the_address_keeps_it(portal, tab) -> None:
    """Every column of the comparison sorts; an address brings the same order back."""
    page = open_page(portal, tab, "project", 1200)

    def cells(where) -> list[int]:
        texts = where.locator("#side-by-side td[data-label='Cells']").all_inner_texts()
        return [int(re.sub(r"\D", "", text)) for text in texts]

    page.get_by_role("button", name="Cells", exact=True).click()
    assert cells(page) == sorted(cells(page), reverse=True)
    assert "by=n_cells" in address_of(page)
    again = tab().open(address_of(page))
    until(again, "document.querySelector('#side-by-side [aria-sort]') !== null")
    assert cells(again) == cells(page)
    assert page.locator("#side-by-side .strip").count() >= 4


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_off_on_paper(portal, tab, name: str) -> None:
    """On A4 (718 px between margins of 1 cm) nothing is wider than the paper."""
    page = open_page(portal, tab, name, 718, 1000)
    page.emulate_media(media="print")
    assert page.evaluate(BEYOND) == []
    assert page.evaluate(OVERFLOWS) == []
    assert page.pdf(format="A4").startswith(b"%PDF")
    shape = page.locator(".verdict").first.evaluate(
        "e => getComputedStyle(e, '::before').printColorAdjust"
    )
    assert shape == "exact"


def test_chosen_projects_are_compared_and_the_addresses_keep_the_choice(portal, tab) -> None:
    """Boxes on the first page lead to a page of all their matrices, which sorts."""
    page = open_page(portal, tab, "index", 1280)
    assert not page.locator(".compare-link").is_visible()
    boxes = page.get_by_role("checkbox", name=re.compile("^Compare Atlas"))
    titles = page.locator("#projects th a", has_text="Atlas").all_inner_texts()[:2]
    boxes.nth(0).check()
    boxes.nth(1).check()
    again = tab().open(address_of(page))
    until(again, "document.querySelectorAll('.compare input:checked').length === 2")
    again.get_by_role("link", name="Compare 2 projects").click()
    until(again, "document.querySelector('.compared') !== null")
    shown = again.locator(".compared tbody th a").all_inner_texts()
    assert set(shown) == set(titles)
    assert len(shown) == 6
    again.get_by_role("button", name="Genes per cell").click()
    values = again.locator(".compared td[data-label='Genes per cell']").all_inner_texts()
    numbers = [float(re.sub(r"[^\d.]", "", text)) for text in values]
    assert numbers == sorted(numbers, reverse=True)
    third = tab(viewport={"width": 360, "height": 800}).open(address_of(again))
    until(third, "document.querySelector('.compared [aria-sort]') !== null")
    assert (
        third.locator(".compared tbody th a").all_inner_texts()
        == again.locator(".compared tbody th a").all_inner_texts()
    )
    assert third.evaluate(OVERFLOWS) == []


def test_a_comparison_of_nothing_says_so(portal, tab) -> None:
    """Without a choice, or with one of what is gone, the page says what to do."""
    for query in ("", "?p=gone"):
        page = tab().open(portal.http + "compare.html" + query)
        until(page, "document.getElementById('status').textContent !== ''")
        assert "Choose some" in page.locator("#status").inner_text()


BROKEN = """() => {
    const broken = [];
    for (const cell of document.querySelectorAll(
        '.data td.n, .data thead th, .top tbody th, ' +
        '.projects td:not(.terms), .projects .verdict')) {
        for (const node of cell.childNodes) {
            if (node.nodeType !== Node.TEXT_NODE && node.nodeName !== 'A') continue;
            for (const word of node.textContent.matchAll(/[\\w.,%\\u202f]{2,12}/g)) {
                const text = node.nodeType === Node.TEXT_NODE ? node : node.firstChild;
                const range = document.createRange();
                // The letter after a soft hyphen has the hyphen's box, too, at the end of the line
                // before.
                const hyphen = text.data[word.index - 1] === "\u00ad";
                range.setStart(text, word.index + (hyphen ? 1 : 0));
                range.setEnd(text, word.index + word[0].length);
                const boxes = [...range.getClientRects()].filter(box => box.width > 0);
                const tops = new Set(boxes.map(box => Math.round(box.top)));
                if (tops.size > 1) broken.push(word[0]);
            }
        }
    }
    return broken;
}"""


@pytest.mark.parametrize("media", ["print", "screen"])
@pytest.mark.parametrize("width", [718, 900, 1120, 1200, 1320])
def test_no_number_and_no_short_name_is_broken(portal, tab, media: str, width: int) -> None:
    """On paper and at any width numbers, headings and genes' names stay in one piece."""
    pages = ("index.html", "project-0001/index.html", "project-0001/matrix-0/report.html")
    for name in pages:
        one = tab(viewport={"width": width, "height": 900})
        page = one.open(portal.http + name)
        page.emulate_media(media=media)
        assert page.evaluate(BROKEN) == []
        lists = page.locator(".top")
        assert lists.evaluate_all("all => all.every(e => e.scrollWidth <= e.clientWidth + 2)")
        for each in lists.all():
            bars = each.locator("svg.share").evaluate_all(
                "all => all.map(bar => Math.round(bar.getBoundingClientRect().left))"
            )
            assert len(set(bars)) <= 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_is_printed_light(real_portal, tab, scheme: str) -> None:
    """Dark drawings of dark pages do not get to paper."""
    page = tab(color_scheme=scheme).open(real_portal.http + "many/report.html")
    page.emulate_media(media="print", color_scheme=scheme)
    picture = page.locator(".paper img").first
    picture.scroll_into_view_if_needed()
    page.evaluate("Promise.all([...document.images].map(image => image.decode()))")
    shot = picture.screenshot()
    from PIL import Image

    with Image.open(io.BytesIO(shot)) as image:
        assert image.convert("RGB").getpixel((3, 3)) == (255, 255, 255)
