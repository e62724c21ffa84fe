"""Dense tables of text, held against pandas and numpy, which read them whole."""

from __future__ import annotations

import bz2
import csv
import gzip
import lzma
import pickle
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError, LimitError, MatrixError, NoMatrixError
from dpss.formats.options import CELLS_BY_GENES, GENES_BY_CELLS, OpenOptions
from dpss.formats.registry import open_matrices
from dpss.formats.text import stream as text_stream
from dpss.formats.text.reader import open_text
from dpss.storage.local import LocalFile
from dpss.summary.assumptions import assumptions
from tests.examples import examples
from tests.unit.formats.layers import dense, mutations, open_path, read_or_refuse

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

GENES = ["ACTB", "GAPDH", "MT-CO1", "RPL3", "RPS6", "CD3E", "MALAT1", "HLA-A", "SLC2A1"]
quick = settings(
    deadline=None,
    max_examples=examples(60),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def genes(n: int) -> list[str]:
    return [GENES[i] if i < len(GENES) else f"TMEM{i}" for i in range(n)]


def cells(n: int) -> list[str]:
    return ["".join("ACGT"[i >> 2 * k & 3] for k in range(16)) + "-1" for i in range(n)]


def counts(n_genes: int, n_cells: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).poisson(0.7, (n_genes, n_cells))


def read(path: Path, data: bytes | str, **options) -> tuple:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    matrix = open_text(LocalFile(path), OpenOptions(**options))
    (layer,) = matrix.layers
    assumed = [(d.topic, "warn", d.evidence) for d in assumptions(matrix.decisions)]
    return layer, dense(layer, 1, 1 << 10), (*matrix.notes, *assumed)


@pytest.mark.slow
@quick
@given(data=st.data())
def test_any_table_is_read_as_pandas_reads_it(tmp_path, data):
    """Separators, quotes, headers, both orientations, line ends and decimals: the same numbers."""
    n_genes, n_cells = data.draw(st.integers(5, 12)), data.draw(st.integers(2, 12))
    number = st.one_of(
        st.integers(0, 9),
        st.integers(0, 10**12),
        st.floats(-1e12, 1e12),
        st.floats(0, 1e-3),
    )
    decimals = data.draw(st.booleans())
    values = np.array(
        [
            [data.draw(number if decimals else st.integers(0, 300)) for _ in range(n_cells)]
            for _ in range(n_genes)
        ],
        dtype=float if decimals else int,
    )
    frame = pd.DataFrame(values, index=genes(n_genes), columns=cells(n_cells))
    turned = data.draw(st.booleans())
    separator = data.draw(st.sampled_from("\t,; "))
    quoting = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC, csv.QUOTE_ALL]))
    text = (frame.T if turned else frame).to_csv(
        sep=separator,
        quoting=quoting,
        index_label=data.draw(st.sampled_from([None, "x1", False])),
        lineterminator=data.draw(st.sampled_from(["\n", "\r\n"])),
    )
    if data.draw(st.booleans()):
        text = text.rstrip("\r\n")
    if separator == " " and text[0] == " ":
        text = text[1:]
    layer, found, notes = read(tmp_path / "a.txt", text)
    assert notes == ()
    assert layer.cell_major == turned
    assert list(layer.genes.names) == list(frame.index)
    assert np.array_equal(found, values.T.astype(float))


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress, zstd.compress])
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a"])
def test_compression_is_told_by_content(tmp_path, pack, name):
    """gzip, bzip2, xz and zstd, whatever the file is called."""
    frame = pd.DataFrame(counts(6, 4), index=genes(6), columns=cells(4))
    (tmp_path / name).write_bytes(pack(frame.to_csv(sep="\t").encode()))
    (matrix,) = open_path(tmp_path / name)
    assert np.array_equal(dense(matrix.layers[0]), frame.to_numpy().T)


def test_row_numbers_before_the_names(tmp_path):
    """Row numbers as pandas or R write them are not taken for counts."""
    frame = pd.DataFrame(counts(6, 4), columns=cells(4))
    frame.insert(0, "gene", genes(6))
    for text in (frame.to_csv(), frame.to_csv(index_label=False)):
        layer, found, _ = read(tmp_path / "a.csv", text)
        assert list(layer.genes.names) == genes(6)
        assert np.array_equal(found, frame.iloc[:, 1:].to_numpy().T)


