"""MatrixMarket with its tables: which belongs to which, and what they say."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import io as scipy_io
from scipy import sparse

from dpss.errors import CorruptMatrixError, LimitError, MatrixError, NoMatrixError
from dpss.formats.base import Layer, Matrix
from dpss.formats.mtx import reader as mtx
from dpss.formats.mtx.tables import count_lines, read_gene_table
from dpss.storage.archives.zip import ZipTree
from dpss.storage.local import LocalFile, LocalFolder
from tests.unit.formats.layers import dense
from tests.unit.storage.blobs import MemoryBlob, MemoryTree

BODY = b"3 2 2\n1 1 5\n3 2 7\n"
MTX = b"%%MatrixMarket matrix coordinate integer general\n" + BODY
TURNED = b"%%MatrixMarket matrix coordinate integer general\n2 3 2\n1 1 5\n2 3 7\n"
GENES = b"ENSG00000000001\tA\nENSG00000000002\tB\nENSG00000000003\tMT-C\n"
CELLS = b"AAAC-1\nAAAG-1\n"


def open_files(files: Mapping[str, bytes]) -> tuple[Matrix, ...]:
    tree = MemoryTree(files)
    assert mtx.sniff(tree)
    return mtx.open_(tree)


def only_layer(files: Mapping[str, bytes]) -> Layer:
    (matrix,) = open_files(files)
    (layer,) = matrix.layers
    return layer


def note_names(matrix: Matrix) -> set[str]:
    """Return what is warned about: notes, and assumptions that numbers depend on."""
    return {name for name, _, _ in matrix.notes} | {
        each.topic for each in matrix.decisions if each.is_warning
    }


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("genes", ["genes.tsv", "features.tsv", "MTX_genes.txt", "matrix.mtx_rows"])
def test_layouts(pack: object, genes: str) -> None:
    """Cell Ranger's layouts and others, compressed or not, under the names that occur."""
    ending = "" if pack is bytes else ".gz"
    files = {"matrix.mtx": MTX, genes: GENES, "barcodes.tsv": CELLS}
    layer = only_layer({f"out/{name}{ending}": pack(data) for name, data in files.items()})  # type: ignore[operator]
    assert layer.genes.names.tolist() == ["A", "B", "MT-C"]
    assert layer.genes.ids[0] == "ENSG00000000001"
    assert dense(layer).tolist() == [[5, 0, 0], [0, 0, 7]]


def test_names_do_not_matter_for_the_matrix() -> None:
    """A matrix is recognised by its first bytes, whatever it is called."""
    layer = only_layer({"data.bin": gzip.compress(MTX), "genes.tsv": GENES, "cells.tsv": CELLS})
    assert layer.n_cells == 2
    assert not mtx.sniff(MemoryTree({"matrix.mtx": b"something else"}))
    assert not mtx.sniff(MemoryBlob("matrix.mtx", b""))
    with pytest.raises(NoMatrixError, match="no MatrixMarket file"):
        mtx.open_(MemoryTree({"matrix.mtx": b"something else"}))


@pytest.mark.parametrize("barcodes", [b"", CELLS])
def test_matrix_service_layout(barcodes: bytes) -> None:
    """features.tsv without and genes.tsv with a header; barcodes are empty for plates."""
    header = (
        b"featurekey\tfeaturename\tfeaturetype\tchromosome\tfeaturestart\tfeatureend\tisgene\tx\n"
    )
    rest = b"protein_coding\t%s\t1\t2\tTrue\tHomo sapiens\n"
    chromosomes = [b"chr1", b"chr2", b"chrM"]
    rows = list(zip(GENES.splitlines(), chromosomes, strict=True))
    files = {
        "id.mtx/matrix.mtx.gz": gzip.compress(MTX),
        "id.mtx/genes.tsv.gz": gzip.compress(
            header + b"".join(g + b"\t" + rest % c for g, c in rows)
        ),
        "id.mtx/cells.tsv.gz": gzip.compress(b"cellkey\tbarcode\na\t1\nb\t2\n"),
    }
    layers = [only_layer(files)]
    files["id.mtx/features.tsv.gz"] = gzip.compress(
        b"".join(g + b"\tGene Expression\t" + rest % c for g, c in rows)
    )
    files["id.mtx/barcodes.tsv.gz"] = gzip.compress(barcodes)
    layers.append(only_layer(files))
    for layer in layers:
        assert layer.genes.names.tolist() == ["A", "B", "MT-C"]
        assert layer.genes.chromosomes is not None
        assert layer.genes.chromosomes.tolist() == ["chr1", "chr2", "chrM"]
        assert layer.genes.is_gene.all()
        assert layer.n_cells == 2


