"""The other ways to the same figures, each run in a process of its own.

    python -m benchmarks.contenders NAME ARGUMENTS…

Each is written as its documentation recommends it, prints nothing but one line of JSON at the end
(what it took without the interpreter's start and its imports), and draws its figures with Agg.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pipelines import embedding_quality, rank_sum, scanpy_pipeline
from benchmarks.portal import build_pages

N_TOP = 20
CHUNK_CELLS = 6_000
"""AnnData's default for `chunked_X`."""


def scanpy_in_memory(path: str, output: str) -> dict[str, Any]:
    """Read all, then scanpy's own functions."""
    import scanpy as sc

    adata = sc.read_h5ad(path)
    return _scanpy_figures(adata, output)


def scanpy_with_dask(path: str, output: str) -> dict[str, Any]:
    """AnnData's lazy reading: X is a Dask array of sparse blocks; scanpy's functions know it."""
    import anndata
    import dask
    import h5py
    import pandas as pd
    import scanpy as sc

    with h5py.File(path) as h5, dask.config.set(scheduler="threads", num_workers=2):
        n_genes = int(h5["X"].attrs["shape"][1])
        matrix = anndata.experimental.read_elem_lazy(h5["X"], chunks=(CHUNK_CELLS, n_genes))
        names = anndata.io.read_elem(h5["var"]).index
        adata = anndata.AnnData(X=matrix, var=pd.DataFrame(index=names))
        shares = sc.pp.normalize_total(adata, target_sum=100, inplace=False)["X"]
        means = np.asarray(shares.map_blocks(_column_sums, dtype=float, chunks=(1, n_genes)))
        best = np.argsort(-means.sum(axis=0), kind="stable")[:N_TOP]
        boxes = shares[:, best].map_blocks(_dense, dtype=np.float32).compute()
        sc.pp.normalize_total(adata, target_sum=1e4)
        sc.pp.log1p(adata)
        variable = sc.pp.highly_variable_genes(adata, inplace=False)
        _draw(output, np.asarray(boxes), names[best], variable)
        return {"n_cells": adata.n_obs}


def anndata_backed(path: str, output: str) -> dict[str, Any]:
    """AnnData's backed mode: chunks of cells, sums by scipy, a second pass for the boxes."""
    import anndata

    adata = anndata.read_h5ad(path, backed="r")

    def chunks() -> Iterator[Any]:
        for chunk, _, _ in adata.chunked_X(CHUNK_CELLS):
            yield chunk

    return _by_chunks(chunks, adata.var_names.to_numpy(), output)


def plain_h5py(path: str, output: str) -> dict[str, Any]:
    """Nothing but h5py and scipy, chunks of cells, a second pass for the boxes."""
    import h5py
    import scipy.sparse as sp

    with h5py.File(path) as h5:
        group = h5["X"]
        n_cells, n_genes = (int(n) for n in group.attrs["shape"])
        indptr = group["indptr"][()]

        def chunks() -> Iterator[Any]:
            for start in range(0, n_cells, CHUNK_CELLS):
                part = indptr[start : start + CHUNK_CELLS + 1]
                values = slice(int(part[0]), int(part[-1]))
                yield sp.csr_matrix(
                    (group["data"][values], group["indices"][values], part - part[0]),
                    shape=(len(part) - 1, n_genes),
                )

        return _by_chunks(chunks, h5["var/_index"].asstr()[()], output)


