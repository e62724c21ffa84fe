"""Have numba compile every loop that a run needs, by letting the program read small matrices.

    NUMBA_CPU_NAME=generic python warm.py    # then the compiler may go
    python warm.py --again

Machine code is kept beside the program. The second time everything is read again, and fails where a
loop is not there or can't be loaded without the compiler; and Python's own bytecode is written, of
what a run imports.

A loop is compiled once for each combination of types, so the matrices have every layout and
every type of values and of indices that the readers hand on. A type that is missing here could
not be counted in the container, which has no compiler: a test of the image tries them all.
"""

import compileall
import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np

import dpss as dpss_package
from dpss.compute.thread_executor import ThreadExecutor
from dpss.engine.entry_copy import EntryCopy
from dpss.engine.progress import NullProgress
from dpss.engine.settings import ReadSettings, StatSettings
from dpss.engine.summarizer import summarize_matrix
from dpss.formats.registry import open_matrices
from dpss.model import EntryBlock
from dpss.stats.embedding.eigen import find_largest
from dpss.storage.locations import open_source
from dpss.storage.scratch import temporary_room
from dpss.summary.builder import Identity
from dpss.summary.record import MatrixInfo, Provenance

N_CELLS, N_GENES = 240, 60
VALUES = ("float32", "float64", "int32", "int64")
INDICES = ("int32", "int64")


def counts() -> np.ndarray:
    """Return a dense matrix of counts, with an empty cell and an empty gene."""
    matrix = np.random.default_rng(1).poisson(0.7, (N_CELLS, N_GENES))
    matrix[0] = 0
    matrix[:, 0] = 0
    return matrix


def write_names(file: h5py.File) -> None:
    """Write the tables of cells and of features: genes, one of them mitochondrial, and a tag."""
    for group, names in (
        ("obs", [f"cell{i}" for i in range(N_CELLS)]),
        ("var", ["MT-CO1", *(f"gene{i}" for i in range(1, N_GENES))]),
    ):
        table = file.create_group(group)
        table.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0"})
        table.attrs["_index"] = "_index"
        table.attrs["column-order"] = np.array([], dtype="S1")
        table.create_dataset("_index", data=names, dtype=h5py.string_dtype())
    # With other features than genes, values are copied by a loop before they are counted.
    kinds = ["Gene Expression"] * (N_GENES - 1) + ["Antibody Capture"]
    file["var"].attrs["column-order"] = np.array(["feature_types"], dtype=h5py.string_dtype())
    file["var"].create_dataset("feature_types", data=kinds, dtype=h5py.string_dtype())


def write_h5ad(path: Path, layout: str, values: str, indices: str) -> None:
    """Write an h5ad of a layout (csr, csc or dense) and types."""
    matrix = counts()
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        write_names(file)
        if layout == "dense":
            dense = file.create_dataset("X", data=matrix.astype(values), chunks=(16, N_GENES))
            dense.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
            return
        major = matrix if layout == "csr" else matrix.T
        group = file.create_group("X")
        group.attrs.update({"encoding-type": f"{layout}_matrix", "encoding-version": "0.1.0"})
        group.attrs["shape"] = np.array(matrix.shape)
        pointers = np.concatenate([[0], np.cumsum((major != 0).sum(axis=1))])
        for name, data, kind in (
            ("data", major[major != 0], values),
            ("indices", np.nonzero(major)[1], indices),
            ("indptr", pointers, indices),
        ):
            group.create_dataset(name, data=data.astype(kind), chunks=True, compression="gzip")


def write_mtx(folder: Path, field: str) -> None:
    """Write Cell Ranger's three files, with whole or real numbers."""
    folder.mkdir()
    matrix = counts().T
    genes, cells = np.nonzero(matrix)
    lines = [f"%%MatrixMarket matrix coordinate {field} general"]
    lines.append(f"{N_GENES} {N_CELLS} {len(genes)}")
    half = 0.5 if field == "real" else 0
    lines += [f"{g + 1} {c + 1} {matrix[g, c] + half}" for g, c in zip(genes, cells, strict=True)]
    (folder / "matrix.mtx").write_text("\n".join(lines) + "\n")
    (folder / "barcodes.tsv").write_text("".join(f"cell{i}\n" for i in range(N_CELLS)))
    (folder / "genes.tsv").write_text("".join(f"id{i}\tgene{i}\n" for i in range(N_GENES)))


def write_table(path: Path) -> None:
    """Write a dense table with a line a gene."""
    lines = ["gene\t" + "\t".join(f"cell{i}" for i in range(N_CELLS))]
    lines += [f"gene{i}\t" + "\t".join(map(str, row)) for i, row in enumerate(counts().T)]
    path.write_text("\n".join(lines) + "\n")


def count(path: Path) -> None:
    """Summarise a matrix, without figures."""
    identity = Identity(
        project_id="warm",
        project_title="warm",
        matrix=MatrixInfo("warm", str(path), "", "", ""),
        provenance=Provenance("0", {}),
        demo=True,
    )
    stats, read = StatSettings(embedding=True), ReadSettings()
    for matrix in open_matrices(open_source(str(path))):
        executor = ThreadExecutor(read.threads)
        summarize_matrix(matrix, lambda *_: identity, stats, read, executor, NullProgress())


def main(again: bool) -> int:
    """Write the matrices and let the program read them."""
    sys.dont_write_bytecode = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        matrices = []
        for layout, values, indices in itertools.product(("csr", "csc", "dense"), VALUES, INDICES):
            if layout == "dense" and indices != INDICES[0]:
                continue
            matrices.append(folder / f"{layout}-{values}-{indices}.h5ad")
            write_h5ad(matrices[-1], layout, values, indices)
        for field in ("integer", "real"):
            matrices.append(folder / field)
            write_mtx(matrices[-1], field)
        matrices.append(folder / "table.tsv")
        write_table(matrices[-1])
        for path in matrices:
            count(path)
        # A build whose folder for temporary files lies in memory makes no copies of entries.
        with temporary_room() as room:
            for values in VALUES:
                copy = EntryCopy(room)
                copy.add(EntryBlock(*np.zeros((2, 1), np.int32), np.ones(1, values)))
                copied = copy.layer(open_matrices(open_source(str(matrices[0])))[0].layers[0])
                list(copied.entry_blocks(range(1), 1))
        # Loops of matrices with more genes than these have.
        find_largest(lambda vectors: vectors, 400, 2)
        # The whole program on a matrix in each of its formats: what is left to compile; bytecode.
        dpss = str(Path(sys.executable).with_name("dpss"))
        more = {} if again else {"PYTHONDONTWRITEBYTECODE": "1"}
        command = [dpss, "demo", "--output", str(folder / "demo")]
        subprocess.run(command, check=True, env={**os.environ, **more})
    if again:
        compileall.compile_dir(Path(dpss_package.__file__).parent, quiet=1)
        modules = "botocore.session, botocore.credentials, obstore.store"
        subprocess.run([sys.executable, "-c", f"import {modules}"], check=True)
        for path in Path(dpss_package.__file__).parent.rglob("__jinja2_*.cache"):
            path.chmod(0o644)  # jinja2 writes them for the owner alone
    n_loops = len(list(Path(dpss_package.__file__).parent.rglob("*.machine-code")))
    print(f"{n_loops} loops {'loaded' if again else 'compiled'}")
    return int(n_loops == 0)


if __name__ == "__main__":
    sys.exit(main("--again" in sys.argv))