def test_feature_types_and_chromosomes_of_cell_ranger_arc() -> None:
    """Six columns: type and place; features that are not genes are told by their type."""
    features = (
        b"ENSG00000000001\tA\tGene Expression\tchr1\t1\t2\n"
        b"ENSG00000000002\tB\tGene Expression\tchrM\t1\t2\n"
        b"chr1:1-2\tchr1:1-2\tPeaks\tchr1\t1\t2\n"
    )
    layer = only_layer({"matrix.mtx": MTX, "features.tsv": features, "barcodes.tsv": CELLS})
    assert layer.genes.is_gene.tolist() == [True, True, False]
    assert layer.genes.chromosomes is not None
    assert layer.genes.chromosomes.tolist() == ["chr1", "chrM", "chr1"]


@pytest.mark.parametrize(
    "table",
    [
        b"a\nb\nc\n",
        b"gene\na\nb\nc",
        b"\xef\xbb\xbfgene\r\na\r\nb\r\nc\r\n\r\n",
        b"1\ta\n2\tb\n3\tc\n",
        b",gene\n0,a\n1,b\n2,c\n",
        b'"x"\n"1" "a"\n"2" "b"\n"3" "c"\n'.replace(b" ", b"\t"),
        b'"gene"\n"a"\n"b"\n"c"\n',
        b"ENSG00000000001\ta\nENSG00000000002\tb\nENSG00000000003\tc\n",
        b"a\tENSG00000000001\nb\tENSG00000000002\nc\tENSG00000000003\n",
        b"id;symbol\nx;a\ny;b\nz;c\n",
    ],
)
def test_gene_names_are_found(table: bytes) -> None:
    """With or without header, row numbers, quotes, a BOM; ids first or second."""
    genes = read_gene_table(MemoryBlob("genes.tsv", table), 3)
    assert genes.names.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("n", [0, 1, 2, 5])
@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n", b"\r\n\r\n"])
def test_lines_are_counted(n: int, end: bytes) -> None:
    """Blank lines at the end are none, blank lines within are some."""
    text = b"\n".join([b"a"] * n) + end
    assert count_lines(MemoryBlob("a", text), 10) == n
    assert count_lines(MemoryBlob("a", b"a\n\nb\n"), 10) == 3
    assert count_lines(MemoryBlob("a", gzip.compress(b"\n" * 10**6 + b"a")), 10) > 10


def test_triples_of_geo_are_matrices_of_their_own() -> None:
    """Each matrix gets the tables of the longest prefix that fits, and is named by it."""
    other = b"3 2 1\n1 1 9\n"
    files = {
        "GSM1_a_matrix.mtx.gz": gzip.compress(MTX),
        "GSM1_a_genes.tsv.gz": gzip.compress(b"a\nb\nc\n"),
        "GSM1_a_barcodes.tsv.gz": gzip.compress(CELLS),
        "GSM11_b_matrix.mtx.gz": gzip.compress(MTX.replace(BODY, other)),
        "GSM11_b_features.tsv.gz": gzip.compress(b"x\ny\nz\n"),
        "GSM11_b_barcodes.tsv.gz": gzip.compress(CELLS),
        "._GSM1_a_matrix.mtx.gz": gzip.compress(MTX),
        "__MACOSX/GSM1_a_matrix.mtx.gz": gzip.compress(MTX),
    }
    matrices = {matrix.name: matrix.layers[0] for matrix in open_files(files)}
    assert set(matrices) == {"GSM1_a", "GSM11_b"}
    assert matrices["GSM1_a"].genes.names.tolist() == ["a", "b", "c"]
    assert matrices["GSM11_b"].genes.names.tolist() == ["x", "y", "z"]
    assert dense(matrices["GSM1_a"]).sum() == 12
    assert dense(matrices["GSM11_b"]).sum() == 9


