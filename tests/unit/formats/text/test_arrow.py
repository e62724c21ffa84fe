"""Parquet and Feather tables give the same numbers as pandas, or are refused in words."""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather, parquet

from dpss.errors import (
    CorruptMatrixError,
    LimitError,
    MatrixError,
    NeedsWholeError,
    NoMatrixError,
)
from dpss.formats.discovery import OpenFailure, iter_matrices
from dpss.formats.options import OpenOptions
from dpss.formats.registry import open_matrices
from dpss.storage.compression import DecompressedBlob
from dpss.storage.local import LocalFile
from dpss.summary.record import Summary
from tests.examples import examples
from tests.summarise import source_of, summarise, summarise_matrix


def frame(n_cells: int = 30, n_genes: int = 12, seed: int = 0) -> pd.DataFrame:
    """Return counts of cells × genes, with barcodes and gene ids."""
    values = np.random.default_rng(seed).poisson(2, (n_cells, n_genes))
    cells = ["".join("ACGT"[(i >> (2 * k)) & 3] for k in range(16)) for i in range(n_cells)]
    return pd.DataFrame(values, cells, [f"ENSG{i:011d}" for i in range(n_genes)])


def write(path: Path, table: pd.DataFrame, **options: Any) -> Path:
    """Write a table in the format that the suffix names."""
    if path.suffix == ".parquet":
        table.to_parquet(path, **options)
    else:
        feather.write_feather(pa.Table.from_pandas(table), str(path), **options)
    return path


def check(summary: Summary, table: pd.DataFrame) -> None:
    """Compare a summary with the table, cells × genes, that it is of."""
    assert summary.genes.gene_id.tolist() == table.columns.tolist()
    assert summary.genes.total_counts.tolist() == table.sum().tolist()
    assert summary.genes.n_cells_by_counts.tolist() == (table > 0).sum().tolist()
    assert summary.n_cells == len(table)


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("kept", ["index", "named index", "column"])
def test_a_table_of_pandas(suffix: str, turned: bool, kept: str, tmp_path: Path) -> None:
    """Both orientations; names as pandas keeps them: an index is stored as the last column."""
    table = frame()
    stored = table.T if turned else table
    if kept == "named index":
        stored = stored.rename_axis("gene" if turned else "barcode")
    elif kept == "column":
        stored = stored.rename_axis("name").reset_index()
    summary = summarise(write(tmp_path / f"m{suffix}", stored))
    check(summary, table)
    assert summary.matrix.format == suffix[1:]
    orientation = next(each for each in summary.reading if each.topic == "orientation")
    assert orientation.value == ("genes × cells" if turned else "cells × genes")


