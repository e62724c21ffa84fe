"""Well-known files that are not read are refused by name; text in UTF-16 with a mark is read."""

from __future__ import annotations

import gzip
import io
import pickle
import sqlite3
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.errors import MatrixError, NoMatrixError
from dpss.formats.discovery import OpenFailure, iter_matrices
from dpss.formats.registry import open_matrices
from tests.examples import examples
from tests.summarise import source_of, summarise, summarise_matrix
from tests.unit.storage.blobs import MemoryBlob


def frame(seed: int = 0) -> pd.DataFrame:
    """Return counts of 12 genes × 9 cells."""
    x = np.random.default_rng(seed).poisson(2, (12, 9))
    cells = ["".join("ACGT"[(i >> (2 * k)) & 3] for k in range(16)) for i in range(9)]
    return pd.DataFrame(x, index=[f"ENSG{i:011d}" for i in range(12)], columns=cells)


def numpy_archive() -> bytes:
    """Return what scipy's `save_npz` writes."""
    out = io.BytesIO()
    sp.save_npz(out, sp.csr_matrix(frame().to_numpy()))
    return out.getvalue()


def array() -> bytes:
    """Return what numpy's `save` writes."""
    out = io.BytesIO()
    np.save(out, frame().to_numpy())
    return out.getvalue()


def workbook() -> bytes:
    """Return the first members of an xlsx file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr("xl/workbook.xml", "<workbook/>")
        file.writestr("xl/worksheets/sheet1.xml", "<worksheet>" + "<row/>\n" * 50)
        file.writestr("xl/sharedStrings.xml", "<sst/>\n" * 50)
    return out.getvalue()


def open_document() -> bytes:
    """Return the first members of an ods file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in ("mimetype", "content.xml", "META-INF/manifest.xml"):
            file.writestr(name, "<a/>")
    return out.getvalue()


def matlab() -> bytes:
    """Return what MATLAB's ``save -v7.3`` writes: HDF5 behind 512 bytes."""
    out = io.BytesIO()
    with h5py.File(out, "w", userblock_size=512) as file:
        file["counts"] = frame().to_numpy()
    title = b"MATLAB 7.3 MAT-file, Platform: GLNXA64 HDF5 schema 1.00 .".ljust(124) + b"\0\2IM"
    return title + out.getvalue()[len(title) :]


def series_matrix() -> bytes:
    """Return a table as GEO's series matrix has it."""
    return b'!Series_title\t"x"\n!Sample_title\t"a"\n' + frame().to_csv(sep="\t").encode()


def database(folder: Path) -> bytes:
    """Return a SQLite file."""
    connection = sqlite3.connect(folder / "x.db")
    connection.execute("create table t (a)")
    connection.commit()
    connection.close()
    return (folder / "x.db").read_bytes()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (numpy_archive, "names no genes; put tables of genes"),
        (array, "a numpy array"),
        (workbook, "an Office document"),
        (open_document, "an OpenDocument file"),
        (matlab, "a MATLAB file of version 7.3"),
        (series_matrix, "give the supplementary files"),
        (lambda: b"FCS3.1  " + bytes(99), "flow cytometer"),
        (lambda: b"ORC\x08\x03\x10" + bytes(99), "an ORC table"),
        (lambda: pickle.dumps(frame()), "a pickle of Python"),
        (lambda: b"PAR1" + bytes(range(200)), "a damaged Parquet table"),
        (lambda: b"ARROW1\0\0" + bytes(range(200)), "a damaged Feather table"),
        (lambda: gzip.compress(b"BAM\1" + bytes(200)), "BAM"),
        (lambda: b"@r1\nACGT\n+\nIIII\n" * 9, "FASTQ"),
        (lambda: frame().to_csv().encode("utf-16-le"), "UTF-16 without a byte order mark"),
        (lambda: gzip.compress(b"BCF\2\2" + bytes(200)), "BCF"),
        (lambda: b"NCBI.sra\x05\x03\x19\x88" + bytes(99), "SRA"),
        (lambda: b"@HD\tVN:1.6\n@SQ\tSN:chr1\tLN:9\n", "SAM"),
        (lambda: b"@r1\n" + b"ACGT" * 999 + b"\n+\n" + b"I" * 3996, "FASTQ"),
        (lambda: b">chr1 of a genome\nACGTNNNN\nACGT\n", "FASTA"),
        (lambda: b"##fileformat=VCFv4.2\n#CHROM\tPOS\nchr1\t9\n", "VCF"),
        (lambda: b'chr1\thavana\tgene\t9\t99\t.\t+\t.\tgene_id "ENSG1";\n' * 3, "GTF"),
        (lambda: b"\x0b\x0e\x0a\x0c" + bytes(99), "qs saved.*saveRDS"),
        (lambda: b"\x0b\x0e\x0a\xc1" + bytes(99), "qs2 saved.*saveRDS"),
        (lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (lambda: b"/annex/objects/MD5E-s9--0.h5ad\n", "git annex get"),
        (lambda: b"crypt4gh\1\0\0\0" + bytes(99), "encrypted"),
        (lambda: pickle.dumps(frame(), protocol=0), "a pickle of Python"),
        (lambda: bytes(4096), "nothing but zeros"),
        (lambda: b'{"message": "Not Found"}', "JSON"),
    ],
)
def test_it_is_named_and_says_what_to_give(make, words: str, tmp_path: Path) -> None:
    """The error says what the file is."""
    path = tmp_path / "matrix.bin"
    path.write_bytes(make())
    with pytest.raises(MatrixError, match=words):
        list(iter_matrices(source_of(path)))


