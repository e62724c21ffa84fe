"""The copy of entries that the second pass reads instead of the file."""

from __future__ import annotations

import errno
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.compute.thread_executor import ThreadExecutor
from dpss.engine import entry_copy
from dpss.engine.entry_copy import EntryCopy, open_copy
from dpss.engine.folds import EntryReading
from dpss.errors import LimitError, LostCopyError, UnreachableError
from dpss.model import EntryBlock, GeneTable
from dpss.storage.scratch import Room, Scratch, temporary_room
from dpss.summary.tables import summary_document
from tests.unit.engine.test_cell_copy import summarise_in
from tests.unit.engine.test_embedding import adata_of, counts_of

NAMES = np.array(["A", "B", "C"], dtype=object)


class _Original:
    """The layer that is copied: only its names and sizes are used."""

    name, genes, n_cells = "X", GeneTable(NAMES, NAMES), 1 << 20


def copied_blocks(blocks: list[EntryBlock], partition_bytes: int = 1 << 20) -> list[EntryBlock]:
    """Copy blocks and read them again."""
    with temporary_room() as room:
        copy = EntryCopy(room)
        for block in blocks:
            copy.add(block)
        layer = copy.layer(_Original())  # type: ignore[arg-type]
        assert layer is not None
        assert layer.n_values == sum(len(block.data) for block in blocks)
        parts = layer.partitions(partition_bytes)
        # The next block overwrites the arrays of the one before.
        return [
            EntryBlock(block.cells.copy(), block.genes.copy(), block.data.copy())
            for part in parts
            for block in layer.entry_blocks(part, 1)
        ]


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["float32", "float64", "int32", "int64"]),
    st.sampled_from(["int32", "int64"]),
    st.sampled_from([1, 100, 1 << 20]),
)
@settings(deadline=None)
def test_every_entry_comes_back(seed: int, values: str, indices: str, size: int) -> None:
    """In its order and type, for any order and any values."""
    rng = np.random.default_rng(seed)
    blocks = []
    for n in rng.integers(0, 1_500, 4):
        cells = rng.integers(0, rng.choice([3, 500, 1 << 20]), n)
        genes = rng.integers(0, 3, n)
        if rng.random() < 0.7:
            order = np.lexsort((cells, genes))
            cells, genes = cells[order], genes[order]
        data = np.floor(rng.exponential(rng.choice([1, 100, 1e6]), n))
        if values.startswith("f"):
            data[rng.random(n) < rng.choice([0, 0.1, 1])] *= 0.3
            special = [np.nan, np.inf, -np.inf, -1, 254, 255, 256, 1e300]
            data[: min(n, 8)] = special[: min(n, 8)]
        else:
            data[: min(n, 4)] = [-1, 254, 255, -(2**31)][: min(n, 4)]
        with np.errstate(over="ignore"):
            types = cells.astype(indices), genes.astype(indices), data.astype(values)
        blocks.append(EntryBlock(*types))
    found = copied_blocks(blocks, size)
    expected = [block for block in blocks if len(block.data)]
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.cells, other.cells)
        np.testing.assert_array_equal(one.genes, other.genes)
        np.testing.assert_array_equal(one.data, other.data)
        assert one.data.dtype == other.data.dtype


def test_a_usual_value_takes_two_bytes() -> None:
    """Counts of genes that many cells have."""
    rng = np.random.default_rng(1)
    cells = np.concatenate([np.flatnonzero(rng.random(20_000) < 0.2) for _ in range(3)])
    genes = np.repeat(np.arange(3), 4_500)[: len(cells)]
    data = rng.poisson(2.0, len(cells)).astype(np.float32)
    with temporary_room() as room, closing(EntryCopy(room)) as copy:
        copy.add(EntryBlock(cells, genes, data))
        copy.close()
        assert 2 * len(cells) <= (room.path / "entries").stat().st_size < 2.01 * len(cells)
        assert room.space.reserved_bytes == (room.path / "entries").stat().st_size


