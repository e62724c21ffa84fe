"""Tar archives as trees, held against what the standard library packs."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError, LimitError, MatrixError
from dpss.storage.archives import tar_headers
from dpss.storage.archives.tar import TarTree, is_tar
from dpss.storage.base import Blob, Tree
from dpss.storage.local import LocalFile
from tests.examples import examples
from tests.unit.storage.blobs import MemoryBlob

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Pack = Callable[[bytes], bytes]
PACKINGS: list[Pack] = [bytes, gzip.compress, bz2.compress, lzma.compress, zstd.compress]
FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]


def pack(files: dict[str, bytes], kind: int = tarfile.GNU_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as file:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            file.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def tree(data: bytes) -> TarTree:
    return TarTree(MemoryBlob("a.tar", data))


def content(blob: Blob) -> bytes:
    with blob.open() as file:
        return file.read()


@pytest.mark.slow
@settings(deadline=None)
@given(
    files=st.dictionaries(st.text("abcä/", min_size=1, max_size=90)
                          .map(lambda s: "x" + s.strip("/")), st.binary(max_size=9000), max_size=5),
    kind=st.sampled_from(FORMATS),
    packing=st.sampled_from(PACKINGS),
    start=st.integers(0, 9000),
    length=st.integers(0, 9000),
)  # fmt: skip
def test_members_come_out_as_they_went_in(files, kind, packing, start, length):
    """Every member has its bytes, whole and by range, plain and compressed, also after a pickle."""
    data = packing(pack(files, kind))
    assert is_tar(MemoryBlob("a", data)) == bool(files)
    archive = pickle.loads(pickle.dumps(tree(data)))
    assert isinstance(archive, Tree)
    if not files:
        return
    assert list(archive.blobs()) == sorted(files)
    for path, blob in archive.blobs().items():
        assert blob.name == path.rpartition("/")[2]
        assert blob.url == f"memory/a.tar!/{path}"
        assert blob.size_bytes == len(files[path])
        assert blob.random_access == (packing is bytes)
        assert content(blob) == files[path]
        assert blob.read_range(start, length) == files[path][start : start + length]


@pytest.mark.slow
@pytest.mark.parametrize("packing", PACKINGS)
def test_large_members_and_long_names(tmp_path: Path, packing: Pack) -> None:
    """Members larger than every buffer, and names longer than a header, in all formats."""
    data = bytes(range(251)) * 9_000
    name = "a/" * 200 + "b"
    for kind in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        (tmp_path / "a.tar").write_bytes(packing(pack({"1": data, name: b"x", "2": data}, kind)))
        blobs = TarTree(LocalFile(tmp_path / "a.tar")).blobs()
        assert list(blobs) == ["1", "2", name]
        with blobs["2"].open() as file:
            assert b"".join(iter(lambda: file.read(100_003), b"")) == data
        assert blobs["1"].read_range(2_000_000, 7) == data[2_000_000:2_000_007]
        assert content(blobs[name]) == b"x"


def test_only_what_is_read_is_decompressed() -> None:
    """To recognise a member of a compressed archive does not go through the archive again."""

    class Counting(MemoryBlob):
        opened = 0

        def open(self) -> io.BytesIO:  # type: ignore[override]
            Counting.opened += 1
            return io.BytesIO(self.data)

    archive = TarTree(Counting("a.tar.gz", gzip.compress(pack({"a": b"1" * 9000, "b": b"2"}))))
    blobs = archive.blobs()
    before = Counting.opened
    assert blobs["a"].read_range(0, 4096) == b"1" * 4096
    with blobs["a"].open() as file:
        assert file.read(10) == b"1" * 10
    assert Counting.opened == before


@pytest.mark.parametrize("path", ["../b", "/b", "a/../../b", "C:\\b"])
def test_path_that_leaves_the_folder_is_refused(path: str) -> None:
    """An archive with such a path is refused as a whole, and named."""
    with pytest.raises(CorruptMatrixError, match=r"memory/a\.tar: refused.*leave its folder"):
        tree(pack({"good": b"", path: b"x"})).blobs()


def test_links_devices_and_clutter_are_left_out() -> None:
    """Links are not followed, devices and folders hold nothing, macOS's files are no data."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)
        for kind in (*kinds, tarfile.DIRTYPE):
            entry = tarfile.TarInfo(f"special{kind!r}")
            entry.type, entry.linkname = kind, "/etc/passwd"
            file.addfile(entry)
    data = buffer.getvalue()[: -len(buffer.getvalue()) % 512 or None].rstrip(b"\0")
    data += b"\0" * (-len(data) % 512)
    more = pack({"./folder/a": b"x", "__MACOSX/._a": b"x", "folder/._a": b"x", ".DS_Store": b"x"})
    assert list(tree(data + more).blobs()) == ["folder/a"]


