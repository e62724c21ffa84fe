"""Matrices side by side: the page's script and the program draw the same strips."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpss.website.data_files import dumps, script
from dpss.website.strips import MEASURES, draw_strips

QUANTILES = ("p5", "p25", "p50", "p75", "p95")
READ = """() => [...document.querySelectorAll('table.compared tbody tr')].map(
    row => [...row.cells].slice(3, 6).map(cell => {
        const strip = cell.querySelector('svg.strip');
        if (!strip) return null;
        const [line, middle] = strip.querySelectorAll('path');
        const bar = strip.querySelector('rect');
        const at = text => text.match(/[0-9.]+/g).map(Number);
        const [low, , high] = at(line.getAttribute('d'));
        const begin = Number(bar.getAttribute('x'));
        return {
            places: [low, begin, at(middle.getAttribute('d'))[0], high],
            width: Number(bar.getAttribute('width')),
            odd: strip.classList.contains('odd') && cell.querySelector('.apart') !== null,
        };
    }))"""

spreads = st.one_of(
    st.none(),
    st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=5, max_size=5).map(sorted),
    st.lists(st.floats(90, 110), min_size=5, max_size=5).map(sorted),
)
matrices = st.lists(st.tuples(spreads, spreads, spreads), min_size=1, max_size=9)


def drawn_by_script(page: Any, address: str, found: list) -> list[list[dict | None]]:
    """Return the strips that the page draws of these quantiles, by matrix and measure."""
    rows = [
        ["p", "P", "p/index.html", f"m{i}", "good", "all passed", 0, 10, 10, list(each)]
        for i, each in enumerate(found)
    ]
    body = script(dumps(rows))
    page.unroute_all()
    page.route(
        re.compile(r"comparison\.js"),
        lambda route: route.fulfill(body=body, content_type="text/javascript"),
    )
    page.goto(f"{address}compare.html?p=p")
    page.locator("table.compared").wait_for()
    read: list[list[dict | None]] = page.evaluate(READ)
    return read


def check(page: Any, address: str, found: list) -> None:
    """Compare what script and program draw of these quantiles."""
    documents = [
        {
            "quantiles": {
                measure: values and dict(zip(QUANTILES, values, strict=True))
                for (measure, _), values in zip(MEASURES.values(), each, strict=True)
            }
        }
        for each in found
    ]
    expected = draw_strips([each["quantiles"] for each in documents])
    drawn = drawn_by_script(page, address, found)
    assert len(drawn) == len(expected)
    for of_script, of_program in zip(drawn, expected, strict=True):
        for name, strip in zip(MEASURES, of_script, strict=True):
            wanted = of_program.get(name)
            assert (strip is None) == (wanted is None)
            if strip is None or wanted is None:
                continue
            # Each language rounds to a tenth of a pixel in its own way.
            places = [wanted.low, wanted.begin, wanted.middle, wanted.high]
            assert strip["places"] == pytest.approx(places, abs=0.11)
            assert strip["width"] == pytest.approx(max(1, wanted.end - wanted.begin), abs=0.21)
            assert strip["odd"] == wanted.odd


@pytest.mark.parametrize(
    "middles",
    [[100, 110, 95, 105, 1000], [100, 1000, 105], [7, 7, 7, 7, 8], [0, 0, 0, 0], [5]],
    ids=["one apart", "too few", "no spread", "zeros", "alone"],
)
def test_script_and_program_agree_on_what_stands_apart(portal, tab, middles) -> None:
    """The same matrices are marked: never of fewer than four, never without a spread."""
    found = [([m * f for f in (0.4, 0.75, 1, 1.3, 2.2)],) * 3 for m in middles]
    check(tab().page, portal.http, found)


def test_script_and_program_draw_the_same_strips(portal, tab) -> None:
    """Of any quantiles, missing ones too, both languages have the same places and outliers."""
    page = tab().page

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(matrices)
    def agree(found: list) -> None:
        check(page, portal.http, found)

    agree()
