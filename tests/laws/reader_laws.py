"""Laws of readers: a test class inherits this and says how to write a file of its format."""

from __future__ import annotations

import gzip
import pickle
import random
import shutil
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dpss.demo.cells import Counts
from dpss.errors import DpssError
from dpss.formats.base import Layer, Matrix
from dpss.formats.discovery import iter_matrices
from dpss.formats.options import OpenOptions
from dpss.model import CellBlock, EntryBlock, check_cell_block
from dpss.stats.accumulator import CellAccumulator, Features
from dpss.stats.entry_accumulator import CellMeasures, EntryAccumulator
from dpss.storage.compression import find_compression
from tests.summarise import source_of
from tests.unit.formats.layers import count_cells, mutations, open_path, read_or_refuse
from tests.unit.small import counts

PARTITION_BYTES = (1, 1 << 12, 1 << 30)
CUTS = ((1, 1 << 20), (1 << 11, 1), (1 << 12, 1 << 9), (1 << 30, 1 << 11), (1 << 30, 1 << 30))
"""Sizes of partitions and of blocks, in bytes."""
Block = CellBlock | EntryBlock


@dataclass(frozen=True)
class Written:
    """A file or folder, and the matrix in it as numpy has it."""

    path: Path
    matrix: NDArray[Any]
    """Cells × genes."""
    names: list[str]
    """Of the genes."""
    ids: list[str]
    """Of the genes; their names where the format has no place for both."""


def blocks_of(layer: Layer, partition: range, block_bytes: int) -> Iterator[Block]:
    """Yield the blocks of a partition, in the layer's own order."""
    if layer.cell_major:
        yield from layer.cell_blocks(partition, block_bytes)
    else:
        yield from layer.entry_blocks(partition, block_bytes)


def arrays_of(block: Block) -> tuple[NDArray[Any], ...]:
    """Return a block's arrays."""
    if isinstance(block, CellBlock):
        return block.indptr, block.indices, block.data
    return block.cells, block.genes, block.data


def bytes_of(layer: Layer, partition: range, block_bytes: int) -> list[tuple[object, ...]]:
    """Return all that the blocks of a partition hold, as bytes that stay."""
    return [
        (getattr(block, "start", None), *((a.dtype.str, a.tobytes()) for a in arrays_of(block)))
        for block in blocks_of(layer, partition, block_bytes)
    ]


def read_dense(layer: Layer, partition: range, block_bytes: int, n_cells: int) -> NDArray[Any]:
    """Return a partition's values as cells × genes; each entry comes at most once."""
    found = np.zeros((n_cells, len(layer.genes)))
    seen = np.zeros(found.shape, dtype=int)
    for block in blocks_of(layer, partition, block_bytes):
        if isinstance(block, CellBlock):
            check_cell_block(block, n_cells)
            cells = block.start + np.repeat(np.arange(block.n_cells), np.diff(block.indptr))
            genes = block.indices
        else:
            cells, genes = block.cells, block.genes
        np.add.at(seen, (cells, genes), 1)
        found[cells, genes] = block.data
    assert (seen <= 1).all()
    return found


def sums_of(layer: Layer, partition_bytes: int, block_bytes: int, n_cells: int) -> list[bytes]:
    """Return the sums over a layer, cut into partitions and blocks, as bytes."""
    n_genes = len(layer.genes)
    which = Features(
        np.ones(n_genes, dtype=bool), np.arange(n_genes) < 2, np.empty(0, dtype=np.int64)
    )
    partitions = layer.partitions(partition_bytes)
    if layer.cell_major:
        parts = []
        for partition in partitions:
            parts.append(CellAccumulator(which))
            for block in layer.cell_blocks(partition, block_bytes):
                parts[-1].add(block)
        for part in parts[1:]:
            parts[0].merge(part)
        sums = parts[0].result()
        genes, cells = sums.genes, sums.cells
    else:
        measures = CellMeasures(which, n_cells)
        for partition in partitions:
            for block in layer.entry_blocks(partition, block_bytes):
                measures.add(block)
        accumulator = EntryAccumulator(which, measures.inverses(0))
        for partition in partitions:
            for block in layer.entry_blocks(partition, block_bytes):
                accumulator.add(block)
        genes, cells = accumulator.result(), measures.cells(0)
    totals = cells.total_counts
    return [genes.table.tobytes(), totals.values.tobytes(), totals.counts.tobytes()]


