"""Catalog of the Human Cell Atlas data portal, from its Azul service."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode, urljoin

from dpss.catalogs.addresses import check_addresses
from dpss.catalogs.azul_files import FileRules, find_files, select_files
from dpss.errors import RequestError, UnreachableError
from dpss.model import Project, Skipped
from dpss.storage.http import Client, networks_beyond, why_not_from
from dpss.storage.names import safe_name
from dpss.storage.redaction import redact_url

AZUL_URL = "https://service.azul.data.humancellatlas.org"

_PAGE_SIZE = 100
"""Projects per page: the most that Azul returns."""


@dataclass(frozen=True)
class AzulCatalog:
    """All projects of a catalog of an Azul service."""

    url: str = AZUL_URL
    """Address of the service, without a ``/`` at its end."""
    catalog: str = ""
    """Name of the catalog; empty for the service's default, which changes every few weeks."""
    only: frozenset[str] = frozenset()
    """Ids of the wanted projects; empty for all."""
    rules: FileRules = field(default_factory=FileRules)
    """Rules that choose the files of a project to read."""
    client: Client = field(default_factory=Client)

    @property
    def name(self) -> str:
        """Name of the source with the address of the service."""
        return f"azul {redact_url(self.url)}"

    def projects(self) -> Iterator[Project]:
        """Yield every project, in the order of their titles.

        Raises:
            UnreachableError: The service can't be reached, at the start or later.
        """
        seen: set[str] = set()
        for number, hit in enumerate(self._hits()):
            project = check_addresses(read_hit(hit, number, self.rules), self.url)
            if project.id not in seen:
                seen.add(project.id)
                yield project

    def title(self, project_id: str) -> str:
        """Return a project's title.

        Raises:
            RequestError: The service doesn't know the project, or can't be reached.
        """
        query = urlencode({"catalog": self._catalog_name()})
        hit = self.client.get_json(f"{self.url}/index/projects/{quote(project_id)}?{query}")
        return _title_of(_only_project(hit), project_id)

    def _hits(self) -> Iterator[Any]:
        """Yield the service's descriptions of projects from all pages."""
        pages: set[str] = set()
        client = self.client
        try:
            page = self._first_page()
            while page:
                if page in pages:
                    raise RequestError(f"{redact_url(page)}: the pages go round in a circle")
                pages.add(page)
                document = client.get_json(page)
                if not isinstance(document, dict) or not isinstance(document.get("hits"), list):
                    raise RequestError(f"{redact_url(page)}: not a list of projects")
                yield from document["hits"]
                following = (document.get("pagination") or {}).get("next")
                page = urljoin(page, following) if following else ""
                if page and (why := why_not_from(self.url, page)):
                    raise RequestError(why)
                client = replace(client, networks=networks_beyond(self.url, page))
        except RequestError as error:
            raise UnreachableError(str(error)) from error

    def _first_page(self) -> str:
        query = {
            "catalog": self._catalog_name(),
            "size": str(_PAGE_SIZE),
            "sort": "projectTitle",
            "order": "asc",
        }
        if self.only:
            query["filters"] = json.dumps({"projectId": {"is": sorted(self.only)}})
        return f"{self.url}/index/projects?{urlencode(query)}"

    def _catalog_name(self) -> str:
        if self.catalog:
            return self.catalog
        address = f"{self.url}/index/catalogs"
        document = self.client.get_json(address)
        name = document.get("default_catalog") if isinstance(document, dict) else None
        if not isinstance(name, str) or not name:
            raise RequestError(f"{redact_url(address)}: names no default catalog; set --catalog")
        return name


def read_hit(hit: Any, number: int, rules: FileRules) -> Project:
    """Return a project from its description; a malformed one becomes a skipped entry.

    Args:
        hit: Description of a project, parsed from the service's JSON.
        number: Position in the list, from 0; names a project that has no id.
        rules: Rules that choose the files to read.
    """
    try:
        entry = _only_project(hit)
        uuid = str(entry["projectId"])
    except (KeyError, TypeError, IndexError, ValueError):
        name = f"entry-{number + 1}"
        reason = f"entry {number + 1} of the list of projects can't be understood"
        return Project(name, name, skipped=(Skipped("", reason, failed=True),))
    project_id, title = safe_name(uuid), _title_of(entry, uuid)
    try:
        files = find_files(entry)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"its list of matrices can't be understood ({type(error).__name__}: {error})"
        return Project(project_id, title, skipped=(Skipped("", reason, failed=True),))
    if not files:
        return Project(project_id, title, skipped=(Skipped("", "has no matrix files"),))
    if entry.get("accessible") is False:
        reason = "managed access: its files can't be had without a login"
        return Project(
            project_id, title, skipped=tuple(Skipped(file.name, reason) for file in files)
        )
    refs, skipped = select_files(project_id, files, rules)
    return Project(project_id, title, tuple(refs), tuple(skipped))


def _only_project(hit: Any) -> Mapping[str, Any]:
    (entry,) = hit["projects"]
    if not isinstance(entry, dict):
        raise TypeError("not a project")
    return entry


def _title_of(entry: Mapping[str, Any], otherwise: str) -> str:
    for key in ("projectTitle", "projectShortname"):
        title = entry.get(key)
        if isinstance(title, str) and title.strip():
            return " ".join(title.split())
    return otherwise
