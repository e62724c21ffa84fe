"""Delimited text: csv, tsv and their relatives."""

from dpss.formats.text.layout import look_at
from dpss.formats.text.records import FORMATS

__all__ = ["FORMATS", "look_at"]
