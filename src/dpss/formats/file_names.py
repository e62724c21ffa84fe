"""Names of matrices, and roles of the tables beside them, derived from paths."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from dpss.formats.side_files import COMPRESSION

_EXTENSION = re.compile(r"\.(tsv|csv|txt|tab|mtx)$")
_ROLES = {
    "genes": ("features", "feature", "genes", "gene", "peaks", "rows", "rownames", "var"),
    "cells": ("cells", "cell", "barcodes", "barcode", "cols", "colnames", "columns", "obs"),
}
_WORD = re.compile(r"[a-z]+")


def find_role(path: str) -> tuple[str, str, str] | None:
    """Return the role that a table may have by its name; ``None`` without one.

    Returns:
        ``genes`` or ``cells``, and the parts of the name before and after the word for it.
    """
    stem = _EXTENSION.sub("", COMPRESSION.sub("", path.rpartition("/")[2].lower()))
    for match in reversed(list(_WORD.finditer(stem))):
        for role, words in _ROLES.items():
            if match.group() in words:
                return role, stem[: match.start()], stem[match.end() :]
    return None


def name_matrices(paths: list[str]) -> dict[str, str]:
    """Return the name of each matrix: the parts of its path that not all others share."""
    if len(paths) < 2:
        return dict.fromkeys(paths, "")
    parts = {path: [*PurePosixPath(path).parts[:-1], label_of(path)] for path in paths}
    shared = set.intersection(*(set(names) for names in parts.values()))
    labels = {p: "_".join(n for n in names if n and n not in shared) for p, names in parts.items()}
    if len(set(labels.values())) < len(paths) or not all(labels.values()):
        # These parts do not tell them apart.
        return {path: COMPRESSION.sub("", path).replace("/", "_") for path in paths}
    return labels


def label_of(path: str) -> str:
    """Return a file's name without endings such as ``matrix`` and ``.mtx``."""
    name = COMPRESSION.sub("", path.rpartition("/")[2])
    name = name.removesuffix(".txt").removesuffix(".mtx").removesuffix(".npz")
    for word in ("matrix", "counts", "Matrix"):
        if name.rstrip("._- ").endswith(word):
            return name.rstrip("._- ").removesuffix(word).rstrip("._- ")
    return name
