"""Measurements of decision 1: our own readers of HDF5's strings, streams and tar archives."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
import tarfile
import tempfile
import time
import tracemalloc
import zlib
from pathlib import Path

import h5py
import numpy as np

PATIENCE = 5.0
"""Seconds after which a reader of a damaged file is given up."""
_PART_BYTES = 1 << 18
_HEAP = b"GCOL\x01\0\0\0"
_READ = {
    "h5py": "import h5py, sys; print(h5py.File(sys.argv[1])['row_attrs/Gene'][:])",
    "dpss": "import dpss, sys; dpss.summarize(sys.argv[1])",
}


def measure_damaged_strings() -> None:
    """Read strings of an HDF5 file whose heap is damaged, in a process with a time limit."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.loom"
        with h5py.File(path, "w") as file:
            file["matrix"] = np.ones((2, 3))
            for name, values in {"row_attrs/Gene": "AB", "col_attrs/CellID": "XYZ"}.items():
                file[name] = np.array(list(values), dtype=h5py.string_dtype())
        whole = path.read_bytes()
        place = whole.index(_HEAP) + 24
        for size in (0, 8, (1 << 64) - 16, (1 << 64) - 1):
            path.write_bytes(whole[:place] + size.to_bytes(8, "little") + whole[place + 8 :])
            for label, program in _READ.items():
                print(f"first string of {size:,} bytes: {label}: {_outcome(program, path)}")


def _outcome(program: str, path: Path) -> str:
    """Return the end of a program that reads a file."""
    command = [sys.executable, "-c", program, str(path)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return f"no end within {PATIENCE:.0f} s"
    if done.returncode < 0:
        return f"ended by signal {-done.returncode}"
    lines = (done.stderr if done.returncode else done.stdout).strip().splitlines() or ["read"]
    return lines[-1][:120]


def measure_streams() -> None:
    """Decompress a gzip stream with ISA-L and zlib; list a tar with a very long name."""
    from isal import isal_zlib

    draw = random.Random(1)
    lines = (f"{draw.randrange(30_000)} {i // 3} {draw.randrange(9)}\n" for i in range(3_000_000))
    text = "".join(lines).encode()
    packed = gzip.compress(text, 6)
    for label, module in (("ISA-L", isal_zlib), ("zlib", zlib)):
        seconds = []
        for _ in range(5):
            start = time.process_time()
            decoder = module.decompressobj(31)
            parts = (packed[i : i + _PART_BYTES] for i in range(0, len(packed), _PART_BYTES))
            n = sum(len(decoder.decompress(part)) for part in parts)
            seconds.append(time.process_time() - start)
        print(f"{label}: {n / min(seconds) / 1e6:.0f} MB/s of text")
    _measure_tar()


def _measure_tar() -> None:
    """List a tar with a name of 64 MiB, as GNU tar writes long ones."""
    from dpss.storage.archives import open_archive
    from dpss.storage.local import LocalFile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.tar"
        name = b"n" * (1 << 26)
        info = tarfile.TarInfo("././@LongLink")
        info.type, info.size = tarfile.GNUTYPE_LONGNAME, len(name)
        path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + name + tarfile.TarInfo("a").tobuf())

        def library() -> object:
            with tarfile.open(path) as file:
                return len(file.getnames())

        def ours() -> object:
            archive = open_archive(LocalFile(path))
            return len(archive.blobs()) if archive else None

        for label, read in (("tarfile", library), ("dpss", ours)):
            tracemalloc.start()
            try:
                said = f"{read()} members"
            except Exception as error:
                said = f"{type(error).__name__}: {error}"[:120]
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            print(f"a name of 64 MiB: {label}: {said}; peak {peak >> 20} MiB")
