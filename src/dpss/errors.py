"""All errors that this program raises on purpose, in one tree.

::

    DpssError
    ├── SettingsError (ValueError)          an option or variable is wrong            exit 2
    ├── UnreachableError (OSError)          a source or an output can't be reached    exit 2
    ├── RequestError                        a request over HTTP failed
    │   └── TransientRequestError           a later attempt may succeed
    ├── MissingExtraError (ImportError)     a library that an extra brings is missing
    ├── ReplacedError (ValueError)          a published file is not the one listed
    └── MatrixError (ValueError)            one matrix can't be summarised            exit 1
        ├── UnknownFormatError              no reader knows these bytes
        ├── CorruptMatrixError              the bytes contradict themselves
        │   ├── ReaderFaultError            a reader failed where it should have named the damage
        │   └── ChunkError                  a chunk of an array can't be decoded
        ├── ColumnError                     a column of a data frame can't be read
        ├── NotCellMajorError               values stand in another order than the first
        ├── LostCopyError                   a copy in scratch space is gone: the file is read again
        ├── OtherFileError                  reading it would mean reading another file
        ├── FetchError                      the bytes can't be had from where they are
        ├── SeveralMatricesError            there are several where one sample is expected
        ├── NoMatrixError                   well-formed, but there is no matrix in it
        ├── NoCountsError                   nothing but scaled values, roots: a skip, no failure
        ├── NoEmbeddingError                its cells can't be embedded: figures left out
        ├── NoStrataError                   its cells can't be put into strata as asked
        ├── LostError                       the process that read it was lost
        └── LimitError                      would need more memory or scratch than allowed
            ├── NeedsWholeError             can't be read where it is: to be fetched whole
            └── OutOfMemoryError (MemoryError)  memory could not be allocated

Two errors are not in this tree: `dpss.job.stop.Interrupted`, as no handler of failures may catch a
signal, and the one that passes through urllib3 (`dpss.storage.http.connections`).

Each message says what is wrong, with which value, and what to do next where
something can be done. An error is caught once, at the edge (``dpss.cli.entry`` for a command,
``dpss.job.run`` for one matrix of many).
"""

from __future__ import annotations

from typing import Any


class DpssError(Exception):
    """Base of all errors of this program; the message explains the error in one line."""


class SettingsError(DpssError, ValueError):
    """Options, variables or their combination are not allowed; the message names all."""


class UnreachableError(DpssError, OSError):
    """A source or an output can't be reached, so that the run can't start."""


class MissingExtraError(DpssError, ImportError):
    """A library of an extra is not installed; the message names both."""


class RequestError(DpssError):
    """A request over HTTP failed for good; the message is fit to be shown."""

    def __init__(self, message: str, status: int | None = None) -> None:
        """Keep the message, and the status of the response if there was one."""
        super().__init__(message)
        self.status = status


class TransientRequestError(RequestError):
    """A request over HTTP failed; a later attempt may succeed."""

    def __init__(
        self, message: str, status: int | None = None, retry_after: float | None = None
    ) -> None:
        """Keep also the seconds after which the server asks for the next attempt."""
        super().__init__(message, status)
        self.retry_after = retry_after


class ReplacedError(DpssError, ValueError):
    """A file differs from its entry in the summary: the matrix is being replaced."""

    def __str__(self) -> str:
        """Return the message; the one argument is the name of the file that differs."""
        return f"its matrix is being replaced ({self.args[0]}); the next run ends that"


class MatrixError(DpssError, ValueError):
    """One matrix can't be summarised; other matrices are not affected."""


class UnknownFormatError(MatrixError):
    """The bytes are of no format that this program reads."""


class CorruptMatrixError(MatrixError):
    """The file is truncated, damaged or contradicts itself."""


class ReaderFaultError(CorruptMatrixError):
    """A reader, or a library below it, raised an exception that it does not explain.

    The file is damaged in a way that the reader does not know, or the reader has a fault.
    """


