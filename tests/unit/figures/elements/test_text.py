"""Texts of figures."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.figures.elements.text import clean, elide, elide_names, width


def test_texts_are_one_line_of_known_glyphs() -> None:
    """Control and direction characters go; what the font lacks is a square."""
    assert clean("a\x00b\n c\u202ed") == "a b cd"
    assert clean("基因 Ä") == "□□ Ä"
    long = elide("x" * 5000, 100, 9)
    assert long.endswith("…")
    assert width(long, 9) <= 100
    assert elide("short", 100, 9) == "short"
    assert elide("", 100, 9) == ""


def test_texts_are_measured_without_matplotlib() -> None:
    """A figure is laid out and written as SVG in a process that does not import it."""
    code = (
        "import sys\n"
        "from dpss.figures.elements.text import elide, width\n"
        "assert width('Genes', 9.0) > 20\n"
        "assert elide('基因 Ä' * 90, 100, 9).endswith('…')\n"
        "assert not any('matplotlib' in name for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("points", [60.0, 90.0, 150.0])
def test_long_names_stay_apart(points: float) -> None:
    """Names that begin alike keep their ends, too; short ones stay whole."""
    names = [f"CD8-positive, alpha-beta memory T cell, {kind}" for kind in ("CD45RO", "naive")]
    found = elide_names([*names, "B cell", "a single name that is much too long for it"], points, 9)
    assert len(set(found)) == 4
    assert found[2] == "B cell"
    assert all(width(name, 9) <= points for name in found)
    assert [name.endswith("…") for name in found] == [False, False, False, True]


@given(st.lists(st.text(max_size=700), max_size=8), st.floats(20, 200))
def test_any_names_fit(names: list[str], points: float) -> None:
    """Each is one clean line, as wide as there is room, in the order given."""
    found = elide_names(names, points, 9)
    assert len(found) == len(names)
    assert all(width(name, 9) <= points and name == clean(name) for name in found)
