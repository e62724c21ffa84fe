"""MatrixMarket files of any order and layout, against scipy; and broken ones."""

from __future__ import annotations

import gzip
import io
import pickle
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import io as scipy_io
from scipy import sparse

from dpss.errors import CorruptMatrixError, LimitError, MatrixError, NotCellMajorError
from dpss.formats.base import Layer
from dpss.formats.mtx import reader as mtx
from dpss.formats.options import OpenOptions
from tests.unit.formats.layers import dense, from_entries
from tests.unit.storage.blobs import MemoryBlob, MemoryTree

HEAD = "%%MatrixMarket matrix coordinate integer general\n"


def open_text(text: str | bytes, chunk_bytes: int = 1 << 12, threads: int = 2) -> Layer:
    """Open a text as a genes × cells matrix without tables."""
    data = text.encode() if isinstance(text, str) else text
    (matrix,) = mtx.open_(MemoryBlob("a.mtx", data), OpenOptions(threads=threads))
    (layer,) = matrix.layers
    return replace(layer, chunk_bytes=chunk_bytes)


def read_all(layer: Layer, block_bytes: int = 1 << 16) -> None:
    for _ in layer.entry_blocks(range(layer.n_cells), block_bytes):
        pass


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the text of a file: its entries in some order, its lines in some style."""
    n_genes, n_cells = draw(st.integers(1, 30)), draw(st.integers(1, 40))
    density = draw(st.sampled_from([0.0, 0.05, 0.5, 1.0]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    keep = rng.random((n_genes, n_cells)) < density
    if draw(st.booleans()):
        keep[:, rng.random(n_cells) < 0.5] = False
    genes, cells = np.nonzero(keep)
    order = draw(st.sampled_from(["cells", "genes", "none"]))
    sort = {
        "cells": np.lexsort((genes, cells)),
        "genes": np.lexsort((cells, genes)),
        "none": rng.permutation(len(genes)),
    }[order]
    genes, cells = genes[sort], cells[sort]
    field = draw(st.sampled_from(["integer", "real", "pattern"]))
    values = rng.integers(0, 1000, len(genes))
    tokens = {
        "integer": [str(v) for v in values],
        "real": [repr(float(v) / 7) for v in values],
        "pattern": [""] * len(values),
    }[field]
    blank, end = (
        draw(st.sampled_from([" ", "\t", "  "])),
        draw(st.sampled_from(["\n", "\r\n", " \n"])),
    )
    lines = [f"%%MatrixMarket matrix coordinate {field} general"]
    lines += ["% a comment"] * draw(st.integers(0, 2))
    lines += [f"{n_genes}{blank}{n_cells}{blank}{len(genes)}"]
    lines += [
        f"{g + 1}{blank}{c + 1}{blank if t else ''}{t}"
        for g, c, t in zip(genes, cells, tokens, strict=True)
    ]
    text = end.join(lines) + (end if draw(st.booleans()) else "")
    return {"text": text, "order": order, "n": len(genes), "field": field}


@pytest.mark.slow
@given(file=files(), chunk_bytes=st.integers(1, 300), threads=st.integers(1, 3))
@settings(deadline=None)
def test_any_order_and_chunk_gives_what_scipy_reads(
    file: dict[str, Any], chunk_bytes: int, threads: int
) -> None:
    """Whatever the order of entries, the lines' style and where chunks are cut."""
    layer = open_text(file["text"], threads=threads)
    object.__setattr__(layer, "chunk_bytes", chunk_bytes)
    expected = scipy_io.mmread(io.StringIO(file["text"])).toarray().T
    assert np.array_equal(from_entries(layer, block_bytes=chunk_bytes), expected)
    if file["order"] == "cells":
        assert layer.cell_major
        assert np.array_equal(dense(layer, block_bytes=chunk_bytes), expected)