def n_open_files() -> int:
    """Return how many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def places(path: Path, folder: Path) -> Iterator[Path]:
    """Yield compressed copies, folders and archives with nothing but a file or folder in them."""
    parts = [part for part in (path, *path.rglob("*")) if part.is_file()]
    names = {part: Path(part.relative_to(path.parent)).as_posix() for part in parts}
    inside = folder / "folder"
    inside.mkdir(parents=True)
    (shutil.copytree if path.is_dir() else shutil.copy)(path, inside / path.name)
    yield inside
    zipped = folder / "zipped.zip"
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, name in names.items():
            archive.write(part, f"data/{name}")
    yield zipped
    tarred = folder / "tarred.tar.gz"
    with tarfile.open(tarred, "w:gz") as archive:
        archive.add(path, path.name)
    yield tarred
    if path.suffix == ".zip":
        return
    nested = folder / "nested.zip"
    with zipfile.ZipFile(nested, "w") as archive:
        archive.write(tarred, tarred.name)
    yield nested
    if path.is_file() and find_compression(path.read_bytes()[:8]) is None:
        packed = folder / f"{path.name}.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        yield packed


class ReaderLaws:
    """Inherit, and define `write`; where it can't write any counts, define `make` instead."""

    about = ""
    """Begin of the format's name in the reference (`dpss.formats.record.FormatInfo`)."""
    suffix = ""
    has_ids = True
    """Whether the format has a place for ids beside names."""
    in_memory = False
    """Whether the reader holds the whole matrix, and so needs its file no more."""
    least_block_bytes = 1
    """A reader of streams may read so much at once, however small blocks are to be."""
    part = "*"
    """Pattern of the file that holds the values, where the matrix is a folder."""
    n_damaged = 20
    """Damaged files that are tried."""

    def write(self, path: Path, drawn: Counts) -> None:
        """Write a file or folder with one matrix, whose first layer has these counts."""
        raise NotImplementedError

    def make(self, folder: Path) -> Written:
        """Write a matrix into a folder."""
        drawn = counts(3, 48, 40)
        drawn.matrix[7] = 0
        path = folder / f"matrix{self.suffix}"
        self.write(path, drawn)
        names = list(drawn.symbols)
        return Written(path, drawn.matrix, names, list(drawn.ids) if self.has_ids else names)

    @pytest.fixture(scope="class")
    @classmethod
    def original(cls, tmp_path_factory: pytest.TempPathFactory) -> Written:
        """A file of the format, written once for all laws."""
        return cls().make(tmp_path_factory.mktemp("original"))

    @pytest.fixture
    def written(self, original: Written, tmp_path: Path) -> Written:
        """A copy of the file, which a test may move or damage."""
        path = tmp_path / original.path.name
        if original.path.is_dir():
            shutil.copytree(original.path, path)
        else:
            shutil.copy(original.path, path)
        return replace(original, path=path)

    @pytest.fixture
    def layer(self, original: Written) -> Layer:
        """The first layer of its only matrix, which no test changes, opened anew for each test."""
        return _layer_of(original)

    def test_genes_are_named(self, original: Written, layer: Layer) -> None:
        """There is a name and an id for each gene, in the order of the matrix."""
        assert len(layer.genes) == original.matrix.shape[1]
        assert layer.genes.names.tolist() == original.names
        assert layer.genes.ids.tolist() == original.ids

    def test_every_value_comes_once(self, original: Written, layer: Layer) -> None:
        """However it is cut, all partitions together give the matrix."""
        assert count_cells(layer) == len(original.matrix)
        assert layer.n_values is None or layer.n_values >= np.count_nonzero(original.matrix)
        for partition_bytes, block_bytes in CUTS:
            found = np.zeros(original.matrix.shape)
            for partition in layer.partitions(partition_bytes):
                found += read_dense(layer, partition, block_bytes, len(found))
            np.testing.assert_array_equal(found, original.matrix)

    def test_partitions_cover_the_layer_once(self, original: Written, layer: Layer) -> None:
        """They are consecutive; of a cell-major layer they hold each cell in one block."""
        for partition_bytes in PARTITION_BYTES:
            partitions = list(layer.partitions(partition_bytes))
            assert [part.start for part in partitions[1:]] == [p.stop for p in partitions[:-1]]
            assert partitions[0].start == 0
            if not layer.cell_major:
                continue
            starts: list[int] = []
            for partition in partitions:
                for block in layer.cell_blocks(partition, 1 << 10):
                    starts.extend(range(block.start, block.start + block.n_cells))
                    assert layer.n_cells is None or starts[-1] < partition.stop
            assert starts == list(range(len(original.matrix)))

    def test_blocks_are_the_same_each_time(self, layer: Layer) -> None:
        """Reading again, and by four threads at once, gives the same bytes."""
        partitions = list(layer.partitions(1 << 12))
        first = [bytes_of(layer, partition, 1 << 10) for partition in partitions]
        assert [bytes_of(layer, partition, 1 << 10) for partition in partitions] == first
        with ThreadPoolExecutor(4) as pool:
            twice = [*partitions, *partitions]
            again = list(pool.map(lambda each: bytes_of(layer, each, 1 << 10), twice))
        assert again == first + first

    def test_any_cut_gives_the_same_sums(self, original: Written, layer: Layer) -> None:
        """Sums of genes and cells are the same bits for any size of partitions and blocks."""
        found = [sums_of(layer, *cut, len(original.matrix)) for cut in CUTS]
        assert all(each == found[0] for each in found[1:])

    def test_blocks_are_bounded(self, layer: Layer) -> None:
        """A block holds about as many bytes as it may, or a single cell or gene."""
        largest = {}
        for block_bytes in (1 << 10, 1 << 12):
            sizes = [0]
            for partition in layer.partitions(1 << 30):
                for block in blocks_of(layer, partition, block_bytes):
                    majors = block.indptr if isinstance(block, CellBlock) else ()
                    if len(majors) != 2:
                        sizes.append(sum(array.nbytes for array in arrays_of(block)))
            largest[block_bytes] = max(sizes)
        bound = {size: 3 * max(size, self.least_block_bytes) for size in largest}
        assert {k: v for k, v in largest.items() if v > bound[k]} == {}

    def test_a_pickled_layer_opens_its_file_lazily(self, written: Written) -> None:
        """It is loaded where there is no such file yet, is small, and reads the same blocks."""
        layer = _layer_of(written)
        (partition, *_) = layer.partitions(1 << 12)
        wanted = bytes_of(layer, partition, 1 << 10)
        data = pickle.dumps(layer)
        if self.in_memory:
            assert bytes_of(pickle.loads(data), partition, 1 << 10) == wanted
            return
        assert len(data) < 1 << 15
        elsewhere = written.path.with_name("elsewhere")
        written.path.rename(elsewhere)
        loaded = pickle.loads(data)
        assert loaded.genes.names.tolist() == written.names
        elsewhere.rename(written.path)
        assert bytes_of(loaded, partition, 1 << 10) == wanted

    def test_an_iterator_may_be_closed_early_and_twice(self, layer: Layer) -> None:
        """No file stays open and no thread runs on; the layer can be read again."""
        (partition, *_) = layer.partitions(1 << 30)
        wanted = bytes_of(layer, partition, 1 << 10)
        threads, n_files = set(threading.enumerate()), n_open_files()
        for _ in range(3):
            blocks = blocks_of(layer, partition, 1 << 10)
            next(blocks)
            blocks.close()  # type: ignore[attr-defined]
            blocks.close()  # type: ignore[attr-defined]
            with pytest.raises(StopIteration):
                next(blocks)
        assert set(threading.enumerate()) <= threads
        assert n_open_files() <= n_files
        assert bytes_of(layer, partition, 1 << 10) == wanted

    @pytest.mark.slow
    def test_it_is_read_wherever_it_lies(self, written: Written, tmp_path: Path) -> None:
        """Compressed, in a folder, in a zip, in a compressed tar, and in an archive within one."""
        for place in places(written.path, tmp_path / "places"):
            options = OpenOptions(sample_only=True)
            found = list(iter_matrices(source_of(place), options))
            assert [type(each) for each in found] == [Matrix], place.name
            layer = found[0].layers[0]
            assert layer.genes.names.tolist() == written.names

    @pytest.mark.filterwarnings("ignore")
    def test_a_damaged_file_is_an_error_of_the_tree(self, written: Written) -> None:
        """Whatever bytes are changed, the file is read or refused by an error of this program."""
        rng = random.Random(5)
        files = sorted(each for each in written.path.rglob("*") if each.is_file())
        for number in range(self.n_damaged):
            target = rng.choice(files) if written.path.is_dir() else written.path
            whole = target.read_bytes()
            (damaged,) = mutations(whole, number, 1)
            target.write_bytes(damaged)
            read_or_refuse(written.path)
            target.write_bytes(whole)

    @pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9])
    def test_a_file_that_was_cut_off_is_refused(self, written: Written, part: float) -> None:
        """Whatever is missing at the end, if only a tenth: no wrong number comes of it."""
        path = written.path
        if path.is_dir():
            path = max((each for each in path.rglob(self.part) if each.is_file()), key=_size_of)
        data = path.read_bytes()
        path.write_bytes(data[: int(part * len(data))])
        with pytest.raises(DpssError):
            self._read(written.path)

    def _read(self, path: Path) -> None:
        for matrix in open_path(path):
            for layer in matrix.layers:
                for partition in layer.partitions(1 << 20):
                    for _ in blocks_of(layer, partition, 1 << 16):
                        pass


def _layer_of(written: Written) -> Layer:
    (matrix,) = open_path(written.path)
    return matrix.layers[0]


def _size_of(path: Path) -> int:
    return path.stat().st_size