def test_one_gene_table_for_several_matrices() -> None:
    """Where a folder has a single table of genes it is everybody's."""
    files = {"GSM1.mtx": MTX, "GSM2.mtx": MTX, "GSE9_genes.tsv": b"a\nb\nc\n"}
    for matrix in open_files(files):
        assert matrix.layers[0].genes.names.tolist() == ["a", "b", "c"]


def test_folders_name_matrices() -> None:
    """Matrices of equal names are named by the folders that differ."""
    folders = ("s1/filtered_feature_bc_matrix", "s2/filtered_feature_bc_matrix", "s2/raw")
    files = {}
    for folder in folders:
        files |= {f"{folder}/matrix.mtx": MTX, f"{folder}/genes.tsv": GENES}
    names = {matrix.name for matrix in open_files(files)}
    assert names == {
        "s1_filtered_feature_bc_matrix",
        "s2_filtered_feature_bc_matrix",
        "s2_raw",
    }
    del files["s2/raw/matrix.mtx"]
    assert {matrix.name for matrix in open_files(files)} == {"s1", "s2"}


def test_orientation_is_told_by_the_tables() -> None:
    """Genes × cells and cells × genes give the same; one table suffices."""
    tables = {"genes.tsv": GENES, "barcodes.tsv": CELLS}
    expected = [[5, 0, 0], [0, 0, 7]]
    for data in (MTX, TURNED):
        for names in (["genes.tsv"], ["barcodes.tsv"], ["genes.tsv", "barcodes.tsv"]):
            files = {"m.mtx": data, **{name: tables[name] for name in names}}
            (matrix,) = open_files(files)
            assert dense(matrix.layers[0]).tolist() == expected
            assert "orientation" not in note_names(matrix)


def test_square_matrix_is_taken_for_genes_by_cells_and_says_so() -> None:
    """What can't be told is assumed and noted."""
    square = b"%%MatrixMarket matrix coordinate integer general\n2 2 1\n1 2 5\n"
    (matrix,) = open_files({"m.mtx": square, "genes.tsv": b"a\nb\n", "cells.tsv": b"x\ny\n"})
    assert dense(matrix.layers[0]).tolist() == [[0, 0], [5, 0]]
    assert note_names(matrix) == {"orientation"}


def test_file_alone(tmp_path: Path) -> None:
    """A local file has its tables beside it; without any its genes are numbered, and it says so."""
    path = tmp_path / "s1.mtx.gz"
    path.write_bytes(gzip.compress(MTX))
    (tmp_path / "s2.mtx").write_bytes(MTX)
    (matrix,) = mtx.open_(LocalFile(path))
    assert matrix.name == ""
    assert matrix.layers[0].genes.names.tolist() == ["gene 1", "gene 2", "gene 3"]
    assert note_names(matrix) == {"gene_names", "orientation"}
    (tmp_path / "s1_genes.tsv").write_bytes(GENES)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "cells.tsv").write_bytes(b"too\nmany\ncells\nhere\n")
    (matrix,) = mtx.open_(LocalFile(path))
    assert matrix.layers[0].genes.names.tolist() == ["A", "B", "MT-C"]
    assert not matrix.notes


@pytest.mark.parametrize(
    ("genes", "cells"),
    [(GENES * 2, CELLS), (GENES, CELLS * 3), (CELLS, GENES * 3), (GENES, b"a\n"), (b"a\n", CELLS)],
)
def test_tables_that_do_not_fit_are_an_error(genes: bytes, cells: bytes) -> None:
    """The matrix's shape and the tables' lengths are both said."""
    files = {"m.mtx": MTX, "genes.tsv": genes, "barcodes.tsv": cells}
    with pytest.raises(CorruptMatrixError, match=r"m\.mtx: is 3 × 2.*genes.tsv has.*barcodes.tsv"):
        open_files(files)


