"""A report in one file."""

from __future__ import annotations

import random

from dpss.storage.local import LocalStore
from dpss.website import build_website
from dpss.website.pages.report import MAX_BYTES
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
