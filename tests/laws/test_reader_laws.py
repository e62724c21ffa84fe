"""Every format keeps the same promises."""

from __future__ import annotations

import gzip
import shutil
from dataclasses import replace
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from dpss.demo import files
from dpss.demo.cells import Counts
from dpss.formats.annotation.gene_table import number_genes
from dpss.formats.registry import FORMATS
from tests.laws.reader_laws import ReaderLaws, Written
from tests.unit.formats.hdf5.test_h5seurat import write_assay
from tests.unit.formats.hdf5.test_loom import write_loom
from tests.unit.formats.zarr.test_reader import pack, write_hca

R_FILES = Path(__file__).parents[1] / "unit" / "formats" / "r_files"
IGNORED = pytest.mark.filterwarnings("ignore")


class TestH5adCsr(ReaderLaws):
    """Cell-major."""

    about = "h5ad, sparse or dense"
    suffix = ".h5ad"

    def write(self, path: Path, drawn: Counts) -> None:
        files.write_h5ad_csr(path, drawn)


class TestH5adCsc(ReaderLaws):
    """Gene-major."""

    about = "h5ad, sparse or dense"
    suffix = ".h5ad"
    has_ids = False

    def write(self, path: Path, drawn: Counts) -> None:
        data = anndata.AnnData(sp.csc_matrix(drawn.matrix.astype("f4")))
        data.var_names, data.obs_names = drawn.symbols, drawn.barcodes
        data.write_h5ad(path, compression="gzip")


class TestH5adDense(ReaderLaws):
    """Dense."""

    about = "h5ad, sparse or dense"
    suffix = ".h5ad"

    def write(self, path: Path, drawn: Counts) -> None:
        files.write_h5ad_dense(path, drawn)


@pytest.mark.slow
class TestH5mu(ReaderLaws):
    """A modality of RNA."""

    about = "h5mu"
    suffix = ".h5mu"

    def write(self, path: Path, drawn: Counts) -> None:
        single = path.with_name("single")
        files.write_h5ad_csr(single, drawn)
        with h5py.File(single) as source, h5py.File(path, "w") as target:
            source.copy(source, target.create_group("mod"), "rna")
        single.unlink()


@pytest.mark.slow
class TestPlainHdf5(ReaderLaws):
    """A matrix without names: genes are numbered."""

    about = "HDF5 with a matrix and no names"
    suffix = ".h5"

    def make(self, folder: Path) -> Written:
        written = super().make(folder)
        names = number_genes(written.matrix.shape[1]).names.tolist()
        return replace(written, names=names, ids=names)

    def write(self, path: Path, drawn: Counts) -> None:
        with h5py.File(path, "w") as file:
            file.create_dataset("X", data=drawn.matrix, chunks=(16, 20), compression="gzip")


class TestTenxH5(ReaderLaws):
    """Cell Ranger 3."""

    about = "10x h5, Cell Ranger 2 and 3"
    suffix = ".h5"

    def write(self, path: Path, drawn: Counts) -> None:
        files.write_tenx_h5(path, drawn)


class TestLoom(ReaderLaws):
    """Genes × cells, in tiles."""

    about = "loom 2 and 3"
    suffix = ".loom"

    def write(self, path: Path, drawn: Counts) -> None:
        write_loom(path, drawn.matrix.T, names=False, chunks=(16, 16), compression="gzip")
        with h5py.File(path, "r+") as file:
            file["row_attrs/Gene"] = [name.encode() for name in drawn.symbols]
            file["row_attrs/Accession"] = [name.encode() for name in drawn.ids]
            file["col_attrs/CellID"] = [name.encode() for name in drawn.barcodes]


class TestH5Seurat(ReaderLaws):
    """SeuratDisk's."""

    about = "h5Seurat (SeuratDisk)"
    suffix = ".h5Seurat"
    has_ids = False

    def write(self, path: Path, drawn: Counts) -> None:
        with h5py.File(path, "w") as file:
            file["cell.names"] = [name.encode() for name in drawn.barcodes]
            file["assays/RNA/features"] = [name.encode() for name in drawn.symbols]
            write_assay(file, "RNA", drawn.matrix.astype("f8"))


@IGNORED
class TestZarrHca(ReaderLaws):
    """The Human Cell Atlas's layout, version 2."""

    about = "zarr 2 and 3"
    suffix = ".zarr"

    def write(self, path: Path, drawn: Counts) -> None:
        group = write_hca(path, drawn.matrix.astype("f4"), 2, chunks=(16, 16))
        group["gene_id"][:] = np.array(drawn.ids)
        names = np.array([[name, "chr1"] for name in drawn.symbols])
        group.create_array("gene_metadata_string", data=names, overwrite=True)


