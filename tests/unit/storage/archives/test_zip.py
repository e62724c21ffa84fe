"""Zip archives as trees."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError, LimitError, MatrixError, UnknownFormatError, plural
from dpss.storage.archives.zip import ZipTree, is_zip
from dpss.storage.base import Blob, Tree
from dpss.storage.local import LocalFile
from tests.unit.storage.blobs import MemoryBlob

METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2]


def pack(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, data in files.items():
            file.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


def tree(data: bytes) -> ZipTree:
    return ZipTree(MemoryBlob("a.zip", data))


def content(blob: Blob) -> bytes:
    with blob.open() as file:
        return file.read()


@settings(deadline=None)
@given(
    files=st.dictionaries(st.text("abc/", min_size=1).map(lambda s: "x" + s.rstrip("/")),
                          st.binary(max_size=3000), max_size=4),
    method=st.sampled_from(METHODS),
    start=st.integers(0, 3000),
    length=st.integers(0, 3000),
)  # fmt: skip
def test_members_come_out_as_they_went_in(
    files: dict[str, bytes], method: int, start: int, length: int
) -> None:
    """Every member has its bytes, whole and by range, also after a pickle."""
    archive = pickle.loads(pickle.dumps(tree(pack(files, method))))
    assert isinstance(archive, Tree)
    assert list(archive.blobs()) == sorted(files)
    for path, blob in archive.blobs().items():
        assert blob.name == path.rpartition("/")[2]
        assert blob.url == f"memory/a.zip!/{path}"
        assert blob.size_bytes == len(files[path])
        assert blob.random_access == (method == zipfile.ZIP_STORED)
        assert content(blob) == files[path]
        assert blob.read_range(start, length) == files[path][start : start + length]


def test_large_member_streams_in_pieces(tmp_path: Path) -> None:
    """A member larger than every buffer comes out right, from a file on disk."""
    data = bytes(range(251)) * 50_000
    (tmp_path / "a.zip").write_bytes(pack({"d/b": data}))
    blob = ZipTree(LocalFile(tmp_path / "a.zip")).blobs()["d/b"]
    with blob.open() as file:
        assert b"".join(iter(lambda: file.read(100_003), b"")) == data
    assert blob.read_range(12_000_000, 7) == data[12_000_000:12_000_007]


def test_archive_within_an_archive() -> None:
    """A stored zip within a zip is read in place; a deflated one says why it can't be."""
    inner = pack({"b": b"content"})
    outer = tree(pack({"inner.zip": inner}, zipfile.ZIP_STORED))
    assert content(ZipTree(outer.blobs()["inner.zip"]).blobs()["b"]) == b"content"
    with pytest.raises(LimitError, match=r"inner\.zip: a zip archive within a stream"):
        ZipTree(tree(pack({"inner.zip": inner})).blobs()["inner.zip"]).blobs()


@pytest.mark.parametrize("path", ["../b", "/b", "a/../../b", "..\\b", "C:\\b", "\\b", "a/.."])
def test_path_that_leaves_the_folder_is_refused(path: str) -> None:
    """An archive with such a path is refused as a whole, and named."""
    with pytest.raises(CorruptMatrixError, match=r"memory/a\.zip: refused.*leave its folder"):
        tree(pack({"good": b"", path: b"x"})).blobs()


def test_links_folders_and_clutter_are_left_out() -> None:
    """Links are not followed, folders hold nothing, macOS's files are no data."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
        file.mkdir("folder")
        for name in ("folder/a", "__MACOSX/folder/._a", "folder/._a", ".DS_Store"):
            file.writestr(name, "x")
    assert list(tree(buffer.getvalue()).blobs()) == ["folder/a"]


def test_of_two_members_with_the_same_path_the_last_counts() -> None:
    """As every other program that unpacks has it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a", "first")
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("a", "second")
    (blob,) = tree(buffer.getvalue()).blobs().values()
    assert content(blob) == b"second"


def patch_sizes(data: bytes, size: int, crc: int | None = None) -> bytes:
    """Let the only member declare another size, in the table of contents."""
    at = data.rindex(b"PK\x01\x02")
    changed = bytearray(data)
    struct.pack_into("<L", changed, at + 24, size)
    if crc is not None:
        struct.pack_into("<L", changed, at + 16, crc)
    return bytes(changed)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("declared", [0, 1, 99_999])
def test_member_that_expands_beyond_its_size_is_refused(method: int, declared: int) -> None:
    """A bomb ends at the size that it declares, whatever its checksum says."""
    packed = pack({"b": b"0" * 100_000}, method)
    data = patch_sizes(packed, declared, zipfile.crc32(b"0" * declared))
    with pytest.raises(
        CorruptMatrixError, match=f"b: expands beyond the {plural(declared, 'byte')}"
    ):
        content(tree(data).blobs()["b"])


@pytest.mark.parametrize("method", METHODS)
def test_member_that_ends_early_is_refused(method: int) -> None:
    """A member shorter than it declares is damaged."""
    data = patch_sizes(pack({"b": b"0123456789" * 10}, method), 150)
    with pytest.raises(CorruptMatrixError, match="b: ends 50 bytes before"):
        content(tree(data).blobs()["b"])


def test_wrong_checksum_is_refused() -> None:
    """A member is held against its checksum."""
    data = patch_sizes(pack({"b": b"abc"}), 3, crc=1)
    with pytest.raises(CorruptMatrixError, match="b: its checksum is wrong"):
        content(tree(data).blobs()["b"])


def test_encrypted_member_is_refused() -> None:
    """An encrypted member is named."""
    data = bytearray(pack({"b": b"abc"}))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(CorruptMatrixError, match="b: is encrypted"):
        content(tree(bytes(data)).blobs()["b"])


def test_unknown_method_says_what_to_do() -> None:
    """A method that isn't read is named by its number."""
    data = pack({"b": b"abc"}, zipfile.ZIP_LZMA)
    with pytest.raises(UnknownFormatError, match=r"method 14.*deflate instead"):
        content(tree(data).blobs()["b"])


@settings(deadline=None)
@given(cut=st.integers(0, 10_000))
def test_truncated_archive_is_an_error(cut: int) -> None:
    """A zip that was not copied to its end says so."""
    data = pack({"b": b"abc" * 100, "c": b"d"})
    with pytest.raises(CorruptMatrixError, match=r"memory/a\.zip: not a whole zip file"):
        tree(data[: cut % len(data)]).blobs()


@settings(deadline=None)
@given(at=st.integers(0), value=st.integers(0, 255))
def test_changed_byte_is_an_error_or_harmless(at: int, value: int) -> None:
    """Any changed byte gives the program's own error or, in a name or time, no harm."""
    data = bytearray(pack({"b": b"abc" * 100, "c": b"d"}))
    data[at % len(data)] = value
    try:
        found = [content(blob) for blob in tree(bytes(data)).blobs().values()]
    except MatrixError as error:
        assert "memory/a.zip" in str(error)
    else:
        assert set(found) <= {b"abc" * 100, b"d"}


def test_huge_table_of_contents_is_refused() -> None:
    """A table of contents beyond 64 MiB is not loaded."""
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 80 << 20, 0, 0)
    with pytest.raises(LimitError, match="table of contents is larger than 64 MiB"):
        tree(bytes(80 << 20) + end).blobs()


def test_zip_is_told_by_its_first_bytes() -> None:
    """Content decides, not the name."""
    assert is_zip(MemoryBlob("a.txt", pack({"b": b""})))
    assert is_zip(MemoryBlob("a.txt", pack({})))
    assert not is_zip(MemoryBlob("a.zip", b"%%MatrixMarket"))
