"""Each format tells its reading, and a look at samples tells the same."""

from __future__ import annotations

import errno
import os
import shutil
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp

from dpss.engine.inspection import inspect_source
from dpss.errors import FetchError
from dpss.formats.options import OpenOptions
from dpss.model import Certainty, Decision
from dpss.storage.local import LocalFile
from tests.summarise import source_of, summarise

R_FILES = Path(__file__).parents[1] / "formats" / "r_files"
GENES = ["ACTB", "GAPDH", "MT-CO1", "MT-ND1", "CD3E", "LYZ", "NKG7", "MS4A1", "RPL3", "RPS6"]
CELLS = [f"AAACCTGAGCATC{a}{b}{c}-1" for a in "ACGT" for b in "ACGT" for c in "AC"]
NEEDED = {"format", "orientation", "layer", "values", "gene_ids", "species"}


def counts(seed: int = 1) -> sp.csr_matrix:
    """Return counts of 32 cells and 10 genes."""
    rng = np.random.default_rng(seed)
    return sp.csr_matrix(rng.poisson(1.5, (len(CELLS), len(GENES))).astype(np.float32))


def adata() -> ad.AnnData:
    """Return counts with names, in an AnnData object."""
    return ad.AnnData(counts(), pd.DataFrame(index=CELLS), pd.DataFrame(index=GENES))


def write_h5ad(folder: Path) -> Path:
    adata().write_h5ad(folder / "a.h5ad")
    return folder / "a.h5ad"


def write_zarr(folder: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # anndata, of what its next version will do
        adata().write_zarr(folder / "a.zarr")
    return folder / "a.zarr"


def write_loom(folder: Path) -> Path:
    with h5py.File(folder / "a.loom", "w") as file:
        file["matrix"] = counts().T.toarray()
        file["row_attrs/Gene"] = np.array(GENES, dtype="S")
        file["col_attrs/CellID"] = np.array(CELLS, dtype="S")
    return folder / "a.loom"


def write_tenx(folder: Path) -> Path:
    matrix = counts()
    with h5py.File(folder / "a.h5", "w") as file:
        group = file.create_group("matrix")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(matrix, name)
        group["shape"] = np.array([len(GENES), len(CELLS)])
        group["barcodes"] = np.array(CELLS, dtype="S")
        group["features/id"] = np.array(GENES, dtype="S")
        group["features/name"] = np.array(GENES, dtype="S")
        group["features/feature_type"] = np.array(["Gene Expression"] * len(GENES), dtype="S")
    return folder / "a.h5"


def write_mtx(folder: Path) -> Path:
    scipy.io.mmwrite(folder / "matrix.mtx", counts().T.astype(int))
    (folder / "genes.tsv").write_text("".join(f"{g}\t{g}\n" for g in GENES))
    (folder / "barcodes.tsv").write_text("\n".join(CELLS) + "\n")
    return folder


def write_bare_mtx(folder: Path) -> Path:
    scipy.io.mmwrite(folder / "matrix.mtx", counts().T.astype(int))
    return folder


def write_csv(folder: Path) -> Path:
    pd.DataFrame(counts().toarray().astype(int), CELLS, GENES).to_csv(folder / "a.csv")
    return folder / "a.csv"


def write_tsv_of_genes(folder: Path) -> Path:
    frame = pd.DataFrame(counts().T.toarray().astype(int), GENES, CELLS)
    frame.to_csv(folder / "a.tsv", sep="\t")
    return folder / "a.tsv"


def write_nameless_csv(folder: Path) -> Path:
    table = counts().toarray().astype(int)
    pd.DataFrame(table, [f"x{i}" for i in range(len(CELLS))], [f"y{i}" for i in range(10)]).to_csv(
        folder / "a.csv"
    )
    return folder / "a.csv"


def write_plain_hdf5(folder: Path) -> Path:
    with h5py.File(folder / "a.h5", "w") as file:
        file["X"] = counts().toarray()
    return folder / "a.h5"


def write_rds(folder: Path) -> Path:
    return Path(shutil.copy(sorted(R_FILES.rglob("*.rds"))[0], folder / "a.rds"))


WRITERS: dict[str, Callable[[Path], Path]] = {
    name.removeprefix("write_"): function
    for name, function in sorted(globals().items())
    if name.startswith("write_")
}
SLOW = {"bare_mtx", "csv", "nameless_csv"}
"""Take more than half a second of processor time."""
ASSUMED = {"bare_mtx", "nameless_csv", "plain_hdf5"}


def by_topic(reading: Iterable[Decision]) -> dict[str, Decision]:
    """Return the first decision on each topic."""
    return {each.topic: each for each in reversed(list(reading))}


@pytest.mark.parametrize(
    "name",
    [pytest.param(each, marks=[pytest.mark.slow] if each in SLOW else []) for each in WRITERS],
)
def test_each_format_tells_how_it_was_read(name: str, tmp_path: Path) -> None:
    path = WRITERS[name](tmp_path)
    summary = summarise(path)
    (inspected,) = inspect_source(source_of(path), OpenOptions(sample_only=True))
    assert summary.reading == inspected.reading
    found = by_topic(summary.reading)
    assert found.keys() >= NEEDED
    assert found["format"].value == summary.matrix.format
    assert found["layer"].value == summary.matrix.layer
    assert found["values"].value == str(summary.values)
    assert found["orientation"].value in ("cells × genes", "genes × cells")


@pytest.mark.parametrize("name", WRITERS)
def test_an_assumed_orientation_is_a_warning(name: str, tmp_path: Path) -> None:
    summary = summarise(WRITERS[name](tmp_path))
    orientation = by_topic(summary.reading)["orientation"]
    if name != "rds":
        assert (orientation.certainty is Certainty.ASSUMED) == (name in ASSUMED)
    (check,) = [check for check in summary.checks if check.name == "assumptions"]
    assert (check.status == "warn") == (orientation.certainty is Certainty.ASSUMED)
    assert (orientation.evidence.rstrip(".") in check.message) == (check.status == "warn")


KINDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "counts": lambda x: x,
    "normalised": lambda x: x / x.sum(1, keepdims=True) * 1e4,
    "log": lambda x: np.log1p(x / x.sum(1, keepdims=True) * 1e4),
    "log2": lambda x: np.log2(1 + x / x.sum(1, keepdims=True) * 1e4),
    "halves": lambda x: x / 2,
    "noise": lambda x: x * (1 + 1e-15),
    "0 and 1": np.sign,
}
FORMS = ("csr", "csc", "dense", "genes.csv", "cells.csv", "mtx", "genes.mtx", "loom")