@pytest.mark.slow
@settings(max_examples=examples(40))  # about a thousand settings, which differ in one library
@given(
    dtype=st.sampled_from(["int8", "uint16", "int32", "int64", "uint64", "float32", "float64"]),
    rows=st.sampled_from([1, 7, 1000]),
    compression=st.sampled_from(["snappy", "gzip", "zstd", "none"]),
    dictionary=st.booleans(),
    version=st.sampled_from(["1.0", "2.4", "2.6"]),
    page=st.sampled_from(["1.0", "2.0"]),
    seed=st.integers(0, 1000),
)
def test_every_writer_setting(
    dtype: str, rows: int, compression: str, dictionary: bool, version: str, page: str, seed: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    """Types, row groups, encodings and versions of the format change no number."""
    table = frame(23, 9, seed).astype(dtype)
    path = tmp_path_factory.mktemp("p") / "m.parquet"
    parquet.write_table(
        pa.Table.from_pandas(table), path, row_group_size=rows, compression=compression,
        use_dictionary=dictionary, version=version, data_page_version=page,
    )  # fmt: skip
    check(summarise(path), table)


@pytest.mark.parametrize("chunksize", [1, 5, 100])
@pytest.mark.parametrize("compression", ["lz4", "zstd", "uncompressed"])
def test_record_batches(chunksize: int, compression: str, tmp_path: Path) -> None:
    """A Feather file in any number of batches is the same table."""
    path = write(tmp_path / "m.feather", frame(), chunksize=chunksize, compression=compression)
    check(summarise(path), frame())


def test_columns_of_other_types(tmp_path: Path) -> None:
    """Categories of cells are annotation and are said to be; booleans and decimals are numbers."""
    table = frame()
    stored = table.assign(cell_type=pd.Categorical(["T", "B", "NK"] * 10))
    summary = summarise(write(tmp_path / "m.parquet", stored))
    check(summary, table)
    annotation = next(each for each in summary.reading if each.topic == "annotation")
    assert "cell_type" in annotation.evidence
    check(summarise(write(tmp_path / "b.parquet", table > 0)), (table > 0).astype(int))


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
@pytest.mark.parametrize("value", [None, float("nan")])
def test_a_missing_value_is_refused(suffix: str, value: float | None, tmp_path: Path) -> None:
    """A field that holds no number is named with its line and column, never taken for 0."""
    table = frame().astype("object")
    table.iloc[7, 3] = value
    table = table.astype("Float64") if value is None else table.astype("float64")
    with pytest.raises(MatrixError):
        summarise(write(tmp_path / f"m{suffix}", table))


@pytest.mark.parametrize("kind", ["lists", "bytes", "records"])
def test_columns_that_hold_no_numbers_are_refused(kind: str, tmp_path: Path) -> None:
    """The error names column and type."""
    value = {"lists": [1, 2], "bytes": b"\0\1", "records": {"a": 1}}[kind]
    stored = frame().assign(odd=[value] * 30)
    with pytest.raises(NoMatrixError, match="column 'odd' holds"):
        summarise(write(tmp_path / "m.parquet", stored))


def test_without_the_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the extra."""
    path = write(tmp_path / "m.parquet", frame())
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    message = r"m\.parquet: a Parquet table .* pip install 'data-portal-summary-stats\[parquet\]'"
    with pytest.raises(MatrixError, match=message):
        summarise(path)


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_a_part_that_does_not_fit_into_memory(suffix: str, tmp_path: Path) -> None:
    """Row groups and record batches are held against the memory allowed."""
    path = write(tmp_path / f"m{suffix}", frame(2000, 50))
    with pytest.raises(LimitError, match="fewer rows in each, or raise --memory"):
        open_matrices(LocalFile(path), OpenOptions(memory_bytes=1 << 17))


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_in_folders_and_archives(suffix: str, tmp_path: Path) -> None:
    """Beside others, in a zip and in a compressed tar, which is read by a copy in scratch."""
    folder = tmp_path / "folder"
    folder.mkdir()
    write(folder / f"a{suffix}", frame())
    write(folder / f"b{suffix}", frame(seed=1))
    with zipfile.ZipFile(tmp_path / "m.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for path in folder.iterdir():
            file.write(path, path.name)
    with tarfile.open(tmp_path / "m.tar.gz", "w:gz") as tar:
        tar.add(folder, "folder")
    for source in (folder, tmp_path / "m.zip", tmp_path / "m.tar.gz"):
        found = {}
        for matrix in iter_matrices(source_of(source)):
            assert not isinstance(matrix, OpenFailure), matrix
            found[matrix.name] = summarise_matrix(matrix)
        assert sorted(found) == ["a", "b"]
        check(found["a"], frame())
        check(found["b"], frame(seed=1))


def test_a_stream_is_asked_for_whole(tmp_path: Path) -> None:
    """What gives no ranges is fetched first."""
    path = write(tmp_path / "m.parquet", frame())
    with pytest.raises(NeedsWholeError):
        open_matrices(DecompressedBlob(LocalFile(path)))


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
@pytest.mark.parametrize("seed", range(20))
def test_damage_is_refused_or_without_effect(suffix: str, seed: int, tmp_path: Path) -> None:
    """A changed or missing byte gives an error of the tree, or the file's own numbers."""
    rng = np.random.default_rng(seed)
    path = write(tmp_path / f"m{suffix}", frame())
    data = bytearray(path.read_bytes())
    if seed % 2:
        del data[int(rng.integers(8, len(data))) :]
    else:
        data[int(rng.integers(8, len(data)))] ^= 1 << int(rng.integers(8))
    path.write_bytes(data)
    try:
        summary = summarise(path)
    except MatrixError as error:
        assert "\n" not in str(error)
        return
    assert summary.n_cells <= 30


def test_a_table_of_entries_is_refused(tmp_path: Path) -> None:
    """A long table of cell, gene and count is no matrix of cells and genes."""
    long = frame().rename_axis("cell").reset_index().melt("cell", var_name="gene", value_name="n")
    with pytest.raises(MatrixError):
        summarise(write(tmp_path / "m.parquet", long))


def test_the_text_is_the_tables(tmp_path: Path) -> None:
    """Any range of the text is that of the whole text."""
    from dpss.formats.text.arrow import PARQUET, TableText

    text = TableText(LocalFile(write(tmp_path / "m.parquet", frame())), PARQUET, 1 << 30)
    with text.open() as file:
        whole = file.read()
    assert pd.read_csv(io.BytesIO(whole), index_col=0).equals(frame())
    assert text.read_range(100, 50) == whole[100:150]
    assert text.read_range(len(whole), 10) == b""


def test_tables_beside_matrices_are_no_failures(tmp_path: Path) -> None:
    """Tables that pipelines write as Parquet beside a matrix are left out, with a word."""
    write(tmp_path / "counts.parquet", frame())
    places = pd.DataFrame({"barcode": ["a", "b"], "x_centroid": [0.5, 1.5], "y": [2.5, 3.0]})
    write(tmp_path / "cells.parquet", places)
    lists = pd.DataFrame({"cell": ["a", "b"], "path": [[1, 2], [3]]})
    write(tmp_path / "boundaries.parquet", lists)
    found = list(iter_matrices(source_of(tmp_path)))
    refused = {each.name: each.error for each in found if isinstance(each, OpenFailure)}
    assert sorted(refused) == ["boundaries.parquet", "cells.parquet"]
    assert all(isinstance(error, NoMatrixError) for error in refused.values()), refused
    (matrix,) = (each for each in found if not isinstance(each, OpenFailure))
    check(summarise_matrix(matrix), frame())


def test_a_damaged_note_of_pandas_costs_nothing(tmp_path: Path) -> None:
    """The note that names the index is not needed: names are told by their column."""
    table = pa.Table.from_pandas(frame())
    for note in (b"\xff\xfe", b"{", b"[]", b'{"index_columns": 3}', b'{"index_columns": [7]}'):
        feather.write_feather(table.replace_schema_metadata({b"pandas": note}), str(tmp_path / "m"))
        check(summarise(tmp_path / "m"), frame())


def test_titles_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """A title of other bytes than UTF-8 is damage, with words."""
    path = write(tmp_path / "m.feather", frame())
    damaged = path.read_bytes().replace(b"ENSG00000000003", b"\xf5NSG00000000003")
    path.write_bytes(damaged)
    with pytest.raises(CorruptMatrixError, match="a damaged Feather table"):
        summarise(path)


@pytest.mark.parametrize("offset", [-5, 1 << 30, 7])
def test_offsets_of_texts_that_lead_elsewhere_are_refused(offset: int, tmp_path: Path) -> None:
    """pyarrow would read beyond the names, as it trusts what a Feather table stores."""
    names = [f"ENSG{i:011d}" for i in range(40)]
    frame = pd.DataFrame({"gene": names} | {f"c{i}": np.arange(40) for i in range(5)})
    path = tmp_path / "m.feather"
    frame.to_feather(path, compression="uncompressed")
    data = bytearray(path.read_bytes())
    starts = np.arange(0, 15 * 41, 15, dtype="<i4")
    at = data.find(starts[:20].tobytes())
    width = 4
    if at < 0:
        at, width = data.find(starts[:20].astype("<i8").tobytes()), 8
    data[at + 3 * width : at + 4 * width] = offset.to_bytes(width, "little", signed=True)
    path.write_bytes(data)
    with pytest.raises(CorruptMatrixError, match="damaged Feather table"):
        summarise(path)
