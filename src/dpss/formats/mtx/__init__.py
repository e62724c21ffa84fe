"""Matrix Market files, with their tables of genes and cells."""

from dpss.formats.mtx.records import FORMATS

__all__ = ["FORMATS"]