@given(
    st.sampled_from(["<!DOCTYPE html>", "<!doctype HTML PUBLIC>", "<html lang='en'>", "<HEAD>"]),
    st.text(" \n\t", max_size=9),
    st.sampled_from(["", "\ufeff"]),
    st.sampled_from([".h5ad", ".rds", ".csv", ".mtx.gz"]),
)
@settings(max_examples=examples(30), deadline=None)
def test_a_login_page_is_named(begin: str, blank: str, mark: str, ending: str) -> None:
    """A server that asks for a login answers with a page, whatever was asked for."""
    page = mark + blank + begin + "\n<title>Sign in</title></html>\n"
    blob = MemoryBlob(f"matrix{ending}", page.encode())
    with pytest.raises(NoMatrixError, match="a web page"):
        open_matrices(blob)


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchKey", "ExpiredToken"])
def test_an_answer_of_a_storage_service_is_named(code: str) -> None:
    """S3, Google and Azure tell in XML why they do not give a file."""
    text = f"<?xml version='1.0'?>\n<Error><Code>{code}</Code><Message>no</Message></Error>"
    with pytest.raises(NoMatrixError, match=code):
        open_matrices(MemoryBlob("m.h5ad", text.encode()))


def pandas_table(file: h5py.File) -> None:
    """Write what `DataFrame.to_hdf` writes."""
    group = file.create_group("df")
    group.attrs["pandas_type"] = "frame"
    group["axis0"] = np.array([b"ACTB", b"CD3E"])
    group["block0_values"] = np.ones((3, 2))


def keras_model(file: h5py.File) -> None:
    """Write weights as Keras 2 writes them."""
    file.create_group("dense_1").attrs["weight_names"] = [b"kernel"]
    file.attrs["keras_version"] = "2.12.0"


def keras_weights(file: h5py.File) -> None:
    """Write weights as Keras 3 writes them."""
    file["layers/dense/vars/0"] = np.ones((3, 2))
    file.create_group("vars")