def header(name: bytes = b"a", size: bytes = b"00000000001", kind: bytes = b"0") -> bytes:
    """Return a header as it stands in a file, with whatever it declares."""
    fields = name.ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2
    fields += size.ljust(12, b"\0") + b"00000000000\0" + b"        " + kind
    fields = (fields.ljust(257, b"\0") + b"ustar\00000").ljust(512, b"\0")
    return fields[:148] + b"%06o\0 " % sum(fields) + fields[156:]


@pytest.mark.slow
@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize(
    "data",
    [
        header(size=b"77777777777") + b"x" * 512,
        header(size=b"\x80" + (1 << 62).to_bytes(11, "big")),
        header(size=b"\xff" + (-512).to_bytes(11, "big", signed=True)),
        header(size=b"\xff" * 12),
        header(b"long", b"77777777777", b"L") + b"x" * 512,
        header(b"pax", b"77777777777", b"x") + b"x" * 512,
        header(b"pax", b"00000000010", b"x") * 3000,
        header() + b"x" * 512 + b"garbage" * 100,
        (header() + b"x" * 512)[:700],
    ],
    ids=["size", "huge", "negative", "minus one", "name", "pax", "nested", "garbage", "cut"],
)
def test_lying_header_is_refused(packing: Pack, data: bytes) -> None:
    """Sizes and names that are wrong or lead backwards: an error, at once, without memory."""
    with pytest.raises(MatrixError, match=r"^memory/a\.tar: "):
        tree(packing(data)).blobs()


def test_sparse_member_is_named() -> None:
    """A file with holes does not lie where its header says."""
    with pytest.raises(MatrixError, match="has holes; pack it without --sparse"):
        tree(header(kind=b"S") + b"x" * 512 + b"\0" * 1024).blobs()


@pytest.mark.parametrize("packing", PACKINGS)
def test_truncated_archive_is_an_error(packing: Pack) -> None:
    """A tar that was not copied to its end says so, or lacks nothing."""
    files = {"b": b"abc" * 1000, "c": b"d" * 600}
    whole = pack(files)
    for cut in range(100, 5500, 311):
        data = packing(whole[:cut]) if packing is bytes else packing(whole)[:cut]
        try:
            found = {path: content(blob) for path, blob in tree(data).blobs().items()}
        except MatrixError as error:
            assert "memory/a.tar" in str(error)
        else:
            assert found == files


@settings(deadline=None, max_examples=examples(200))
@given(at=st.integers(0, 3000), value=st.integers(0, 255), packing=st.sampled_from(PACKINGS[:2]))
def test_changed_byte_is_an_error_or_harmless(at, value, packing):
    """Any changed byte gives the program's own error or other bytes of the same length."""
    data = bytearray(pack({"b": b"abc" * 100, "c": b"d"}))
    data[at % len(data)] = value
    try:
        found = [content(blob) for blob in tree(packing(bytes(data))).blobs().values()]
    except MatrixError as error:
        assert "memory/a.tar" in str(error)
        assert "\n" not in str(error)
    else:
        assert len(found) <= 2


@pytest.mark.parametrize("compress", [bz2.compress, lzma.compress, gzip.compress, zstd.compress])
def test_bomb_is_refused(monkeypatch: pytest.MonkeyPatch, compress: Pack) -> None:
    """What expands as nothing honest does is left alone before it is through."""
    monkeypatch.setattr(tar_headers, "_FREE_BYTES", 1 << 16)
    monkeypatch.setattr(tar_headers, "_MAX_RATIO", 100)
    data = compress(pack({"a": bytes(5_000_000), "b": b"x"}))
    with pytest.raises(LimitError, match=r"a\.tar: expands more than 100-fold"):
        tree(data).blobs()


def test_too_many_members_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of members is bounded, as each needs memory."""
    monkeypatch.setattr(tar_headers, "_MAX_MEMBERS", 3)
    with pytest.raises(LimitError, match="more than 3 members"):
        tree(pack({str(k): b"" for k in range(5)})).blobs()


def test_tar_is_told_by_its_first_header() -> None:
    """Content decides, not the name; also where there is no magic number."""
    old = bytearray(header())
    old[257:265] = bytes(8)
    old[148:156] = b"        "
    old[148:156] = b"%06o\0 " % sum(old)
    assert is_tar(MemoryBlob("a", bytes(old) + bytes(512)))
    assert not is_tar(MemoryBlob("a.tar", b"%%MatrixMarket" * 100))
    assert not is_tar(MemoryBlob("a.tar", bytes(1024)))
    assert not is_tar(MemoryBlob("a.tar", b""))
