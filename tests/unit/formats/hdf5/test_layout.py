"""Chunks are decoded outside of the library only where their bytes are the items themselves."""

from __future__ import annotations

import ctypes
import io
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from h5py import h5d, h5p, h5s, h5t
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError, NoMatrixError
from dpss.formats.hdf5.file import Hdf5File
from dpss.formats.hdf5.layout import DatasetLayout, coalesce, is_plain, span_bytes
from dpss.formats.hdf5.streamed import StreamedLayer
from dpss.model import GeneTable
from dpss.storage.local import LocalFile
from tests.examples import examples

KIB = 1 << 10
COUNTS = np.random.default_rng(7).poisson(3, (130, 30))


def integers(base: h5t.TypeID, precision: int, offset: int) -> h5t.TypeID:
    """Return a type of integers that are some bits of their bytes."""
    kind = base.copy()
    kind.set_precision(precision)
    kind.set_offset(offset)
    return kind


def fractions(base: h5t.TypeID, bias: int, fields: tuple[int, ...] = ()) -> h5t.TypeID:
    """Return a type of fractions with another bias, or other parts."""
    kind = base.copy()
    if fields:
        kind.set_fields(*fields)
    kind.set_ebias(bias)
    return kind


def write(
    path: Path, kind: h5t.TypeID, chunks: tuple[int, int], change: Callable[[h5p.PropDCID], object]
) -> None:
    """Write the counts with a type and properties; the library converts them."""
    properties = h5p.create(h5p.DATASET_CREATE)
    properties.set_chunk(chunks)
    change(properties)
    with h5py.File(path, "w") as file:
        made = h5d.create(file.id, b"X", kind, h5s.create_simple(COUNTS.shape), properties)
        made.write(h5s.ALL, h5s.ALL, COUNTS)


def read(path: Path) -> np.ndarray:
    """Return the dataset as the program reads it."""
    return Hdf5File(LocalFile(path)).array("/X").read(0, len(COUNTS))


TYPES = {
    "an offset": integers(h5t.NATIVE_INT32, 16, 8),
    "an offset of some bits": integers(h5t.STD_U16LE, 12, 2),
    "the other order": integers(h5t.STD_I64BE, 40, 3),
    "another bias": fractions(h5t.IEEE_F32LE, 120),
    "bfloat16": fractions(h5t.IEEE_F16LE, 127, (15, 7, 8, 0, 7)),
    "24 bits": fractions(h5t.IEEE_F32LE, 127, (23, 15, 8, 0, 15)),
    "plain": h5t.IEEE_F64LE,
}


@pytest.mark.parametrize("chunks", [(16, 30), (16, 7), (130, 30)])
@pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
def test_types_that_numpy_lacks_are_converted(
    kind: h5t.TypeID, chunks: tuple[int, int], tmp_path: Path
) -> None:
    """Numbers that are a part of their bytes, or have another exponent, come out the same."""
    write(tmp_path / "m.h5", kind, chunks, lambda _: None)
    np.testing.assert_array_equal(read(tmp_path / "m.h5"), COUNTS)


@settings(max_examples=examples(40), deadline=None)
@given(st.sampled_from([2, 4, 8]), st.integers(5, 64), st.integers(0, 60), st.booleans())
def test_whatever_bits_a_number_takes(size: int, precision: int, offset: int, gz: bool) -> None:
    """Any width of at least four bits and a sign, at any place within the bytes."""
    precision = min(precision, 8 * size)
    offset = min(offset, 8 * size - precision)
    base = {2: h5t.STD_I16LE, 4: h5t.STD_I32LE, 8: h5t.STD_I64LE}[size]
    if precision == 8 * size:
        offset = 0
    values = COUNTS.clip(0, 15)
    with h5py.File(io.BytesIO(), "w") as file:
        properties = h5p.create(h5p.DATASET_CREATE)
        properties.set_chunk((16, 7))
        if gz:
            properties.set_deflate(1)
        kind = integers(base, precision, offset)
        try:
            made = h5d.create(file.id, b"X", kind, h5s.create_simple(values.shape), properties)
        except ValueError:  # "unusual": the library wants a flag, for types that h5py never makes.
            return
        dataset = h5py.Dataset(made)
        made.write(h5s.ALL, h5s.ALL, values)
        assert is_plain(dataset) == (precision == 8 * size)
        np.testing.assert_array_equal(dataset[()], values)


def test_a_type_of_three_bytes_is_named(tmp_path: Path) -> None:
    """Numpy has no such type; the file is not damaged."""
    kind = integers(h5t.NATIVE_INT32, 24, 0)
    kind.set_size(3)
    write(tmp_path / "m.h5", kind, (16, 30), lambda _: None)
    with pytest.raises(NoMatrixError, match="a type of number that numpy lacks"):
        read(tmp_path / "m.h5")


def library() -> ctypes.CDLL:
    """Return the library that h5py uses, for what h5py does not offer."""
    found = sorted(Path(h5py.__file__).parent.parent.glob("h5py.libs/libhdf5-*"))
    if not found:
        pytest.skip("h5py's own library is not beside it")
    return ctypes.CDLL(str(found[0]))


