"""Streams that decompress by content."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import sys
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError, MatrixError
from dpss.storage.compression import find_compression, open_decompressed, peek
from tests.unit.storage.blobs import MemoryBlob

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

COMPRESS = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd.compress,
}


def read(data: bytes) -> bytes:
    with open_decompressed(MemoryBlob("a.txt", data)) as file:
        return file.read()


@pytest.mark.slow
@pytest.mark.parametrize("compression", [None, *COMPRESS])
@settings(deadline=None)
@given(data=st.binary(max_size=5000))
def test_content_comes_out_whatever_the_compression(compression: str | None, data: bytes) -> None:
    """What was compressed comes out again, told by content: the name says nothing."""
    if compression is None:
        assert find_compression(data) is not None or read(data) == data
    else:
        packed = COMPRESS[compression](data)
        assert find_compression(packed) == compression
        assert read(packed) == data


@settings(deadline=None)
@given(parts=st.lists(st.binary(max_size=2000), min_size=1, max_size=5))
def test_gzip_members_follow_each_other(parts: list[bytes]) -> None:
    """Several gzip members in one file (bgzip, cat a.gz b.gz) are one content."""
    assert read(b"".join(gzip.compress(part) for part in parts)) == b"".join(parts)


@settings(deadline=None)
@given(data=st.binary(min_size=1, max_size=2000), cut=st.integers(0, 10_000))
def test_cut_off_gzip_is_an_error(data: bytes, cut: int) -> None:
    """A gzip file that was not copied to its end is never taken for a shorter one."""
    packed = gzip.compress(data)
    cut = 2 + cut % (len(packed) - 2)
    with pytest.raises(CorruptMatrixError, match=r"memory/a\.txt: ends in the middle of its gzip"):
        read(packed[:cut])


@settings(deadline=None)
@given(data=st.binary(min_size=1, max_size=2000), at=st.integers(0), bit=st.integers(0, 7))
def test_flipped_bit_is_an_error_or_harmless(data: bytes, at: int, bit: int) -> None:
    """A flipped bit gives one of the program's errors or the same content, nothing else."""
    packed = bytearray(gzip.compress(data))
    packed[at % len(packed)] ^= 1 << bit
    blob = MemoryBlob("a.txt", bytes(packed))
    try:
        with open_decompressed(blob) as file:
            content = file.read()
    except MatrixError as error:
        assert "memory/a.txt" in str(error)
    else:
        assert content in (data, bytes(packed))


def test_wrong_checksum_is_an_error() -> None:
    """A gzip file whose checksum is wrong is refused."""
    packed = bytearray(gzip.compress(b"abc" * 1000))
    packed[-8] ^= 1
    with pytest.raises(CorruptMatrixError, match="damaged gzip data"):
        read(bytes(packed))


def test_peek_gives_what_stands_before_the_damage() -> None:
    """The first bytes of a damaged file can still be looked at."""
    content = random.Random(1).randbytes(200_000).hex().encode()
    packed = gzip.compress(content)
    assert peek(MemoryBlob("a", packed[:100_000]), 100) == content[:100]
    assert peek(MemoryBlob("a", packed[:5]), 100) == b""
    assert peek(MemoryBlob("a", b"ab"), 100) == b"ab"


@pytest.mark.slow
def test_bomb_is_read_in_small_pieces() -> None:
    """A gigabyte of zeros in a megabyte comes out piece by piece, never whole."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = bytes(1 << 20)
    packed = b"".join(compressor.compress(piece) for _ in range(64)) + compressor.flush()
    n = 0
    with open_decompressed(MemoryBlob("a", packed)) as file:
        while part := file.read(1 << 16):
            assert len(part) <= 1 << 16
            n += len(part)
    assert n == 64 << 20
