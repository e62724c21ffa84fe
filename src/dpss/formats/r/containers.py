"""Search for the matrices in R's objects for single cells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.errors import UnknownFormatError
from dpss.formats.annotation.strings import object_array
from dpss.formats.r.matrices import RMatrix, is_matrix, read_matrix
from dpss.formats.r.reductions import find_reductions, reduction_cells
from dpss.formats.r.rules import SkippedObject, values_elsewhere, why_no_counts
from dpss.formats.r.values import (
    attributes_of,
    class_of,
    classes_of,
    columns_of,
    items_of,
    labels_of,
    numbers_of,
    pairs_of,
    strings_of,
    type_of,
)

_MAX_DEPTH = 8
"""Most levels of nested lists that are searched."""
_LAYER_NAMES = {"logcounts": "X", "data": "X", "raw.data": "raw"}
"""Names of layers in AnnData's terms; Seurat 2 calls the counts ``raw.data``."""
_SPLIT = re.compile(r"(counts|data|scale\.data)\.(.+)")


@dataclass(frozen=True)
class FoundMatrix:
    """The layers of one matrix, with columns of its genes and cells."""

    name: str
    layers: Mapping[str, RMatrix]
    gene_names: list[str] = field(default_factory=list)
    """Names of the genes where the matrices have none."""
    gene_columns: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)
    """Further columns of the genes."""
    cell_columns: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)
    """Columns of the object's cells: those of a layer that is split are fewer."""
    cell_names: list[str] = field(default_factory=list)
    """Names of the object's cells, in the order of these columns."""
    own_cells: list[str] = field(default_factory=list)
    """Names of the cells of the layers where the matrices have none."""
    coordinates: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Coordinates of the object's cells by name, shape ``(n_cells, n_axes)``."""
    coordinate_cells: Mapping[str, list[str]] = field(default_factory=dict)
    """Names of the cells of each of these arrays, in its order; empty without names."""


def find_matrices(
    obj: Any, url: str, name: str = "", depth: int = 0, *, nested: bool = False
) -> Iterator[FoundMatrix | SkippedObject]:
    """Yield the count matrices of an object and its members, and the skipped objects.

    Args:
        obj: The object.
        url: The file's address, for messages.
        name: Path of the object in the file.
        depth: Number of lists around the object.
        nested: Whether one of these lists is more than the list of all saved objects.

    Raises:
        CorruptMatrixError: A matrix contradicts itself.
    """
    if depth > _MAX_DEPTH:
        return
    where = f"{url}: {name}" if name else url
    kind = class_of(obj) if type_of(obj) == "S4" else ""
    if is_matrix(obj):
        yield _judge_matrix(obj, where, name, nested=nested)
    elif kind == "Seurat":
        cells = attributes_of(obj).get("meta.data")
        for assay_name, assay in items_of(attributes_of(obj).get("assays")):
            yield from map(partial(_with_cells, cells, obj), _find_assay(assay, where, assay_name))
    elif kind == "seurat":
        slots = attributes_of(obj)
        cells = slots.get("meta.data", slots.get("data.info"))
        found = _as_found(name, _slots(obj, ("raw.data", "data"), where))
        yield from map(partial(_with_cells, cells, obj), found)
    elif "assays" in attributes_of(obj):
        cells = attributes_of(obj).get("colData")
        yield from map(partial(_with_cells, cells, obj), _find_experiment(obj, where, name))
    elif "data.frame" in classes_of(obj):
        yield from _find_frame(obj, name, nested=nested)
    elif type_of(obj) == "VEC":
        for i, (item_name, item) in enumerate(items_of(obj), 1):
            inner = _join(name, item_name or str(i))
            yield from find_matrices(item, url, inner, depth + 1, nested=True)
    elif type_of(obj) == "LIST":
        for item_name, item in pairs_of(obj):
            inner = _join(name, item_name)
            yield from find_matrices(item, url, inner, depth + 1, nested=nested)
    elif kind:
        yield SkippedObject(name, values_elsewhere(kind))


