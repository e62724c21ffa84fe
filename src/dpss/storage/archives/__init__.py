"""Zip and tar archives, read without unpacking them to disk."""

from dpss.storage.archives.members import is_clutter
from dpss.storage.archives.tar import HEAD_BYTES, TarTree, is_tar
from dpss.storage.archives.zip import ZipTree, is_zip

__all__ = [
    "HEAD_BYTES",
    "TarTree",
    "ZipTree",
    "is_clutter",
    "is_tar",
    "is_zip",
]