def stereo_seq(file: h5py.File) -> None:
    """Write a table of molecules as Stereo-seq's GEF has it."""
    file["geneExp/bin1/expression"] = np.zeros(4, [("x", "<i4"), ("y", "<i4"), ("count", "u1")])


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (pandas_table, "a table of pandas"),
        (keras_model, "Keras"),
        (keras_weights, "Keras"),
        (stereo_seq, "GEF.*stereopy"),
    ],
)
def test_hdf5_of_others_is_named(write, words: str, tmp_path: Path) -> None:
    """The names at the root tell, or the attributes there."""
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        write(file)
    with pytest.raises(MatrixError, match=words):
        list(iter_matrices(source_of(path)))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cloupe.cloupe", "Loupe Browser; give filtered_feature_bc_matrix"),
        ("old.qs", "saveRDS"),
        ("s_R1_001.fastq.gz", "sequencing reads"),
        ("possorted_genome_bam.bam", "sequencing reads"),
    ],
)
def test_its_name_tells_where_the_bytes_do_not(name: str, words: str, tmp_path: Path) -> None:
    """A file of an unknown beginning is named by its ending."""
    path = tmp_path / name
    path.write_bytes(b"\x01\x00\x00\x00\x80" + bytes(range(90)))
    with pytest.raises(MatrixError, match=words):
        list(iter_matrices(source_of(path)))


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (("val_data", "index_data", "idxptr", "row_names", "version"), "BPCells"),
        (("__schema/__0_1", "obs/__schema/x", "__tiledb_group.tdb"), "TileDB"),
    ],
)
def test_folders_of_others_are_named(members, words: str, tmp_path: Path) -> None:
    """A folder without a matrix that is read is named by its members."""
    for member in members:
        path = tmp_path / "m" / member
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\x01\x00\x80")
    with pytest.raises(MatrixError, match=words):
        list(iter_matrices(source_of(tmp_path / "m")))


def test_a_database_is_named(tmp_path: Path) -> None:
    """SQLite files are told by their first bytes."""
    (tmp_path / "d").mkdir()
    path = tmp_path / "d" / "matrix"
    path.write_bytes(database(tmp_path))
    with pytest.raises(MatrixError, match="a SQLite database"):
        list(iter_matrices(source_of(path)))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("separator", ["\t", ","])
def test_text_with_a_byte_order_mark_is_read(
    encoding: str, packed: bool, separator: str, tmp_path: Path
) -> None:
    """The numbers are pandas', whatever the encoding is."""
    data = frame().to_csv(sep=separator).encode(encoding)
    path = tmp_path / ("a.csv.gz" if packed else "a.csv")
    path.write_bytes(gzip.compress(data) if packed else data)
    (matrix,) = iter_matrices(source_of(path))
    summary = summarise_matrix(matrix)
    assert summary.genes.total_counts.tolist() == frame().sum(axis=1).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_damaged_wide_text_is_refused(seed: int, tmp_path: Path) -> None:
    """Text that is cut within a character, or has half of one, is refused or read as it is."""
    rng = np.random.default_rng(seed)
    data = bytearray(frame().to_csv().encode("utf-16"))
    place = int(rng.integers(2, len(data)))
    data[place : place + 1] = b""
    path = tmp_path / "a.csv"
    path.write_bytes(bytes(data))
    with pytest.raises(MatrixError):
        for matrix in iter_matrices(source_of(path)):
            summarise_matrix(matrix)


def test_the_parts_of_a_document_are_not_refused_one_by_one(tmp_path: Path) -> None:
    """An xlsx among other files is one refusal, and the others are read."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("supp/tables.xlsx", workbook())
        file.writestr("supp/counts.csv", frame().to_csv())
    found = list(iter_matrices(source_of(tmp_path / "a.zip")))
    assert [each.name for each in found] == ["counts", "tables.xlsx"]
    assert isinstance(found[1], OpenFailure)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_gct(version: str, tmp_path: Path) -> None:
    """GenePattern's tables have two lines before the header and a column of descriptions."""
    table = frame()
    table.insert(0, "Description", "n/a x")
    sizes = "9\t9" if version == "1.2" else "9\t9\t1\t0"
    text = f"#{version}\n{sizes}\n{table.to_csv(sep=chr(9), index_label='Name')}"
    (tmp_path / "m.gct").write_text(text)
    assert summarise(tmp_path / "m.gct").total_counts == frame().to_numpy().sum()
    (tmp_path / "m.gct").write_text(text.replace("1\t0\n", "1\t2\n"))
    if version == "1.3":
        with pytest.raises(MatrixError, match="2 lines about its samples"):
            list(iter_matrices(source_of(tmp_path / "m.gct")))
