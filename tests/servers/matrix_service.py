"""The HCA Matrix Service v1 on loopback."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.servers.base import Answer, Request, Server, json_answer
from tests.servers.files import File, serve_part

FIELD = "project.provenance.document_id"


@dataclass
class Matrix:
    """What the service makes of one project."""

    data: bytes = b""
    n_cells: int = 10
    polls: int = 1
    """How often a caller hears ``In Progress``."""
    ends: list[str] = field(default_factory=lambda: ["Complete"])
    """How its requests end, one after the other; the last one for good. Also ``lost``."""
    refuse: int = 0
    """Status of the answer to the request itself, if not 202."""


class MatrixServer(Server):
    """The service and the bucket with what it made, on one port."""

    def __init__(self, matrices: dict[str, Matrix]) -> None:
        self.matrices = matrices
        self.bodies: list[Any] = []
        self._jobs: dict[str, dict[str, Any]] = {}
        super().__init__()

    @property
    def service(self) -> str:
        return f"{self.url}/v1"

    def answer(self, request: Request) -> Answer:
        path = request.path.removeprefix("/v1")
        if path == f"/filters/{FIELD}":
            counts = {key: matrix.n_cells for key, matrix in self.matrices.items()}
            return json_answer(
                {"field_name": FIELD, "field_type": "categorical", "cell_counts": {"": 3, **counts}}
            )
        if path == "/matrix" and request.method == "POST":
            return self._begin(request.json)
        if path.startswith("/matrix/"):
            return self._state(path.removeprefix("/matrix/"))
        if path.startswith("/bucket/"):
            return serve_part(File(self._jobs[path.split("/")[4].split(".")[0]]["data"]), request)
        return json_answer({"message": "not found"}, 404)

    def _begin(self, body: Any) -> Answer:
        self.bodies.append(body)
        if "filter" not in body:
            return json_answer({"message": "Invalid parameters supplied."}, 400)
        if len(json.dumps(body["filter"])) > 128_000:
            return json_answer({"message": "The filter specification is too large."}, 413)
        project = _project_in(body["filter"])
        matrix = self.matrices[project]
        if matrix.refuse:
            return json_answer({"message": "The filter specification is too large."}, matrix.refuse)
        identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{project}{len(self._jobs)}"))
        end = matrix.ends.pop(0) if len(matrix.ends) > 1 else matrix.ends[0]
        self._jobs[identifier] = {"polls": matrix.polls, "end": end, "data": matrix.data}
        return json_answer(
            {"request_id": identifier, "status": "In Progress", "message": "Job started."}, 202
        )

    def _state(self, identifier: str) -> Answer:
        job = self._jobs.get(identifier)
        if job is None or job["end"] == "lost":
            message = f"Unable to find job with request ID {identifier}."
            return json_answer({"message": message}, 404)
        status, url, message = job["end"], "", f"Request {identifier} ended."
        if job["polls"]:
            job["polls"] -= 1
            status = "In Progress"
            message = f"Request {identifier} has been accepted and is currently being processed."
        elif status == "Complete" and job["data"]:
            url = f"{self.url}/bucket/2020-01-01/0123456789abcdef/{identifier}.mtx.zip"
        elif status == "Complete":
            message = "But, there were no cells associated with this request."
        return json_answer(
            {
                "request_id": identifier,
                "status": status,
                "matrix_url": url,
                "eta": "",
                "message": message,
            }
        )


def _project_in(condition: dict[str, Any]) -> str:
    if condition["op"] in ("and", "or"):
        found = [_project_in(part) for part in condition["value"]]
        return next(filter(None, found))
    return str(condition["value"]) if condition["field"] == FIELD else ""
