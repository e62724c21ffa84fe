"""The parts of a command's processor time, for docs/explanation/speed.md.

python -m benchmarks.parts pass FILE     # decoding, cutting and counting the cells of an h5ad
python -m benchmarks.parts genes FILE    # the passes over an h5ad that is stored by genes (CSC)
python -m benchmarks.parts start FILE    # imports, and a whole command for a small matrix
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np


def measure_pass(file: Path) -> None:
    """Decode, cut and count cells of an h5ad, by one thread: nanoseconds for each stored value."""
    from dpss.engine.folds import CellFold, Reading
    from dpss.engine.settings import ReadSettings
    from dpss.formats.registry import open_matrices
    from dpss.stats.accumulator import Features
    from dpss.storage.local import LocalFile

    layer: Any = open_matrices(LocalFile(file))[0].layers[0]
    read, is_gene = ReadSettings(), layer.genes.is_gene
    reading = Reading(layer, read.block_bytes)
    features = Features(is_gene, np.zeros(len(is_gene), bool), np.arange(128))
    part = layer.partitions(read.partition_bytes)[0]
    arrays = [(array, array.layout()) for array in (layer._data, layer._indices)]

    def decode() -> int:
        n_items = 0
        for array, layout in arrays:
            n_chunks = min(len(layout.offsets), 256)
            for _ in array.read_chunks(layout, np.arange(n_chunks)):
                pass
            n_items += n_chunks * layout.n_items
        return n_items // len(arrays)

    def cut() -> int:
        return sum(len(block.data) for block in reading.cell_blocks(part, lambda _: None))

    def whole() -> int:
        accumulator = CellFold(reading, features, 0).start()
        n_values = 0
        for block in reading.cell_blocks(part, lambda _: None):
            accumulator.add(block)
            n_values += len(block.data)
        return n_values

    _print_costs({"decoding": decode, "with cutting": cut, "with counting": whole})


def measure_passes(file: Path) -> None:
    """Measure cells, copy entries and add genes of an h5ad by genes, by one thread."""
    from dpss.engine.entry_copy import EntryCopy
    from dpss.engine.folds import EntryFold, EntryReading, MeasureFold, Reading
    from dpss.engine.settings import ReadSettings
    from dpss.formats.registry import open_matrices
    from dpss.stats.accumulator import Features
    from dpss.storage.local import LocalFile
    from dpss.storage.scratch import temporary_room

    layer: Any = open_matrices(LocalFile(file))[0].layers[0]
    read, is_gene = ReadSettings(), layer.genes.is_gene
    reading = Reading(layer, read.block_bytes)
    features = Features(is_gene, np.zeros(len(is_gene), bool), np.arange(128))
    parts = layer.partitions(read.partition_bytes)[:8]
    inverses = np.full(layer.n_cells, 1e-4)

    def blocks_of(source: EntryReading, ranges: Sequence[range]) -> Iterator[Any]:
        for part in ranges:
            yield from source.entry_blocks(part, lambda _: None)

    def added(accumulator: Any, source: EntryReading, ranges: Sequence[range]) -> int:
        n_values = 0
        for block in blocks_of(source, ranges):
            accumulator.add(block)
            n_values += len(block.data)
        return n_values

    with temporary_room() as room:
        filled = EntryCopy(room)
        added(filled, reading, parts)
        copied = filled.layer(layer)
        assert copied is not None
        again = EntryReading(copied, read.block_bytes)
        ranges = copied.partitions(read.partition_bytes)

        def measure_and_copy() -> int:
            measures, n_values = MeasureFold(reading, features).start(), 0
            with temporary_room() as other, closing(EntryCopy(other)) as copy:
                for block in blocks_of(reading, parts):
                    measures.add(block)
                    copy.add(block)
                    n_values += len(block.data)
            return n_values

        _print_costs(
            {
                "decoding and cutting": lambda: sum(
                    len(block.data) for block in blocks_of(reading, parts)
                ),
                "with measures of cells": lambda: added(
                    MeasureFold(reading, features).start(), reading, parts
                ),
                "with measures and a copy": measure_and_copy,
                "reading the copy": lambda: sum(
                    len(block.data) for block in blocks_of(again, ranges)
                ),
                "reading the copy, with sums of genes": lambda: added(
                    EntryFold(again, features, inverses).start(), again, ranges
                ),
            }
        )


def _print_costs(parts: dict[str, Callable[[], int]]) -> None:
    """Print the processor time of each part, which returns its number of values."""
    costs: dict[str, list[float]] = {label: [] for label in parts}
    # The first round loads or compiles the loops; it does not count.
    for turn in range(10):
        for label, work in parts.items():
            start = time.process_time()
            n_values = work()
            if turn:
                costs[label].append((time.process_time() - start) / n_values * 1e9)
    for label, found in costs.items():
        print(f"{label}: {min(found):.1f} ns of processor time for each value (least of 9)")


_STAGES = {
    "Python": "pass",
    "the command line": "import dpss.cli.commands",
    "the job": "import dpss.cli.commands, dpss.job.factory, dpss.job.run, dpss.catalogs.local",
    "reading and counting": "from dpss.job.children.isolation import preload; preload()",
    "pages": "import dpss.website.build",
}


def measure_start(file: Path) -> None:
    """Import what a command needs, in new processes, and summarize a small matrix."""
    programs = {
        **_STAGES,
        "whole": "import sys; from dpss.cli.commands import main; sys.argv[1:] = "
        f"['summarize', {str(file)!r}, '--no-embedding', '--output', sys.argv[1]]; main()",
    }
    for label, program in programs.items():
        spent = []
        for _ in range(7):
            with tempfile.TemporaryDirectory() as folder:
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                command = [sys.executable, "-c", program, folder]
                subprocess.run(command, check=True, capture_output=True)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        print(f"{label}: {min(spent):.2f} s of processor time (least of 7)")


_PARTS = {"pass": measure_pass, "genes": measure_passes, "start": measure_start}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("part", choices=tuple(_PARTS))
    parser.add_argument("file", type=lambda text: Path(text).resolve())
    options = parser.parse_args()
    _PARTS[options.part](options.file)


if __name__ == "__main__":
    main()
