"""Interface of catalogs, which list the projects of a source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from dpss.model import Project


class Catalog(Protocol):
    """A source's list of projects.

    Duties of an implementation: projects come in a deterministic order, their ids are safe as
    folder names and unique (`dpss.storage.names`), and so are the matrix names within a project.
    Paging is invisible. An entry that can't be used becomes a `dpss.model.Skipped` of its project
    with its reason, and the entries after it are still yielded. No matrix is downloaded.
    """

    @property
    def name(self) -> str:
        """Name of the source, with its address if it has one, without secrets."""

    def projects(self) -> Iterator[Project]:
        """Yield every project.

        Raises:
            UnreachableError: The source can't be reached, at the start or later.
        """
