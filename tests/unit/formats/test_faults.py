"""No exception outside of the tree `dpss.errors` leaves a reader, whatever a library raises."""

from __future__ import annotations

import errno
import inspect
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.errors import (
    CorruptMatrixError,
    DpssError,
    FetchError,
    LimitError,
    MatrixError,
    NoCountsError,
    NotCellMajorError,
    OutOfMemoryError,
    ReaderFaultError,
)
from dpss.formats import registry
from dpss.formats.faults import guard_blocks, reader_faults
from dpss.formats.hdf5 import reader
from dpss.storage.local import LocalFile
from tests.summarise import summarise
from tests.unit.small import counts, write_h5ad_csr

BUILTIN = sorted(
    (
        each
        for each in vars(__import__("builtins")).values()
        if inspect.isclass(each)
        and issubclass(each, Exception)
        and not issubclass(each, (Warning, StopIteration, StopAsyncIteration, UnicodeError))
        and each.__name__ not in ("ExceptionGroup", "BaseExceptionGroup")
    ),
    key=lambda each: each.__name__,
)


@pytest.mark.slow
@given(st.sampled_from(BUILTIN), st.text(max_size=300))
def test_every_builtin_exception_becomes_one_of_the_tree(kind: type[Exception], text: str) -> None:
    """The message is one line with the place; the cause is chained."""
    with pytest.raises(MatrixError) as caught, reader_faults("a.h5ad"):
        raise kind(text)
    assert str(caught.value).startswith("a.h5ad: ")
    assert len(str(caught.value).splitlines()) == 1
    assert isinstance(caught.value.__cause__, kind)


@pytest.mark.parametrize(
    ("raised", "expected", "message"),
    [
        (KeyError("indptr"), ReaderFaultError, "can't be decoded .KeyError: 'indptr'."),
        (zlib.error("Error -3"), ReaderFaultError, "zlib|error"),
        (OSError("Can't read data"), ReaderFaultError, "Can't read data"),
        (OSError(errno.EIO, "Input/output error", "m.h5ad"), FetchError, "error .m.h5ad."),
        (MemoryError(), OutOfMemoryError, "out of memory; try --threads 1"),
        (IndexError(), ReaderFaultError, "without a message"),
    ],
    ids=repr,
)
def test_the_error_says_what_happened(
    raised: Exception, expected: type[DpssError], message: str
) -> None:
    """Damage, the operating system's faults and a lack of memory are told apart."""
    with pytest.raises(expected, match=message), reader_faults("a.h5ad"):
        raise raised


@pytest.mark.parametrize(
    "error",
    [CorruptMatrixError("a"), NoCountsError("b"), NotCellMajorError("c"), LimitError("d")],
    ids=repr,
)
def test_the_errors_of_the_tree_stay_as_they_are(error: DpssError) -> None:
    """What a reader explains itself is not explained again."""
    with pytest.raises(type(error)) as caught, reader_faults("a.h5ad"):
        raise error
    assert caught.value is error


def test_what_the_caller_raises_is_not_the_readers() -> None:
    """An exception of the code that takes the blocks passes unchanged."""
    blocks = guard_blocks(lambda: iter(range(3)), "X")
    with pytest.raises(KeyError):
        for _ in blocks:
            raise KeyError("mine")


@pytest.mark.parametrize("method", ["partitions", "cell_blocks"])
def test_a_layer_that_fails_refuses_its_matrix(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the samples to the last block, with a word."""
    path = tmp_path / "a.h5ad"
    write_h5ad_csr(path, counts(0, 30, 8))
    (matrix,) = registry.open_matrices(LocalFile(path))

    def fail(*_: object) -> Iterator[object]:
        raise IndexError("list index out of range")

    monkeypatch.setattr(type(matrix.layers[0]), method, fail)
    with pytest.raises(ReaderFaultError, match=r"X: the bytes can't be decoded \(IndexError"):
        summarise(path)


def test_a_format_that_fails_refuses_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So does one that fails while it opens a file."""
    path = tmp_path / "a.h5ad"
    write_h5ad_csr(path, counts(0, 30, 8))

    def fail(*_: object) -> bool:
        raise TypeError("'NoneType' object is not iterable")

    monkeypatch.setattr(reader, "check_heaps_of_attributes", fail)
    with pytest.raises(ReaderFaultError, match=r"a\.h5ad: .* decoded \(TypeError"):
        summarise(path)