def write_as(folder: Path, form: str, x: np.ndarray) -> Path:
    """Write cells × genes in a form."""
    if form in ("csr", "csc", "dense"):
        values = {"csr": sp.csr_matrix, "csc": sp.csc_matrix, "dense": np.asarray}[form](x)
        data = ad.AnnData(values, pd.DataFrame(index=CELLS), pd.DataFrame(index=GENES))
        data.write_h5ad(folder / "a.h5ad")
        return folder / "a.h5ad"
    if form.endswith("csv"):
        frame = pd.DataFrame(x, CELLS, GENES)
        (frame.T if form == "genes.csv" else frame).to_csv(folder / "a.csv")
        return folder / "a.csv"
    if form == "loom":
        with h5py.File(folder / "a.loom", "w") as file:
            file["matrix"] = x.T
            file["row_attrs/Gene"] = np.array(GENES, dtype="S")
            file["col_attrs/CellID"] = np.array(CELLS, dtype="S")
        return folder / "a.loom"
    # scipy writes CSC column by column, CSR row by row.
    scipy.io.mmwrite(
        folder / "matrix.mtx", (sp.csr_matrix if "genes" in form else sp.csc_matrix)(x.T)
    )
    (folder / "genes.tsv").write_text("".join(f"{g}\t{g}\n" for g in GENES))
    (folder / "barcodes.tsv").write_text("\n".join(CELLS) + "\n")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_look_decides_as_a_pass_does(kind: str, form: str, tmp_path: Path) -> None:
    x = counts(7).toarray().astype(np.float64)
    x[:, 0] += 1
    path = write_as(tmp_path, form, KINDS[kind](x))
    (inspected,) = inspect_source(source_of(path), OpenOptions(sample_only=True))
    assert inspected.reading == summarise(path).reading


def test_features_that_are_left_out_are_told_by_kind(tmp_path: Path) -> None:
    data = adata()
    data.var_names = [*GENES[:6], "ERCC-00002", "ERCC-00003", "__no_feature", "HTO1"]
    data.var["feature_types"] = ["Gene Expression"] * 9 + ["Antibody Capture"]
    data.write_h5ad(tmp_path / "a.h5ad")
    reading = summarise(tmp_path / "a.h5ad").reading
    left_out = {each.value: each.certainty for each in reading if each.topic == "left_out"}
    assert left_out == {
        "1 Antibody Capture": Certainty.STATED,
        "2 Spike-in": Certainty.TOLD_BY_CONTENT,
        "1 Summary Row": Certainty.TOLD_BY_CONTENT,
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["normalised", "log", "log2"])
def test_what_only_whole_cells_tell_is_not_told_of_a_large_matrix(
    kind: str, tmp_path: Path
) -> None:
    rng = np.random.default_rng(3)
    x = KINDS[kind](rng.poisson(2, (1_500, 1_000)) + 1.0)
    genes = pd.DataFrame(index=[f"ENSG{i:011d}" for i in range(1_000)])
    ad.AnnData(sp.csc_matrix(x), var=genes).write_h5ad(tmp_path / "a.h5ad")
    (inspected,) = inspect_source(source_of(tmp_path / "a.h5ad"), OpenOptions(sample_only=True))
    told = by_topic(inspected.reading)["values"]
    assert (told.certainty, told.changes_numbers) == (Certainty.ASSUMED, True)
    assert "samples show no whole cell" in told.evidence
    unsure = ("layer", "values", "log_base")  # the layer's evidence names the values
    passed = summarise(tmp_path / "a.h5ad").reading
    assert [each for each in inspected.reading if each.topic not in unsure] == [
        each for each in passed if each.topic not in unsure
    ]


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE, errno.EACCES])
@pytest.mark.parametrize("name", ["m.h5ad", "m.csv", "matrix.mtx", "m.rds"])
def test_a_file_that_can_t_be_read_is_an_error_of_ours(
    name: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken disk, a server that is gone: the system's own words, and the file's name."""
    (tmp_path / name).write_bytes(b"anything\n" * 100)

    def fail(*_: object) -> bytes:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(LocalFile, "read_range", fail)
    monkeypatch.setattr(LocalFile, "open", fail)
    with pytest.raises(FetchError, match=f"{name}.*{os.strerror(code)}"):
        list(inspect_source(LocalFile(tmp_path / name), OpenOptions()))
