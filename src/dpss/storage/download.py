"""Opens or downloads the files of references; prefetches the next one meanwhile.

`dpss.storage.access` decides how a source is read. This module compares size, checksum and date of
the reference with the file, and opens or copies the next file while the present one is read.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from dpss.compute.background import begin
from dpss.errors import CorruptMatrixError, plural
from dpss.model import MatrixRef
from dpss.storage.access import is_copied, open_access
from dpss.storage.base import Blob
from dpss.storage.local import last_modified
from dpss.storage.locations import Source, local_path, open_source, scheme_of
from dpss.storage.scratch import Scratch

if TYPE_CHECKING:
    from dpss.storage.http import Client

log = logging.getLogger(__name__)

_SHA256 = "sha256:"

Opened = tuple[Source, ExitStack]
"""A source, with the stack that closes it."""


class Fetcher:
    """Opens the files of references; safe in several threads."""

    def __init__(
        self,
        scratch: Scratch,
        make_client: Callable[[], Client],
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Store the scratch space and the factory of clients.

        Args:
            scratch: Scratch space for downloads.
            make_client: Makes an HTTP client when the first file is to be fetched.
            check: Called while a reader waits for bytes; raises an error if the run is to end.
        """
        self._scratch = scratch
        self._make_client = make_client
        self._check = check
        self._expected: deque[MatrixRef] = deque()
        self._begun: dict[str, Future[Opened]] = {}
        self._lock = threading.Lock()

    def prefetch(self, refs: Iterable[MatrixRef]) -> None:
        """Announce the files that will be opened; each begins after the one before.

        An earlier start could take the scratch space that the file before it needs.
        """
        with self._lock:
            self._expected.extend(ref for ref in refs if local_path(ref.address) is None)

    @contextmanager
    def open(self, ref: MatrixRef, *, whole: bool = False) -> Iterator[Source]:
        """Open the file or folder of a reference for as long as the context lasts.

        Args:
            ref: The reference.
            whole: Whether to download the file, as it can't be read in place.

        Raises:
            MatrixError: The file can't be opened or downloaded.
            CorruptMatrixError: The checksum is wrong, or the file changed while it was read.
            LimitError: The file can't be read in place, and is too large for the scratch space.
        """
        if local_path(ref.address) is not None:
            with open_unchanged(ref) as source:
                yield source
            return
        source, stack = self._open(ref, whole=True) if whole else self._begin(ref).result()
        with self._lock:
            self._begun.pop(_key(ref), None)
        self._begin_next()
        with stack:
            yield source

    def _begin(self, ref: MatrixRef) -> Future[Opened]:
        """Start to fetch a file once; an error is raised when it is opened."""
        with self._lock:
            if ref in self._expected:
                self._expected.remove(ref)
            if _key(ref) not in self._begun:
                self._begun[_key(ref)] = begin(self._open, ref)
            return self._begun[_key(ref)]

    def _begin_next(self) -> None:
        with self._lock:
            following = self._expected.popleft() if self._expected else None
        if following is not None:
            self._begin(following)

    def _open(self, ref: MatrixRef, *, whole: bool = False) -> Opened:
        """Open a remote source and read its first bytes, or copy it."""
        source = self._source(ref)
        checked = ref.fingerprint.startswith(_SHA256)
        copied = is_copied(source, self._scratch.fits, whole=whole, checked=checked)
        if checked and not copied:
            log.warning(
                "%s: is larger than --scratch-limit, so it is read where it is and its sha256 "
                "is not compared",
                source.url,
            )
        elif copied and not checked and not whole:
            log.info("%s: the server gives no parts of it; it is fetched", source.url)
        elif isinstance(source, Blob) and not source.random_access and not copied:
            log.warning(
                "%s: the server gives no parts of it, and it is larger than --scratch-limit: it is "
                "fetched again for each pass, three times with an embedding; a larger "
                "--scratch-limit fetches it once, --no-embedding saves two",
                source.url,
            )
        with ExitStack() as stack:
            opened = stack.enter_context(
                open_access(source, self._scratch, self._check, whole=whole, checked=checked)
            )
            if isinstance(opened, Blob):
                # With a checksum the bytes are right, whatever size the source states.
                if not (copied and checked):
                    _compare_size(ref, opened)
                if opened.random_access:
                    opened.read_range(0, 1)
            return opened, stack.pop_all()

    def _source(self, ref: MatrixRef) -> Source:
        if scheme_of(ref.address) in ("http", "https"):
            from dpss.storage.http import HttpBlob

            known = ref.fingerprint.startswith(_SHA256)
            sha256 = ref.fingerprint.removeprefix(_SHA256) if known else ""
            client = replace(self._make_client(), networks=ref.networks)
            return HttpBlob(ref.address, client, sha256=sha256, to_be_read=True)
        return open_source(ref.address)


@contextmanager
def open_unchanged(ref: MatrixRef) -> Iterator[Source]:
    """Open the local file or folder of a reference in place.

    Raises:
        CorruptMatrixError: At the end of the context: the file changed meanwhile.
    """
    yield open_source(ref.address, ref.networks)
    path = local_path(ref.address)
    if path is not None and ref.modified is not None and last_modified(path) != ref.modified:
        raise CorruptMatrixError(f"{path}: was changed while it was read; run again")


def _compare_size(ref: MatrixRef, blob: Blob) -> None:
    """Compare a file's size with the one that its source states.

    Raises:
        CorruptMatrixError: The sizes differ.
    """
    size = blob.size_bytes
    if size is not None and ref.size_bytes not in (None, size):
        raise CorruptMatrixError(
            f"{blob.url}: has {plural(size, 'byte')}, but the source says {ref.size_bytes:,}"
        )


def _key(ref: MatrixRef) -> str:
    return f"{ref.project_id}/{ref.name}"
