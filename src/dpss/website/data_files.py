"""Data files of pages: scripts that pass one JSON value to their page.

A page opened from a folder may load scripts from it, but may not fetch anything.
"""

from __future__ import annotations

import json
from typing import Any

from dpss.storage.json_text import parse_json
from dpss.storage.plain_text import strip_control_in_json

_BEGIN, _END = b"dpss.receive(", b");\n"


def script(text: str | bytes) -> bytes:
    r"""Return a data file.

    >>> script("[1]")
    b'dpss.receive([1]);\n'

    Args:
        text: The value as JSON; as it holds no object whose keys come from outside, it
            means the same in JavaScript.
    """
    return _BEGIN + (text.encode() if isinstance(text, str) else text) + _END


def read_script(data: bytes) -> Any:
    r"""Return the value of a data file.

    >>> read_script(script("[1]"))
    [1]

    Raises:
        ValueError: The bytes are not a data file.
    """
    return parse_json(data.removeprefix(_BEGIN).removesuffix(_END))


def dumps(value: Any) -> str:
    """Return a value as compact JSON without control characters, for pages."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return strip_control_in_json(text)
