"""Streams that return bytes piece by piece."""

from __future__ import annotations

import io
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.storage.stream import PieceStream


class _Pieces(PieceStream):
    """A stream of given pieces, each cut to the bytes that are asked for."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = [piece for piece in pieces if piece]

    def read_piece(self, n_bytes: int) -> bytes:
        if not self._pieces:
            return b""
        piece = self._pieces.pop(0)
        if len(piece) > n_bytes:
            self._pieces.insert(0, piece[n_bytes:])
        return piece[:n_bytes]


@pytest.mark.parametrize("pieces", [[], [b"abc"], [b"a", b"bc", b"d" * 99]])
def test_pieces_are_joined(pieces: list[bytes]) -> None:
    """A stream is readable, and all its bytes come in their order."""
    stream = _Pieces(pieces)
    assert stream.readable()
    assert stream.read() == b"".join(pieces)


@given(st.lists(st.binary(max_size=20), max_size=8), st.integers(1, 16))
def test_a_buffer_before_it_gives_the_same_bytes(pieces: list[bytes], size: int) -> None:
    """Behind a buffer of any size the bytes are those of the pieces."""
    file = io.BufferedReader(_Pieces(pieces), size)
    assert file.read() == b"".join(pieces)


def test_a_buffer_of_wider_items_is_filled_byte_by_byte() -> None:
    """A buffer of numbers takes as many bytes as it has room for."""
    numbers = memoryview(bytearray(8)).cast("I")
    assert _Pieces([b"abcdefgh"]).readinto(cast("bytearray", numbers)) == 8
    assert numbers.tobytes() == b"abcdefgh"
