"""Delimited text: csv, tsv and their relatives."""

from dpss.formats.text.records import FORMATS

__all__ = ["FORMATS"]