def _with_cells(
    frame: Any, obj: Any, found: FoundMatrix | SkippedObject
) -> FoundMatrix | SkippedObject:
    """Add the columns of an object's table of cells, and their coordinates.

    The table is a data.frame, or Bioconductor's DataFrame.
    """
    if not isinstance(found, FoundMatrix):
        return found
    found = replace(found, coordinates=find_reductions(obj), coordinate_cells=reduction_cells(obj))
    if frame is None:
        return found
    attributes = attributes_of(frame)
    listed = items_of(attributes.get("listData", frame))
    columns = {title: labels for title, each in listed if title and len(labels := labels_of(each))}
    names = strings_of(attributes.get("row.names", attributes.get("rownames")))
    return replace(found, cell_columns=columns, cell_names=names)


def _judge_matrix(obj: Any, where: str, name: str, *, nested: bool) -> FoundMatrix | SkippedObject:
    """Return a matrix, or the reason why it is skipped.

    Raises:
        UnknownFormatError: The only object has an unsupported class.
        CorruptMatrixError: The parts of the file contradict each other.
    """
    try:
        matrix = read_matrix(obj, where)
    except UnknownFormatError as error:
        if not name:
            raise
        return SkippedObject(name, str(error).removeprefix(f"{where}: "))
    why = why_no_counts(matrix, is_frame=False, nested=nested)
    return SkippedObject(name, why) if why else FoundMatrix(name, {"X": matrix})


def _join(outer: str, inner: str) -> str:
    return f"{outer}.{inner}" if outer and inner else outer or inner


def _as_found(name: str, layers: Mapping[str, RMatrix], **genes: Any) -> Iterator[FoundMatrix]:
    """Yield one matrix with its layers named as in AnnData; nothing without layers."""
    if not layers:
        return
    renamed = {_LAYER_NAMES.get(key, key): matrix for key, matrix in layers.items()}
    if not {"counts", "raw", "X"} & set(renamed):
        first = next(iter(renamed))
        renamed = {"X": renamed.pop(first), **renamed}
    yield FoundMatrix(name, renamed, **genes)


def _slots(obj: Any, names: tuple[str, ...], where: str) -> dict[str, RMatrix]:
    """Return the slots that hold a matrix of at least one cell and one gene."""
    slots = attributes_of(obj)
    found = {}
    for name in names:
        if name in slots and is_matrix(slots[name]):
            matrix = read_matrix(slots[name], f"{where}@{name}")
            if matrix.n_cells and matrix.n_genes:
                found[name] = matrix
    return found


def _skip_others(layers: list[tuple[str, Any]], name: str) -> Iterator[SkippedObject]:
    """Yield the layers of other classes, such as those on disk, as skipped."""
    for layer_name, layer in layers:
        if type_of(layer) == "S4" and not is_matrix(layer):
            yield SkippedObject(_join(name, layer_name), values_elsewhere(class_of(layer)))


def _find_assay(assay: Any, where: str, name: str) -> Iterator[FoundMatrix | SkippedObject]:
    """Yield the matrices of an assay of Seurat 3 and 4, or 5."""
    slots = attributes_of(assay)
    if "layers" not in slots:
        wanted = ("counts", "data", "scale.data")
        yield from _skip_others([(each, slots[each]) for each in wanted if each in slots], name)
        yield from _as_found(name, _slots(assay, wanted, where))
        return
    yield from _skip_others(items_of(slots["layers"]), name)
    features, chosen = _log_map(slots.get("features"))
    groups: dict[str, dict[str, RMatrix]] = {}
    genes: dict[str, list[str]] = {}
    for layer_name, layer in items_of(slots["layers"]):
        if not is_matrix(layer):
            continue
        match = _SPLIT.fullmatch(layer_name)
        base, suffix = (match[1], match[2]) if match else (layer_name, "")
        matrix = read_matrix(layer, f"{where}: {name}, layer {layer_name}")
        groups.setdefault(suffix, {})[base] = matrix
        picked = chosen.get(layer_name)
        if picked is not None and not suffix and base != "counts" and suffix in genes:
            continue
        genes[suffix] = _select(features, picked)
    all_cells, cells_of = _log_map(slots.get("cells"))
    for suffix, layers in groups.items():
        n_genes = len(genes[suffix])
        # Scaled values often exist for the variable genes only.
        same = {key: m for key, m in layers.items() if m.gene_names or m.n_genes == n_genes}
        first = next(iter(layers))
        picked = cells_of.get(f"{first}.{suffix}" if suffix else first)
        own_cells = _select(all_cells, picked)
        yield from _as_found(
            _join(name, suffix), same or layers, gene_names=genes[suffix], own_cells=own_cells
        )


