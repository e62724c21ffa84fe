"""Fingerprints: short texts that are equal if the bytes of files are equal.

Files and folders without a checksum (local ones) are sampled at a few places: reading all bytes to
find that nothing changed would take as long as a run. ``docs/adr/0003-fingerprints.md`` lists the
changes that this misses, and what compensates for them.
"""

from __future__ import annotations

import hashlib

from dpss.storage.base import Blob, Tree

N_PLACES = 16
PLACE_BYTES = 1 << 18
"""Bytes read at each place; a file of up to ``N_PLACES * PLACE_BYTES`` is read whole."""
MAX_MEMBERS = 256
"""Most files of a folder whose content is sampled; names and sizes of all files count."""

PREFIX = "sampled-sha256:"


def fingerprint(source: Blob | Tree) -> str:
    """Return the fingerprint of a file or folder.

    Raises:
        MatrixError: The file or folder can't be read.
    """
    digest = hashlib.sha256()
    if isinstance(source, Blob):
        _add_blob(digest, source)
    else:
        blobs = list(source.blobs().items())
        n_looks = min(len(blobs), MAX_MEMBERS)
        looked_at = {len(blobs) * i // n_looks for i in range(n_looks)}
        for number, (path, blob) in enumerate(blobs):
            digest.update(f"{path}\0".encode())
            if number in looked_at:
                _add_blob(digest, blob)
            else:
                digest.update(f"{blob.size_bytes}\0".encode())
    return PREFIX + digest.hexdigest()


def _add_blob(digest: hashlib._Hash, blob: Blob) -> None:
    size = blob.size_bytes or 0
    digest.update(f"{size}\0".encode())
    if not blob.random_access:
        # Without random access each place means a read from the start, so all is read once.
        with blob.open() as file:
            while data := file.read(PLACE_BYTES):
                digest.update(data)
        return
    if size <= N_PLACES * PLACE_BYTES:
        digest.update(blob.read_range(0, size))
        return
    for i in range(N_PLACES):
        digest.update(blob.read_range((size - PLACE_BYTES) * i // (N_PLACES - 1), PLACE_BYTES))