@given(file=files(), block_bytes=st.integers(1, 2000))
@settings(deadline=None)
def test_asking_twice_gives_the_same_blocks(file: dict[str, Any], block_bytes: int) -> None:
    """Also when some thread was quicker, and after a pickle."""
    layer = open_text(gzip.compress(file["text"].encode()))
    again = pickle.loads(pickle.dumps(layer))

    def blocks(of: Layer) -> list[Any]:
        if not of.cell_major:
            return [
                (b.cells.tolist(), b.genes.tolist(), b.data.tolist())
                for b in of.entry_blocks(range(of.n_cells), block_bytes)
            ]
        return [
            (b.start, b.indptr.tolist(), b.indices.tolist(), b.data.tolist())
            for b in of.cell_blocks(range(of.n_cells), block_bytes)
        ]

    try:
        assert blocks(layer) == blocks(again)
    except NotCellMajorError:
        assert file["order"] != "cells"


@given(file=files(), block_bytes=st.integers(1, 2000))
@settings(deadline=None)
def test_blocks_respect_their_size(file: dict[str, Any], block_bytes: int) -> None:
    """A block of more values than asked for holds a single cell with any."""
    layer = open_text(file["text"])
    if file["order"] == "cells":
        for block in layer.cell_blocks(range(layer.n_cells), block_bytes):
            is_small = len(block.data) * 12 <= block_bytes
            assert is_small or np.count_nonzero(np.diff(block.indptr)) == 1


@pytest.mark.slow
def test_order_that_breaks_late_is_found_out() -> None:
    """A file that is sorted by cell only at its beginning says so, and gives its entries."""
    n = 60_000
    lines = [f"{k % 2 + 1} {k} 1" for k in range(1, n)] + ["1 1 1"]
    layer = open_text(HEAD + f"2 {n} {n}\n" + "\n".join(lines))
    assert layer.cell_major
    with pytest.raises(NotCellMajorError):
        list(layer.cell_blocks(range(n), 1 << 20))
    assert from_entries(layer).sum() == n


@pytest.mark.parametrize(
    ("entries", "cell_major"),
    [
        ([(1, 1), (2, 1), (1, 2)], True),
        ([(1, 1), (1, 2), (2, 1)], False),
        ([(1, 1), (1, 2), (1, 3)], True),
        ([(2, 1), (1, 1), (2, 2)], True),
        ([(2, 1), (1, 3), (2, 2)], False),
        ([], True),
    ],
)
def test_order_is_guessed_from_the_first_entries(
    entries: list[tuple[int, int]], cell_major: bool
) -> None:
    """Sorted by cell, sorted by gene and unsorted are told apart."""
    lines = [f"{g} {c} 1\n" for g, c in entries]
    layer = open_text(HEAD + f"3 3 {len(lines)}\n" + "".join(lines))
    assert layer.cell_major == cell_major


def test_first_gene_alone_does_not_look_like_cells() -> None:
    """While a file sorted by gene is at its first one, its cells increase as well."""
    lines = [f"{g} {c} 1" for g in (1, 2) for c in range(1, 60_001)]
    assert not open_text(HEAD + "2 60000 120000\n" + "\n".join(lines)).cell_major


def test_repeated_entries_are_added_up() -> None:
    """Entries of the same gene and cell add up, as scipy does it, also across chunks."""
    rng = np.random.default_rng(1)
    cells = np.sort(rng.integers(1, 30, 5000))
    genes, values = rng.integers(1, 20, 5000), rng.integers(0, 9, 5000)
    lines = [f"{g} {c} {v}" for g, c, v in zip(genes, cells, values, strict=True)]
    for fold in (1, 40):
        layer = open_text(HEAD + "20 500 5000\n" + "\n".join(lines), chunk_bytes=fold * 100)
        object.__setattr__(layer, "chunk_bytes", 50 * fold)
        expected = sparse.coo_array((values, (cells - 1, genes - 1)), shape=(500, 20)).toarray()
        found = np.zeros((500, 20))
        for block in layer.cell_blocks(range(500), 1 << 10):
            part = sparse.csr_array(
                (block.data, block.indices, block.indptr), shape=(block.n_cells, 20)
            )
            assert part.has_canonical_format
            found[block.start : block.start + block.n_cells] = part.toarray()
        assert np.array_equal(found, expected)


