"""Limits of a line of a table, checked while it is decompressed, before it is held whole."""

from __future__ import annotations

from dpss.errors import LimitError

MAX_LINE_BYTES = 1 << 27
"""Longest line: a million cells of 100 characters each."""
MAX_FIELDS = 1 << 23
"""Most fields of a line, by whichever separator."""
MAX_FIELD_BYTES = 1 << 22
"""Longest field: bytes of a line without a separator."""
_SEPARATORS = (b"\t", b",", b";", b" ")


class LineBounds:
    """Follows a text piece by piece and refuses lines that no table has.

    Lines that begin and end within a piece are as short as the piece is and not looked at.
    """

    def __init__(self, url: str) -> None:
        """Begin at the start of a text.

        Args:
            url: The file's address, for messages.
        """
        self._url = url
        self._line = 1
        self._n_bytes = self._n_unparted = 0
        self._n_found = [0] * len(_SEPARATORS)

    def add(self, part: bytes) -> None:
        """Check the next piece.

        Args:
            part: Text that follows what was given before.

        Raises:
            LimitError: The line that goes on in it is longer than `MAX_LINE_BYTES`, has more
                fields than `MAX_FIELDS` or a field longer than `MAX_FIELD_BYTES`.
        """
        first = part.find(b"\n")
        self._go_on(part if first < 0 else part[:first])
        if first >= 0:
            self._line += part.count(b"\n")
            self._n_bytes = self._n_unparted = 0
            self._n_found = [0] * len(_SEPARATORS)
            self._go_on(part[part.rfind(b"\n") + 1 :])

    def _go_on(self, text: bytes) -> None:
        """Add a piece of the line that is under way."""
        self._n_bytes += len(text)
        found = zip(self._n_found, map(text.count, _SEPARATORS), strict=True)
        self._n_found = [before + n for before, n in found]
        last = max(text.rfind(separator) for separator in _SEPARATORS)
        self._n_unparted = len(text) - last - 1 + (self._n_unparted if last < 0 else 0)
        if self._n_bytes > MAX_LINE_BYTES:
            self._refuse(f"more than {MAX_LINE_BYTES >> 20} MiB")
        if max(self._n_found) > MAX_FIELDS:
            self._refuse(f"more than {MAX_FIELDS:,} fields")
        if self._n_unparted > MAX_FIELD_BYTES:
            self._refuse(f"a field of more than {MAX_FIELD_BYTES >> 20} MiB")

    def _refuse(self, what: str) -> None:
        raise LimitError(f"{self._url}: line {self._line:,} has {what}; no matrix has such a line")
