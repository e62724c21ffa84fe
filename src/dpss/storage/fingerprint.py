"""A short name for content: equal where the bytes are equal, whatever the file is called.

Files and folders without a checksum of their own (local ones) are looked at in a few
places instead of being read whole: reading everything only to find out that nothing is to
be done would take as long as doing it. ``docs/adr/0003-fingerprints.md`` says what this
can miss and what stands in for it.
"""

from __future__ import annotations

import hashlib

from dpss.storage.base import Blob, Tree

N_PLACES = 16
PLACE_BYTES = 1 << 18
"""A file of up to ``N_PLACES * PLACE_BYTES`` is read whole."""
MAX_MEMBERS = 256
"""Most files of a folder whose content is looked at; of all of them the names and sizes are."""

PREFIX = "sampled-sha256:"


def fingerprint(source: Blob | Tree) -> str:
    """Return the fingerprint of a file or folder.

    Raises:
        MatrixError: It can't be read.
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
        # Each place would be come to from the start: all of it is one way.
        with blob.open() as file:
            while data := file.read(PLACE_BYTES):
                digest.update(data)
        return
    if size <= N_PLACES * PLACE_BYTES:
        digest.update(blob.read_range(0, size))
        return
    for i in range(N_PLACES):
        digest.update(blob.read_range((size - PLACE_BYTES) * i // (N_PLACES - 1), PLACE_BYTES))
