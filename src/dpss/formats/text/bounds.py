"""Limits of a table's lines, checked while the text is decompressed."""

from __future__ import annotations

from dpss.errors import LimitError

MAX_LINE_BYTES = 1 << 27
"""Longest line: a million cells of 100 characters each."""
MAX_FIELDS = 1 << 23
"""Most fields of a line, with any separator."""
MAX_FIELD_BYTES = 1 << 22
"""Longest field: bytes of a line without a separator."""
_SEPARATORS = (b"\t", b",", b";", b" ")


class LineBounds:
    """Checks a text piece by piece for lines that are longer than those of tables.

    Lines within a piece are not checked, as they are shorter than the piece.
    """

    def __init__(self, url: str) -> None:
        """Begin at the start of a text; ``url`` is the file's address, for messages."""
        self._url = url
        self._line = 1
        self._n_bytes = self._field_bytes = 0
        self._n_found = [0] * len(_SEPARATORS)

    def add(self, part: bytes) -> None:
        """Check the next piece.

        Args:
            part: The text after the pieces added before.

        Raises:
            LimitError: A line has more than `MAX_LINE_BYTES`, more than `MAX_FIELDS` fields, or a
                field of more than `MAX_FIELD_BYTES`.
        """
        first = part.find(b"\n")
        self._extend_line(part if first < 0 else part[:first])
        if first >= 0:
            self._line += part.count(b"\n")
            self._n_bytes = self._field_bytes = 0
            self._n_found = [0] * len(_SEPARATORS)
            self._extend_line(part[part.rfind(b"\n") + 1 :])

    def _extend_line(self, text: bytes) -> None:
        """Add a piece of the current line."""
        self._n_bytes += len(text)
        found = zip(self._n_found, map(text.count, _SEPARATORS), strict=True)
        self._n_found = [before + n for before, n in found]
        last = max(text.rfind(separator) for separator in _SEPARATORS)
        self._field_bytes = len(text) - last - 1 + (self._field_bytes if last < 0 else 0)
        if self._n_bytes > MAX_LINE_BYTES:
            self._refuse(f"more than {MAX_LINE_BYTES >> 20} MiB")
        if max(self._n_found) > MAX_FIELDS:
            self._refuse(f"more than {MAX_FIELDS:,} fields")
        if self._field_bytes > MAX_FIELD_BYTES:
            self._refuse(f"a field of more than {MAX_FIELD_BYTES >> 20} MiB")

    def _refuse(self, what: str) -> None:
        raise LimitError(f"{self._url}: line {self._line:,} has {what}; no matrix has such a line")
