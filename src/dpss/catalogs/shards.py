"""Shards of a source's projects, which several tasks process.

Projects are assigned by size: the largest first, each to the shard that is smallest so far. Every
task lists the source itself and computes the same shards. If the source changes between two
listings, a project may be in two shards or in none; the next run processes the missing ones.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Sequence
from dataclasses import dataclass

from dpss.errors import SettingsError
from dpss.model import Project

_SHARD = re.compile(r"([0-9]{1,6}|end)/([0-9]{1,6})")
_BYTES_PER_MATRIX = 250_000_000
"""Cost of a matrix besides its bytes (figures, files, requests), as the number of h5ad bytes that
take as long to read.
"""


@dataclass(frozen=True)
class Shard:
    """One of several disjoint parts of the projects; together they are all projects."""

    number: int
    """Number of the shard, from 1; 0 for the end of a run, after all shards, without projects."""
    count: int
    """Number of shards."""

    @property
    def is_part(self) -> bool:
        """Whether there are other shards; the end of the run makes pages and metrics."""
        return self.count > 1 and self.number > 0

    @property
    def is_end(self) -> bool:
        """Whether it is the end of a run whose projects other tasks processed."""
        return self.number == 0

    def __str__(self) -> str:
        """Return the value of the option: ``2/40``, or ``end/40``."""
        return f"{self.number or 'end'}/{self.count}"


ALL = Shard(1, 1)
"""Every project."""


def projects_of(projects: Sequence[Project], shard: Shard) -> list[Project]:
    """Return the projects of a shard, in their order.

    No shard is larger than the mean of all shards and the largest project together. A matrix whose
    size the source does not state counts as the mean of the others.

    Args:
        projects: All projects of the source.
        shard: The shard.
    """
    if shard.count == 1 and not shard.is_end:
        return list(projects)
    known = [ref.size_bytes for p in projects for ref in p.refs if ref.size_bytes is not None]
    mean = sum(known) // len(known) if known else 0
    weights = {
        project.id: sum(
            _BYTES_PER_MATRIX + (mean if ref.size_bytes is None else ref.size_bytes)
            for ref in project.refs
        )
        for project in projects
    }
    loads = [(0, number) for number in range(1, shard.count + 1)]
    mine: set[str] = set()
    for project_id in sorted(weights, key=lambda each: (-weights[each], each)):
        load, number = heapq.heappop(loads)
        heapq.heappush(loads, (load + max(1, weights[project_id]), number))
        if number == shard.number:
            mine.add(project_id)
    return [project for project in projects if project.id in mine]


def parse_shard(text: str) -> Shard:
    """Parse ``i/n`` as a shard, or ``end/n`` as the end of a run.

    >>> parse_shard("2/40"), parse_shard("end/40")
    (Shard(number=2, count=40), Shard(number=0, count=40))

    Raises:
        SettingsError: The text has another form.
    """
    match = _SHARD.fullmatch(text.strip())
    if match is not None:
        if match[1] == "end" and int(match[2]) > 0:
            return Shard(0, int(match[2]))
        if match[1] != "end" and 1 <= int(match[1]) <= int(match[2]):
            return Shard(int(match[1]), int(match[2]))
    raise SettingsError(
        f"--shard (DPSS_SHARD) is {text!r}; it is i/n, such as 2/40: "
        "the second of 40 shards of the projects; or end/40, when all are done"
    )
