"""Prepared ("canned") matrices: files below a prefix of a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dpss.catalogs.selection import cheapest, is_named
from dpss.errors import UnreachableError
from dpss.formats.endings import is_sure, may_be_matrix, stem_of
from dpss.model import MatrixRef, Project, Skipped
from dpss.storage.names import unique_names
from dpss.storage.s3 import S3Blob, S3Store, list_objects, split_url


@dataclass(frozen=True)
class CannedCatalog:
    """All matrices below a prefix, ``<uuid>.mtx.zip`` or ``<uuid>.<species>.mtx.zip``.

    The id of a project is the file's name without its ending. Of several files of a project the
    cheapest to read is its matrix.
    """

    url: str
    """Address of the prefix, ``s3://bucket/prefix``."""
    only: frozenset[str] = frozenset()
    """Ids of the wanted projects; empty for all."""

    @property
    def name(self) -> str:
        """Name of the source with its address."""
        return f"canned {self.url}"

    def projects(self) -> Iterator[Project]:
        """Yield every project, in the order of their ids.

        Raises:
            UnreachableError: The bucket can't be listed, or has no object below the prefix.
        """
        bucket, prefix = split_url(self.url)
        folder = S3Store(bucket, prefix).url
        _, whole = split_url(folder)
        found: dict[str, list[S3Blob]] = {}
        n_found = 0
        for blob in list_objects(bucket, whole):
            relative = blob.key.removeprefix(whole)
            if blob.key.endswith("/"):
                continue
            n_found += 1
            stem = stem_of(relative)
            if not self.only or is_named(stem, self.only):
                found.setdefault(stem, []).append(blob)
        if not n_found:
            raise UnreachableError(f"{folder}: there are no matrices")
        stems = sorted(found)
        for stem, project_id in zip(stems, unique_names(stems), strict=True):
            yield _project(project_id, stem, found[stem])


def _project(project_id: str, title: str, blobs: list[S3Blob]) -> Project:
    """Return the project of all files with the same stem."""
    readable = {blob.name: blob for blob in blobs if may_be_matrix(blob.name)}
    skipped = [
        Skipped(blob.name, f"{blob.url}: not a matrix, by its name")
        for blob in blobs
        if blob.name not in readable
    ]
    if not readable:
        return Project(project_id, title, skipped=tuple(skipped))
    chosen = cheapest(list(readable))
    skipped += [
        Skipped(name, f"{blob.url}: the same matrix is read from {chosen}")
        for name, blob in sorted(readable.items())
        if name != chosen
    ]
    blob = readable[chosen]
    ref = MatrixRef(
        project_id=project_id,
        name="",
        url=blob.url,
        fingerprint=f"etag:{blob.etag}",
        size_bytes=blob.size_bytes,
        certain=is_sure(chosen),
    )
    return Project(project_id, title, (ref,), tuple(skipped))