def test_annotation_before_the_counts(tmp_path):
    """featureCounts: a comment, then six columns of annotation, the id first."""
    ids = [f"ENSG{i:011}" for i in range(6)]
    frame = pd.DataFrame(counts(6, 4), columns=cells(4))
    annotation = {"Geneid": ids, "Chr": ["1", "2", "X", "MT", "1", "1"], "Start": range(1, 7)}
    annotation |= {"End": range(5, 11), "Strand": list("+-+-+-"), "Length": [4] * 6}
    annotation["gene_name"] = genes(6)
    full = pd.concat([pd.DataFrame(annotation), frame], axis=1)
    text = "# Program:featureCounts v2.0.1; Command:x\n" + full.to_csv(sep="\t", index=False)
    layer, found, _ = read(tmp_path / "a.txt", text)
    assert list(layer.genes.ids) == ids
    assert list(layer.genes.names) == genes(6)
    assert list(layer.genes.chromosomes) == annotation["Chr"]
    assert np.array_equal(found, frame.to_numpy().T)


def test_annotation_after_the_counts(tmp_path):
    """Columns of text at the end are left out."""
    frame = pd.DataFrame(counts(6, 4), index=genes(6), columns=cells(4))
    frame["description"] = [f'a "quoted", text {i}' for i in range(6)]
    _, found, _ = read(tmp_path / "a.csv", frame.to_csv())
    assert np.array_equal(found, frame.iloc[:, :4].to_numpy().T)


def test_orientation_is_told_from_names_or_said(tmp_path):
    """Ids, symbols and barcodes tell it; where nothing does, genes × cells and a note."""
    values = counts(6, 4)
    for rows, columns, turned in (
        ([f"ENSMUSG{i:011}.3" for i in range(6)], list("abcd"), False),
        ([f"sample_{i}" for i in range(6)], ["Actb", "Gapdh", "Xkr4", "Rp1"], True),
        (genes(6), [f"S{i}" for i in range(4)], False),
        (cells(6), list("abcd"), True),
        ([f"plate1_A{i}" for i in range(6)], [f"ENSG{i:011}" for i in range(4)], True),
    ):
        frame = pd.DataFrame(values, index=rows, columns=columns)
        layer, found, notes = read(tmp_path / "a.csv", frame.to_csv())
        assert layer.cell_major == turned
        assert np.array_equal(found, values if turned else values.T)
        assert notes == ()
    frame = pd.DataFrame(values, index=list("uvwxyz"), columns=list("abcd"))
    layer, found, notes = read(tmp_path / "a.csv", frame.to_csv())
    assert not layer.cell_major
    assert [note[:2] for note in notes] == [("orientation", "warn")]
    layer, found, notes = read(tmp_path / "a.csv", frame.to_csv(), orientation=CELLS_BY_GENES)
    assert (layer.cell_major, notes) == (True, ())
    assert np.array_equal(found, values)
    layer, found, _ = read(tmp_path / "a.csv", frame.T.to_csv(), orientation=GENES_BY_CELLS)
    assert not layer.cell_major


def test_numbers_alone(tmp_path):
    """A table of nothing but numbers: genes are numbered, and a note says so."""
    values = counts(6, 4)
    values[0] = (5, 3, 3, 1)
    layer, found, notes = read(
        tmp_path / "a.txt", pd.DataFrame(values).to_csv(header=False, index=False)
    )
    assert np.array_equal(found, values.T)
    assert layer.genes.names[5] == "gene 6"
    assert {note[0] for note in notes} == {"orientation", "gene_names"}


