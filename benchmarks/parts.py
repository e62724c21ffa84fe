"""The parts of a command's processor time, for docs/explanation/speed.md.

python -m benchmarks.parts pass FILE     # decoding, cutting and counting the cells of an h5ad
python -m benchmarks.parts start FILE    # imports, and a whole command for a small matrix
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
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

    costs: dict[str, list[float]] = {"decoding": [], "with cutting": [], "with counting": []}
    # The first round loads or compiles the loops; it does not count.
    for turn in range(10):
        for label, work in zip(costs, (decode, cut, whole), strict=True):
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


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("part", choices=("pass", "start"))
    parser.add_argument("file", type=lambda text: Path(text).resolve())
    options = parser.parse_args()
    (measure_pass if options.part == "pass" else measure_start)(options.file)


if __name__ == "__main__":
    main()