def test_many_empty_cells_are_covered() -> None:
    """Cells without entries, in front, between and behind, are in blocks of their own."""
    layer = open_text(HEAD + "1 100001 2\n1 40000 5\n1 90000 6\n")
    starts, n_cells = [], 0
    for block in layer.cell_blocks(range(100_001), 1 << 20):
        assert block.start == n_cells
        starts.append(block.start)
        n_cells += block.n_cells
    assert n_cells == 100_001
    assert len(starts) >= 4


BROKEN = {
    "more than it declares": ("2 2 1\n1 1 1\n2 1 1\n", "declares 1 entry but holds more"),
    "fewer": ("2 2 3\n1 1 1\n2 1 1\n", "declares 3 entries but ends after 2"),
    "row outside": ("2 2 2\n1 1 1\n3 1 1\n", "line 4: '3 1 1' lies outside the declared 2 × 2"),
    "column outside": ("2 2 1\n1 3 1\n", "line 3: '1 3 1' lies outside"),
    "index 0": ("2 2 1\n0 1 1\n", "line 3: '0 1 1' lies outside"),
    "huge index": ("2 2 1\n1 99999999999999999999999999 1\n", "line 3: .* lies outside"),
    "wrapping index": ("2 2 1\n18446744073709551617 1 1\n", "line 3: .* lies outside"),
    "no index": ("2 2 1\n\n\nx 1 1\n", "line 5: 'x 1 1' does not begin with two indices"),
    "negative index": ("2 2 1\n-1 1 1\n", "line 3: '-1 1 1' does not begin"),
    "real index": ("2 2 1\n1.0 1 1\n", "line 3: '1.0 1 1' does not begin"),
    "second no index": ("2 2 1\n1 x 1\n", "line 3: '1 x 1' does not begin"),
    "one field": ("2 2 1\n1\n", "line 3: '1' has fewer than 3 fields"),
    "two fields": ("2 2 1\n1 1\n", "line 3: '1 1' has fewer than 3 fields"),
    "four fields": ("2 2 1\n1 1 1 1\n", "line 3: '1 1 1 1' has more than 3 fields"),
    "comment within": ("2 2 1\n% x\n1 1 1\n", "line 3: '% x' does not begin"),
    "long line": ("2 2 1\n1 1 " + "0" * 5000, "line 3: a line of more than 4,096"),
    "no line end": ("2 2 1\n" + "1" * 100_000, "line 3: a line of more than 4,096"),
    "size missing": ("% only comments\n", "ends before the line with the matrix's size"),
    "size of two": ("2 2\n1 1 1\n", "line 2: '2 2' should be rows, columns and entries"),
    "size negative": ("2 -2 1\n1 1 1\n", "line 2: '2 -2 1' should be"),
    "too many declared": ("2 2 5\n", "declares 5 entries, more than 2 × 2 can have"),
    "binary": ("2 2 1\n\0\0\0\n", "does not begin with two indices"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("compress", [False, True])
def test_broken_file_says_what_is_wrong(name: str, compress: bool) -> None:
    """The file, the line and the fault are named."""
    text, message = BROKEN[name]
    data = (HEAD + text).encode()
    with pytest.raises(CorruptMatrixError, match=f"^memory/a.mtx: .*{message}"):
        read_all(open_text(gzip.compress(data) if compress else data))


def test_line_numbers_count_over_chunks() -> None:
    """A bad line far into the file is named by its number in the whole file."""
    lines = ["1 1 1"] * 50_000
    lines[43_210] = "oops"
    with pytest.raises(CorruptMatrixError, match="line 43,213: 'oops'"):
        read_all(open_text(HEAD + "300 300 50000\n" + "\n".join(lines)), 1 << 12)


@pytest.mark.parametrize(
    ("banner", "message"),
    [
        ("matrix coordinate integer symmetric", "is symmetric"),
        ("matrix coordinate real skew-symmetric", "is skew-symmetric"),
        ("matrix coordinate complex general", "'complex', which are no counts"),
        ("matrix array real general", "'array'; only 'coordinate'"),
        ("vector coordinate real general", "its first line is"),
        ("matrix", "its first line is"),
    ],
)
def test_other_kinds_of_matrices_are_refused(banner: str, message: str) -> None:
    """Symmetric, dense and complex ones are no counts of genes in cells."""
    with pytest.raises(CorruptMatrixError, match=message):
        open_text(f"%%MatrixMarket {banner}\n2 2 1\n1 1 1\n")


def test_huge_declared_shapes_are_refused() -> None:
    """A few bytes can't make the program take gigabytes."""
    with pytest.raises(LimitError, match=r"at most 2\*\*31"):
        open_text(HEAD + f"2 {10**15} 1\n1 1 1\n")
    with pytest.raises(LimitError, match="has no table of them"):
        open_text(HEAD + f"{10**9} 2 1\n1 1 1\n")
    with pytest.raises(CorruptMatrixError, match="1 MiB of comments"):
        open_text(HEAD + "%\n" * (1 << 20))


@given(cut=st.integers(0, 10**6), flip=st.booleans())
@settings(deadline=None)
def test_damaged_gzip_never_gives_a_matrix(cut: int, flip: bool) -> None:
    """A truncated or changed gzip is an error or, where only its head changed, harmless."""
    lines = [f"{1 + k % 50} {1 + k // 50} {k % 7}" for k in range(2000)]
    data = gzip.compress((HEAD + "50 40 2000\n" + "\n".join(lines)).encode(), mtime=0)
    at = 10 + cut % (len(data) - 10)
    bad = bytearray(data)
    if flip:
        bad[at] ^= 1 << cut % 8
    else:
        del bad[at:]
    with pytest.raises(MatrixError):
        read_all(open_text(bytes(bad)))


def test_reader_that_is_left_early_leaves_no_thread() -> None:
    """Who stops in the middle, or meets an error, waits for nothing."""
    before = set(threading.enumerate())
    lines = ["1 1 1"] * 200_000
    layer = open_text(HEAD + "600 600 200000\n" + "\n".join(lines))
    blocks = layer.entry_blocks(range(layer.n_cells), 1 << 12)
    next(blocks)
    blocks.close()  # type: ignore[attr-defined]
    assert set(threading.enumerate()) <= before


def test_concatenated_gzip_members_are_one_matrix() -> None:
    """bgzip and ``cat a.gz b.gz`` work, wherever the members meet."""
    text = HEAD + "9 9 4\n" + "1 1 12\n2 1 3\n5 2 4\n9 9 1\n"
    packed = b"".join(gzip.compress(text[k : k + 7].encode()) for k in range(0, len(text), 7))
    assert dense(open_text(packed)).sum() == 20


def test_partition_is_one() -> None:
    """A stream has a single partition; another one is a mistake of the caller."""
    layer = open_text(HEAD + "2 3 1\n1 1 1\n")
    assert layer.partitions(1) == (range(3),)
    with pytest.raises(ValueError, match="not the one partition"):
        list(layer.cell_blocks(range(2), 1))


def test_cells_by_genes_is_read_the_other_way() -> None:
    """Where the tables say that rows are cells, cells they are."""
    tree = MemoryTree({
        "matrix.mtx": (HEAD + "2 3 2\n1 3 7\n2 1 8\n").encode(),
        "genes.tsv": b"a\nb\nc\n",
        "barcodes.tsv": b"x\ny\n",
    })  # fmt: skip
    (matrix,) = mtx.open_(tree)
    assert dense(matrix.layers[0]).tolist() == [[0, 0, 7], [8, 0, 0]]
