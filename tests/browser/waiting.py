"""Waiting for a page. Playwright's own way needs `eval`, which the pages' policy forbids."""

from __future__ import annotations

import time
from typing import Any


def until(page: Any, condition: str, seconds: float = 15) -> None:
    """Wait until a JavaScript expression holds."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"never came true: {condition}"
        page.wait_for_timeout(30)
