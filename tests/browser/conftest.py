"""A real browser, and portals for it to look at.

Needs Debian's package ``chromium`` (or another Chromium in ``DPSS_BROWSER``). Without one
these tests are skipped, unless ``DPSS_REQUIRE_BROWSER`` is set, as where they must run.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dpss.engine.progress import NullProgress
from dpss.job.renderer import render_files
from dpss.storage.local import LocalStore
from dpss.website.build import build_website
from dpss.website.server import make_server
from tests.browser.waiting import SECONDS
from tests.unit.figures.builder import build, simulate
from tests.unit.website.portal import make_nasty, make_portal, make_runs

SCREENSHOTS = Path(os.environ.get("DPSS_SCREENSHOTS", "build/screenshots"))
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def browser_path() -> str | None:
    """Return the path of a Chromium, ``None`` without one."""
    given = os.environ.get("DPSS_BROWSER")
    return given or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    path = browser_path()
    problem = None if path else "no Chromium is installed (Debian's package: chromium)"
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        problem = "playwright is not installed"
    if problem:
        if os.environ.get("DPSS_REQUIRE_BROWSER"):
            pytest.fail(f"{problem}, and DPSS_REQUIRE_BROWSER is set")
        pytest.skip(problem)
    with sync_playwright() as playwright:
        # Chromium's own sandbox needs rights that containers and root don't have.
        found = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"], timeout=1000 * SECONDS
        )
        yield found
        found.close()


@dataclass(frozen=True)
class Portal:
    """A published folder, and where it is served."""

    root: Path
    http: str

    @property
    def file(self) -> str:
        return self.root.as_uri() + "/"


@contextmanager
def _serving(root: Path) -> Iterator[Portal]:
    with make_server(root) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield Portal(root, f"http://127.0.0.1:{server.server_address[1]}/")
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="session")
def serve(browser) -> Iterator[Callable[[Path], Portal]]:
    """Return a function that serves a published folder until the tests end."""
    with ExitStack() as stack:
        yield lambda root: stack.enter_context(_serving(root))


@pytest.fixture(scope="session")
def portal(tmp_path_factory, serve) -> Portal:
    """Some projects, one of which tries to break out, with runs that changed things."""
    root = make_portal(tmp_path_factory.mktemp("portal") / "out", 6, 3, 300)
    make_nasty(root)
    make_runs(root)
    build_website(LocalStore(root))
    return serve(root)


@pytest.fixture(scope="session")
def real_portal(tmp_path_factory, serve) -> Portal:
    """Two matrices with the files that a run would publish: many cells, and two."""
    root = tmp_path_factory.mktemp("real") / "out"
    for name, n_cells in (("many", 900), ("two", 2)):
        files = render_files(build(simulate(n_cells, 300)), NullProgress())
        (root / name).mkdir(parents=True)
        for file, data in files.items():
            (root / name / file).write_bytes(data)
    build_website(LocalStore(root))
    return serve(root)


@pytest.fixture(scope="session")
def large_portal(tmp_path_factory, serve) -> Portal:
    """600 projects."""
    root = make_portal(tmp_path_factory.mktemp("large") / "out", 600, 1, 20, figures=False)
    build_website(LocalStore(root))
    return serve(root)


@dataclass
class Tab:
    """A page of the browser, and what went wrong on it."""

    page: Any
    problems: list[str]
    requests: list[str]

    def open(self, address: str) -> Any:
        self.page.goto(address)
        self.page.wait_for_load_state("load")
        return self.page

    def shoot(self, name: str, *, full: bool = False) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=full)


@pytest.fixture
def tab(browser) -> Iterator[Callable[..., Tab]]:
    """Make pages; at the end, none may have logged an error, shown a dialog or gone elsewhere."""
    contexts, tabs = [], []

    def make(**options: Any) -> Tab:
        options.setdefault("viewport", {"width": 1280, "height": 900})
        context = browser.new_context(**options)
        # No time is promised here: what a busy machine shows late is no fault.
        context.set_default_timeout(1000 * SECONDS)
        contexts.append(context)
        page = context.new_page()
        made = Tab(page, [], [])
        page.on("console", lambda message: _note(made, message))
        page.on("pageerror", lambda error: made.problems.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (made.problems.append("a dialog"), dialog.dismiss()))
        page.on("request", lambda request: made.requests.append(request.url))
        tabs.append(made)
        return made

    yield make
    for context in contexts:
        context.close()
    for one in tabs:
        assert one.problems == []
        elsewhere = [
            url
            for url in one.requests
            if not url.startswith(("http://127.0.0.1:", "file:", "data:"))
        ]
        assert elsewhere == []


def _note(tab: Tab, message: Any) -> None:
    if message.type in ("error", "warning"):
        tab.problems.append(f"{message.type}: {message.text}")