def decode_only(path: str, threads: str = "2") -> dict[str, Any]:
    """Decode all chunks of X with this program's decoder and threads, and do nothing with them."""
    from dpss.formats.registry import open_matrices
    from dpss.storage.local import LocalFile

    layer: Any = open_matrices(LocalFile(Path(path)))[0].layers[0]
    arrays = [layer._data, layer._indices]
    layouts = [array.layout() for array in arrays]
    start = time.monotonic()
    n_chunks = len(layouts[0].offsets)
    lock, parts = threading.Lock(), iter(np.array_split(np.arange(n_chunks), -(-n_chunks // 256)))

    def work() -> None:
        while True:
            with lock:
                numbers = next(parts, None)
            if numbers is None:
                return
            for array, layout in zip(arrays, layouts, strict=True):
                for _ in array.read_chunks(layout, numbers):
                    pass

    workers = [threading.Thread(target=work) for _ in range(int(threads))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return {"decode_seconds": time.monotonic() - start, "n_values": layer.n_values}


def scanpy_mtx(path: str, output: str) -> dict[str, Any]:
    """Scanpy's reader of a Cell Ranger folder: reading alone, no figures."""
    import scanpy as sc

    adata = sc.read_10x_mtx(path)
    return {"n_cells": adata.n_obs}


def scanpy_mtx_figures(path: str, output: str) -> dict[str, Any]:
    """The same with the figures."""
    import scanpy as sc

    return _scanpy_figures(sc.read_10x_mtx(path), output)


def pyarrow_csv(path: str) -> dict[str, Any]:
    """ISA-L and pyarrow's csv reader, batch by batch: reading alone."""
    import pyarrow
    from isal import igzip
    from pyarrow import csv

    with igzip.open(path) as file:
        names = file.readline().decode().rstrip("\n").split(",")
    types = {name: pyarrow.float32() for name in names[1:]}
    n_cells = 0
    with igzip.open(path) as file:
        reader = csv.open_csv(
            file,
            read_options=csv.ReadOptions(block_size=16 << 20),
            convert_options=csv.ConvertOptions(column_types=types),
        )
        for batch in reader:
            n_cells += batch.num_rows
    return {"n_cells": n_cells}


def dask_fold(address: str, path: str, n_workers: str) -> dict[str, Any]:
    """A pass over a matrix on a Dask cluster; the second one is timed, when all is loaded."""
    from dpss.compute.dask_executor import DaskExecutor

    with closing(DaskExecutor(address)) as executor:
        executor.wait_for_workers(int(n_workers))
        return {**_second_pass(executor, path), "n_workers": executor.n_threads}


def pass_alone(path: str, n_threads: str) -> dict[str, Any]:
    """A pass over a matrix in threads; the second one is timed, when all is loaded."""
    from dpss.compute.thread_executor import ThreadExecutor

    return _second_pass(ThreadExecutor(int(n_threads)), path)


def _second_pass(executor: Any, path: str) -> dict[str, Any]:
    from dpss.engine.folds import CellFold, Reading
    from dpss.engine.settings import ReadSettings
    from dpss.formats.registry import open_matrices
    from dpss.stats.accumulator import Features
    from dpss.storage.local import LocalFile

    layer = open_matrices(LocalFile(Path(path)))[0].layers[0]
    is_gene = layer.genes.is_gene
    features = Features(is_gene, np.zeros(len(is_gene), bool), np.arange(128))
    read = ReadSettings()
    fold = CellFold(Reading(layer, read.block_bytes), features, 0)
    partitions = layer.partitions(read.partition_bytes)
    executor.fold(fold, partitions, lambda _: None)
    start = time.monotonic()
    sums = executor.fold(fold, partitions, lambda _: None).result()
    return {"fold_seconds": time.monotonic() - start, "n_cells": sums.cells.n_cells}


def versions() -> dict[str, Any]:
    """Return the versions of what takes part."""
    from importlib.metadata import PackageNotFoundError, version

    import dpss

    found = {"python": sys.version.split()[0], "dpss": dpss.__version__}
    for name in (
        "numpy", "numba", "h5py", "deflate", "isal", "matplotlib", "scanpy", "anndata", "scipy",
        "dask", "pyarrow", "umap-learn", "igraph",
    ):  # fmt: skip
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def make_input(kind: str, path: str, n: str) -> dict[str, Any]:
    """Make an input, beside its place, and put it there when it is whole."""
    from benchmarks import inputs, mixtures, portal

    make: Callable[[Path, int], int] = {
        "h5ad": inputs.write_h5ad,
        "csc": inputs.write_csc,
        "mtx": inputs.write_mtx,
        "zip": inputs.write_mtx_zip,
        "csv": inputs.write_csv,
        "many": inputs.write_many_values,
        "mixture": mixtures.write_mixture,
        "portal": portal.write_portal,
    }[kind]
    target = Path(path)
    part = target.with_name(f"making-{target.name}")
    made = make(part, int(n))
    part.rename(target)
    return {"made": made}


def _scanpy_figures(adata: Any, output: str) -> dict[str, Any]:
    """Draw what scanpy draws of counts in memory."""
    import scanpy as sc
    from matplotlib import pyplot as plt

    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    sc.pl.highest_expr_genes(adata, n_top=N_TOP, show=False)
    plt.savefig(folder / "highest_expr_genes.png", dpi=100)
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    sc.pp.highly_variable_genes(adata)
    sc.pl.highly_variable_genes(adata, show=False)
    plt.savefig(folder / "highly_variable_genes.png", dpi=100)
    return {"n_cells": adata.n_obs}


def _by_chunks(
    chunks: Callable[[], Iterator[Any]], names: np.ndarray[Any, Any], output: str
) -> dict[str, Any]:
    """Make the numbers of both figures from chunks of cells, in two passes."""
    import pandas as pd

    n_genes, n_cells = len(names), 0
    sums, squares = np.zeros(n_genes), np.zeros(n_genes)
    for chunk in chunks():
        shares = _shares(chunk)
        sums += np.asarray(shares.sum(axis=0)).ravel()
        squares += np.asarray(shares.multiply(shares).sum(axis=0)).ravel()
        n_cells += chunk.shape[0]
    best = np.argsort(-sums, kind="stable")[:N_TOP]
    boxes = np.concatenate([_shares(chunk)[:, best].toarray() * 100 for chunk in chunks()])
    means = sums / n_cells * 1e4
    variances = (squares - sums**2 / n_cells) / (n_cells - 1) * 1e8
    with np.errstate(divide="ignore", invalid="ignore"):
        dispersions = np.log(variances / means)
    log_means = np.log1p(means)
    frame = pd.DataFrame({"means": log_means, "dispersions": dispersions})
    groups = frame.groupby(pd.cut(frame["means"], 20), observed=True)["dispersions"]
    frame["dispersions_norm"] = (dispersions - groups.transform("mean")) / groups.transform("std")
    frame["highly_variable"] = (frame["dispersions_norm"] > 0.5) & frame["means"].between(0.0125, 3)
    _draw(output, boxes, names[best], frame)
    return {"n_cells": n_cells}


def _shares(chunk: Any) -> Any:
    """Return a chunk's shares of each cell's counts."""
    import scipy.sparse as sp

    totals = np.asarray(chunk.sum(axis=1)).ravel()
    inverses = np.divide(1.0, totals, out=np.zeros(len(totals)), where=totals > 0)
    return sp.diags(inverses).dot(chunk).tocsr()


def _column_sums(block: Any) -> Any:
    """Sum a block over its cells; shape ``(1, n_genes)``."""
    return np.asarray(block.sum(axis=0)).reshape(1, -1)


def _dense(block: Any) -> Any:
    """Return a block without its sparseness."""
    return block.toarray() if hasattr(block, "toarray") else block


def _draw(output: str, boxes: Any, names: Any, variable: Any) -> None:
    """Draw the two figures as scanpy does, from numbers."""
    import seaborn
    from matplotlib.figure import Figure

    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(5, N_TOP * 0.2 + 1.5))
    import pandas as pd

    seaborn.boxplot(
        data=pd.DataFrame(boxes, columns=names), orient="h", ax=figure.subplots(), fliersize=1
    )
    figure.savefig(folder / "highest_expr_genes.png", dpi=100)
    figure = Figure(figsize=(10, 4))
    for axes, column in zip(
        figure.subplots(1, 2), ("dispersions_norm", "dispersions"), strict=True
    ):
        for chosen in (True, False):
            part = variable[variable["highly_variable"] == chosen]
            axes.scatter(part["means"], part[column], s=1)
    figure.savefig(folder / "highly_variable_genes.png", dpi=100)


CONTENDERS: dict[str, Callable[..., dict[str, Any]]] = {
    function.__name__: function
    for function in (
        scanpy_in_memory, scanpy_with_dask, anndata_backed, plain_h5py, decode_only, scanpy_mtx,
        scanpy_mtx_figures, pyarrow_csv, dask_fold, pass_alone, versions, make_input,
        scanpy_pipeline, embedding_quality, rank_sum, build_pages,
    )
}  # fmt: skip


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    begun = time.monotonic()
    told = CONTENDERS[sys.argv[1]](*sys.argv[2:])
    print(json.dumps({"inner_seconds": time.monotonic() - begun, **told}))
