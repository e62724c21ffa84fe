"""Roles of the tables beside a MatrixMarket file: genes or cells.

Names propose (``barcodes.tsv``, ``quants_mat_rows.txt``), content decides: a table with ids of
genes is one of genes whatever its name, a table of bare barcodes one of cells. Lengths decide
whether a table fits the matrix (`dpss.formats.mtx.orientation`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from dpss.errors import CorruptMatrixError, NoCountsError
from dpss.formats.annotation.axis_names import GENE_FAMILIES
from dpss.formats.annotation.gene_table import ENSEMBL
from dpss.formats.file_names import find_role
from dpss.formats.mtx.tables import split_head
from dpss.formats.side_files import COMPRESSION
from dpss.storage.base import Blob
from dpss.storage.compression import peek

_HEAD_BYTES = 1 << 16
_N_SAMPLED = 1000
_LEADING_COLUMNS = 3
_FEW = 20
_FEW_PREFIXES = 5
_BARCODE = re.compile(r"(.*[^A-Za-z])?[ACGTN]{8,}([-_.]\d+)?")
_AXIS_WORDS = {"rows": 0, "rownames": 0, "cols": 1, "colnames": 1, "columns": 1}
_MAY_BE_NAMES = re.compile(r".*\.(tsv|csv|txt|tab)")
_CLASSES = ".ec.txt"
"""Ending of kb's table of equivalence classes, beside the matrix that counts them (TCC)."""
OTHER_ROLE = {"genes": "cells", "cells": "genes"}


class RoleEvidence(Enum):
    """Evidence that a table names genes or cells."""

    CONTENT = "content"
    """Ids of genes, or barcodes, which the name does not contradict."""
    AGAINST_NAME = "against name"
    """Ids of genes, or barcodes, which contradict the name."""
    NAME = "name"
    """A word for genes or cells in the name."""
    AXIS = "axis"
    """A word for rows or columns in the name: rows are assumed to be genes."""


@dataclass(frozen=True)
class Table:
    """A table that may belong to a matrix."""

    blob: Blob
    sure: bool
    """Whether the table belongs to the matrix by its name alone, so that it must fit."""
    evidence: RoleEvidence
    axis: int | None
    """Axis stated by the name: 0 for rows, 1 for columns."""
    order: tuple[bool, bool, int, bool, bool, str]
    """Sort key: the likeliest table comes first."""


Tables = Mapping[str, Sequence[Table]]
"""The tables of ``genes`` and of ``cells``, the likeliest first."""


def find_tables(path: str, matrices: Mapping[str, Blob], blobs: Mapping[str, Blob]) -> Tables:
    """Return the tables in a matrix's folder whose names fit it, by role.

    Args:
        path: Path of the matrix.
        matrices: All MatrixMarket files by path.
        blobs: All files by path.

    Raises:
        CorruptMatrixError: A table is damaged at its beginning.
        NoCountsError: The matrix counts equivalence classes of transcripts.
    """
    folder = path.rpartition("/")[0]
    full = COMPRESSION.sub("", path.rpartition("/")[2].lower())
    stem = full.removesuffix(".txt").removesuffix(".mtx").removesuffix(".npz")
    alone = sum(other.rpartition("/")[0] == folder for other in matrices) == 1
    beside = {p: b for p, b in blobs.items() if p.rpartition("/")[0] == folder}
    for other in beside:
        prefix, is_classes, _ = other.rpartition("/")[2].lower().rpartition(_CLASSES)
        if is_classes and stem == prefix:
            raise NoCountsError(
                f"{matrices[path].url}: counts of equivalence classes of transcripts, as "
                f"{other.rpartition('/')[2]} says, which are no genes; give cells_x_genes.mtx"
            )
    roles = {p: find_role(p) for p in beside if p not in matrices}
    n_of_kind = Counter(role[0] for role in roles.values() if role)
    found: dict[str, list[Table]] = {"genes": [], "cells": []}
    for other, role in roles.items():
        if role is None:
            continue
        kind, prefix, rest = role
        bare = prefix.rstrip("._- ")
        fits = stem.startswith(prefix) or bare in (stem, full)
        if fits or alone or n_of_kind[kind] == 1:
            kind, evidence = _decide_role(kind, other, beside[other])
            # The longest prefix that fits, and no text after the role, come first; then, by the
            # alphabet, features.tsv (which has types) before genes.tsv.
            order = (evidence is RoleEvidence.AGAINST_NAME, not fits, -len(bare), bool(rest),
                     "barcode" in other.lower(), other)  # fmt: skip
            axis = _stated_axis(other)
            found[kind].append(Table(beside[other], fits and not rest, evidence, axis, order))
    _assign_by_axis(found)
    if alone:
        nameless = [p for p, role in roles.items() if role is None]
        _add_by_content(found, {p: beside[p] for p in nameless})
    return {kind: sorted(tables, key=lambda table: table.order) for kind, tables in found.items()}


