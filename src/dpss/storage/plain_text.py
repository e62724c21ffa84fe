"""Removal of characters that control a terminal, a page or reading order."""

from __future__ import annotations

import json
import re
from typing import Any

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]"
)
"""Control characters but tab and line feed, marks of writing direction, and annotations."""
_IN_ASCII = dict.fromkeys((*range(9), *range(11, 32), 127))
_BREAKS = re.compile("[\u2028\u2029]")
_UNPAIRED = re.compile("[\ud800-\udfff]")
"""Surrogates: how Python represents bytes of a file's name that are not UTF-8."""
_ANY = re.compile(f"[{_CONTROL.pattern[1:-1]}{_BREAKS.pattern[1:-1]}{_UNPAIRED.pattern[1:-1]}]")
_RAW_IN_JSON = re.compile(
    "[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Characters that JSON need not escape, and that control what shows it or can't be encoded."""
_IN_JSON = re.compile(
    r"(\\\\)|\\u00(?:0[0-8bcef]|1[0-9a-f])|\\[bfr]|"
    "[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]"
)


def strip_control(text: str) -> str:
    r"""Return a text without control characters, tab and line feed apart.

    >>> strip_control("a\x1b[31mb\u202ec\n")
    'a[31mbc\n'
    """
    # All stripped characters are unprintable; so are line feeds and some blanks, which stay.
    if text.isprintable():
        return text
    if text.isascii():
        return text.translate(_IN_ASCII)
    # Most are the narrow space of a percentage.
    if not _ANY.search(text):
        return text
    return _UNPAIRED.sub("\N{REPLACEMENT CHARACTER}", _BREAKS.sub(" ", _CONTROL.sub("", text)))


def strip_control_in_all(texts: list[str]) -> list[str]:
    """Return texts without control characters; the same list where there are none."""
    joined = "".join(texts)
    if not _ANY.search(joined):
        return texts
    return [strip_control(text) for text in texts]


def strip_control_in_json(text: str) -> str:
    r"""Return JSON without control characters in its strings, escaped ones included.

    >>> strip_control_in_json('"a\\u001b[31m\\n\\\\u001b"')
    '"a[31m\\n\\\\u001b"'

    Args:
        text: As `json.dumps` returns it.
    """
    # Tables of numbers and plain names, a megabyte each, hold neither of these.
    if "\\" not in text and "\x7f" not in text and text.isascii():
        return text
    plain = _BREAKS.sub(" ", _IN_JSON.sub(lambda found: found[1] or "", text))
    return _UNPAIRED.sub("\N{REPLACEMENT CHARACTER}", plain)


def indented_json(document: Any, **options: Any) -> str:
    """Return a document as indented JSON without raw control characters.

    Args:
        document: Any document that `json.dumps` takes.
        options: Further arguments of `json.dumps`.
    """
    text = json.dumps(document, ensure_ascii=False, indent=2, **options)
    return escape_control_in_json(text)


def escape_control_in_json(text: str) -> str:
    r"""Return JSON of the same meaning with control characters and surrogates escaped.

    >>> escape_control_in_json('"a\x9b31m"')
    '"a\\u009b31m"'

    Args:
        text: As `json.dumps` returns it.
    """
    if text.isascii() and "\x7f" not in text:
        return text
    return _RAW_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