def test_tables_of_something_else_are_left_alone() -> None:
    """A table that only might belong to the matrix and does not fit is not its business."""
    layer = only_layer({"m.mtx": MTX, "genes.tsv": GENES, "cell_types.tsv": b"a\nb\nc\nd\ne\n"})
    assert layer.n_cells == 2


@pytest.mark.slow
def test_broken_tables_are_an_error() -> None:
    """A truncated table, a line without end and a bomb of names are refused."""
    cut = gzip.compress(GENES)[:-9]
    with pytest.raises(CorruptMatrixError, match=r"genes\.tsv\.gz: ends in the middle"):
        open_files({"m.mtx": MTX, "genes.tsv.gz": cut, "barcodes.tsv": CELLS})
    with pytest.raises(CorruptMatrixError, match="longer than 64 KiB"):
        open_files({"m.mtx": MTX, "genes.tsv": b"a" * 10**6 + b"\nb\nc\n"})
    rows = MTX.replace(b"3 2 2", b"2000 2 2")
    bomb = gzip.compress((b"a" * 60_000 + b"\n") * 2000)
    with pytest.raises(LimitError, match="larger than 64 MiB"):
        open_files({"m.mtx": rows, "genes.tsv.gz": bomb})


def test_zip_is_opened_in_place() -> None:
    """A zip archive is a folder; a member that would leave it is refused."""

    def pack(prefix: str) -> MemoryBlob:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as file:
            for name, data in {"matrix.mtx": MTX, "genes.tsv": GENES}.items():
                file.writestr(prefix + name, data)
        return MemoryBlob("a.zip", buffer.getvalue())

    assert mtx.sniff(pack("x/"))
    (matrix,) = mtx.open_(pack("x/"))
    assert dense(matrix.layers[0]).sum() == 12
    with pytest.raises(MatrixError, match="leave its folder"):
        mtx.open_(pack("../"))


def read_with_scipy(data: bytes) -> np.ndarray:
    return np.asarray(scipy_io.mmread(io.BytesIO(gzip.decompress(data))).toarray().T)


def sum_and_shape(layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """Return the totals of genes and of cells."""
    genes, cells = np.zeros(len(layer.genes)), []
    for block in layer.cell_blocks(range(layer.n_cells), 1 << 16):
        genes += np.bincount(block.indices, block.data, minlength=len(genes))
        of_value = np.repeat(np.arange(block.n_cells), np.diff(block.indptr))
        cells.append(np.bincount(of_value, block.data, minlength=block.n_cells))
    return genes, np.concatenate(cells)


def test_real_cell_ranger_folder(real_data: Path) -> None:
    """The real v3 folder: as scipy and pandas read it."""
    folder = real_data / "tenx_v3_mtx"
    expected = read_with_scipy((folder / "matrix.mtx.gz").read_bytes())
    features = pd.read_csv(folder / "features.tsv.gz", sep="\t", header=None)
    for source in (LocalFolder(folder), LocalFile(folder / "matrix.mtx.gz")):
        assert mtx.sniff(source)
        (matrix,) = mtx.open_(source)
        (layer,) = matrix.layers
        assert layer.cell_major
        assert np.array_equal(dense(layer, block_bytes=1 << 16), expected)
        assert layer.genes.ids.tolist() == features[0].tolist()
        assert layer.genes.names.tolist() == features[1].tolist()
        assert not matrix.notes


@pytest.mark.slow
def test_real_matrix_service_zip(real_data: Path) -> None:
    """The real mtx.zip: totals as scipy reads them, straight from the zip."""
    path = real_data / "00000000-0000-4000-8000-000000000001.mtx.zip"
    blobs = ZipTree(LocalFile(path)).blobs()
    (name,) = (name for name in blobs if name.endswith("matrix.mtx.gz"))
    with blobs[name].open() as file:
        expected = sparse.csr_array(scipy_io.mmread(io.BytesIO(gzip.decompress(file.read()))))
    (matrix,) = mtx.open_(LocalFile(path))
    (layer,) = matrix.layers
    genes, cells = sum_and_shape(layer)
    assert np.array_equal(genes, expected.sum(axis=1))
    assert np.array_equal(cells, expected.sum(axis=0))
    assert layer.genes.ids[0] == "GENE00000000000"
