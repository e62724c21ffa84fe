"""Objects and buckets on S3."""

from dpss.storage.s3.objects import S3Blob, S3Tree, find, list_objects, split_url
from dpss.storage.s3.store import S3Store

__all__ = [
    "S3Blob",
    "S3Store",
    "S3Tree",
    "find",
    "list_objects",
    "split_url",
]
