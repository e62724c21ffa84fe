"""The table of all projects: search, order, facets, address, figures on demand."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from dpss.website.data_files import dumps, read_script, script
from tests.browser.test_pages import violations
from tests.browser.waiting import address_of, until


def shown(page) -> list[str]:
    until(page, "document.querySelector('table.ready') !== null")
    return page.locator("#projects tbody tr:not([hidden]):not(.preview) th a").all_inner_texts()


def count(page) -> int:
    """Return how many projects the status line says there are, once it says so."""
    until(page, "document.querySelector('table.ready') !== null")
    return int(page.locator("#status").inner_text().split(" ")[0].replace(",", ""))


def query(page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address_of(page)).query)


def column(page, name: str) -> list[float]:
    until(page, "document.querySelector('table.ready') !== null")
    return page.evaluate(
        """name => {
          const table = document.getElementById('projects');
          const at = [...table.tHead.rows[0].cells].findIndex(c => c.dataset.sort === name);
          return [...table.tBodies[0].rows]
            .filter(r => !r.hidden && !r.classList.contains('preview'))
            .map(r => Number(r.cells[at].textContent.replaceAll(',', '')));
        }""",
        name,
    )


def test_search_narrows_and_the_address_restores_it(large_portal, tab):
    """What is typed filters 600 projects at once; the address brings the same view back."""
    one = tab()
    page = one.open(large_portal.http)
    assert count(page) == 600
    assert len(shown(page)) == 25
    page.get_by_label("Search").fill("part 599")
    until(page, "document.querySelectorAll('#projects tbody tr:not([hidden])').length === 1")
    assert query(page)["q"] == ["part 599"]
    assert "1 of 600 projects" in page.locator("#status").inner_text()
    again = tab().open(address_of(page))
    assert shown(again) == shown(page)
    again.get_by_role("button", name="Clear all").click()
    assert count(again) == 600


def test_facets_combine_and_count(large_portal, tab):
    """A facet's terms are alternatives, facets are conditions; counts say what is left."""
    page = tab().open(large_portal.http)
    page.locator("summary", has_text="Species").click()
    page.get_by_label("Danio rerio").check()
    first = count(page)
    assert 0 < first < 600
    page.locator("summary", has_text="Organ").click()
    option = page.locator(".facet label", has_text="kidney")
    promised = int(option.locator(".count").inner_text())
    option.locator("input").check()
    assert count(page) == promised < first
    assert query(page)["species"] == ["Danio rerio"]
    assert query(page)["organ"] == ["kidney"]
    again = tab().open(address_of(page))
    assert shown(again) == shown(page)


def test_assumptions_are_marked_and_filtered(large_portal, tab):
    """A mark in words stands by the title; the facet leaves projects with or without one."""
    one = tab(viewport={"width": 360, "height": 740})
    page = one.open(large_portal.http)
    assert count(page) == 600
    page.locator("summary", has_text="Assumed").click()
    option = page.locator(".facet label", has_text="orientation")
    promised = int(option.locator(".count").inner_text())
    option.locator("input").check()
    assert 0 < count(page) == promised < 600
    assert query(page)["assumed"] == ["orientation"]
    page.keyboard.press("Escape")
    marks = page.locator("#projects tbody tr .assumption").all_inner_texts()
    assert len(marks) == min(25, promised)
    assert set(marks) == {"assumed orientation"}
    one.shoot("index-assumed-360")
    page.get_by_role("button", name="Clear all").click()
    page.locator("summary", has_text="Assumed").click()
    page.locator(".facet label", has_text="nothing").locator("input").check()
    assert count(page) == 600 - promised
    assert page.locator("#projects tbody tr .assumption").count() == 0


def test_more_rows_come_on_demand(large_portal, tab):
    """A long table shows its beginning; the next rows come at a button, with the focus on them."""
    page = tab().open(large_portal.http)
    page.get_by_role("button", name="Show more").click()
    assert len(shown(page)) == 125
    assert page.locator(":focus").inner_text() == shown(page)[25]
    page.locator("th[data-sort=title] button").click()
    assert page.locator("th[data-sort=title]").get_attribute("aria-sort") == "descending"
    assert len(shown(page)) == 25


