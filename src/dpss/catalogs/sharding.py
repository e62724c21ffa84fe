"""A share of a source's projects, so that many tasks can do a first run together."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from dpss.errors import SettingsError

_SHARD = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")


@dataclass(frozen=True)
class Shard:
    """One of several shares; together they are all projects, and no project is in two."""

    number: int
    """From 1."""
    count: int
    """How many there are."""

    def has(self, project_id: str) -> bool:
        """Tell whether a project is in this share: by its id alone, the same everywhere.

        >>> [i for i in (1, 2, 3) if Shard(i, 3).has("4a95101c-9ffc-4f30-a809-f04518a23803")]
        [2]
        """
        digest = hashlib.sha256(project_id.encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.number - 1

    def __str__(self) -> str:
        """Return it as it is given: ``2/40``."""
        return f"{self.number}/{self.count}"


ALL = Shard(1, 1)
"""Every project."""


def parse_shard(text: str) -> Shard:
    """Return the share that ``i/n`` means.

    >>> parse_shard("2/40")
    Shard(number=2, count=40)

    Raises:
        SettingsError: It means none.
    """
    match = _SHARD.fullmatch(text.strip())
    if match is not None:
        shard = Shard(int(match[1]), int(match[2]))
        if 1 <= shard.number <= shard.count:
            return shard
    raise SettingsError(
        f"--shard (DPSS_SHARD) is {text!r}; it is i/n, such as 2/40: "
        "the second of 40 shares of the projects"
    )
