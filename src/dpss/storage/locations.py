"""Sources and stores by address: the only module with the schemes of URLs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from dpss.errors import SettingsError, UnreachableError
from dpss.storage.base import Blob, Store, Tree
from dpss.storage.local import LocalFile, LocalFolder, LocalStore

T = TypeVar("T")

Source = Blob | Tree


def _open_http(address: str, networks: frozenset[str] | None) -> Source:
    from dpss.storage.http import Client, HttpBlob

    return HttpBlob(address, Client(networks=networks))


def _find_on_s3(address: str, networks: frozenset[str] | None) -> Source:
    from dpss.storage.s3 import find

    return find(address)


def _open_s3_store(address: str) -> Store:
    from dpss.storage.s3 import S3Store, split_url

    return S3Store(*split_url(address))


SOURCES: dict[str, Callable[[str, frozenset[str] | None], Source]] = {
    "http": _open_http,
    "https": _open_http,
    "s3": _find_on_s3,
}
"""Functions that open a source, by scheme; each imports its library when called."""
STORES: dict[str, Callable[[str], Store]] = {"s3": _open_s3_store}
"""Functions that open a store, by scheme."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(?=//)")


def scheme_of(address: str) -> str:
    """Return the scheme of an address; empty for a path.

    >>> scheme_of("s3://bucket/key"), scheme_of("data/a:b.h5ad")
    ('s3', '')
    """
    found = _SCHEME.match(address)
    return found.group(1).lower() if found else ""


def local_path(address: str) -> Path | None:
    """Return the local path of an address; ``None`` where it isn't local."""
    scheme = scheme_of(address)
    if scheme == "file":
        # Imported here, as it brings a client for HTTP. On Windows the path begins with a drive.
        from urllib.request import url2pathname

        return Path(url2pathname(urlsplit(address).path))
    return None if scheme else Path(address)


def open_source(address: str, networks: frozenset[str] | None = None) -> Source:
    """Open a file or folder to read; nothing is read yet.

    Args:
        address: A path, or an address with a known scheme.
        networks: For HTTP, the kinds of network that the host may be in; ``None`` where the user
            gave it.

    Raises:
        UnreachableError: No file or folder is there, or it is a pipe, socket or device.
        SettingsError: The scheme is not known.
    """
    path = local_path(address)
    if path is None:
        return _opener(SOURCES, address)(address, networks)
    if path.is_dir():
        return LocalFolder(path)
    if not path.exists():
        raise UnreachableError(f"{address}: there is no such file or folder")
    if not path.is_file():
        raise UnreachableError(
            f"{address}: is neither a regular file nor a folder; copy its content to a file first"
        )
    return LocalFile(path)


def open_store(address: str) -> Store:
    """Open an output; nothing is written yet.

    Raises:
        UnreachableError: The path is not a folder.
        SettingsError: The scheme is not known.
    """
    path = local_path(address)
    if path is None:
        return _opener(STORES, address)(address)
    if path.exists() and not path.is_dir():
        raise UnreachableError(f"{address}: is a file; the output must be a folder")
    return LocalStore(path)


def _opener(known: dict[str, T], address: str) -> T:
    scheme = scheme_of(address)
    if scheme not in known:
        schemes = ", ".join(f"{name}://" for name in ("file", *sorted(known)))
        raise SettingsError(f"{address}: can't open {scheme}://; use a path or one of {schemes}")
    return known[scheme]
