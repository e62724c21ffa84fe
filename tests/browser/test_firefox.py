"""The pages in Firefox: what the tests in Chromium hold of most consequence."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.browser.conftest import SCREENSHOTS, Portal
from tests.browser.firefox import Firefox
from tests.browser.test_narrow import BEYOND, OVERFLOWS
from tests.unit.website.portal import png


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    path = os.environ.get("DPSS_FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")
    if not path:
        if os.environ.get("DPSS_REQUIRE_BROWSER"):
            pytest.fail("no Firefox is installed, and DPSS_REQUIRE_BROWSER is set")
        pytest.skip("no Firefox is installed (Debian's package: firefox-esr)")
    found = Firefox(path, tmp_path_factory.mktemp("firefox"))
    yield found
    found.close()


@pytest.fixture
def firefox(session: Firefox) -> Iterator[Firefox]:
    """A tab; at the end, no page may have logged an error."""
    session.resize(1280, 900)
    session.open("about:blank")
    session.problems.clear()
    yield session
    assert session.find_problems() == []


def shoot(firefox: Firefox, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    Path(SCREENSHOTS / f"firefox-{name}.png").write_bytes(firefox.picture())


def called(function: str) -> str:
    return f"({function})()"


def lead_to_atlas(firefox: Firefox, portal: Portal) -> None:
    """Open the page of the first project with several matrices."""
    firefox.open(portal.http)
    firefox.until("document.querySelector('table.ready') !== null")
    address = firefox.evaluate(
        "[...document.querySelectorAll('#projects th a')]"
        ".find(e => e.textContent.includes('Atlas')).href"
    )
    firefox.open(address)
    firefox.until("document.querySelector('#side-by-side [data-sort] button') !== null")


@pytest.mark.parametrize("width", [360, 718, 1280])
def test_nothing_is_wider_than_the_window(firefox: Firefox, portal: Portal, width: int) -> None:
    """First page and project page; on a phone each line is a card with its answer in sight."""
    firefox.resize(width, 900)
    firefox.open(portal.http)
    firefox.until("document.querySelector('table.ready') !== null")
    assert firefox.evaluate("document.documentElement.scrollWidth") <= width
    shoot(firefox, f"index-{width}")
    lead_to_atlas(firefox, portal)
    assert firefox.evaluate("document.documentElement.scrollWidth") <= width
    if width == 360:
        assert firefox.evaluate(called(OVERFLOWS)) == []
        assert firefox.evaluate(called(BEYOND)) == []
        seen = firefox.evaluate(
            "[...document.querySelector('#side-by-side tbody tr').querySelectorAll('td')]"
            ".map(e => [e.dataset.label, e.getBoundingClientRect().right])"
        )
        assert {"Cells", "Genes", "Genes per cell", "Checks"} <= {label for label, _ in seen}
        assert all(right <= 360 for _, right in seen)
    shoot(firefox, f"project-{width}")


def test_the_first_page_searches_and_sorts(firefox: Firefox, portal: Portal) -> None:
    """What is typed narrows the table, a heading sorts it, and the address keeps both."""
    firefox.open(portal.http)
    firefox.until("document.querySelector('table.ready') !== null")
    rows = "document.querySelectorAll('#projects tbody tr').length"
    everything = firefox.evaluate(rows)
    firefox.evaluate(
        "(() => { const q = document.getElementById('q'); q.value = 'atlas';"
        " q.dispatchEvent(new Event('input')); return 1; })()"
    )
    firefox.until("location.search.includes('q=atlas')")
    assert 0 < firefox.evaluate(rows) < everything
    firefox.evaluate("(document.querySelector('th[data-sort=cells] button').click(), 1)")
    numbers = firefox.evaluate(
        "[...document.querySelectorAll(\"#projects td[data-label='Cells']\")]"
        ".map(e => Number(e.textContent.replaceAll(',', '')))"
    )
    assert numbers == sorted(numbers, reverse=True)


def test_a_gene_is_looked_up(firefox: Firefox, portal: Portal) -> None:
    """The same matrices as in Chromium, with lists that narrow them and aligned bars."""
    firefox.open(portal.http + "genes.html?g=GENE7")
    firefox.until("document.querySelectorAll('#result tbody tr').length === 18")
    lefts = firefox.evaluate(
        "[...document.querySelectorAll('#result svg.share')]"
        ".map(e => Math.round(e.getBoundingClientRect().left))"
    )
    assert len(set(lefts)) == 1
    assert firefox.evaluate("document.querySelectorAll('.facet').length") >= 2
    shoot(firefox, "gene")


def test_strips_and_plots_are_drawn(firefox: Firefox, portal: Portal) -> None:
    """Strips have their places; the plot of all genes has ink."""
    lead_to_atlas(firefox, portal)
    assert firefox.evaluate("document.querySelectorAll('#side-by-side .strip').length") >= 4
    firefox.evaluate(
        "([...document.querySelectorAll('button')]"
        ".find(e => e.textContent.startsWith('Explore')).click(), 1)"
    )
    firefox.until("document.querySelector('.all-genes tbody tr') !== null")
    inked = """(() => {
      const canvas = document.querySelector('.plot canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let n = 0;
      for (let i = 3; i < data.length; i += 4) n += data[i] > 0;
      return n;
    })()"""
    firefox.until(f"{inked} > 500")


RIGHT, PAGE_UP = "\ue014", "\ue00e"
SLIDER = "document.querySelector('[data-slug=scatter_genes_vs_counts] [role=slider]')"
"""WebDriver's code points of two keys, and the limit of the counts."""


def test_limits_move_by_keys_and_under_a_finger(firefox: Firefox, real_portal: Portal) -> None:
    """The limit of the counts follows both, and the number of cells follows it."""
    firefox.resize(360, 780)
    firefox.open(real_portal.http + "many/index.html")
    button = "document.querySelector('[data-slug=scatter_genes_vs_counts] .interactive button')"
    firefox.until(f"{button} !== null")
    firefox.evaluate(f"({button}.click(), 1)")
    firefox.until(f"{SLIDER} !== null && {SLIDER}.style.left !== ''")
    firefox.evaluate(f"({SLIDER}.scrollIntoView({{block: 'center'}}), {SLIDER}.focus(), 1)")
    value = f"[{SLIDER}.getAttribute('aria-valuenow'), document.querySelector('.remain').innerText]"
    seen = [firefox.evaluate(value)]
    firefox.press(RIGHT)
    seen.append(firefox.evaluate(value))
    firefox.press(PAGE_UP, PAGE_UP)
    seen.append(firefox.evaluate(value))
    frame = firefox.evaluate(f"{SLIDER}.getBoundingClientRect().toJSON()")
    x, y = int(frame["x"] + frame["width"] / 2), int(frame["y"] + frame["height"] / 2)
    firefox.swipe((x, y), (x + 50, y))
    seen.append(firefox.evaluate(value))
    limits = [int(limit) for limit, _ in seen]
    assert limits == sorted(set(limits))
    assert len({words for _, words in seen}) == len(seen)
    shoot(firefox, "limits")


def test_pages_print(firefox: Firefox, portal: Portal) -> None:
    """On A4 a PDF of some pages comes out."""
    lead_to_atlas(firefox, portal)
    data = firefox.paper()
    assert data.startswith(b"%PDF")
    assert len(data) > 20_000


class Images(BaseHTTPRequestHandler):
    """Serve pages with one image each: ``sound``, ``absent``, and ``slow``, which waits."""

    begun = threading.Event()
    left = threading.Event()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        if self.path == "/absent.png":
            self.send_error(404)
        elif self.path.endswith(".png"):
            self._send("image/png", png())
        else:
            image = f"i = new Image(); i.src = '{self.path}.png'; document.body.append(i)"
            page = f'<!doctype html><link rel=icon href="data:,"><body onload="{image}">'
            self._send("text/html", page.encode())

    def _send(self, kind: str, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[:60])
        if self.path == "/slow.png":
            self.begun.set()
            self.left.wait(60)
        with suppress(OSError):
            self.wfile.write(data[60:])


@pytest.fixture
def images() -> Iterator[str]:
    """The address of :class:`Images`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Images) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        Images.left.set()
        server.shutdown()
        thread.join()


def test_an_image_is_a_problem_if_it_is_not_there(firefox: Firefox, images: str) -> None:
    """One that still loads when its page is left is none, though Firefox logs an error."""
    firefox.open(images + "slow")
    assert Images.begun.wait(60)
    firefox.open(images + "sound")
    firefox.until("document.images[0]?.naturalWidth === 64")
    assert firefox.find_problems() == []
    firefox.open(images + "absent")
    firefox.until("document.images[0]?.complete")
    assert firefox.find_problems() == [f"no image at {images}absent.png"]
    firefox.open("about:blank")
    firefox.problems.clear()
