"""Getting at what a reference means: in place, or fetched whole beforehand.

A file of this machine is read where it is. A remote one is fetched into scratch space,
where its checksum is verified and every reader finds cheap random access; the next one
comes while the present one is read. What is too large for the scratch space is read in
place, by ranges or as a stream.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from dpss.errors import CorruptMatrixError, LimitError
from dpss.model import MatrixRef
from dpss.stores import Blob
from dpss.stores.background import begin
from dpss.stores.local import LocalFile, last_modified
from dpss.stores.opening import Source, local_path, open_source, scheme_of
from dpss.stores.scratch import Scratch

if TYPE_CHECKING:
    from dpss.stores.http import Client

_SHA256 = "sha256:"

Held = tuple[AbstractContextManager[LocalFile], LocalFile]


class Fetcher:
    """Opens references; may be shared by threads."""

    def __init__(self, scratch: Scratch, make_client: Callable[[], Client]) -> None:
        """Fetch into ``scratch``; a client is made when something is to be fetched."""
        self._scratch = scratch
        self._make_client = make_client
        self._expected: deque[MatrixRef] = deque()
        self._begun: dict[str, Future[Held | None]] = {}
        self._lock = threading.Lock()

    def expect(self, refs: Iterable[MatrixRef]) -> None:
        """Say what will be opened, in this order: whenever one is there, the next is begun.

        Not earlier: it could take the space that the one before it needs.
        """
        with self._lock:
            self._expected.extend(ref for ref in refs if local_path(ref.address) is None)

    @contextmanager
    def open(self, ref: MatrixRef) -> Iterator[Source]:
        """Open what a reference means for as long as the context lasts.

        Raises:
            MatrixError: It can't be had.
            CorruptMatrixError: Its checksum is wrong, or it was changed while it was read.
        """
        path = local_path(ref.address)
        if path is not None:
            yield open_source(ref.address)
            if ref.modified is not None and last_modified(path) != ref.modified:
                raise CorruptMatrixError(f"{path}: was changed while it was read; run again")
            return
        held = self._begin(ref).result()
        with self._lock:
            self._begun.pop(_key(ref), None)
        self._begin_next()
        if held is None:
            try:
                yield self._source(ref)
            except LimitError as error:
                # Only a file that did not fit the scratch space is read where it is.
                raise LimitError(f"{error}; a larger --scratch-limit would do") from error
            return
        context, file = held
        try:
            yield file
        finally:
            context.__exit__(None, None, None)

    def _begin(self, ref: MatrixRef) -> Future[Held | None]:
        """Begin to fetch a file, unless that has begun; what goes wrong is told at the end."""
        with self._lock:
            if ref in self._expected:
                self._expected.remove(ref)
            if _key(ref) not in self._begun:
                self._begun[_key(ref)] = begin(self._hold, ref)
            return self._begun[_key(ref)]

    def _begin_next(self) -> None:
        with self._lock:
            following = self._expected.popleft() if self._expected else None
        if following is not None:
            self._begin(following)

    def _hold(self, ref: MatrixRef) -> Held | None:
        """Fetch a remote file; ``None`` for what is read where it is."""
        source = self._source(ref)
        if not isinstance(source, Blob) or not self._scratch.fits(source):
            return None
        context = self._scratch.hold(source)
        file = context.__enter__()
        # With a checksum the bytes are right, whatever size the source states.
        if not ref.fingerprint.startswith(_SHA256) and ref.size_bytes not in (
            None,
            file.size_bytes,
        ):
            context.__exit__(None, None, None)
            raise CorruptMatrixError(
                f"{source.url}: has {file.size_bytes:,} bytes, but the source says "
                f"{ref.size_bytes:,}"
            )
        return context, file

    def _source(self, ref: MatrixRef) -> Source:
        if scheme_of(ref.address) in ("http", "https"):
            from dpss.stores.http_blob import HttpBlob

            known = ref.fingerprint.startswith(_SHA256)
            sha256 = ref.fingerprint.removeprefix(_SHA256) if known else ""
            return HttpBlob(ref.address, self._make_client(), sha256=sha256)
        return open_source(ref.address)


def _key(ref: MatrixRef) -> str:
    return f"{ref.project_id}/{ref.name}"