@IGNORED
class TestZarrAnnData(ReaderLaws):
    """AnnData's layout, version 3."""

    about = "zarr 2 and 3"
    suffix = ".zarr"
    part = "X/data/c/0"
    has_ids = False

    def write(self, path: Path, drawn: Counts) -> None:
        data = anndata.AnnData(sp.csr_matrix(drawn.matrix.astype("f4")))
        data.var_names, data.obs_names = drawn.symbols, drawn.barcodes
        with anndata.settings.override(zarr_write_format=3):
            data.write_zarr(path)


@IGNORED
class TestZarrZip(TestZarrAnnData):
    """The same, as a zip archive."""

    suffix = ".zarr.zip"

    def write(self, path: Path, drawn: Counts) -> None:
        folder = path.with_name("folder.zarr")
        super().write(folder, drawn)
        pack(folder, path)
        shutil.rmtree(folder)


class TestMtxFolder(ReaderLaws):
    """Cell Ranger's three files."""

    about = "mtx with its tables"

    def write(self, path: Path, drawn: Counts) -> None:
        files.write_tenx_folder(path, drawn)


class TestMtxZip(ReaderLaws):
    """The Matrix Service's archive."""

    about = "mtx with its tables"
    suffix = ".mtx.zip"

    def write(self, path: Path, drawn: Counts) -> None:
        files.write_mtx_zip(path, drawn)


class TestNpz(ReaderLaws):
    """scipy's sparse matrix, with tables beside it."""

    about = "npz"
    part = "counts.npz"

    def write(self, path: Path, drawn: Counts) -> None:
        path.mkdir()
        sp.save_npz(path / "counts.npz", sp.csr_matrix(drawn.matrix))
        genes = zip(drawn.ids, drawn.symbols, strict=True)
        (path / "genes.tsv").write_text("".join(f"{i}\t{name}\n" for i, name in genes))
        (path / "barcodes.tsv").write_text("".join(f"{name}\n" for name in drawn.barcodes))


class TestParquet(ReaderLaws):
    """A table of cells × genes."""

    about = "Parquet tables"
    suffix = ".parquet"
    least_block_bytes = 1 << 18
    has_ids = False

    def write(self, path: Path, drawn: Counts) -> None:
        pd.DataFrame(drawn.matrix, drawn.barcodes, drawn.symbols).to_parquet(path)


@pytest.mark.slow
class TestFeather(ReaderLaws):
    """A table of cells × genes."""

    about = "Feather tables"
    suffix = ".feather"
    least_block_bytes = 1 << 18
    has_ids = False

    def write(self, path: Path, drawn: Counts) -> None:
        table = pd.DataFrame(drawn.matrix, columns=drawn.symbols)
        table.insert(0, "cell", drawn.barcodes)
        table.to_feather(path)


class TestTextGenes(ReaderLaws):
    """A line for each gene."""

    about = "csv, tsv, txt"
    suffix = ".tsv"
    least_block_bytes = 1 << 18
    has_ids = False

    def write(self, path: Path, drawn: Counts) -> None:
        pd.DataFrame(drawn.matrix.T, drawn.symbols, drawn.barcodes).to_csv(path, sep="\t")


class TestTextCells(ReaderLaws):
    """A line for each cell, compressed."""

    about = "csv, tsv, txt"
    suffix = ".csv.gz"
    least_block_bytes = 1 << 18
    has_ids = False

    def write(self, path: Path, drawn: Counts) -> None:
        table = pd.DataFrame(drawn.matrix, drawn.barcodes, drawn.symbols).to_csv()
        path.write_bytes(gzip.compress(table.encode()))


class TestR(ReaderLaws):
    """A sparse matrix of R, written by R."""

    about = "R: rds"
    in_memory = True

    def make(self, folder: Path) -> Written:
        path = folder / "matrix.rds"
        shutil.copy(R_FILES / "dgC_gzip.rds", path)
        truth = pd.read_csv(R_FILES / "truth.tsv", sep="\t", index_col=0)
        names = truth.index.tolist()
        return Written(path, truth.to_numpy().T, names, names)


def test_every_format_keeps_them() -> None:
    """Each row of the reference's table has a class here."""
    rows = {info.name for known in FORMATS for info in known.infos}
    classes = [each for each in globals().values() if isinstance(each, type)]
    kept = {each.about for each in classes if issubclass(each, ReaderLaws)}
    assert [row for row in rows if not any(each and row.startswith(each) for each in kept)] == []
