"""Names of files and folders: safe in a path and in an address, and unique."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

RESERVED = frozenset({"index.html", "index.json", "genes.html", "multiqc", "runs"})
"""Names of other files and folders at the top of an output. (No safe name begins with ``_``.)"""

_DEVICES = frozenset(
    ("con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)))
)
"""Names of devices, which Windows gives no file, whatever follows their first dot."""
_MAX_BYTES = 120
_UNSAFE = re.compile(r"[^\w.+-]+")


def safe_name(text: str) -> str:
    """Convert any text to a name that is safe as one part of a path, on every system.

    >>> safe_name("Ischaemia: 4°C / 24 h"), safe_name("../../etc"), safe_name("runs")
    ('Ischaemia_4_C_24_h', 'etc', 'runs-')
    >>> safe_name("aux"), safe_name("con.2")
    ('aux-', 'con-.2')
    """
    name = _UNSAFE.sub("_", unicodedata.normalize("NFC", text)).strip("_").lstrip("._-")
    name = name.encode()[:_MAX_BYTES].decode(errors="ignore").rstrip(".") or "unnamed"
    stem, dot, rest = name.partition(".")
    if stem.casefold() in _DEVICES:
        return f"{stem}-{dot}{rest}"
    return f"{name}-" if name.casefold() in RESERVED else name


def key_path(key: str) -> PurePosixPath:
    """Return a store's key as a relative path.

    Raises:
        ValueError: The key is absolute, empty, or has a ``..`` part or a backslash.
    """
    path = PurePosixPath(key)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in key:
        raise ValueError(f"{key!r} is not a key within the store")
    return path


def unique_names(texts: Iterable[str]) -> list[str]:
    """Return a safe name for each text, unique also if case is ignored.

    >>> unique_names(["heart", "Heart", "heart?"])
    ['heart', 'Heart-2', 'heart-3']
    """
    taken: set[str] = set()
    found = []
    for text in texts:
        name = first = safe_name(text)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{first}-{number}"
        taken.add(name.casefold())
        found.append(name)
    return found


def is_clutter(path: str) -> bool:
    """Return whether macOS added a path: ``__MACOSX``, ``._*``, ``.DS_Store``."""
    parts = path.split("/")
    return "__MACOSX" in parts or parts[-1].startswith("._") or parts[-1] == ".DS_Store"
