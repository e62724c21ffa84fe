"""One module decides how a source is read, and few layers stand below a decoder."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.storage.access import in_place, is_copied, is_private, open_access, open_seekable
from dpss.storage.archives.tar import TarTree
from dpss.storage.archives.zip import ZipTree
from dpss.storage.base import Blob
from dpss.storage.compression import find_compression, open_decompressed
from dpss.storage.local import LocalFile, LocalFolder
from dpss.storage.paging.file import PagedBlob, PagedTree
from dpss.storage.scratch import Scratch
from tests.unit.storage.blobs import MemoryBlob, MemoryTree

TEXT = b"gene,A,B\nACTB,1,2\n"
MAX_LAYERS = 4


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_a_remote_file_is_copied_for_three_reasons(
    ranges: bool, fits: bool, whole: bool, checked: bool
) -> None:
    """Its reader needs it whole, a checksum, or no ranges; for the latter two if there is room."""
    blob = MemoryBlob("m", b"x", random_access=ranges)
    copied = is_copied(blob, lambda _: fits, whole=whole, checked=checked)
    assert copied == (whole or (fits and (checked or not ranges)))


@pytest.mark.parametrize("whole", [False, True])
def test_local_files_and_folders_are_never_copied(whole: bool, tmp_path: Path) -> None:
    """Neither are remote folders, whose files are many."""
    for source in (LocalFile(tmp_path / "m"), LocalFolder(tmp_path), MemoryTree()):
        assert not is_copied(source, lambda _: True, whole=whole, checked=True)


def test_how_a_source_is_read_where_it_is() -> None:
    """Local: as it is. Remote: in pages, once. A stream: as it is."""
    local, stream = LocalFile(Path("m")), MemoryBlob("m", b"x", random_access=False)
    far = in_place(MemoryBlob("m", b"x"))
    assert in_place(local) is local
    assert in_place(stream) is stream
    assert isinstance(far, PagedBlob)
    assert in_place(far) is far
    assert isinstance(in_place(MemoryTree()), PagedTree)


def test_a_copy_is_private_and_gone_with_its_context(tmp_path: Path) -> None:
    """Only this machine can read it, under the address that it had."""
    blob = MemoryBlob("m.csv", TEXT, random_access=False)
    with Scratch(1000, tmp_path) as scratch:
        with open_access(blob, scratch) as copy:
            assert is_private(copy)
            assert not is_private(blob)
            assert (copy.name, copy.url) == (blob.name, blob.url)
            assert isinstance(copy, LocalFile)
            assert copy.read_range(0, 99) == TEXT
        assert not copy.path.exists()
        with open_access(MemoryBlob("m", bytes(2000), random_access=False), scratch) as same:
            assert not is_private(same)


def test_a_seekable_blob_is_itself_or_a_copy(tmp_path: Path) -> None:
    """A compressed one is decompressed on the way."""
    plain = MemoryBlob("m", TEXT)
    packed = MemoryBlob("m.gz", gzip.compress(TEXT))
    with Scratch(1000, tmp_path) as scratch, ExitStack() as stack:
        assert stack.enter_context(open_seekable(plain, scratch.hold)) is plain
        copy = stack.enter_context(open_seekable(packed, scratch.hold, packed=True))
        assert copy.read_range(0, 99) == TEXT


def layers_below(blob: Blob) -> int:
    """Count the objects that a byte of a blob passes, decompression included."""
    n = int(find_compression(blob.read_range(0, 8)) is not None)
    inner: object = blob
    while inner is not None:
        n += 1
        inner = getattr(inner, "archive", None) or getattr(inner, "inner", None)
    return n


def remote_blobs() -> dict[str, tuple[Blob, int]]:
    """Return a remote file of each kind, with the number of layers that the documents name."""
    name, data = "m.csv.gz", gzip.compress(TEXT)
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as file:
        file.writestr(name, data)
    with tarfile.open(fileobj=tarred, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    far = {kind: in_place(MemoryBlob("m", content)) for kind, content in (
        ("plain", TEXT), ("gz", data), ("zip", zipped.getvalue()), ("tar", tarred.getvalue()),
    )}  # fmt: skip
    blobs = {kind: source for kind, source in far.items() if isinstance(source, Blob)}
    return {
        "plain": (blobs["plain"], 2),
        "gz": (blobs["gz"], 3),
        "zip": (ZipTree(blobs["zip"]).blobs()[name], 4),
        "tar": (TarTree(blobs["tar"]).blobs()[name], 4),
    }


@pytest.mark.parametrize("kind", ["plain", "gz", "zip", "tar"])
def test_few_layers_stand_between_a_socket_and_a_decoder(kind: str) -> None:
    """The architecture page has the same numbers; the bytes come out."""
    blob, n_layers = remote_blobs()[kind]
    assert layers_below(blob) == n_layers <= MAX_LAYERS
    with open_decompressed(blob) as file:
        assert file.read() == TEXT
