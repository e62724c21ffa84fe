"""R's files: matrices and the objects of Seurat and Bioconductor."""

from dpss.formats.r.records import FORMATS

__all__ = ["FORMATS"]