@pytest.mark.parametrize("chunks", [(16, 30), (16, 7), (100, 30)])
@pytest.mark.parametrize("filters", ["deflate", "shuffle", "both", "none"])
def test_partial_chunks_without_filters_are_read(
    chunks: tuple[int, int], filters: str, tmp_path: Path
) -> None:
    """A file may leave out the filters where a chunk reaches over the array's end."""
    set_options = library().H5Pset_chunk_opts

    def change(properties: h5p.PropDCID) -> None:
        if filters in ("shuffle", "both"):
            properties.set_shuffle()
        if filters in ("deflate", "both"):
            properties.set_deflate(4)
        assert set_options(ctypes.c_int64(properties.id), ctypes.c_uint(2)) >= 0

    write(tmp_path / "m.h5", h5t.IEEE_F32LE, chunks, change)
    np.testing.assert_array_equal(read(tmp_path / "m.h5"), COUNTS)


@pytest.mark.parametrize("row", [0, 64, 128])
def test_only_partial_chunks_may_lack_their_filters(row: int, tmp_path: Path) -> None:
    """Only where the file says so: any chunk that can't be decompressed is damaged without it."""
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        made = file.create_dataset("X", data=COUNTS, dtype="i4", chunks=(64, 30), compression=1)
        part = np.zeros((64, 30), dtype=np.int32)
        part[: len(COUNTS) - row] = COUNTS[row : row + 64]
        made.id.write_direct_chunk((row, 0), part.tobytes())
    with pytest.raises(CorruptMatrixError, match=r"can't be (decompressed|read)"):
        read(path)


@pytest.mark.parametrize("fill", [0, 2, 0.5])
def test_huge_chunks_that_were_never_written_have_the_fill_value(
    fill: float, tmp_path: Path
) -> None:
    """They are streamed."""
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "X", (130, 30), "f4", chunks=(200, 30), maxshape=(None, 30), compression=1,
            fillvalue=fill,
        )  # fmt: skip
    names = np.array([f"g{i}" for i in range(30)], dtype=object)
    genes = GeneTable(names, names)
    layer = StreamedLayer("X", Hdf5File(LocalFile(path)), "/X", genes, 130)
    total = sum(
        block.data.sum()
        for part in layer.partitions(1 << 20)
        for block in layer.cell_blocks(part, 3000)
    )
    assert total == pytest.approx(fill * 130 * 30)


@pytest.mark.parametrize(("few", "dtype"), [(1 << 32, np.uint32), (1, np.int64)])
def test_sizes_of_chunks_have_few_bits_where_they_fit(
    few: int, dtype: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The values are the same with either."""
    monkeypatch.setattr("dpss.formats.hdf5.layout._FEW_BYTES", few)
    path = tmp_path / "m.h5"
    values = np.arange(1000) % 7
    with h5py.File(path, "w") as file:
        file.create_dataset("X", data=values, chunks=(64,), compression=1)
    array = Hdf5File(LocalFile(path)).array("X")
    layout = array.layout()
    assert layout is not None
    assert layout.sizes.dtype == dtype
    assert array.read(3, 997).tolist() == values[3:997].tolist()


def layout_of(sizes: list[int], gaps: list[int]) -> DatasetLayout:
    """Return a vector's chunks, one behind the other, with bytes between them."""
    ends = np.cumsum(np.array(sizes) + gaps)
    offsets = (ends - sizes).astype(np.int64)
    zeros = np.zeros(len(sizes), dtype=np.int64)
    return DatasetLayout((10,), (len(sizes),), offsets, np.array(sizes), zeros, (1,))


def test_adjacent_chunks_are_one_group_up_to_a_size() -> None:
    """Without a limit all of them; a node of the index between two makes no difference."""
    numbers = np.arange(8)
    layout = layout_of([400 * KIB] * 8, [0, 0, 2, 0, 0, 2, 0, 0])
    assert list(coalesce(layout, numbers)) == [(0, 1), (2, 3), (4, 5), (6, 7)]
    assert list(coalesce(layout, numbers, max_bytes=None)) == [(0, 7)]
    assert span_bytes(layout, numbers, 0, 7) == 8 * 400 * KIB + 4


def test_distant_chunks_are_apart() -> None:
    """Whatever the limit."""
    layout = layout_of([10] * 4, [0, 0, 1 << 20, 0])
    assert list(coalesce(layout, np.arange(4), max_bytes=None)) == [(0, 1), (2, 3)]


@given(
    st.lists(st.tuples(st.integers(1, 1 << 21), st.integers(0, 1 << 15)), min_size=1, max_size=30),
    st.sampled_from([None, 1 << 20, 1 << 22]),
)
def test_groups_are_all_chunks_in_order(chunks: list[tuple[int, int]], limit: int | None) -> None:
    """Each once; a group of several is within the limit."""
    sizes, gaps = [list(each) for each in zip(*chunks, strict=True)]
    layout, numbers = layout_of(sizes, gaps), np.arange(len(chunks))
    groups = list(coalesce(layout, numbers, max_bytes=limit))
    assert [k for a, b in groups for k in range(a, b + 1)] == numbers.tolist()
    if limit is not None:
        large = [(a, b) for a, b in groups if b > a]
        assert all(span_bytes(layout, numbers, a, b) <= limit for a, b in large)
