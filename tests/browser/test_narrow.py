"""Phones, medium windows and paper: what matters is seen, and nothing is cut off."""

from __future__ import annotations

import re
import time

import pytest

from tests.browser.waiting import until

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


def test_matrices_side_by_side_sort_and_the_address_keeps_it(portal, tab) -> None:
    """Every column of the comparison sorts; an address brings the same order back."""
    page = open_page(portal, tab, "project", 1200)

    def cells(where) -> list[int]:
        texts = where.locator("#side-by-side td[data-label='Cells']").all_inner_texts()
        return [int(re.sub(r"\D", "", text)) for text in texts]

    page.get_by_role("button", name="Cells", exact=True).click()
    assert cells(page) == sorted(cells(page), reverse=True)
    assert "by=n_cells" in page.url
    again = tab().open(page.url)
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
    again = tab().open(page.url)
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
    third = tab(viewport={"width": 360, "height": 800}).open(again.url)
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
