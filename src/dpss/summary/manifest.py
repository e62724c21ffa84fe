"""Manifests: the size and the checksum of each file of a publication.

``summary.json`` holds the manifest of its matrix's files. A file that differs from its entry
belongs to another publication: the matrix is being replaced, or its replacement was cut short.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from dpss.errors import plural


@dataclass(frozen=True)
class FileEntry:
    """Size and checksum of one file."""

    size_bytes: int
    sha256: str
    """SHA-256 checksum of the bytes, in hexadecimal."""

    def matches(self, data: bytes) -> bool:
        """Return whether bytes have the listed size and checksum."""
        return len(data) == self.size_bytes and sha256_of(data) == self.sha256


Manifest = Mapping[str, FileEntry]
"""Entries by file name."""
NOTHING: Manifest = MappingProxyType({})
"""The manifest of no files."""


def sha256_of(data: bytes) -> str:
    """Return the SHA-256 checksum in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def manifest_of(files: Mapping[str, bytes], more: Manifest = NOTHING) -> dict[str, FileEntry]:
    """Return the manifest of files, sorted by name.

    >>> manifest_of({"a.txt": b"1"})["a.txt"].size_bytes
    1

    Args:
        files: Files by name.
        more: Entries of others.
    """
    found = {name: FileEntry(len(data), sha256_of(data)) for name, data in files.items()}
    return dict(sorted({**found, **more}.items()))


def manifest_document(manifest: Manifest) -> dict[str, Any]:
    """Return a manifest as a JSON object: ``size_bytes`` and ``sha256`` by file name."""
    return {name: asdict(entry) for name, entry in manifest.items()}


def parse_manifest(document: Any) -> dict[str, FileEntry]:
    """Read a manifest from its JSON object.

    Raises:
        ValueError: The object is not a manifest.
    """
    try:
        return {
            str(name): FileEntry(int(entry["size_bytes"]), str(entry["sha256"]))
            for name, entry in document.items()
        }
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("has no list of its files") from error


def first_mismatch(manifest: Manifest, folder: str, sizes: Mapping[str, int]) -> str:
    """Return the first listed file that is missing or has another size, in words.

    >>> first_mismatch(manifest_of({"a.txt": b"1"}), "p/m", {"p/m/a.txt": 2})
    'a.txt has 2 bytes, listed are 1'

    Args:
        manifest: Entries by file name.
        folder: Key of the folder of the files.
        sizes: Size in bytes of all files of the store, by key.

    Returns:
        The words; an empty string if all listed files are present with their sizes.
    """
    for name, entry in manifest.items():
        found = sizes.get(f"{folder}/{name}")
        if found is None:
            return f"{name} is missing"
        if found != entry.size_bytes:
            return f"{name} has {plural(found, 'byte')}, listed are {entry.size_bytes}"
    return ""