def test_odd_numbers(tmp_path):
    """Infinity is what it is; blanks and signs don't matter."""
    text = "g,c1,c2,c3\nACTB,7, 3 ,2\nGAPDH,inf,+1e2,-0.5\nCD4,00,12345678901234567890,1.\n"
    _, found, _ = read(tmp_path / "a.csv", text)
    expected = [[7, np.inf, 0], [3, 100, 12345678901234567890], [2, -0.5, 1]]
    assert np.array_equal(found, expected, equal_nan=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("barcode,celltype\nAAACCTG,rod\nAAACCTT,cone\n", "'barcode', 'celltype', not a count"),
        ("x,cluster,cell_type,nUMI\na,1,rod,5\nb,2,cone,6\n", "not a count matrix"),
        (",p_val,avg_log2FC,pct.1,pct.2,p_val_adj\nCD3E,0,1.5,0.9,0.1,0\n", "not a count matrix"),
        ("barcode,UMAP_1,UMAP_2\nAAAC,0.1,2\nAAAG,1,3\n", "not a count matrix"),
        ("gene\tchromosome\tstart\nACTB\t7\t100\nB2M\t15\t200\n", "not a count matrix"),
        ("just some words\n", "a text of 1 line,"),
        ("AAACCTGA\nAAACCTGT\nAAACCTGG\n", "no table of numbers"),
        ("<!DOCTYPE html>\n<p>error 404</p>\n", "HTML"),
        ('{"message":\n"not found"}\n', "JSON"),
    ],
)
def test_what_is_no_matrix_is_refused(tmp_path, text, message):
    """Tables of cell types, tests and coordinates, pages and answers of servers."""
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(NoMatrixError, match=message):
        open_path(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("TMEM900,1,2", "fewer than 5 fields"),
        ("TMEM900,1,2,3,4,5", "more than 5 fields"),
        ("TMEM900,1,2,x,4", "'x' is no number"),
        ("TMEM900,1,2,1_0,4", "'1_0' is no number"),
        ("TMEM900,1,2,3,", r"column 5 \('.*'\): an empty field"),
        ("TMEM900,1,2,3,NA", "'NA' stands for no value"),
        ("TMEM900,1,nan,3,4", "column 3 .*'nan' stands for no value"),
    ],
)
def test_a_line_unlike_the_others_is_named(tmp_path, line, message):
    """The message gives the line's number and what is wrong with it."""
    frame = pd.DataFrame(counts(300, 4), index=genes(300), columns=cells(4))
    path = tmp_path / "a.csv"
    path.write_text(frame.to_csv() + line + "\n" + frame.to_csv(header=False))
    (matrix,) = open_path(path)
    with pytest.raises(CorruptMatrixError, match=f"a.csv: line 302[:,] .*{message}"):
        dense(matrix.layers[0])


@pytest.mark.slow
@pytest.mark.parametrize("blank", ["", "NA", '""'])
@pytest.mark.parametrize("shape", [(300, 40), (30, 4000)])
def test_tables_of_mostly_empty_fields_are_refused(tmp_path, blank, shape):
    """A field of no byte is a value, too: there is room for each of them."""
    frame = pd.DataFrame(counts(*shape), index=genes(shape[0]), columns=cells(shape[1]))
    path = tmp_path / "a.csv"
    path.write_text(frame.to_csv().replace(",0", f",{blank}"))
    with pytest.raises(CorruptMatrixError, match=r"line \d+, column \d+"):
        for matrix in open_path(path):
            dense(matrix.layers[0])


def test_what_annotation_lacks_is_of_no_matter(tmp_path):
    """A missing field in a column that is left out refuses no table."""
    frame = pd.DataFrame(counts(40, 6), index=cells(40), columns=genes(6)).astype(object)
    frame["percent.mito"] = ["NA", "0.5"] * 20
    frame["nCount_RNA"] = ["", "7"] * 20
    frame.to_csv(tmp_path / "a.csv")
    (matrix,) = open_path(tmp_path / "a.csv")
    assert np.nansum(dense(matrix.layers[0])[:, :6]) == counts(40, 6).sum()


@pytest.mark.slow
def test_wide_tables(tmp_path):
    """65,000 columns: the header and each line are longer than a piece that is read."""
    n = 65_000
    values = counts(6, n)
    frame = pd.DataFrame(values, index=genes(6), columns=cells(n))
    path = tmp_path / "a.tsv.gz"
    path.write_bytes(gzip.compress(frame.to_csv(sep="\t").encode(), 1))
    (matrix,) = open_path(path)
    (layer,) = matrix.layers
    assert (layer.n_cells, len(layer.genes)) == (n, 6)
    assert np.array_equal(dense(layer), values.T)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_table(tmp_path):
    """Four times the lines need no more memory: nothing is kept but what is under way.

    That is a few pieces of 1 MiB, more or fewer as the threads go; 24 MB are added.
    """
    peaks = []
    for n_lines in (2_000, 8_000):
        path = tmp_path / f"{n_lines}.csv"
        line = ",".join("0" * 2000)
        with path.open("w") as file:
            print("cell", ",".join(f"ENSG{i:011}" for i in range(2000)), sep=",", file=file)
            for i in range(n_lines):
                print(f"cell{i}", line, sep=",", file=file)
        tracemalloc.start()
        (matrix,) = open_path(path)
        (partition,) = matrix.layers[0].partitions(1)
        n_cells = sum(b.n_cells for b in matrix.layers[0].cell_blocks(partition, 1 << 20))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert n_cells == n_lines
    assert peaks[1] < peaks[0] + (4 << 20)


