"""Choice of projects, and of one file among several of the same matrix."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from dpss.catalogs.base import Catalog
from dpss.errors import DpssError, SettingsError
from dpss.formats.endings import cost
from dpss.model import Project, Skipped
from dpss.storage.locations import open_source
from dpss.storage.redaction import redact_url

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MAX_LIST_BYTES = 1 << 24


def is_named(project_id: str, names: Collection[str]) -> bool:
    """Return whether a list of project ids contains a project.

    The id of a prepared matrix's project may end with its species, which the list may omit.

    >>> is_named("4a95101c-9ffc-4f30-a809-f04518a23803.homo_sapiens",
    ...          {"4a95101c-9ffc-4f30-a809-f04518a23803"})
    True
    """
    plain = project_id.casefold()
    known = {name.casefold() for name in names}
    uuid = plain.partition(".")[0]
    return plain in known or (bool(_UUID.fullmatch(uuid)) and uuid in known)


def cheapest(file_names: Sequence[str]) -> str:
    """Return the name of the file that is cheapest to read."""
    return min(file_names, key=lambda name: (cost(name), name))


@dataclass(frozen=True)
class BlacklistedCatalog:
    """A catalog without the matrices of the projects on a list."""

    catalog: Catalog
    listed: frozenset[str]
    """Project ids."""
    address: str
    """Address of the list."""

    @property
    def name(self) -> str:
        """The catalog's own name."""
        return self.catalog.name

    def projects(self) -> Iterator[Project]:
        """Yield every project; a listed one has skipped entries instead of matrices.

        Raises:
            UnreachableError: The source can't be reached, at the start or later.
        """
        for project in self.catalog.projects():
            if is_named(project.id, self.listed):
                yield leave_out(project, self.address)
            else:
                yield project


def leave_out(project: Project, address: str) -> Project:
    """Return a project with all matrices skipped, as it is on a blacklist."""
    reason = f"on the blacklist {redact_url(address)}"
    names = [ref.name for ref in project.refs] + [entry.name for entry in project.skipped]
    skipped = tuple(Skipped(name, reason) for name in names or [""])
    return replace(project, refs=(), skipped=skipped)


def read_blacklist(address: str) -> frozenset[str]:
    """Read the project ids in a file, one on each line.

    Raises:
        SettingsError: There is no such file, or it is not a list of ids.
    """
    where = f"the blacklist was looked for at {redact_url(address)}"
    other = "name another with --blacklist-file (DPSS_BLACKLIST_FILE)"
    try:
        source = open_source(address)
        if hasattr(source, "blobs"):
            raise SettingsError(f"{where}, but that is a folder; {other}")
        with source.open() as file:
            data = file.read(_MAX_LIST_BYTES + 1)
    except (DpssError, OSError) as error:
        if isinstance(error, SettingsError):
            raise
        raise SettingsError(f"{where}: {error}; {other}") from error
    try:
        if len(data) > _MAX_LIST_BYTES:
            raise ValueError("too large")
        return parse_blacklist(data.decode("utf-8-sig"))
    except ValueError as error:
        raise SettingsError(f"{where}, but that is no list of project ids; {other}") from error


def parse_blacklist(text: str) -> frozenset[str]:
    r"""Return the ids in a list; blank lines and comments after ``#`` are ignored.

    >>> sorted(parse_blacklist("\r\n a \r\n# no\nb # because\n"))
    ['a', 'b']

    Raises:
        ValueError: A line is not an id.
    """
    found = {line.partition("#")[0].strip() for line in text.splitlines()}
    if any(re.search(r"[\s<>\x00]", name) for name in found):
        raise ValueError("not ids")
    return frozenset(found - {""})
