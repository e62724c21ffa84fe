"""`dpss inspect https://…`: how many requests and bytes a look at a remote matrix takes."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from dpss.cli.commands import commands
from dpss.cli.entry import execute
from tests.servers.files import FileServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning"),
]
N_GENES = 2_000
SMALL, LARGE = 2_000, 20_000


def matrix_of(n_cells: int) -> sp.csr_matrix:
    """Return counts: each thousand cells are those before."""
    rng = np.random.default_rng(3)
    part = sp.random(1000, N_GENES, 0.1, "csr", np.float32, random_state=rng)
    part.data = np.ceil(part.data * 1000)
    return sp.vstack([part] * (n_cells // 1000), format="csr")


def adata_of(n_cells: int, x: object) -> anndata.AnnData:
    """Return an AnnData object of cells × genes."""
    var = pd.DataFrame(index=[f"ENSG{i:011d}" for i in range(N_GENES)])
    return anndata.AnnData(x, pd.DataFrame(index=[f"c{i}" for i in range(n_cells)]), var)


def write_h5ad(path: Path, n_cells: int) -> None:
    adata_of(n_cells, matrix_of(n_cells)).write_h5ad(path)


def write_dense_h5ad(path: Path, n_cells: int) -> None:
    x = matrix_of(n_cells).toarray()
    adata_of(n_cells, np.zeros((n_cells, N_GENES), np.float32)).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        attributes = dict(file["X"].attrs)
        del file["X"]
        file.create_dataset("X", data=x, chunks=(100, N_GENES))
        file["X"].attrs.update(attributes)


def write_zarr_zip(path: Path, n_cells: int) -> None:
    folder = path.with_suffix(".zarr")
    adata_of(n_cells, matrix_of(n_cells)).write_zarr(folder, chunks=(1000, N_GENES))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for each in sorted(folder.rglob("*")):
            if each.is_file():
                archive.write(each, each.relative_to(folder.parent))


def write_mtx(path: Path, n_cells: int) -> None:
    entries = matrix_of(n_cells).tocoo()
    head = "%%MatrixMarket matrix coordinate integer general\n"
    head += f"{N_GENES} {n_cells} {entries.nnz}\n"
    lines = pd.DataFrame(
        {"g": entries.col + 1, "c": entries.row + 1, "n": entries.data.astype(int)}
    )
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write(head)
        lines.to_csv(file, sep=" ", header=False, index=False)


FORMS: dict[str, tuple[Callable[[Path, int], None], int, int]] = {
    "m.h5ad": (write_h5ad, 50, 8 << 20),
    "dense.h5ad": (write_dense_h5ad, 30, 8 << 20),
    "m.zip": (write_zarr_zip, 40, 16 << 20),
    "m.mtx.gz": (write_mtx, 20, 8 << 20),
}
"""How each is written, and the most requests and bytes that a look takes."""


def look(server: FileServer, path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, int]:
    """Inspect a served file; return the requests and the bytes that were answered."""
    data = path.read_bytes()
    url = server.add(f"/{path.name}", data)
    before = len(server.requests)
    assert execute(commands, "dpss", ["inspect", "--json", url]) == 0
    (document,) = json.loads(capsys.readouterr().out)
    assert document["layers"] == {"X": "counts"}
    requests = server.requests[before:]
    n_bytes = 0
    for request in requests:
        start, _, stop = (
            request.headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")
        )
        n_bytes += min(int(stop or len(data)) + 1, len(data)) - int(start)
    return len(requests), n_bytes


@pytest.mark.parametrize("name", FORMS)
def test_a_look_costs_the_same_at_any_size(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ten times the cells: within the same bounds of requests and bytes."""
    write, most_requests, most_bytes = FORMS[name]
    for n_cells in (SMALL, LARGE):
        folder = tmp_path / str(n_cells)
        folder.mkdir()
        write(folder / name, n_cells)
        with FileServer() as server:
            n_requests, n_bytes = look(server, folder / name, capsys)
        assert n_requests <= most_requests
        assert n_bytes <= most_bytes
