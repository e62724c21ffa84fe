"""Columns by what a catalogue says of matrices."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.storage.local import LocalStore
from dpss.website.build import build_website
from dpss.website.catalogue_columns import MAX_COLUMNS, catalogue_columns
from tests.unit.website.portal import make_portal

TERMS = st.dictionaries(
    st.sampled_from(["organ", "tissue", "assay", "title", "species", "developmentStage", "x"]),
    st.lists(st.sampled_from(["a", "B", "c", ""]), max_size=3).map(tuple),
)


def test_only_what_varies_has_a_column() -> None:
    """Technology first; what is the same for all, and the title, is left out."""
    found = catalogue_columns(
        [
            {"species": ("human",), "organ": ("lung",), "assay": ("10x",), "title": ("one",)},
            {"species": ("human",), "organ": ("heart", "lung"), "title": ("two",)},
        ]
    )
    assert found.titles == ("Assay", "Organ")
    assert found.values == ((("10x",), ("lung",)), ((), ("heart", "lung")))
    assert found.sort_values(1) == ["", "heart, lung"]


@pytest.mark.parametrize("same", [[], [{}], [{"organ": ("a", "b")}, {"organ": ("b", "a")}]])
def test_equal_matrices_have_no_column(same: list) -> None:
    """Nor has a project of one matrix, or of none."""
    assert catalogue_columns(same).titles == ()


@given(st.lists(TERMS, max_size=8))
def test_equal_ones_are_side_by_side(matrices: list) -> None:
    """Each matrix once, those of equal values after each other, those without any last."""
    found = catalogue_columns(matrices)
    order = found.order()
    assert sorted(order) == list(range(len(matrices)))
    assert len(found.titles) <= MAX_COLUMNS
    seen = [found.values[place] for place in order]
    keys = [[[v.casefold() for v in values] for values in each] for each in seen]
    runs = [key for n, key in enumerate(keys) if n == 0 or key != keys[n - 1]]
    assert all(runs.count(key) == 1 for key in runs)
    if found.titles:
        without = [not values[0] for values in seen]
        assert without == sorted(without)


@pytest.mark.slow
def test_a_project_page_puts_matrices_side_by_side_by_them(tmp_path: Path) -> None:
    """Rows of an organ are together, each with its values, and the columns can be sorted."""
    portal = make_portal(tmp_path / "out")
    folders: dict[Path, list[Path]] = {}
    for path in sorted(portal.glob("*/*/summary.json")):
        folders.setdefault(path.parent.parent, []).append(path)
    project, paths = max(folders.items(), key=lambda item: len(item[1]))
    assert len(paths) > 1
    for n, path in enumerate(paths):
        document = json.loads(path.read_text())
        document["matrix"]["strata"] = {
            "organ": [["lung", "<b>heart</b>"][n % 2]], "species": ["Homo sapiens"],
            "libraryConstructionApproach": ["10x v2", "Smart-seq2"][n % 2 :][:1],
        }  # fmt: skip
        path.write_text(json.dumps(document))
    build_website(LocalStore(portal))
    page = (project / "index.html").read_text()
    table = page[page.index('id="side-by-side"') :]
    table = table[: table.index("</table>")]
    titles = re.findall(r'data-sort="([\w-]+)"', table)
    assert titles[1:3] == ["catalogue-1", "catalogue-2"]
    rows = [json.loads(html.unescape(v)) for v in re.findall(r'data-values="([^"]*)"', table)]
    assert all(len(row) == len(titles) for row in rows)
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)
    assert {(row[1], row[2]) for row in rows} == {
        ("10x v2", "lung"),
        ("Smart-seq2", "<b>heart</b>"),
    }
    assert 'data-label="Organ">lung' in table
    assert "<b>heart" not in table
