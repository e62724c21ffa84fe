"""JSON Schemas (draft 2020-12) of the published documents."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any


@cache
def schema(name: str) -> dict[str, Any]:
    """Return a schema.

    >>> schema("summary")["title"]
    'summary.json'

    Args:
        name: ``summary``, ``index`` or ``plots``.
    """
    text = resources.files(__name__).joinpath(f"{name}.schema.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found
