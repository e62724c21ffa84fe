"""AnnData's h5ad: today's layout and the old ones with compound obs and var."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from dpss.errors import CorruptMatrixError, NoMatrixError
from dpss.formats import Layer, Matrix
from dpss.formats.dense_hdf5 import dense_layer
from dpss.formats.gene_columns import gene_table
from dpss.formats.hdf5 import Hdf5File, reading
from dpss.formats.hdf5_strings import as_strings, read_strings, read_whole
from dpss.formats.sparse_hdf5 import SparseLayer
from dpss.model import GeneTable
from dpss.stores import Blob

FORMAT = "h5ad"


def is_h5ad(file: Hdf5File) -> bool:
    """Return whether an HDF5 file looks like an AnnData object."""
    h5 = file.h5
    return h5.attrs.get("encoding-type") in ("anndata", b"anndata") or ("var" in h5 and "obs" in h5)


def is_h5mu(file: Hdf5File) -> bool:
    """Return whether an HDF5 file holds a MuData object: several AnnData objects."""
    h5 = file.h5
    return _text(h5.attrs.get("encoding-type", "")) == "MuData" or (
        isinstance(h5.get("mod"), h5py.Group) and "X" not in h5
    )


def open_h5mu(blob: Blob, file: Hdf5File) -> tuple[Matrix, ...]:
    """Open an h5mu file: a matrix for each modality that holds gene expression.

    Raises:
        NoMatrixError: None does.
        CorruptMatrixError: Its parts contradict each other.
    """
    matrices = []
    with reading(file):
        modalities = file.h5["mod"]
        for name in modalities:
            if "var" not in modalities[name]:
                continue
            layers = tuple(_layers(file, f"mod/{name}"))
            if layers and _holds_genes(name, layers[0].genes):
                matrices.append((name, layers))
        others = sorted(set(modalities) - {name for name, _ in matrices})
    if not matrices:
        raise NoMatrixError(
            f"{blob.url}: none of the modalities holds gene expression ({', '.join(others)})"
        )
    note = ("modalities", "warn", f"Left out, as they hold no genes: {', '.join(others)}.")
    notes = (note,) if others else ()
    named = len(matrices) > 1
    return tuple(Matrix(name if named else "", "h5mu", layers, notes) for name, layers in matrices)


_OTHER_MODALITIES = {"adt", "atac", "cite", "guides", "hto", "peaks", "prot", "protein", "airr"}


def _holds_genes(modality: str, genes: GeneTable) -> bool:
    """Return whether a modality's features are genes, as far as its table or name tells."""
    if genes.feature_types is not None:
        return bool(genes.is_gene.any())
    return modality.lower() not in _OTHER_MODALITIES


def open_h5ad(blob: Blob, file: Hdf5File) -> Matrix:
    """Open an h5ad file.

    Raises:
        NoMatrixError: There is no X, raw.X or layer in it.
        CorruptMatrixError: Its parts contradict each other.
    """
    with reading(file):
        layers = tuple(_layers(file, ""))
    if not layers:
        raise NoMatrixError(f"{blob.url}: there is no X, raw.X or layer in this h5ad file")
    return Matrix(name="", format=FORMAT, layers=layers)


def _layers(file: Hdf5File, root: str) -> Iterator[Layer]:
    """Yield all layers below a group that is laid out as AnnData."""
    h5 = file.h5
    if "var" not in h5[root or "/"]:
        raise NoMatrixError(f"{file.blob.url}: there is no var, hence no gene names")
    var = _columns(file, h5[f"{root}/var"])
    n_cells = _length(h5[f"{root}/obs"]) if f"{root}/obs" in h5 else None
    if f"{root}/X" in h5 and not _is_null(h5[f"{root}/X"]):
        yield _layer(file, "X", f"{root}/X", n_cells, var)
    raw, raw_var = next(
        (
            pair
            for pair in ((f"{root}/raw/X", f"{root}/raw/var"), (f"{root}/raw.X", f"{root}/raw.var"))
            if pair[0] in h5
        ),
        (None, None),
    )
    if raw is not None:
        columns = _columns(file, h5[raw_var]) if raw_var in h5 else var
        yield _layer(file, "raw.X", raw, n_cells, columns)
    layers = h5.get(f"{root}/layers")
    for name in layers if isinstance(layers, h5py.Group) else ():
        yield _layer(file, name, f"{root}/layers/{name}", n_cells, var)


