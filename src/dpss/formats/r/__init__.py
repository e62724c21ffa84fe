"""R's files: matrices and the objects of Seurat and Bioconductor."""

from dpss.formats.r.reader import DEFAULT_MEMORY_BYTES, open_, sniff

__all__ = [
    "DEFAULT_MEMORY_BYTES",
    "open_",
    "sniff",
]
