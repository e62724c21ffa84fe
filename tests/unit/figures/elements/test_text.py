"""Texts of figures."""

from __future__ import annotations

import subprocess
import sys

from dpss.figures.elements.text import clean, elide, width


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