class _Fails:
    """A space that has room for some calls, and then raises an error."""

    def __init__(self, error: Exception, after: int = 0) -> None:
        self.error, self.left = error, after

    def reserve(self, n_bytes: int, url: str, **more: bool) -> None:
        self.left -= 1
        if self.left < 0:
            raise self.error

    def release(self) -> None:
        """Release nothing: none is reserved."""


@pytest.mark.parametrize(
    "error",
    [
        LimitError("--scratch-limit"),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Quota exceeded"),
        UnreachableError("no folder"),
        None,
    ],
)
def test_without_a_copy_the_numbers_are_the_same(
    error: Exception | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is read twice where the scratch space is full, can't be had or lies in memory."""
    adata = adata_of(counts_of(7, 150)[0])

    def summarised(room: Any) -> Any:
        # h5py writes no file whose name another reader has open.
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        return summary_document(summarise_in(room, adata, folder), [])

    expected = summarised(temporary_room)
    read = []
    unwatched = EntryReading.entry_blocks

    def watched(self: EntryReading, *args: Any) -> Any:
        read.append(type(self.layer).__name__)
        return unwatched(self, *args)

    @contextmanager
    def failing() -> Iterator[Room]:
        if isinstance(error, UnreachableError):
            raise error
        with temporary_room() as room:
            yield room if error is None else replace(room, space=_Fails(error))  # type: ignore[arg-type]

    monkeypatch.setattr(EntryReading, "entry_blocks", watched)
    if error is None:
        monkeypatch.setattr(entry_copy, "is_in_memory", lambda folder: True)
    assert summarised(failing) == expected
    assert set(read) == {"SparseLayer"}
    read.clear()
    monkeypatch.undo()
    monkeypatch.setattr(EntryReading, "entry_blocks", watched)
    assert summarised(temporary_room) == expected
    assert "PackedLayer" in read


BLOCK = EntryBlock(np.zeros(9, int), np.zeros(9, int), np.ones(9))


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EROFS, errno.ENOENT])
def test_an_error_of_the_disk_fails_no_matrix(number: int) -> None:
    """The copy saves time; without it the file is read twice."""
    with temporary_room() as room:
        failing = replace(room, space=_Fails(OSError(number, "no")))  # type: ignore[arg-type]
        with closing(EntryCopy(failing)) as copy:
            copy.add(BLOCK)
            assert copy.layer(_Original()) is None  # type: ignore[arg-type]


class _FullAtFlush(io.BufferedWriter):
    """A file whose bytes wait in memory for a disk that is full, as they do at small blocks."""

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_is_full_when_the_last_bytes_are_written() -> None:
    """Bytes of a small block reach the disk only when they are flushed."""
    with temporary_room() as room, closing(EntryCopy(room)) as copy:
        copy._file.close()
        copy._file = _FullAtFlush((room.path / "entries").open("wb", buffering=0))
        copy.add(BLOCK)
        assert copy.layer(_Original()) is None  # type: ignore[arg-type]


def test_a_copy_that_is_given_up_frees_its_space(tmp_path: Path) -> None:
    """Other matrices may wait for it while the file is read twice."""
    with Scratch(100, tmp_path) as scratch, scratch.room() as room:
        copy = EntryCopy(room)
        while not copy._given_up:
            copy.add(BLOCK)
        assert scratch.used_bytes == 0
        assert not list(room.path.iterdir())
        copy.add(BLOCK)
        assert copy.layer(_Original()) is None  # type: ignore[arg-type]
        assert scratch.used_bytes == 0


@pytest.mark.parametrize("error", [FileNotFoundError(errno.ENOENT, "no folder"), OSError("no")])
def test_no_folder_is_no_copy(error: OSError) -> None:
    """As on a system that can only be read."""

    @contextmanager
    def failing() -> Iterator[Room]:
        raise error
        yield

    with open_copy(failing, ThreadExecutor(1)) as copy:
        assert copy is None


def test_a_scratch_folder_that_vanished_is_no_copy(tmp_path: Path) -> None:
    """Something else removes old files of the folder for temporary ones."""
    with Scratch(1_000_000, tmp_path) as scratch:
        with scratch.folder():
            pass
        shutil.rmtree(next(tmp_path.iterdir()))
        with pytest.raises(UnreachableError, match="--scratch"), scratch.room():
            pass
        with open_copy(scratch.room, ThreadExecutor(1)) as copy:
            assert copy is None