def test_the_page_is_light_with_600_projects(large_portal, tab):
    """Of 600 projects the page holds the first rows only; without scripts it holds them all."""
    page = tab().open(large_portal.http)
    until(page, "document.querySelector('table.ready') !== null")
    assert page.evaluate("document.querySelectorAll('*').length") < 1000
    titles = shown(page)
    plain = tab(java_script_enabled=False).open(large_portal.http)
    rows = plain.locator("table.projects tbody tr")
    assert rows.count() == 600
    assert rows.locator("th a").all_inner_texts()[:25] == titles
    assert not plain.locator(".preview-button").first.is_visible()


def test_headings_sort_and_say_so(large_portal, tab):
    """Numbers begin with the largest, a second click turns the order round."""
    page = tab().open(large_portal.http)
    heading = page.locator("th[data-sort=cells]")
    heading.get_by_role("button").click()
    values = column(page, "cells")
    assert values == sorted(values, reverse=True)
    assert heading.get_attribute("aria-sort") == "descending"
    heading.get_by_role("button").click()
    values = column(page, "cells")
    assert values == sorted(values)
    assert query(page) == {"sort": ["cells"]}
    again = tab().open(address_of(page))
    assert column(again, "cells") == values


def test_it_is_quick_with_600_projects(large_portal, tab):
    """A heading is answered within a fifth of a second, the page is there within two.

    These are seconds of the page's thread on a processor: other programs do not count.
    """
    one = tab()
    session = one.page.context.new_cdp_session(one.page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(each["value"] for each in metrics if each["name"] == "TaskDuration")

    page = one.open(large_portal.http)
    until(page, "document.querySelector('table.ready') !== null")
    loaded = spent()
    page.evaluate("document.querySelector('th[data-sort=cells] button').click()")
    assert 0 < loaded < 2
    assert spent() - loaded < 0.2
    one.shoot("index-600")


def test_figures_come_on_demand(portal, tab):
    """Small figures of a project are loaded when asked for, and not before."""
    one = tab()
    page = one.open(portal.http)
    assert not [url for url in one.requests if url.endswith(".png")]
    button = page.get_by_role("button", name="Figures of Atlas").first
    button.click()
    assert button.get_attribute("aria-expanded") == "true"
    until(page, "[...document.querySelectorAll('.preview img')].some(i => i.naturalWidth)")
    assert page.locator(".preview .pictures").count() == 3
    one.shoot("index-figures")
    assert violations(page) == []
    button.click()
    assert not page.locator(".preview").is_visible()


def test_the_date_of_publication_is_shown(portal, tab):
    """Dates come from the runs' reports."""
    page = tab().open(portal.http)
    page.locator("td.date time").first.wait_for()
    assert page.locator("td.date time").first.inner_text() == "2026-03-04"


def test_the_keyboard_alone_suffices(portal, tab):
    """Tab, Enter, Space and Escape reach and use every control."""
    page = tab().open(portal.http)
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the content"
    until(page, "document.querySelector('table.ready') !== null")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.locator(":focus").evaluate("e => e.matches('.facet summary')"):
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.locator(".facet input:checked").count() == 1
    assert query(page)
    page.keyboard.press("Escape")
    assert page.locator(".facet[open]").count() == 0
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.locator(":focus").evaluate("e => e.matches('th[data-sort=cells] button')"):
            break
    page.keyboard.press("Enter")
    assert page.locator("th[data-sort=cells]").get_attribute("aria-sort") == "descending"
    assert page.locator(":focus").evaluate("e => e.matches('th[data-sort=cells] button')")


@pytest.mark.parametrize("change", ["one less", "one more", "another first"])
def test_a_list_of_another_run_is_not_taken_for_the_page(portal, tab, change):
    """While a run publishes, the list may be newer: rows would stand for other projects."""
    rows = read_script((portal.root / "_dpss/projects.js").read_bytes())
    rows = {
        "one less": rows[:-1],
        "one more": [*rows, rows[-1]],
        "another first": [rows[1], rows[0], *rows[2:]],
    }[change]
    one = tab()
    one.page.route(
        re.compile(r"projects\.js"),
        lambda route: route.fulfill(body=script(dumps(rows)), content_type="text/javascript"),
    )
    page = one.open(portal.http)
    until(page, "document.getElementById('status').textContent.includes('load this page again')")
    assert page.locator("#projects th button").count() == page.locator(".preview-button").count()