def test_a_line_without_end_is_refused(tmp_path, monkeypatch):
    """A line longer than any that makes sense is a limit, not a need for memory."""
    monkeypatch.setattr(text_stream, "MAX_LINE_BYTES", 1 << 20)
    frame = pd.DataFrame(counts(6, 4), index=genes(6), columns=cells(4))
    path = tmp_path / "a.csv"
    path.write_text(frame.to_csv() * 1 + "x" * (1 << 23) + "\n" + frame.to_csv())
    with pytest.raises(LimitError, match="a line of more than 1 MiB"):
        dense(open_path(path)[0].layers[0])


def test_a_layer_can_be_pickled(tmp_path):
    """Another process opens the file anew."""
    frame = pd.DataFrame(counts(6, 4), index=genes(6), columns=cells(4))
    layer, found, _ = read(tmp_path / "a.csv", frame.to_csv())
    assert np.array_equal(dense(pickle.loads(pickle.dumps(layer))), found)


def test_matrix_service_csv_zip(tmp_path):
    """The HCA Matrix Service's csv.zip: cells × genes, whatever the option for tables says."""
    ids = [f"ENSG{i:011}" for i in range(6)]
    table = pd.DataFrame({"featurekey": ids, "featurename": genes(6), "featuretype": "x"})
    table["chromosome"] = ["chr1"] * 5 + ["chrM"]
    values = counts(4, 6) / 4
    expression = pd.DataFrame(values, index=list("uvwx"), columns=ids[::-1])
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("id.csv/genes.csv", table.to_csv(index=False))
        file.writestr("id.csv/expression.csv", expression.to_csv(index_label="cellkey"))
        file.writestr("id.csv/cells.csv", "cellkey,genes_detected\nu,1\nv,1\nw,1\nx,1\n")
    (matrix,) = open_path(tmp_path / "a.csv.zip")
    (layer,) = matrix.layers
    assert list(layer.genes.ids) == ids[::-1]
    assert list(layer.genes.names) == genes(6)[::-1]
    assert layer.genes.chromosomes[0] == "chrM"
    assert np.array_equal(dense(layer), values)
    for orientation in (GENES_BY_CELLS, CELLS_BY_GENES):
        source = LocalFile(tmp_path / "a.csv.zip")
        (matrix,) = open_matrices(source, OpenOptions(orientation=orientation))
        assert list(matrix.layers[0].genes.ids) == ids[::-1]
        assert "--orientation" not in matrix.decisions[0].evidence


@pytest.mark.slow
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_damaged_files_are_read_or_refused(tmp_path, pack):
    """Whatever is damaged: a result, or one of the program's own errors in one line."""
    frame = pd.DataFrame(counts(9, 7), index=genes(9), columns=cells(7))
    bad = tmp_path / "a.csv"
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL):
        for data in mutations(pack(frame.to_csv(quoting=quoting).encode()), seed=5, n=150):
            bad.write_bytes(data)
            read_or_refuse(bad)


@quick
@given(text=st.text(alphabet='\t,; "\n\r01.5eE+-NAxG#_é', min_size=1, max_size=200))
@example('""\n"",""\n')
@example("#\n#\n1 1\n")
@example('a,b\n"1,2\n')
def test_any_text_is_read_or_refused(tmp_path, text):
    """No text at all makes the program fall over."""
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode())
    read_or_refuse(path)


@pytest.mark.slow
def test_real_dense_table(real_data):
    """mouse_intestine_dge.tsv.gz: the counts and names that pandas reads."""
    path = real_data / "mouse_intestine_dge.tsv.gz"
    (matrix,) = open_path(path)
    (layer,) = matrix.layers
    frame = pd.read_csv(path, sep="\t", index_col=0)
    assert list(layer.genes.names) == list(frame.index)
    total = np.zeros(layer.n_cells)
    n_values = 0
    for block in layer.entry_blocks(layer.partitions(1)[0], 8 << 20):
        total += np.bincount(block.cells, block.data, layer.n_cells)
        n_values += len(block.data)
    assert np.array_equal(total, frame.sum().to_numpy())
    assert n_values == 2_847_950


def test_unknown_bytes_are_no_text(tmp_path):
    """Random bytes are refused as unknown, not read as a table."""
    path = tmp_path / "a.csv"
    path.write_bytes(np.random.default_rng(1).bytes(5000))
    with pytest.raises(MatrixError, match="not a matrix in a format"):
        open_path(path)
