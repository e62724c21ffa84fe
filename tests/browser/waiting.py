"""Waiting for a page. Playwright's own way needs `eval`, which the pages' policy forbids."""

from __future__ import annotations

import time
from typing import Any

SECONDS = 120
"""Most seconds for what a page does at once: only a page that hangs takes all."""


def address_of(page: Any) -> str:
    """Return the address of a page, as its scripts see it.

    `page.url` is of the last change that Playwright has been told of, which may be a moment ago.
    """
    return str(page.evaluate("location.href"))


def until(page: Any, condition: str, seconds: float = SECONDS) -> None:
    """Wait until the page and its stylesheet are loaded and a JavaScript expression holds.

    A click leads to a page that can be asked before its stylesheet is there: no reader sees
    it then, but its sizes are those of a page without style.
    """
    end = time.monotonic() + seconds
    while not _holds(page, f"document.readyState === 'complete' && ({condition})"):
        assert time.monotonic() < end, f"never came true: {condition}"
        page.wait_for_timeout(30)


def _holds(page: Any, condition: str) -> bool:
    """Return whether an expression holds; not of a page that is left while it is asked."""
    from playwright.sync_api import Error

    try:
        return bool(page.evaluate(condition))
    except Error as error:
        if "context was destroyed" in str(error):
            return False
        raise
