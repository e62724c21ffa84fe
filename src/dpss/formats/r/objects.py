"""R's serialised objects, parsed by rdata within a memory limit.

A list of a million ``NULL`` takes 4 MB, compressed some kB; parsed, each is two objects of
Python. They are counted while they are made, as their number is not known before.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Mapping
from functools import lru_cache
from io import SEEK_CUR
from typing import Any

import numpy as np

from dpss.compute.extras import require
from dpss.errors import CorruptMatrixError, LimitError, UnknownFormatError, plural
from dpss.formats.faults import reason_of

NEED_PER_OBJECT = 1_250
"""Memory per object, in bytes. Measured (peak over lists of 300,000; rdata 1.1): NULL 287,
numeric(0) 446, a symbol 575, integer(0) with attributes 718, NA 1,230."""
FEW_OBJECTS = 10_000
"""Objects that are always parsed."""
RDATA = (b"RDX2\n", b"RDX3\n", b"RDA2\n", b"RDA3\n")
"""First bytes of files with several named objects; ``X`` or ``A`` and the objects follow."""
_STRING = struct.Struct(">Ii")
"""Flags and length, which precede a string's bytes in R's binary format."""
_PLAIN = 0xFFF
"""Flags of an object's type, class, attributes and tag: a plain string has those of its type."""
_MAX_SEQUENCE = 1 << 24
"""Longest sequence such as ``1:n`` that is written out: a file stores just its ends."""


def parse_objects(data: bytes, url: str, most_objects: int) -> Any:
    """Parse the objects of a decompressed R file.

    Args:
        data: The file.
        url: Its address, for messages.
        most_objects: Most objects that are parsed; each string is one.

    Raises:
        LimitError: There are more objects.
        CorruptMatrixError: The objects can't be parsed.
        UnknownFormatError: rdata, which an extra brings, is not installed.
    """
    # The import takes more than half a second, and memory.
    require("r", f"{url}: a file of R needs rdata", UnknownFormatError)
    from rdata import parser
    from rdata.parser._ascii import ParserASCII
    from rdata.parser._parser import parse_r_object_info
    from rdata.parser._xdr import ParserXDR

    mark = next((mark for mark in RDATA if data.startswith(mark)), b"")
    base: Any = ParserXDR if data[len(mark) :][:1] == b"X" else ParserASCII

    string_type = parser.RObjectType.CHAR.value
    describe = lru_cache(parse_r_object_info)

    class CountedParser(base):  # type: ignore[misc]
        """A parser that counts objects, and is fast on vectors of strings."""

        n_left = most_objects

        def parse_R_object(self, *args: Any, **options: Any) -> Any:
            """Parse an object with its members."""
            self._count()
            return super().parse_R_object(*args, **options)

        def _parse_vector_value(self, *args: Any, **options: Any) -> list[Any]:
            """Parse the elements of a list, or of a vector of strings."""
            if base is not ParserXDR:
                elements: list[Any] = super()._parse_vector_value(*args, **options)
                return elements
            length = self.parse_int()
            # rdata alone takes six times as long for a string.
            return [
                self._parse_string() or self.parse_R_object(*args, **options) for _ in range(length)
            ]

        def _parse_string(self) -> Any:
            """Parse a plain string; ``None`` if another object follows."""
            head = self.file.read(_STRING.size)
            if len(head) == _STRING.size:
                flags, length = _STRING.unpack(head)
                if flags & _PLAIN == string_type and length >= 0:
                    self._count()
                    return parser.RObject(describe(flags), self.file.read(length), None)
            self.file.seek(-len(head), SEEK_CUR)
            return None

        def _count(self) -> None:
            self.n_left -= 1
            if self.n_left < 0:
                raise LimitError(
                    f"{url}: R files are read whole, and this one has more than "
                    f"{plural(most_objects, 'object')}, too many for --memory; "
                    "convert it to h5ad, or allow more"
                )

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = CountedParser(
                memoryview(data)[len(mark) + 2 :],
                expand_altrep=True,
                altrep_constructor_dict=_bound_sequences(parser.DEFAULT_ALTREP_MAP),
            )
            return found.parse_all().object
    except LimitError:
        raise
    except Exception as error:
        # rdata checks little: on damaged bytes it may raise any exception.
        raise CorruptMatrixError(
            f"{url}: R's objects can't be parsed ({reason_of(error)})"
        ) from error


def _bound_sequences(constructors: Mapping[bytes, Any]) -> dict[bytes, Any]:
    """Limit the length of sequences, of which a file stores only the ends."""

    def bound(constructor: Any) -> Any:
        def construct(state: Any) -> Any:
            length = float(np.ravel(state.value)[0])
            if not 0 <= length <= _MAX_SEQUENCE:
                raise ValueError(f"a sequence of {length:,.0f} numbers")
            return constructor(state)

        return construct

    return {
        name: bound(constructor) if name.startswith(b"compact_") else constructor
        for name, constructor in constructors.items()
    }