@pytest.mark.parametrize("kept", [None, 0, 1, 17, 30, 44])
def test_a_damaged_copy_is_never_decoded(kept: int | None) -> None:
    """A file that vanished or was cut has fewer bytes than the loops would read."""
    with temporary_room() as room:
        copy = EntryCopy(room)
        for _ in range(2):
            copy.add(BLOCK)
        layer = copy.layer(_Original())  # type: ignore[arg-type]
        assert layer is not None
        if kept is None:
            layer.path.unlink()
        else:
            os.truncate(layer.path, kept)
        with pytest.raises(LostCopyError):
            list(layer.entry_blocks(range(2), 1))


@given(st.integers(0, 10**6), st.integers(1, 255), st.booleans())
@settings(deadline=None)
def test_other_bytes_are_never_decoded(place: int, mask: int, sorted_by_gene: bool) -> None:
    """A disk that gives other bytes makes no other numbers, and no place outside the arrays."""
    rng = np.random.default_rng(place)
    cells, genes = rng.integers(0, 900, 400), rng.integers(0, 3, 400)
    genes = np.sort(genes) if sorted_by_gene else genes
    with temporary_room() as room:
        copy = EntryCopy(room)
        copy.add(EntryBlock(cells, genes, rng.exponential(200, 400) // 1))
        layer = copy.layer(_Original())  # type: ignore[arg-type]
        assert layer is not None
        data = bytearray(layer.path.read_bytes())
        data[place % len(data)] ^= mask
        layer.path.write_bytes(data)
        with pytest.raises(LostCopyError, match="other bytes than were written"):
            list(layer.entry_blocks(range(1), 1))


@pytest.mark.parametrize("kept", [None, 0, 1_000, "other bytes"])
def test_when_the_copy_is_lost_the_file_is_read_again(
    kept: int | str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The numbers are those of the file."""
    adata = adata_of(counts_of(7, 150)[0])

    def summarised(name: str) -> Any:
        folder = tmp_path / name
        folder.mkdir()
        return summary_document(summarise_in(temporary_room, adata, folder), [])

    expected = summarised("whole")
    original = EntryCopy.layer
    lost = []

    def damaged(self: EntryCopy, layer: Any) -> Any:
        found = original(self, layer)
        assert found is not None
        if kept is None:
            found.path.unlink()
        elif isinstance(kept, str):
            found.path.write_bytes(found.path.read_bytes()[::-1])
        else:
            os.truncate(found.path, kept)
        lost.append(found)
        return found

    monkeypatch.setattr(EntryCopy, "layer", damaged)
    assert summarised("lost") == expected
    assert lost


def test_threads_of_which_one_finds_the_disk_full(tmp_path: Path) -> None:
    """No thread writes to the closed file, and no space stays reserved."""
    with Scratch(20_000, tmp_path) as scratch, scratch.room() as room:
        copy = EntryCopy(room)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: copy.add(BLOCK), range(2_000)))
        assert copy.layer(_Original()) is None  # type: ignore[arg-type]
        assert scratch.used_bytes == 0


def test_what_was_written_before_is_given_up(tmp_path: Path) -> None:
    """A copy without its last block is no copy."""
    with Scratch(1_000, tmp_path) as scratch, scratch.room() as room:
        copy = EntryCopy(replace(room, space=_Fails(LimitError("full"), 2)))  # type: ignore[arg-type]
        for _ in range(4):
            copy.add(BLOCK)
        assert copy.layer(_Original()) is None  # type: ignore[arg-type]


def test_the_file_goes_with_the_context(tmp_path: Path) -> None:
    """Nothing stays in the scratch space."""
    with Scratch(1_000_000, tmp_path) as scratch:
        with open_copy(scratch.room, ThreadExecutor(1)) as copy:
            assert copy is not None
            copy.add(BLOCK)
            assert scratch.used_bytes > 0
        assert scratch.used_bytes == 0
    assert not list(tmp_path.iterdir())
