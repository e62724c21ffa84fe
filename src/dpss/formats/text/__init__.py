"""Delimited text: csv, tsv and their relatives."""

from dpss.formats.text.arrow import open_ as open_arrow
from dpss.formats.text.arrow import sniff as is_arrow
from dpss.formats.text.arrow import text_of
from dpss.formats.text.layer import TextLayer
from dpss.formats.text.layout import CELLS_BY_GENES, GENES_BY_CELLS, Orientation, look_at
from dpss.formats.text.reader import is_table, open_, service_folders, sniff

__all__ = [
    "CELLS_BY_GENES",
    "GENES_BY_CELLS",
    "Orientation",
    "TextLayer",
    "is_arrow",
    "is_table",
    "look_at",
    "open_",
    "open_arrow",
    "service_folders",
    "sniff",
    "text_of",
]
