"""A report in one file."""

from __future__ import annotations

import base64
import json
import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.storage.local import LocalStore
from dpss.website.build import build_website
from dpss.website.pages.environment import matrix_view
from dpss.website.pages.report import MAX_BYTES, report_page
from dpss.website.pictures import MAX_DRAWING_BYTES, FigureImages
from dpss.website.records import record_of
from tests.unit.website.portal import document, gene_rows, png, vouch
from tests.unit.website.published import relist
from tests.unit.website.test_build import Page

# --- One file, other programs, notebooks ----------------------------------------------------


def test_a_report_holds_everything_and_stays_small(portal):
    """A report has its figures inside, and leaves out those that would make it too large."""
    folder = portal / "project-0000/matrix-0"
    (folder / "knee.png").write_bytes(random.Random(0).randbytes(3_000_000))
    (folder / "knee.svg").write_bytes(random.Random(0).randbytes(3_000_000))
    relist(folder)
    build_website(LocalStore(portal))
    data = (folder / "report.html").read_bytes()
    assert len(data) < MAX_BYTES
    page = Page(data.decode())
    images = [a["src"] for tag, a in page.tags if tag == "img"]
    sizes = [(a["width"], a["height"]) for tag, a in page.tags if tag == "img"]
    assert sizes == [("64", "40")] * 6
    assert len(images) == 6 and all(src.startswith("data:image/") for src in images)
    assert "too large" in page.text
    assert not [tag for tag, _ in page.tags if tag in ("script", "link")]


HEAD = b'<svg xmlns="http://www.w3.org/2000/svg" width="470pt" height="366.5pt" viewBox="0 0 1 1">'


def draw(folder: Path, slug: str, n_bytes: int = 0, *, narrow: bool = True) -> tuple[bytes, bytes]:
    """Give a figure real drawings, of so many more bytes; returns both."""
    wide = HEAD + b"<!--" + b"w" * n_bytes + b"--></svg>"
    small = HEAD.replace(b"470", b"248") + b"</svg>"
    (folder / f"{slug}.svg").write_bytes(wide)
    doc = json.loads((folder / "summary.json").read_bytes())
    names = set(doc["files"])
    if narrow:
        (folder / f"{slug}.narrow.svg").write_bytes(small)
        names.add(f"{slug}.narrow.svg")
    vouch(folder, doc, names)
    return wide, small


def images(page: str) -> dict[str, list[str]]:
    """Return the addresses of wide and narrow images."""
    return {
        "wide": re.findall(r'<img src="(data:[^"]*)"', page),
        "narrow": re.findall(r'srcset="(data:[^"]*)"', page),
    }


@pytest.mark.parametrize(("n_bytes", "narrow"), [(0, True), (5_000, False), (300_000, True)])
def test_a_report_holds_drawings(portal, n_bytes: int, narrow: bool) -> None:
    """Wide and, for phones, narrow; the picture in pixels is left to the other figures."""
    folder = portal / "project-0000/matrix-0"
    drawings = draw(folder, "knee", n_bytes, narrow=narrow)
    build_website(LocalStore(portal))
    page = (folder / "report.html").read_text("utf-8")
    found = images(page)
    held = [base64.b64decode(a.partition(",")[2]) for a in found["wide"] + found["narrow"]]
    assert [drawing in held for drawing in drawings] == [True, narrow]
    assert 'width="1077" height="839"' in page
    assert sum(a.startswith("data:image/png") for a in found["wide"]) == len(found["wide"]) - 1


def test_a_drawing_that_is_larger_than_its_picture_is_left_out(portal) -> None:
    """A cloud of very many dots: pixels stand in the report then."""
    folder = portal / "project-0000/matrix-0"
    draw(folder, "knee", MAX_DRAWING_BYTES + 1)
    build_website(LocalStore(portal))
    found = images((folder / "report.html").read_text("utf-8"))
    assert not found["narrow"]
    assert all(a.startswith("data:image/png") for a in found["wide"])


def test_a_report_without_its_images_is_small(portal) -> None:
    """Nothing but images may grow with a matrix: 90 kB are left for everything else."""
    build_website(LocalStore(portal))
    for path in portal.glob("*/*/report.html"):
        page = path.read_text("utf-8")
        held = sum(len(address) for found in images(page).values() for address in found)
        assert len(page) - held < 90_000, path


@given(st.text(max_size=40))
def test_no_text_becomes_an_image(text: str) -> None:
    """A title that looks like what stands for an image in the making is a title."""
    rng = random.Random(1)
    rows = gene_rows(rng, 30, 100)
    title = f"\0knee wide\0{text}"
    doc = document(rng, rows, project="p", title=title, name="m", n_cells=100) | {"files": {}}
    record = record_of("p/m", doc, b"")
    view = matrix_view(record, doc, {})
    page = report_page({"knee": FigureImages((64, 40), png=png())}, record, view)
    assert b"\0" not in page
    assert page.count(b"data:image/png") == 1
