"""The place of a number among those of comparable matrices, in words."""

from __future__ import annotations

import re

import pytest

from dpss.website.data_files import dumps, script
from tests.browser.waiting import until

PROJECT = "project-0001/index.html"


@pytest.mark.parametrize(
    ("rank", "words"),
    [
        (0.0, "the lowest of 300 matrices"),
        (0.004, "among the lowest 1 % of 300 matrices"),
        (0.496, "more than 49 % of 300 matrices"),
        (0.998, "more than 99 % of 300 matrices"),
    ],
)
def test_a_place_is_rounded_down(portal, tab, rank, words):
    """No number is said to be the lowest or above others that it is not."""
    one = tab()
    page = one.open(portal.http + PROJECT)
    group, value = page.evaluate(
        """() => {
            const list = document.querySelector('dl.numbers[data-group]');
            const number = list.querySelector('dd[data-number]');
            return [list.dataset.group, Number(number.dataset.value)];
        }"""
    )
    quantiles = [value + 100 * (n / 40 - rank) for n in range(41)]
    rows = [[group, 300, [quantiles, None, None]]]
    page.route(
        re.compile(r"places-data\.js"),
        lambda route: route.fulfill(body=script(dumps(rows)), content_type="text/javascript"),
    )
    page.goto(portal.http + PROJECT)
    until(page, "document.querySelector('.place') !== null")
    assert page.locator(".place").first.inner_text().strip() == f"{words} of {group}"
