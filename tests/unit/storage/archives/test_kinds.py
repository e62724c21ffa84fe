"""Archives are told by their first bytes, and opened as trees of their members."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable

import pytest

from dpss.storage.archives import as_tree, is_archive, open_archive
from dpss.storage.base import Tree
from tests.unit.storage.blobs import MemoryBlob

MEMBERS = {"a.txt": b"one", "folder/b.txt": b"two"}


def zipped() -> bytes:
    """A zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in MEMBERS.items():
            file.writestr(name, data)
    return buffer.getvalue()


def tarred() -> bytes:
    """A tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        for name, data in MEMBERS.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@pytest.mark.parametrize("make", [zipped, tarred, lambda: gzip.compress(tarred())])
def test_an_archive_is_opened(make: Callable[[], bytes]) -> None:
    """Zip, tar and compressed tar, with the bytes of each member."""
    blob = MemoryBlob("file", make())
    assert is_archive(blob)
    blobs = open_archive(blob).blobs()
    assert {path: each.open().read() for path, each in blobs.items()} == MEMBERS


def test_only_a_zip_is_taken_as_a_tree() -> None:
    """A tar can hold many matrices, of which each is opened by itself; a tree stays as it is."""
    tree = as_tree(MemoryBlob("file", zipped()))
    assert isinstance(tree, Tree)
    assert as_tree(tree) is tree
    for data in (tarred(), b"text"):
        other = MemoryBlob("file", data)
        assert as_tree(other) is other
    assert not is_archive(MemoryBlob("file", b"text"))
