"""Files behind plain HTTP: with and without ranges, whole and broken."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from tests.servers.base import Answer, Request, Server

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass
class File:
    data: bytes
    ranges: bool = True
    etag: bool = True
    modified: str = ""
    chunked: bool = False
    faults: list[Answer] = field(default_factory=list)
    """Given, each once, in place of the file; an empty body stands for the file's own."""
    empty_part_at_end: bool = False
    """A range that begins at the end gives 206 and nothing, as Azul's storage does."""


def serve_part(file: File, request: Request) -> Answer:
    """Answer as a static file server does."""
    headers = {"Content-Type": "application/octet-stream"}
    if file.etag:
        headers["ETag"] = f'"{hashlib.md5(file.data).hexdigest()}"'
    if file.modified:
        headers["Last-Modified"] = file.modified
    wanted = _RANGE.fullmatch(request.headers.get("range", "")) if file.ranges else None
    if not wanted:
        return Answer(200, file.data, headers, chunked=file.chunked)
    size = len(file.data)
    start = int(wanted[1])
    stop = min(size, int(wanted[2]) + 1 if wanted[2] else size)
    if start == size and file.empty_part_at_end:
        headers["Content-Range"] = f"bytes {start}-{start}/{size}"
        return Answer(206, b"", headers)
    if start >= size:
        return Answer(416, b"", {**headers, "Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return Answer(206, file.data[start:stop], headers, chunked=file.chunked)


class FileServer(Server):
    """Serves files by path."""

    def __init__(self, **files: File) -> None:
        self.files = {f"/{name}": file for name, file in files.items()}
        super().__init__()

    def add(self, path: str, data: bytes, **how: object) -> str:
        self.files[path] = File(data, **how)  # type: ignore[arg-type]
        return self.url + path

    def answer(self, request: Request) -> Answer:
        file = self.files.get(request.path)
        if file is None:
            return Answer(404)
        answer = serve_part(file, request)
        if file.faults:
            fault = file.faults.pop(0)
            if fault.status >= 300:
                return fault
            # The right answer, given badly.
            answer.cut_after = fault.cut_after
            answer.hang_after = fault.hang_after
            answer.bytes_per_second = fault.bytes_per_second
            answer.body = fault.body or answer.body
        return answer
