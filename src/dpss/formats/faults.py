"""Conversion of exceptions on damaged bytes into errors of `dpss.errors`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from dpss.errors import DpssError, FetchError, OutOfMemoryError, ReaderFaultError

T = TypeVar("T")
_REASON_LENGTH = 120


@contextmanager
def reader_faults(place: str) -> Iterator[None]:
    """Convert each exception of a reader into an error of `dpss.errors`.

    Readers raise errors of `dpss.errors` for known damage. Libraries may raise any exception on
    damaged bytes, as may a bug in a reader. The original exception is chained; ``--debug`` shows
    it.

    Args:
        place: Address of the file, or name of the layer, for the message.

    Raises:
        ReaderFaultError: A library or the reader failed on the file's bytes.
        FetchError: The operating system could not read the file.
        OutOfMemoryError: Memory could not be allocated.
    """
    try:
        yield
    except DpssError:
        raise
    except MemoryError as error:
        raise OutOfMemoryError(
            f"{place}: out of memory; try --threads 1, or a machine with more"
        ) from error
    except OSError as error:
        if error.errno is None:
            raise _fault_error(place, error) from error
        raise FetchError(
            f"{place}: {error.strerror} ({error.filename or type(error).__name__})"
        ) from error
    except Exception as error:
        raise _fault_error(place, error) from error


def guard_blocks(read: Callable[[], Iterator[T]], place: str) -> Iterator[T]:
    """Yield a reader's blocks; convert its exceptions into errors of `dpss.errors`.

    Args:
        read: Returns an iterator over the blocks.
        place: Name of the layer, for the message.

    Raises:
        MatrixError: As in `reader_faults`.
    """
    with reader_faults(place):
        yield from read()


def reason_of(error: BaseException, otherwise: str = "") -> str:
    """Return the beginning of an error's message, else ``otherwise`` or its class."""
    lines = str(error).splitlines()
    return lines[0][:_REASON_LENGTH] if lines else otherwise or type(error).__name__


def _fault_error(place: str, error: Exception) -> ReaderFaultError:
    reason = reason_of(error, "without a message")
    return ReaderFaultError(
        f"{place}: the bytes can't be decoded ({type(error).__name__}: {reason}): the file is "
        "damaged, or the reader has a fault; --debug shows where"
    )