def role_by_content(blob: Blob) -> str | None:
    """Return ``genes`` or ``cells`` by a table's first lines; ``None`` if unknown.

    Ids of Ensembl and well-known genes are genes. Barcodes are cells if they have no prefix or few
    prefixes: each tag (``CD3-ACGTACGTACGTACG``) has its own.

    Raises:
        CorruptMatrixError: The table is damaged at its beginning.
    """
    rows = split_head(peek(blob, _HEAD_BYTES), _N_SAMPLED)
    columns = [
        [row[k] for row in rows if k < len(row)]
        for k in range(min(_LEADING_COLUMNS, max(map(len, rows), default=0)))
    ]
    if any(_are_genes(column) for column in columns):
        return "genes"
    return "cells" if any(_are_barcodes(column) for column in columns[:2]) else None


def describe_contradiction(table: Table, kind: str) -> str:
    """Return the sentence for a table whose content contradicts its name."""
    holds = {"genes": "genes", "cells": "barcodes of cells"}[kind]
    return (
        f"{table.blob.name} is named as a table of {OTHER_ROLE[kind]}, but holds {holds}: "
        "its content was believed."
    )


def _decide_role(kind: str, path: str, blob: Blob) -> tuple[str, RoleEvidence]:
    """Return the role of a table, and the evidence for it.

    Raises:
        CorruptMatrixError: The table is damaged, and not named as one of cells.
    """
    try:
        by_content = role_by_content(blob)
    except CorruptMatrixError:
        if kind != "cells":
            raise
        by_content = None
    if by_content is not None:
        return by_content, RoleEvidence.CONTENT if by_content == kind else RoleEvidence.AGAINST_NAME
    return kind, RoleEvidence.NAME if _stated_axis(path) is None else RoleEvidence.AXIS


def _stated_axis(path: str) -> int | None:
    """Return the axis stated by the name of a table; ``None`` if it states none."""
    words = re.findall(r"[a-z]+", path.rpartition("/")[2].lower())
    return next((_AXIS_WORDS[word] for word in words if word in _AXIS_WORDS), None)


def _assign_by_axis(found: Mapping[str, list[Table]]) -> None:
    """Give a table named by its axis the role that content leaves over.

    If ``rows`` hold barcodes and ``columns`` hold unknown words, the columns are genes.
    """
    for kind, other in OTHER_ROLE.items():
        by_axis = [table for table in found[kind] if table.evidence is RoleEvidence.AXIS]
        if found[other] or not any(
            table.evidence is RoleEvidence.AGAINST_NAME for table in found[kind]
        ):
            continue
        found[kind][:] = [table for table in found[kind] if table not in by_axis]
        found[other][:] = by_axis


def _add_by_content(found: Mapping[str, list[Table]], blobs: Mapping[str, Blob]) -> None:
    """Add tables whose content tells their role, for roles without a table."""
    missing = {kind for kind, tables in found.items() if not tables}
    if not missing:
        return
    for path, blob in blobs.items():
        if not _MAY_BE_NAMES.fullmatch(COMPRESSION.sub("", path.lower())):
            continue
        try:
            kind = role_by_content(blob)
        except CorruptMatrixError:
            if "genes" in missing:
                raise
            continue
        if kind in missing:
            order = (False, False, 0, False, False, path)
            found[kind].append(Table(blob, False, RoleEvidence.CONTENT, _stated_axis(path), order))


def _are_genes(names: Sequence[str]) -> bool:
    """Return whether most names are ids of genes, or several known genes.

    Names of genes hardly ever repeat: a column of CD4 and CD8 has types of cells.
    """
    if 2 * len(set(names)) <= len(names):
        return False
    ids = sum(ENSEMBL.fullmatch(name.rpartition("_")[2].split("-")[0]) is not None
              for name in names)  # fmt: skip
    known = sum(GENE_FAMILIES.fullmatch(name) is not None for name in names)
    return 2 * ids > len(names) or (known > 1 and known >= 0.01 * len(names))


def _are_barcodes(names: Sequence[str]) -> bool:
    """Return whether most names are barcodes, without a prefix or with one of a few."""
    found = [match for name in names if (match := _BARCODE.fullmatch(name))]
    if not found or 2 * len(found) <= len(names):
        return False
    prefixes = {match[1] or "" for match in found}
    if prefixes == {""}:
        return True
    return len(found) >= _FEW and _FEW_PREFIXES * len(prefixes) <= len(found)
