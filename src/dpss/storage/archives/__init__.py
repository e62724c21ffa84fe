"""Zip and tar archives, read without unpacking them to disk."""

from dpss.storage.archives.members import is_clutter
from dpss.storage.archives.tar import HEAD_BYTES, TarTree, is_tar
from dpss.storage.archives.zip import ZipTree, is_zip
from dpss.storage.archives.zip_member import first_name

__all__ = [
    "HEAD_BYTES",
    "TarTree",
    "ZipTree",
    "first_name",
    "is_clutter",
    "is_tar",
    "is_zip",
]
