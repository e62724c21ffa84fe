"""S3 objects as blobs, and the objects below a prefix as a tree."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast
from urllib.parse import urlsplit

import obstore
import stamina
from obstore.exceptions import BaseError, PreconditionError

from dpss.compute.background import begin
from dpss.errors import CorruptMatrixError, FetchError, SettingsError, UnreachableError
from dpss.storage.base import Blob
from dpss.storage.s3.connection import connect, fetch_error, unreachable_error
from dpss.storage.stream import PieceStream

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta

T = TypeVar("T")

_PIECE_BYTES = 8 << 20
"""Size of a stream's requests in bytes: large against a round trip, and small enough to hold two.
"""
FAULTS = (BaseError, OSError, ValueError, RuntimeError)
"""Errors of obstore; that of a failing credential provider passes unchanged."""
_PAGE_KEYS = 1000
"""Keys of one listing request: as many as S3 returns."""
_BROKEN = "response body"
"""Words in obstore's message for an interrupted response, the one error it doesn't retry."""


def try_until(function: Callable[[], T]) -> T:
    """Call a function of obstore, again if the response was interrupted."""
    return stamina.RetryingCaller(attempts=4, wait_initial=0.2, wait_max=5)(
        lambda error: isinstance(error, BaseError) and _BROKEN in str(error), function
    )


def split_url(url: str) -> tuple[str, str]:
    """Return bucket and key (or prefix) of an ``s3://`` address.

    >>> split_url("s3://bucket/a/b.h5ad")
    ('bucket', 'a/b.h5ad')

    Raises:
        SettingsError: The address has no bucket.
    """
    parts = urlsplit(url, allow_fragments=False)
    key = parts.path + (f"?{parts.query}" if parts.query else "")
    if parts.scheme != "s3" or not parts.netloc:
        raise SettingsError(f"{url}: not an address of the form s3://bucket/key")
    return parts.netloc, key.removeprefix("/")


@dataclass(frozen=True)
class S3Blob:
    """An object as a `dpss.storage.base.Blob`."""

    bucket: str
    key: str
    size_bytes: int
    etag: str
    """Entity tag without quotes; every read requires it."""
    random_access: bool = True

    @property
    def name(self) -> str:
        """The last part of the key."""
        return self.key.rpartition("/")[2]

    @property
    def url(self) -> str:
        """The address."""
        return f"s3://{self.bucket}/{self.key}"

    def read_range(self, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start``, fewer only at the end.

        Raises:
            FetchError: The bytes can't be read.
            CorruptMatrixError: The object was replaced.
        """
        stop = min(start + length, self.size_bytes)
        if stop <= start:
            return b""
        options: GetOptions = {"range": (start, stop)}
        if self.etag:
            options["if_match"] = f'"{self.etag}"'
        try:
            data = try_until(
                lambda: obstore.get(connect(self.bucket), self.key, options=options).bytes()
            )
        except PreconditionError as error:
            raise CorruptMatrixError(
                f"{self.url}: was changed while it was read; run again"
            ) from error
        except FileNotFoundError as error:
            raise FetchError(f"{self.url}: is no longer there") from error
        except FAULTS as error:
            raise fetch_error(self.url, error) from error
        return bytes(data)

    def open(self) -> BinaryIO:
        """Open for reading from the start to the end."""
        return cast("BinaryIO", io.BufferedReader(_ObjectStream(self), 1 << 16))


class _ObjectStream(PieceStream):
    """A stream of a blob in large pieces, each requested while one is read."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._position = 0
        self._piece = memoryview(b"")
        self._next: Future[bytes] | None = None

    def read_piece(self, n_bytes: int) -> memoryview:
        """Return the next bytes, as far as the requested piece goes; none at the end."""
        if not self._piece:
            piece = (self._next or self._request_next()).result()
            self._piece = memoryview(piece)
            # No piece follows an empty one, so no thread is started for it.
            self._next = self._request_next() if piece else None
        data, self._piece = self._piece[:n_bytes], self._piece[n_bytes:]
        return data

    def _request_next(self) -> Future[bytes]:
        start = self._position
        self._position += _PIECE_BYTES
        return begin(self._blob.read_range, start, _PIECE_BYTES)


@dataclass(frozen=True)
class S3Tree:
    """All objects below a prefix as a `dpss.storage.base.Tree`."""

    bucket: str
    prefix: str
    """Prefix of the keys, with a ``/`` at its end, or empty."""

    @property
    def name(self) -> str:
        """The last part of the prefix."""
        return self.prefix.rstrip("/").rpartition("/")[2]

    @property
    def url(self) -> str:
        """The address."""
        return f"s3://{self.bucket}/{self.prefix}"

    def blobs(self) -> Mapping[str, Blob]:
        """Return the objects below the prefix by their relative key.

        Raises:
            FetchError: The objects can't be listed.
        """
        try:
            found = list_objects(self.bucket, self.prefix)
            return {
                blob.key.removeprefix(self.prefix): blob
                for blob in sorted(found, key=lambda blob: blob.key)
                if not blob.key.endswith("/")
            }
        except UnreachableError as error:
            raise FetchError(str(error)) from error


def find(url: str) -> S3Blob | S3Tree:
    """Return the object at an address, or the objects below it.

    Raises:
        UnreachableError: There is no such object, or the bucket can't be reached.
    """
    bucket, key = split_url(url)
    if key and not key.endswith("/"):
        try:
            return blob_of(bucket, obstore.head(connect(bucket), key))
        except FileNotFoundError:
            pass
        except FAULTS as error:
            raise unreachable_error(url, error) from error
    prefix = f"{key.rstrip('/')}/" if key else ""
    if next(list_objects(bucket, prefix), None) is None:
        raise UnreachableError(f"{url}: there is no such object and nothing below it")
    return S3Tree(bucket, prefix)


def list_objects(bucket: str, prefix: str) -> Iterator[S3Blob]:
    """Yield all objects whose keys begin with ``prefix``, in any number.

    Args:
        bucket: The bucket.
        prefix: Empty, or whole parts of keys ending with ``/``.

    Raises:
        UnreachableError: The bucket can't be listed.
    """
    last: str | None = None
    try:
        while True:
            page = try_until(partial(_page_after, bucket, prefix, last))
            yield from page
            if len(page) < _PAGE_KEYS:
                return
            last = page[-1].key
    except FAULTS as error:
        raise unreachable_error(f"s3://{bucket}/{prefix}", error) from error


def _page_after(bucket: str, prefix: str, last: str | None) -> list[S3Blob]:
    """Return the next objects after a key, at most a page of them."""
    pages = obstore.list(connect(bucket), prefix or None, offset=last, chunk_size=_PAGE_KEYS)
    return [blob_of(bucket, meta) for meta in next(iter(pages), [])]


def blob_of(bucket: str, meta: ObjectMeta) -> S3Blob:
    """Return an object of a listing as a blob."""
    return S3Blob(bucket, meta["path"], meta["size"], (meta.get("e_tag") or "").strip('"'))
