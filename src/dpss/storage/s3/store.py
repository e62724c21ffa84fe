"""A store on S3: a prefix of a bucket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import obstore

from dpss.storage.content_type import cache_control, content_type
from dpss.storage.names import key_path
from dpss.storage.s3.connection import connect, unreachable_error
from dpss.storage.s3.objects import FAULTS, list_objects, try_until

_PART_BYTES = 8 << 20
"""Size of the parts of a large object; S3 takes 10,000 of them: 80 GB."""
_SIDE_BY_SIDE = 2
"""Parts that are held and sent at a time."""
N_WRITERS = 8
"""Objects that are put side by side, as a round trip takes longer than the transfer."""


class S3Store:
    """A prefix of a bucket as a `dpss.storage.base.Store`.

    No access control list is set: the bucket's policy decides on reading.
    """

    def __init__(self, bucket: str, prefix: str = "") -> None:
        """Publish below ``prefix``."""
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._written: dict[str, str] = {}

    @property
    def url(self) -> str:
        """The address."""
        return f"s3://{self._bucket}/{self._prefix}"

    def read(self, key: str) -> bytes:
        """Return an object's bytes.

        Raises:
            FileNotFoundError: There is no such object.
            UnreachableError: S3 can't be reached.
        """
        path = self._key(key)
        try:
            return bytes(try_until(lambda: obstore.get(connect(self._bucket), path).bytes()))
        except FileNotFoundError:
            raise FileNotFoundError(f"{self.url}{key}: there is no such object") from None
        except FAULTS as error:
            raise unreachable_error(f"{self.url}{key}", error) from error

    def modified(self, key: str) -> datetime | None:
        """Return when an object was last written, ``None`` if there is none.

        Raises:
            UnreachableError: S3 can't be reached.
        """
        path = self._key(key)
        try:
            return obstore.head(connect(self._bucket), path)["last_modified"]
        except FileNotFoundError:
            return None
        except FAULTS as error:
            raise unreachable_error(f"{self.url}{key}", error) from error

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield the keys that begin with ``prefix``, in order.

        Raises:
            UnreachableError: S3 can't be reached.
        """
        yield from self.sizes(prefix)

    def sizes(self, prefix: str = "") -> dict[str, int]:
        """Return the sizes in bytes of objects whose keys begin with ``prefix``, in order.

        Raises:
            UnreachableError: S3 can't be reached.
        """
        # obstore lists below whole parts of keys only; the rest of the prefix is compared here.
        whole = self._prefix + (f"{prefix.rpartition('/')[0]}/" if "/" in prefix else "")
        found = {
            blob.key.removeprefix(self._prefix): blob.size_bytes
            for blob in list_objects(self._bucket, whole)
        }
        return {key: size for key, size in sorted(found.items()) if key.startswith(prefix)}

    def write(self, key: str, data: bytes) -> None:
        """Put an object: it appears whole or not at all.

        Raises:
            UnreachableError: The object can't be written.
        """
        self._put(key, data, use_multipart=False)

    def _put(self, key: str, data: bytes | Path, **how: Any) -> None:
        path = self._key(key)
        try:
            done = obstore.put(
                connect(self._bucket),
                path,
                data,
                attributes={
                    "Content-Type": content_type(key),
                    "Cache-Control": cache_control(key),
                    "Content-Disposition": "inline",
                },
                **how,
            )
            self._written[key] = (done["e_tag"] or "").strip('"')
        except FAULTS as error:
            raise unreachable_error(f"{self.url}{key}", error) from error

    def write_file(self, key: str, path: Path) -> None:
        """Upload a local file, a large one in parts; it appears whole or not at all.

        Raises:
            UnreachableError: The object can't be written.
        """
        self._put(key, path, chunk_size=_PART_BYTES, max_concurrency=_SIDE_BY_SIDE)

    def write_all(self, files: Mapping[str, bytes]) -> None:
        """Put several objects side by side.

        Raises:
            UnreachableError: An object can't be written; all others were attempted.
        """
        with ThreadPoolExecutor(N_WRITERS, thread_name_prefix="dpss-put") as pool:
            puts = [pool.submit(self.write, key, data) for key, data in files.items()]
        for put in puts:
            put.result()

    def changed_keys(self, keys: Iterable[str]) -> list[str]:
        """Return the keys of objects, written by this store, that others have changed.

        Raises:
            UnreachableError: S3 can't be reached.
        """
        wanted = {key: self._written.pop(key, "") for key in keys}
        folders = {key.rpartition("/")[0] for key in wanted}
        found = {
            blob.key.removeprefix(self._prefix): blob.etag
            for folder in folders
            for blob in list_objects(
                self._bucket, f"{self._prefix}{folder}/" if folder else self._prefix
            )
        }
        return [key for key, etag in wanted.items() if etag and found.get(key) != etag]

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens if there is none.

        Raises:
            UnreachableError: The object can't be removed.
        """
        path = self._key(key)
        try:
            obstore.delete(connect(self._bucket), path)
        except FileNotFoundError:
            pass
        except FAULTS as error:
            raise unreachable_error(f"{self.url}{key}", error) from error

    def _key(self, key: str) -> str:
        return f"{self._prefix}{key_path(key)}"
