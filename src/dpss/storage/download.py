"""Getting at what a reference means: in place, or fetched whole beforehand.

A file of this machine is read where it is. So is a remote one, by ranges, or as a stream
where the server gives none and the format does with one, and nothing lands on disk.
Fetched whole into scratch space is what can't be read in place: where the source names a
checksum, which only all bytes in their order can be held against; where a reader would
jump about too much, or in a stream at all. What is fetched comes while the present one is
read. ``docs/adr/0010-remote-reading.md`` has the reasons.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from dpss.compute.background import begin
from dpss.errors import CorruptMatrixError
from dpss.model import MatrixRef
from dpss.storage.base import Blob
from dpss.storage.http.one_pass import OnePassBlob
from dpss.storage.local import last_modified
from dpss.storage.locations import Source, local_path, open_source, scheme_of
from dpss.storage.paging.file import paged
from dpss.storage.scratch import Scratch

if TYPE_CHECKING:
    from dpss.storage.http.client import Client

log = logging.getLogger(__name__)

_SHA256 = "sha256:"

Held = tuple[AbstractContextManager[Blob], Blob]
"""A file, and what it has to be left by."""


class Fetcher:
    """Opens references; may be shared by threads."""

    def __init__(
        self,
        scratch: Scratch,
        make_client: Callable[[], Client],
        check: Callable[[], None] = lambda: None,
        reads_in_one_pass: Callable[[Blob], bool] = lambda blob: False,
    ) -> None:
        """Fetch into ``scratch``.

        Args:
            scratch: Where to.
            make_client: Makes a client when something is to be fetched.
            check: Called while a reader waits for bytes; raises if it's time to end.
            reads_in_one_pass: Tells by a file's beginning whether to read it once is enough.
        """
        self._scratch = scratch
        self._make_client = make_client
        self._check = check
        self._reads_in_one_pass = reads_in_one_pass
        self._expected: deque[MatrixRef] = deque()
        self._begun: dict[str, Future[Held | Source]] = {}
        self._lock = threading.Lock()

    def prefetch(self, refs: Iterable[MatrixRef]) -> None:
        """Say what will be opened, in this order: whenever one is there, the next is begun.

        Not earlier: it could take the space that the one before it needs.
        """
        with self._lock:
            self._expected.extend(ref for ref in refs if local_path(ref.address) is None)

    @contextmanager
    def open(self, ref: MatrixRef, *, whole: bool = False) -> Iterator[Source]:
        """Open what a reference means for as long as the context lasts.

        Args:
            ref: What is meant.
            whole: Whether to fetch it, as it turned out that it can't be read in place.

        Raises:
            MatrixError: It can't be had.
            CorruptMatrixError: Its checksum is wrong, or it was changed while it was read.
            LimitError: It can't be read in place, and is too large to be fetched.
        """
        path = local_path(ref.address)
        if path is not None:
            yield open_source(ref.address)
            if ref.modified is not None and last_modified(path) != ref.modified:
                raise CorruptMatrixError(f"{path}: was changed while it was read; run again")
            return
        held = self._hold(ref, whole=True) if whole else self._begin(ref).result()
        with self._lock:
            self._begun.pop(_key(ref), None)
        if not isinstance(held, tuple):
            self._begin_next()
            yield held
            return
        context, file = held
        self._begin_next()
        try:
            yield file
        finally:
            context.__exit__(None, None, None)

    def _begin(self, ref: MatrixRef) -> Future[Held | Source]:
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

    def _hold(self, ref: MatrixRef, *, whole: bool = False) -> Held | Source:
        """Fetch a remote file, or open it for being read where it is and have a first look."""
        source = self._source(ref)
        if not isinstance(source, Blob):
            return paged(source, self._check)
        opened = None if whole else self._open_there(ref, source)
        if opened is not None:
            return opened
        context = self._scratch.hold(source)
        file = context.__enter__()
        try:
            # With a checksum the bytes are right, whatever size the source states.
            if not ref.fingerprint.startswith(_SHA256):
                _compare_size(ref, file)
        except CorruptMatrixError:
            context.__exit__(None, None, None)
            raise
        return context, file

    def _open_there(self, ref: MatrixRef, source: Blob) -> Held | Source | None:
        """Open a file to be read where it is; return none if it's to be fetched."""
        if ref.fingerprint.startswith(_SHA256):
            if self._scratch.fits(source):
                return None
            log.warning(
                "%s: is larger than --scratch-limit, so it is read where it is and its sha256 "
                "is not compared",
                source.url,
            )
        _compare_size(ref, source)
        if not source.random_access:
            return self._open_stream(source)
        opened = paged(source, self._check)
        if isinstance(opened, Blob):
            opened.read_range(0, 1)
        return opened

    def _open_stream(self, source: Blob) -> Held | Source | None:
        """Open a file of which the server gives no parts, if its format does without."""
        opened = OnePassBlob(source, self._check)
        try:
            if opened.random_access or self._reads_in_one_pass(opened):
                return closing(opened), opened
        except BaseException:
            opened.close()
            raise
        opened.close()
        if not self._scratch.fits(source):
            return source
        log.info(
            "%s: the server gives no parts of it, and it is not of a kind that is read once from "
            "its start to its end; it is fetched",
            source.url,
        )
        return None

    def _source(self, ref: MatrixRef) -> Source:
        if scheme_of(ref.address) in ("http", "https"):
            from dpss.storage.http.file import HttpBlob

            known = ref.fingerprint.startswith(_SHA256)
            sha256 = ref.fingerprint.removeprefix(_SHA256) if known else ""
            client = replace(self._make_client(), networks=ref.networks)
            return HttpBlob(ref.address, client, sha256=sha256, to_be_read=True)
        return open_source(ref.address)


def _compare_size(ref: MatrixRef, blob: Blob) -> None:
    """Hold a file against the size that its source states.

    Raises:
        CorruptMatrixError: It is another.
    """
    size = blob.size_bytes
    if None not in (ref.size_bytes, size) and ref.size_bytes != size:
        raise CorruptMatrixError(
            f"{blob.url}: has {size:,} bytes, but the source says {ref.size_bytes:,}"
        )


def _key(ref: MatrixRef) -> str:
    return f"{ref.project_id}/{ref.name}"
