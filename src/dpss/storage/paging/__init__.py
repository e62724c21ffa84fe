"""Remote files in pages that are fetched ahead and shared."""

from dpss.storage.paging.cache import PageCache
from dpss.storage.paging.file import PagedBlob, PagedTree

__all__ = [
    "PageCache",
    "PagedBlob",
    "PagedTree",
]