class ChunkError(CorruptMatrixError):
    """The bytes of a chunk don't decode to what the array's metadata says."""


class ColumnError(MatrixError):
    """A column of a data frame has an encoding that is not read; the message names it."""


class NotCellMajorError(MatrixError):
    """The values of a layer stand in another order than the first ones.

    Attributes:
        instead: The same `dpss.formats.base.Layer`, to be read without an order.
    """

    def __init__(self, message: str, instead: Any = None) -> None:
        """Store the message and the layer to read instead."""
        super().__init__(message)
        self.instead = instead


class LostCopyError(MatrixError):
    """Internal: the copy of a layer in scratch space can't be read; the layer is read again."""


class OtherFileError(MatrixError):
    """The file refers to another file for its values; other files are never read."""


class FetchError(MatrixError):
    """The bytes can't be had: a server refuses them, or breaks off again and again."""


class SeveralMatricesError(MatrixError):
    """The file or folder holds several matrices, but is one sample of a sheet."""


class NoMatrixError(MatrixError):
    """The file is whole and of a known format, but holds no matrix."""


class NoCountsError(MatrixError):
    """Every layer holds scaled (negative) values: there is nothing to summarise."""


class NoEmbeddingError(MatrixError):
    """A matrix has no embedding; the message is the reason."""


class NoStrataError(MatrixError):
    """A matrix's cells can't be grouped into the requested strata."""


class LimitError(MatrixError):
    """Reading would need more memory or scratch space than the settings allow."""


class NeedsWholeError(LimitError):
    """A remote file must be downloaded: neither ranges nor a stream can be read."""


class OutOfMemoryError(LimitError, MemoryError):
    """Memory for a matrix could not be allocated."""


class LostError(MatrixError):
    """The process that read a matrix was lost: by a crash, lack of memory, time limit."""

    def __init__(self, message: str, cause: str, peak_memory_bytes: int = 0) -> None:
        """Store the message, the cause and the peak memory.

        Args:
            message: Description of the end of the process, with the time after which it ended.
            cause: Short cause: a signal's name, ``exit code 3``, ``time limit``, ``memory``.
            peak_memory_bytes: Largest resident memory of the process, in bytes; 0 if not known.
        """
        super().__init__(message)
        self.cause = cause
        self.peak_memory_bytes = peak_memory_bytes

    def __reduce__(self) -> tuple[type[LostError], tuple[str, str, int]]:
        """Return the class and the arguments, so that the error can be pickled."""
        return LostError, (str(self), self.cause, self.peak_memory_bytes)


_PLURALS = {
    "axis": "axes", "entry": "entries", "index": "indices", "matrix": "matrices",
    "stratum": "strata", "has": "have", "is": "are", "was": "were",
}  # fmt: skip


def plural(count: int, noun: str, verb: str = "") -> str:
    """Return a count with its noun, and with the verb that follows it.

    >>> plural(1, "cell"), plural(1200, "cell"), plural(2, "matrix"), plural(0, "zero", "is")
    ('1 cell', '1,200 cells', '2 matrices', '0 zeros are')

    Args:
        count: The number.
        noun: The noun for one; of several words the last is put into the plural.
        verb: ``has``, ``is`` or ``was``.
    """
    if count != 1:
        before, space, last = noun.rpartition(" ")
        noun = f"{before}{space}{_PLURALS.get(last, last + 's')}"
    return f"{count:,} {noun} {agreeing(count, verb)}".rstrip()


def agreeing(count: int, verb: str) -> str:
    """Return the form of ``has``, ``is`` or ``was`` that agrees with a count.

    >>> f"1 of 5 cells {agreeing(1, 'has')}", f"2 of 5 cells {agreeing(2, 'has')}"
    ('1 of 5 cells has', '2 of 5 cells have')
    """
    return verb if count == 1 else _PLURALS.get(verb, verb)
