"""A simulated portal on a loopback Azul: many projects, mixed formats, planted faults."""

from __future__ import annotations

import gzip
import json
import tempfile
import uuid
from pathlib import Path

import h5py
import numpy as np

from dpss.demo import files as writers
from dpss.demo.cells import Counts
from tests.servers.azul import AzulServer, StoredFile, stored, tree
from tests.servers.base import Answer


def write_loom(path: Path, counts: Counts) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["LOOM_SPEC_VERSION"] = "2.0.1"
        file["matrix"] = counts.matrix.T.astype(np.float32)
        file["row_attrs/Gene"] = np.array(counts.symbols, dtype="S")
        file["row_attrs/Accession"] = np.array(counts.ids, dtype="S")
        file["col_attrs/CellID"] = np.array(counts.barcodes, dtype="S")
        for name in ("layers", "row_graphs", "col_graphs"):
            file.create_group(name)


def write_csv_gz(path: Path, counts: Counts) -> None:
    lines = [",".join(["", *counts.barcodes])]
    for name, row in zip(counts.symbols, counts.matrix.T, strict=True):
        lines.append(",".join([name, *map(str, row)]))
    path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))


FORMATS = {
    "h5ad": writers.write_h5ad_csr,
    "csc.h5ad": writers.write_h5ad_csc,
    "dense.h5ad": writers.write_h5ad_dense,
    "h5": writers.write_tenx_h5,
    "loom": write_loom,
    "mtx.zip": writers.write_mtx_zip,
    "csv.gz": write_csv_gz,
}
STRATA = {"genusSpecies": "Homo sapiens", "organ": "eye"}


def project_id(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"project {number}"))


def make_counts(seed: int, n_cells: int = 40, n_genes: int = 60) -> Counts:
    random = np.random.default_rng(seed)
    matrix = random.negative_binomial(1, 0.4, (n_cells, n_genes)).astype(np.int32)
    return Counts(
        matrix=matrix,
        barcodes=[f"CELL{i:04d}" for i in range(n_cells)],
        ids=[f"ENSG{i:011d}" for i in range(n_genes)],
        symbols=[f"MT-G{i}" if i < 3 else f"G{i}" for i in range(n_genes)],
    )


def matrix_bytes(kind: str, seed: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"m.{kind}"
        FORMATS[kind](path, make_counts(seed))
        return path.read_bytes()


def add(azul: AzulServer, number: int, *files: StoredFile, accessible: bool = True) -> None:
    azul.keep(*files)
    title = f"Simulated project {number:02d}"
    azul.add_project(
        project_id(number), title, tree(*((STRATA, f) for f in files)), accessible=accessible
    )


GOOD = 18
"""Projects without any fault."""


def fill(azul: AzulServer) -> dict[str, int]:
    """Fill a portal; returns the numbers of the projects with faults by the fault's name."""
    kinds = list(FORMATS)
    for number in range(GOOD):
        kind = kinds[number % len(kinds)]
        add(azul, number, stored(f"matrix-{number}.{kind}", matrix_bytes(kind, number)))
    h5ad = matrix_bytes("h5ad", 99)
    table = b"barcode,cell_type\nAAAC,rod\nAAAG,cone\n"
    faults = {
        # healed by retries
        "storm": stored("storm.h5ad", h5ad, faults=[Answer(503, headers={"Retry-After": "0"})] * 4),
        "reset": stored("reset.h5ad", h5ad, faults=[Answer(cut_after=2000)] * 2),
        "hanging": stored("hanging.h5ad", h5ad, faults=[Answer(hang_after=3000)]),
        "expired": stored("expired.h5ad", h5ad, faults=[Answer(403)]),
        "waiting": stored("waiting.h5ad", h5ad, waits=3),
        # told
        "corrupt": stored("corrupt.h5ad", h5ad[: len(h5ad) // 2]),
        "damaged": stored("damaged.csv.gz", gzip.compress(b"a,b\n" * 999)[:-30]),
        "down": stored("down.h5ad", h5ad, faults=[Answer(503, headers={"Retry-After": "0"})] * 99),
        "vanished": stored("vanished.h5ad", h5ad, missing=True),
        "sha256": stored("sha256.h5ad", h5ad, sha256="0" * 64),
        # left out by rule
        "phantom": stored("phantom.h5ad", h5ad, drs_uri=None),
        "table": stored("WongRetinaCelltype.csv", table),
        "managed": stored("managed.h5ad", h5ad),
    }
    numbers = {}
    for number, (name, file) in enumerate(faults.items(), start=GOOD):
        numbers[name] = number
        add(azul, number, file, accessible=name != "managed")
    return numbers


def entry_of(azul: AzulServer, number: int) -> StoredFile:
    """The one file of a project."""
    hit = next(hit for hit in azul.projects if hit["entryId"] == project_id(number))
    text = json.dumps(hit["projects"][0]["matrices"])
    return next(file for key, file in azul.files.items() if f'"uuid": "{key}"' in text)
