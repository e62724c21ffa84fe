"""Layouts with several AnnData hierarchies: of MuData and SpatialData."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dpss.errors import (
    CorruptMatrixError,
    LimitError,
    MatrixError,
    NoMatrixError,
    UnknownFormatError,
)
from dpss.formats.annotation.modalities import holds_genes, note_left_out
from dpss.formats.base import Matrix
from dpss.formats.zarr.group import ZarrTree
from dpss.storage.base import Tree

_GROUPS = ("mod", "tables")
"""Groups whose members are AnnData hierarchies: of MuData, of SpatialData."""


def open_modalities(
    tree: Tree, root: str, name: str, open_one: Callable[[ZarrTree, str], Matrix]
) -> list[Matrix]:
    """Open a hierarchy: one matrix, or one for each modality with genes.

    Args:
        tree: The folder or archive.
        root: Path of the hierarchy within it.
        name: Name of the hierarchy among several; empty for the only one.
        open_one: Opens a hierarchy that is one matrix, given its name.

    Raises:
        NoMatrixError: There is no matrix, or no modality that holds genes.
        MatrixError: No modality can be read.
    """
    top = ZarrTree(tree, root)
    group = next((each for each in _GROUPS if each in top), None)
    if group is None or "X" in top:
        return [open_one(top, name)]
    found: dict[str, Matrix] = {}
    others: list[str] = []
    unread: dict[str, MatrixError] = {}
    for modality in top.children(group):
        try:
            part = open_one(ZarrTree(tree, f"{root}/{group}/{modality}".strip("/")), name)
        except NoMatrixError:
            others.append(modality)
        except (UnknownFormatError, CorruptMatrixError, LimitError) as error:
            unread[modality] = error
        else:
            if holds_genes(modality, part.layers[0].genes):
                found[modality] = part
            else:
                others.append(modality)
    if not found and unread:
        raise next(iter(unread.values()))
    if not found:
        listed = ", ".join(others)
        raise NoMatrixError(f"{top.url}: none of the modalities holds gene expression ({listed})")
    notes = (
        *note_left_out(others),
        *(("unread", "warn", f"{each} can't be read: {error}.") for each, error in unread.items()),
    )
    return [
        replace(
            part,
            name=".".join(filter(None, (name, modality))) if len(found) > 1 else name,
            notes=(*notes, *part.notes),
        )
        for modality, part in found.items()
    ]