def _layer(
    file: Hdf5File,
    name: str,
    path: str,
    n_cells: int | None,
    var: dict[str, NDArray[np.object_]],
) -> Layer:
    """Open one layer, and check it against the tables of cells and genes."""
    node = file.h5[path]
    shape, encoding = _shape(file, node, path)
    genes = gene_table(var)
    if len(genes) != shape[1]:
        raise CorruptMatrixError(
            f"{file.blob.url}: {path} has {shape[1]:,} genes, but its gene table {len(genes):,}"
        )
    if n_cells is not None and n_cells != shape[0]:
        raise CorruptMatrixError(
            f"{file.blob.url}: {path} has {shape[0]:,} cells, but its cell table {n_cells:,}"
        )
    if encoding == "dense":
        return dense_layer(file, name, path, genes)
    return SparseLayer(name, file, path, shape[0], genes, cell_major=encoding == "csr").check()


def _shape(file: Hdf5File, node: Any, path: str) -> tuple[tuple[int, int], str]:
    """Return (cells, genes) and ``csr``, ``csc`` or ``dense``."""
    url = file.blob.url
    if isinstance(node, h5py.Dataset):
        if node.ndim != 2:
            raise CorruptMatrixError(f"{url}: {path} has {node.ndim} axes instead of 2")
        return (int(node.shape[0]), int(node.shape[1])), "dense"
    encoding = _text(node.attrs.get("encoding-type", node.attrs.get("h5sparse_format", "")))
    kind = encoding.removesuffix("_matrix")
    shape = node.attrs.get("shape", node.attrs.get("h5sparse_shape"))
    if kind not in ("csr", "csc") or shape is None or np.size(shape) != 2:
        raise CorruptMatrixError(f"{url}: {path} is encoded as {encoding!r}, which is no matrix")
    n_cells, n_genes = (int(n) for n in np.ravel(shape))
    if n_cells < 0 or n_genes < 0:
        raise CorruptMatrixError(f"{url}: {path} claims {n_cells} cells × {n_genes} genes")
    return (n_cells, n_genes), kind


def _is_null(node: Any) -> bool:
    """Return whether AnnData wrote ``X = None``."""
    return isinstance(node, h5py.Dataset) and (
        node.shape is None or _text(node.attrs.get("encoding-type", "")) == "null"
    )


def _length(frame: Any) -> int | None:
    """Return the number of lines of a data frame, however it is laid out."""
    if isinstance(frame, h5py.Dataset):
        return int(frame.shape[0])
    index = _text(frame.attrs.get("_index", "_index"))
    for name in (index, "index", *frame):
        if name in frame and isinstance(frame[name], h5py.Dataset) and frame[name].ndim == 1:
            return int(frame[name].shape[0])
    return None


def _columns(file: Hdf5File, frame: Any) -> dict[str, NDArray[np.object_]]:
    """Return a data frame's columns of text, the index first under the name ``index``."""
    if isinstance(frame, h5py.Dataset):
        names = frame.dtype.names or ()
        table = read_whole(file, frame)
        return {name: as_strings(table[name]) for name in names if table[name].dtype.kind in "SUO"}
    index = _text(frame.attrs.get("_index", "_index"))
    order = [index, *(name for name in frame if name not in (index, "__categories"))]
    columns = {}
    for name in order:
        column = _column(file, frame, name, is_index=name == index)
        if column is not None:
            columns["index" if name == index else name] = column
    return columns


def _column(file: Hdf5File, frame: Any, name: str, *, is_index: bool) -> NDArray[np.object_] | None:
    """Return one column of text, `None` if it holds something else; an index may be numbers."""
    node = frame.get(name)
    if isinstance(node, h5py.Group) and {"codes", "categories"} <= set(node):
        return _decode(file, node["codes"], node["categories"])
    if not isinstance(node, h5py.Dataset) or node.ndim != 1:
        return None
    old = node.attrs.get("categories")
    if isinstance(old, h5py.Reference) and old:
        return _decode(file, node, file.h5[old])
    if node.dtype.kind not in "SUO" and not (is_index and node.dtype.kind in "iu"):
        return None
    return read_strings(file, node)


def _decode(file: Hdf5File, codes: Any, categories: Any) -> NDArray[np.object_] | None:
    """Return a categorical column as text; the missing are empty."""
    if categories.dtype.kind not in "SUO" or codes.dtype.kind not in "iu":
        return None
    numbers = read_whole(file, codes)
    if len(numbers) and not -1 <= int(numbers.min()) <= int(numbers.max()) < len(categories):
        return None
    names: NDArray[np.object_] = np.append(read_strings(file, categories), "")
    decoded: NDArray[np.object_] = names[numbers]
    return decoded


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
