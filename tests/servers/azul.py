"""The HCA Data Portal's Azul service and its storage, on loopback.

with AzulServer() as azul:
    azul.add_project("…", "A title", files=[azul.file("a.h5ad", data)])
"""

from __future__ import annotations

import hashlib
import itertools
import json
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.servers.base import Answer, Request, Server, json_answer
from tests.servers.files import File, serve_part

CATALOG = "dcp60"


@dataclass
class StoredFile:
    """A file with what the service says of it, and how its download goes."""

    entry: dict[str, Any]
    file: File
    waits: int = 0
    """How often a caller is sent back (301) before the file is ready."""
    retry_after: str | None = "0"
    faults: list[Answer] = field(default_factory=list)
    """Of the storage: given, each once, in place of the file."""
    missing: bool = False
    """Listed, but the download says 404."""


def stored(name: str, data: bytes, **how: Any) -> StoredFile:
    """A file; what isn't said is as usual."""
    names = {"waits", "retry_after", "faults", "missing"}
    settings = {key: how.pop(key) for key in names & how.keys()}
    identifier = how.pop(
        "uuid", str(uuid.uuid5(uuid.NAMESPACE_URL, name + how.get("fileSource", "")))
    )
    entry = {
        "name": name,
        "size": len(data),
        "fileSource": "Contributor",
        "matrixCellCount": None,
        "uuid": identifier,
        "version": "2026-01-02T03:04:05.000000Z",
        "contentDescription": ["Count Matrix"],
        "format": name.rpartition(".")[2],
        "isIntermediate": False,
        "sha256": hashlib.sha256(data).hexdigest(),
        "drs_uri": f"drs://example.org/{identifier}",
        **how,
    }
    return StoredFile(entry, File(data), **settings)


def tree(*paths: tuple[dict[str, str], StoredFile]) -> dict[str, Any]:
    """A tree of strata; each file stands at the path of its dimension-value pairs."""
    root: dict[str, Any] = {}
    for strata, item in paths:
        node: Any = root
        pairs = list(strata.items())
        for number, (dimension, value) in enumerate(pairs):
            values = node.setdefault(dimension, {})
            last = number == len(pairs) - 1
            node = values.setdefault(value, [] if last else {})
        node.append(item.entry)
    return root


class AzulServer(Server):
    """The service and the storage on one port; a signed address is good for `lifetime` requests."""

    def __init__(self, page_size: int = 10) -> None:
        self.projects: list[dict[str, Any]] = []
        self.files: dict[str, StoredFile] = {}
        self.page_size = page_size
        self.lifetime = 1_000
        self.expired_status = 403
        self._tickets: dict[str, str] = {}
        self._uses_left: dict[str, int] = {}
        self._numbers = itertools.count()
        super().__init__()

    def add_project(
        self,
        project_id: str,
        title: str,
        matrices: dict[str, Any] | None = None,
        contributed: dict[str, Any] | None = None,
        accessible: bool = True,
    ) -> None:
        self.projects.append(
            {
                "entryId": project_id,
                "protocols": [{"libraryConstructionApproach": ["10X v2 sequencing"]}],
                "projects": [
                    {
                        "projectId": project_id,
                        "projectTitle": title,
                        "projectShortname": title[:10],
                        "matrices": self._with_urls(matrices or {}),
                        "contributedAnalyses": self._with_urls(contributed or {}),
                        "accessible": accessible,
                    }
                ],
            }
        )

    def keep(self, *files: StoredFile) -> None:
        """Make files downloadable."""
        for item in files:
            self.files[item.entry["uuid"]] = item

    def _with_urls(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._with_url(entry) for entry in node]
        if isinstance(node, dict):
            return {key: self._with_urls(value) for key, value in node.items()}
        return node

    def _with_url(self, entry: Any) -> Any:
        if not isinstance(entry, dict) or "uuid" not in entry:
            return entry
        query = urlencode({"catalog": CATALOG, "version": entry["version"]})
        url = f"{self.url}/repository/files/{entry['uuid']}?{query}"
        return {"url": url if entry["drs_uri"] else None, **entry}

    def answer(self, request: Request) -> Answer:
        path = request.path
        if path == "/index/catalogs":
            catalogs = {CATALOG: {"internal": False, "atlas": "hca"}}
            return json_answer({"default_catalog": CATALOG, "catalogs": catalogs})
        if request.query.get("catalog", CATALOG) != CATALOG:
            message = f"Catalog name '{request.query['catalog']}' does not exist."
            return json_answer({"Code": "NotFoundError", "Message": message}, 404)
        if path == "/index/projects":
            return self._list(request)
        if path.startswith("/index/projects/"):
            hits = [hit for hit in self.projects if hit["entryId"] == path.rpartition("/")[2]]
            return json_answer(hits[0]) if hits else json_answer({"Message": "no such"}, 404)
        if path.startswith("/repository/files/"):
            return self._download(request)
        if path.startswith("/storage/"):
            return self._store(request)
        return Answer(404)

    def _list(self, request: Request) -> Answer:
        assert int(request.query["size"]) <= 100, "Azul refuses more"
        filters = json.loads(request.query.get("filters", "{}"))
        wanted = filters.get("projectId", {}).get("is")
        hits = [hit for hit in self.projects if wanted is None or hit["entryId"] in wanted]
        start = int(request.query.get("search_after", "0"))
        page = hits[start : start + self.page_size]
        following = None
        if start + self.page_size < len(hits):
            query = {**request.query, "search_after": str(start + self.page_size)}
            following = f"{self.url}/index/projects?{urlencode(query)}"
        return json_answer({"hits": page, "pagination": {"total": len(hits), "next": following}})

    def _download(self, request: Request) -> Answer:
        identifier = request.path.rpartition("/")[2]
        item = self.files.get(identifier)
        if item is None or item.missing or not item.entry["drs_uri"]:
            return json_answer({"Code": "NotFoundError", "Message": "no download"}, 404)
        index = int(request.query.get("requestIndex", "0"))
        if index < item.waits:
            query = urlencode({**request.query, "requestIndex": str(index + 1)})
            headers = {"Location": f"{self.url}{request.path}?{query}"}
            if item.retry_after is not None:
                headers["Retry-After"] = item.retry_after
            return Answer(301, b"", headers)
        ticket = str(next(self._numbers))
        self._tickets[ticket], self._uses_left[ticket] = identifier, self.lifetime
        query = urlencode(
            {"X-Goog-Expires": "900", "X-Goog-Signature": f"hush{ticket}", "t": ticket}
        )
        return Answer(302, b"", {"Location": f"{self.url}/storage/{identifier}?{query}"})

    def _store(self, request: Request) -> Answer:
        ticket = request.query["t"]
        if self._uses_left[ticket] == 0:
            return Answer(self.expired_status, b"<Error><Code>ExpiredToken</Code></Error>")
        self._uses_left[ticket] -= 1
        identifier = self._tickets[ticket]
        item = self.files[identifier]
        answer = serve_part(item.file, request)
        if item.faults:
            fault = item.faults.pop(0)
            if fault.status >= 300:
                return fault
            answer.cut_after, answer.hang_after = fault.cut_after, fault.hang_after
            answer.bytes_per_second = fault.bytes_per_second
        return answer