def _select(names: list[str], mask: NDArray[np.bool_] | None) -> list[str]:
    """Return the names where ``mask`` is true; all without a mask."""
    return names if mask is None else list(compress(names, mask))


def _log_map(obj: Any) -> tuple[list[str], dict[str, NDArray[np.bool_]]]:
    """Return the names in Seurat 5's map, and the mask of each layer."""
    if obj is None:
        return [], {}
    slots = attributes_of(obj)
    names = slots.get("dimnames")
    flat, size = numbers_of(obj), numbers_of(slots.get("dim"))
    if flat is None and ".Data" in slots:
        inner = slots[".Data"]
        flat, size = (
            numbers_of(inner),
            numbers_of(attributes_of(inner).get("dim", slots.get("dim"))),
        )
    sides = [strings_of(each) for each in names.value] if names and type_of(names) == "VEC" else []
    if len(sides) != 2 or flat is None or size is None or len(flat) != int(np.prod(size)):
        return (sides[0] if sides else []), {}
    table = flat.reshape(len(sides[1]), len(sides[0])).astype(bool)
    return sides[0], dict(zip(sides[1], table, strict=True))


def _find_experiment(obj: Any, where: str, name: str) -> Iterator[FoundMatrix | SkippedObject]:
    """Yield the assays of a SummarizedExperiment or SingleCellExperiment."""
    slots = attributes_of(obj)
    holder = attributes_of(slots["assays"]).get("data", slots["assays"])
    listed = attributes_of(holder).get("listData", holder)
    layers = {
        layer_name or f"assay {i}": read_matrix(layer, f"{where}: assay {layer_name}")
        for i, (layer_name, layer) in enumerate(items_of(listed), 1)
        if is_matrix(layer)
    }
    yield from _skip_others(items_of(listed), name)
    columns = _frame_columns(slots.get("elementMetadata"))
    gene_names = strings_of(slots.get("NAMES"))
    ranges = slots.get("rowRanges")
    if ranges is not None:
        inner = attributes_of(ranges)
        columns = columns or _frame_columns(inner.get("elementMetadata"))
        for slot in ("partitioning", "ranges"):
            if slot in inner and not gene_names:
                gene_names = strings_of(attributes_of(inner[slot]).get("NAMES"))
    yield from _as_found(name, layers, gene_names=gene_names, gene_columns=columns)


def _frame_columns(frame: Any) -> dict[str, NDArray[np.object_]]:
    """Return the columns of text of a DataFrame."""
    return {
        title: object_array(texts)
        for title, column in columns_of(frame)
        if title and (texts := strings_of(column))
    }


def _find_frame(frame: Any, name: str, *, nested: bool) -> Iterator[FoundMatrix | SkippedObject]:
    """Yield a data frame of numbers, one column per cell; skip other data frames."""
    skipped = SkippedObject(name, "a data frame that is not all numbers with names of rows")
    columns = [(title, numbers_of(column)) for title, column in items_of(frame)]
    numbers = [column for _, column in columns if column is not None]
    n_rows = {len(column) for column in numbers}
    if len(numbers) < 2 or len(numbers) < len(columns) or len(n_rows) != 1:
        yield skipped
        return
    rows = strings_of(attributes_of(frame).get("row.names"))
    if len(rows) != n_rows.pop():
        yield skipped
        return
    titles = [title for title, _ in columns]
    matrix = RMatrix(len(numbers), len(rows), np.stack(numbers), rows, titles)
    why = why_no_counts(matrix, is_frame=True, nested=nested)
    yield SkippedObject(name, why) if why else FoundMatrix(name, {"X": matrix})
