"""Matrix Market files, with their tables of genes and cells."""

from dpss.formats.mtx.reader import is_entries, label_of, name_matrices, open_, open_member, sniff
from dpss.formats.mtx.tables import find_role

__all__ = [
    "find_role",
    "is_entries",
    "label_of",
    "name_matrices",
    "open_",
    "open_member",
    "sniff",
]
