"""The documentation's site: built without a warning, whole, and on its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.browser.conftest import browser_path
from tests.conftest import ROOT
from tools.site import write_entrance

pytestmark = pytest.mark.slow
LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("source", "srcset")}
"""Attributes whose address a browser fetches with the page."""
NOT_LOADED = {"canonical", "next", "prev", "search", "index", "author"}
"""Relations of `link` that are no part of the page."""


class Page(HTMLParser):
    """Addresses and anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors.update(given[name] for name in ("id", "name") if name in given)
        for name in ("href", "src"):
            if given.get(name):
                self.links.append(given[name])
            if (tag, name) in LOADED and name in given and given.get("rel") not in NOT_LOADED:
                self.loaded.append(given[name])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the site, built as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "tools/site.py", "--version", "1.2.3", "--output", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """Return each page of the version."""
    paths = [path for path in (site / "1.2.3").rglob("*.html") if "_static" not in path.parts]
    return {path: Page(path.read_text("utf-8")) for path in paths}


def within(pages: dict[Path, Page]) -> Iterator[tuple[Path, str, Path, str]]:
    """Yield page, link, file and anchor of each link within the site."""
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if not parts.scheme and not parts.netloc:
                target = path.parent / unquote(parts.path) if parts.path else path
                yield path, link, target.resolve(), unquote(parts.fragment)


def test_each_document_is_a_page(pages: dict[Path, Page], site: Path) -> None:
    """Each Markdown file and notebook of `docs` is a page, which the list of contents leads to."""
    documents = [path for kind in ("*.md", "*.ipynb") for path in (ROOT / "docs").rglob(kind)]
    expected = {
        site / "1.2.3" / path.relative_to(ROOT / "docs").with_suffix(".html") for path in documents
    }
    assert len(expected) > 40
    assert expected <= set(pages)
    led_to = {target for path, _, target, _ in within(pages) if target != path}
    assert {path.resolve() for path in expected} <= led_to


def test_links_lead_somewhere(pages: dict[Path, Page]) -> None:
    """Each link within the site is a file that is there, and each anchor one of its page."""
    anchors = {path.resolve(): page.anchors for path, page in pages.items()}
    seen = 0
    for path, link, target, anchor in within(pages):
        seen += 1
        assert target.exists(), f"{path.name}: {link}"
        if anchor and target in anchors:
            assert anchor in anchors[target], f"{path.name}: {link}"
    assert seen > 1000


def test_nothing_comes_from_elsewhere(pages: dict[Path, Page], site: Path) -> None:
    """A page loads scripts, styles, fonts and images of the site only."""
    for path, page in pages.items():
        assert page.loaded, path
        assert not [each for each in page.loaded if urlsplit(each).netloc], path
    for style in (site / "1.2.3").rglob("*.css"):
        text = style.read_text("utf-8")
        assert "url(http" not in text
        assert not re.search(r"@import\s+(url\()?[\"']?(http|//)", text)


@pytest.mark.parametrize("word", ["knee", "fargat", "mitochondri", "summaris"])
def test_the_search_knows_words(site: Path, word: str) -> None:
    """The index of the search, a file of the site, has the words of the pages, as stems."""
    index = (site / "1.2.3" / "searchindex.js").read_text("utf-8")
    terms = index.partition('"terms":')[2]
    assert f'"{word}":' in terms


def test_python_is_documented(site: Path) -> None:
    """The reference of Python has the public call, its arguments and each field of a summary."""
    text = (site / "1.2.3" / "reference" / "api.html").read_text("utf-8")
    for name in (
        "dpss.summarize",
        "dpss.api.NotebookSummary.annotate",
        "dpss.api.NotebookSummary.n_cells",
    ):
        assert f'id="{name}"' in text
    assert "min_gene_count" in text


def test_diagrams_are_images(site: Path) -> None:
    """A diagram's text is replaced by its image, with a description for those who see none."""
    text = (site / "1.2.3" / "explanation" / "aws.html").read_text("utf-8")
    assert "flowchart" not in text
    (image,) = re.findall(r'<img[^>]*aws-1\.svg"[^>]*>', text)
    assert "EventBridge Scheduler starts" in image


def test_versions_stand_side_by_side(site: Path) -> None:
    """The list that the pages read names this version; the first page leads to it."""
    (entry,) = json.loads((site / "versions.json").read_text("utf-8"))
    assert entry == {"version": "1.2.3", "url": "../1.2.3/", "preferred": True}
    assert 'href="1.2.3/index.html"' in (site / "index.html").read_text("utf-8")
    assert "'1.2.3'" in (site / "1.2.3" / "index.html").read_text("utf-8")


# In a process of its own: Playwright can be started once in each, and other tests may have.
FOLLOW = """
import sys
from playwright.sync_api import sync_playwright

path, top, *pages = sys.argv[1:]
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
    for page in pages:
        opened = browser.new_page()
        opened.set_default_timeout(240_000)
        opened.goto(f"{top}/1.2.3/{page}")
        opened.click(".version-switcher__button")
        opened.click(".version-switcher__menu a:has-text('dev')")
        opened.wait_for_url(f"{top}/dev/{page}")
"""


def test_the_list_of_versions_leads_to_the_same_page(site: Path, tmp_path: Path) -> None:
    """In a browser, from the top and from a folder, also where the site is not at the top."""
    path = browser_path()
    if path is None and not os.environ.get("DPSS_REQUIRE_BROWSER"):
        pytest.skip("no Chromium is installed (Debian's package: chromium)")
    assert path is not None
    copied = tmp_path / "project" / "docs"
    shutil.copytree(site, copied)
    shutil.copytree(site / "1.2.3", copied / "dev")
    write_entrance(copied)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        top = f"http://127.0.0.1:{server.server_port}/project/docs"
        pages = ("index.html", "explanation/aws.html", "reference/files.html")
        command = [sys.executable, "-c", FOLLOW, path, top, *pages]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        server.shutdown()
    assert done.returncode == 0, done.stderr
