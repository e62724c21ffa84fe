"""Names of genes in the interactive plot: the rule of the pictures, in another language."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpss.figures.elements.labels import place_labels

NAMED = "() => JSON.parse(document.querySelector('.all-genes .plot').dataset.named)"
PLACE = "([p, s, a, m, o]) => dpss.placeLabels(p, s, a, m, o)"


def opened(page, address: str):
    """Open the plot of all genes of a page."""
    page.goto(address)
    page.get_by_role("button", name="Explore all").click()
    page.locator(".all-genes tbody tr").first.wait_for()
    page.wait_for_function("document.querySelector('.all-genes .plot')?.dataset.named")
    return page


def test_script_and_program_place_labels_alike(real_portal, tab) -> None:
    """Of any crowd, both languages give the same places, and leave out the same labels."""
    page = tab().open(real_portal.http + "many/index.html")

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.integers(0, 10**6),
        st.integers(0, 3000),
        st.integers(1, 25),
        st.sampled_from([3.0, 20.0, 90.0]),
    )
    def agree(seed: int, n: int, n_marked: int, spread: float) -> None:
        rng = np.random.default_rng(seed)
        area = (260.0, 180.0)
        every = np.clip(rng.normal((130, 90), spread, (n + n_marked, 2)), 0, area)
        marked, others = every[:n_marked], every[n_marked:]
        points = marked[: 1 + n_marked // 2]
        sizes = [(float(wide), 9.6) for wide in rng.uniform(8, 60, len(points))]
        expected = place_labels(points, sizes, area, marked, others)
        found = page.evaluate(
            PLACE, [points.tolist(), sizes, area, marked.tolist(), others.tolist()]
        )
        assert [each is None for each in found] == [each is None for each in expected]
        for one, other in zip(found, expected, strict=True):
            if other is not None:
                assert (one["x"], one["y"]) == pytest.approx((other.x, other.y), abs=1e-6)
                assert one["far"] == other.far

    agree()


@pytest.mark.parametrize("width", [360, 1280])
def test_names_in_the_plot_lie_apart(real_portal, tab, width: int) -> None:
    """In every view and of every search no name lies on another or leaves the plot."""
    one = tab(viewport={"width": width, "height": 900})
    page = opened(one.page, real_portal.http + "many/index.html")
    shown: dict[str, int] = {}
    for view in ("variability", "dispersion", "detection"):
        page.get_by_label("Plot").select_option(view)
        for query in ("", "gene1", "mt-", "e"):
            page.get_by_label("Find genes").fill(query)
            page.wait_for_timeout(300)
            names = page.evaluate(NAMED)
            shown[f"{view} {query}"] = len(names)
            plot = page.locator(".all-genes .plot").bounding_box()
            for n, (_, left, top, wide, high) in enumerate(names):
                assert left >= 0
                assert top >= 0
                assert left + wide <= plot["width"]
                assert top + high <= plot["height"]
                for _, x, y, w, h in names[:n]:
                    apart = left + wide <= x or x + w <= left or top + high <= y or y + h <= top
                    assert apart, json.dumps(names)
        one.shoot(f"names-{view}-{width}")
    assert shown["variability "] >= (6 if width == 360 else 15)
