"""The HCA Matrix Service v1, which makes a matrix of a project on request.

The service was retired in 2020; the address of a service with the same interface can be set.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from dpss.catalogs.selection import is_named
from dpss.errors import MatrixError, RequestError, UnreachableError
from dpss.model import MatrixRef, Project, Skipped
from dpss.storage.http import Client, HttpBlob, networks_beyond, why_not_from
from dpss.storage.names import safe_name
from dpss.storage.redaction import redact_line, redact_url

log = logging.getLogger(__name__)

PROJECT_FIELD = "project.provenance.document_id"
MATRIX_URL = "https://matrix.data.humancellatlas.org/v1"

_CONTENT = re.compile(r"/([^/]+/[0-9a-f]{8,})/[^/]+$")
"""Data version and hash of the request in a matrix's address, the service's cache key."""


@dataclass(frozen=True)
class Polling:
    """Waiting times between requests to the service, in seconds."""

    first: float = 2.0
    """Seconds before the first status request; each later wait is 1.5 times as long."""
    longest: float = 30.0
    """Longest wait before a status request, in seconds."""
    limit: float = 3600.0
    """Longest time for one matrix, in seconds."""
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class FreshCatalog:
    """All projects with cells in the service."""

    url: str = MATRIX_URL
    """Address of the service with its version, without a ``/`` at its end."""
    min_gene_count: int = 0
    """Least number of genes detected in the requested cells; 0 for all cells."""
    only: frozenset[str] = frozenset()
    """Ids of the wanted projects; empty for all."""
    excluded: frozenset[str] = frozenset()
    """Ids of the projects for which no matrix is requested."""
    title_of: Callable[[str], str] | None = None
    """Function that returns the title of a project by its id."""
    client: Client = field(default_factory=Client)
    polling: Polling = field(default_factory=Polling)

    @property
    def name(self) -> str:
        """Name of the source with the address of the service."""
        return f"fresh {redact_url(self.url)}"

    def projects(self) -> Iterator[Project]:
        """Request all matrices, then yield every project in the order of the ids.

        Raises:
            UnreachableError: The service can't be reached.
        """
        counts = self._cell_counts()
        wanted = [key for key in counts if not self.only or is_named(key, self.only)]
        requests = {
            key: self._begin(key)
            for key in wanted
            if counts[key] and not is_named(key, self.excluded)
        }
        for key in wanted:
            yield self._project(key, requests.get(key))

    def _cell_counts(self) -> dict[str, Any]:
        address = f"{self.url}/filters/{PROJECT_FIELD}"
        try:
            document = self.client.get_json(address)
            counts = document["cell_counts"]
            return {key: counts[key] for key in sorted(counts) if key}
        except RequestError as error:
            raise UnreachableError(str(error)) from error
        except (KeyError, TypeError) as error:
            raise UnreachableError(f"{redact_url(address)}: not a list of projects") from error

    def _project(self, key: str, request: str | Skipped | None) -> Project:
        project_id, title = safe_name(key), self._title(key)
        if request is None:
            left_out = Skipped("", "the Matrix Service has no cells of it")
            return Project(project_id, title, skipped=(left_out,))
        ready = request if isinstance(request, Skipped) else self._await(key, request)
        found = ready if isinstance(ready, Skipped) else self._ref(project_id, ready)
        if isinstance(found, Skipped):
            return Project(project_id, title, skipped=(found,))
        return Project(project_id, title, (found,))

    def _begin(self, key: str) -> str | Skipped:
        """Request a project's matrix; return the request's id, or a skipped entry."""
        document = {"feature": "gene", "format": "mtx", "filter": self._filter(key)}
        try:
            answer = self.client.post_json(f"{self.url}/matrix", document)
            return str(answer["request_id"])
        except RequestError as error:
            if error.status == 413:
                return _failed("the Matrix Service finds the filter too large")
            return _failed(str(error))
        except (KeyError, TypeError):
            return _failed(f"{redact_url(self.url)}/matrix: answers without a request_id")

    def _filter(self, key: str) -> dict[str, Any]:
        project = {"op": "=", "field": PROJECT_FIELD, "value": key}
        if not self.min_gene_count:
            return project
        genes = {"op": ">=", "field": "genes_detected", "value": self.min_gene_count}
        return {"op": "and", "value": [project, genes]}

    def _await(self, key: str, request: str) -> str | Skipped:
        """Wait until a matrix is ready; return its address, or a skipped entry."""
        asked_again = False
        wait, waited = self.polling.first, 0.0
        while True:
            state = self._ask(request)
            if isinstance(state, Skipped):
                return state
            status, url, message = state
            if status == "Complete":
                return url or Skipped("", f"no cells: {message or 'the matrix is empty'}")
            if status in ("Expired", "unknown") and not asked_again:
                # A matrix that is gone is requested once more.
                asked_again = True
                again = self._begin(key)
                if isinstance(again, Skipped):
                    return again
                request = again
            elif status != "In Progress":
                return _failed(f"the Matrix Service's request {request}: {status} ({message})")
            if waited + wait > self.polling.limit:
                return _failed(
                    f"the Matrix Service's request {request}: not ready after {waited:.0f} s"
                )
            self.polling.sleep(wait)
            waited += wait
            wait = min(wait * 1.5, self.polling.longest)

    def _ask(self, request: str) -> tuple[str, str, str] | Skipped:
        """Return status (``unknown`` if it is gone), address, message of a request."""
        try:
            answer = self.client.get_json(f"{self.url}/matrix/{quote(request, safe='')}")
            return (
                str(answer["status"]),
                str(answer.get("matrix_url") or ""),
                redact_line(str(answer.get("message") or ""))[:300],
            )
        except RequestError as error:
            if error.status == 404:
                return "unknown", "", str(error)
            return _failed(str(error))
        except (KeyError, TypeError, AttributeError):
            return _failed(f"the Matrix Service's request {request}: its answer has no status")

    def _ref(self, project_id: str, url: str) -> MatrixRef | Skipped:
        # Checked before the first request to that host, which asks for the size.
        if why := why_not_from(self.url, url):
            return _failed(why)
        try:
            networks = networks_beyond(self.url, url)
            metadata = HttpBlob(url, replace(self.client, networks=networks)).metadata
        except MatrixError as error:
            return _failed(str(error))
        content = _CONTENT.search(url.partition("?")[0])
        fingerprint = f"request:{content[1]}" if content else f"etag:{metadata.etag}"
        return MatrixRef(
            project_id=project_id,
            name="",
            url=redact_url(url),
            fingerprint=fingerprint,
            location=url,
            size_bytes=metadata.size_bytes,
            networks=networks,
        )

    def _title(self, key: str) -> str:
        if self.title_of is None:
            return key
        try:
            return self.title_of(key)
        except (RequestError, KeyError, TypeError, ValueError) as error:
            log.info("%s has no title: %s", key, error)
            return key


def _failed(reason: str) -> Skipped:
    return Skipped("", reason, failed=True)
