"""Zip and tar archives, read without unpacking them to disk."""

from dpss.storage.archives.kinds import as_tree, is_archive, open_archive
from dpss.storage.archives.tar import HEAD_BYTES
from dpss.storage.archives.zip import is_zip
from dpss.storage.archives.zip_member import first_name

__all__ = [
    "HEAD_BYTES",
    "as_tree",
    "first_name",
    "is_archive",
    "is_zip",
    "open_archive",
]
