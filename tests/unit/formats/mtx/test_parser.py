"""The numbers of MatrixMarket files: what is read is what `float` would read."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError
from dpss.formats.mtx import reader as mtx
from tests.unit.storage.blobs import MemoryBlob

NUMBERS = st.one_of(
    st.floats(allow_nan=False).map(repr),
    st.floats(allow_nan=False).map(lambda x: f"{x:.17g}"),
    st.floats(-1e6, 1e6).map(lambda x: f"{x:.3f}"),
    st.integers(-(10**25), 10**25).map(str),
    st.integers(0, 10**9).map(lambda n: f"{n}.0"),
    st.from_regex(r"[+-]?[0-9]{1,24}(\.[0-9]{0,24})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.from_regex(r"[+-]?\.[0-9]{1,24}([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.sampled_from(["nan", "NaN", "inf", "-inf", "Infinity", "1e400", "1e-400", "4.9e-324"]),
)


def read(tokens: list[str], field: str = "real", chunk_bytes: int = 1 << 12) -> list[float]:
    """Read tokens as the values of a matrix with one row."""
    lines = [f"%%MatrixMarket matrix coordinate {field} general", f"1 {len(tokens)} {len(tokens)}"]
    lines += [f"1 {k} {token}" for k, token in enumerate(tokens, 1)]
    blob = MemoryBlob("a.mtx", ("\n".join(lines) + "\n").encode())
    (matrix,) = mtx.open_(blob)
    layer = replace(matrix.layers[0], chunk_bytes=chunk_bytes)
    blocks = [block.data.copy() for block in layer.entry_blocks(range(layer.n_cells), 1 << 20)]
    return np.concatenate(blocks).tolist()


def same(found: list[float], tokens: list[str]) -> bool:
    """Compare bit for bit, NaN with NaN."""
    expected = np.array([float(token) for token in tokens])
    return np.array(found, dtype=float).tobytes() == expected.tobytes()


@pytest.mark.slow
@settings(deadline=None)
@given(tokens=st.lists(NUMBERS, min_size=1, max_size=50))
@example(
    tokens=["18446744073709551616", "9007199254740993", "0.1", "5e-324", "00000000000000000001"]
)
def test_reals_are_read_as_python_reads_them(tokens: list[str]) -> None:
    """Every decimal number becomes the double next to it, bit for bit."""
    assert same(read(tokens), tokens)


def test_doubles_survive_being_written() -> None:
    """100,000 doubles of all sizes, written by repr and in 15 to 19 digits, come back."""
    rng = random.Random(1)
    values = [rng.uniform(1, 10) * 10.0 ** rng.uniform(-80, 60) for _ in range(50_000)]
    values += [rng.lognormvariate(0, 2) for _ in range(50_000)]
    tokens = [repr(x) if k % 2 else f"{x:.{14 + k % 5}e}" for k, x in enumerate(values)]
    assert same(read(tokens, chunk_bytes=1 << 16), tokens)


def test_ties_go_to_the_even_double() -> None:
    """A decimal exactly between two doubles is rounded to the even one."""
    rng = random.Random(2)
    tokens = []
    for _ in range(20_000):
        odd = 2 * rng.randrange(2**52, 2**53) + 1
        tokens += [str(odd), f"{odd * 5}e-1", f"{odd}e0"]
    assert same(read(tokens, chunk_bytes=1 << 16), tokens)


@settings(deadline=None)
@given(values=st.lists(st.integers(-(2**31) + 1, 2**31 - 1), min_size=1, max_size=50))
def test_integers_are_read_exactly(values: list[int]) -> None:
    """A file of integers gives integers."""
    assert read([str(value) for value in values], "integer") == values


@pytest.mark.slow
@settings(deadline=None)
@given(tokens=st.lists(NUMBERS, min_size=1, max_size=20))
def test_integer_head_is_not_believed(tokens: list[str]) -> None:
    """Files that call themselves integer and hold other numbers are read as they are.

    But for the sign of zero, which no integer has.
    """
    unsigned = ["0" if float(token) == 0 else token for token in tokens]
    assert same([value or 0.0 for value in read(tokens, "integer")], unsigned)


def test_thousands_of_odd_tokens_are_read() -> None:
    """More odd tokens than there is room to note at a time: all are read."""
    tokens = ["nan", "1.5", "inf", "123456789012345678901234567890"] * 3000
    assert same(read(tokens, chunk_bytes=1 << 20), tokens)


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "1x",
        "1_000",
        "--1",
        "1e",
        "e5",
        ".",
        "-",
        "+",
        "1.2.3",
        "0x10",
        "1,5",
        "NA",
        "\uff11",
        "\0",
    ],
)
@pytest.mark.parametrize("field", ["real", "integer", "float", "int32"])
def test_what_is_no_number_is_an_error(token: str, field: str) -> None:
    """The file, the line and the token are named."""
    with pytest.raises(CorruptMatrixError, match=r"a\.mtx: line 4: .* is no number"):
        read(["1", token, "2"], field)
