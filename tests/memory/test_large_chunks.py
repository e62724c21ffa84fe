"""Chunks of hundreds of megabytes: peak memory does not grow with the number of threads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest

from benchmarks.measuring import Limits, dpss_command, measure

ROWS, COLUMNS = 8_000, 8_000
"""Of a chunk: 244 MiB of float32."""
STREAMED_BYTES = 400 << 20
WHOLE_BYTES = 800 << 20
"""512 MiB of decoded chunks, what the program takes anyway, and a chunk as stored."""
CODECS = {
    "blosc": (numcodecs.Blosc("zstd", 1), STREAMED_BYTES),
    "lz4": (numcodecs.LZ4(), WHOLE_BYTES),
}


def write_array(folder: Path, **meta: Any) -> Path:
    """Write the metadata of an array of zarr 2."""
    folder.mkdir(parents=True)
    usual = {"zarr_format": 2, "order": "C", "filters": None, "compressor": None, "fill_value": 0}
    (folder / ".zarray").write_text(json.dumps({**usual, **meta}))
    return folder


def write_zarr(folder: Path, codec: Any) -> int:
    """Write cells × genes as 2 × 2 equal chunks, each compressed once; return their sum."""
    x = write_array(
        folder / "X",
        shape=[2 * ROWS, 2 * COLUMNS],
        chunks=[ROWS, COLUMNS],
        dtype="<f4",
        compressor=codec.get_config(),
    )
    rng = np.random.default_rng(1)
    chunk = np.zeros(ROWS * COLUMNS, dtype="<f4")
    chunk[rng.integers(0, chunk.size, chunk.size // 100)] = 3
    stored = codec.encode(chunk)
    for name in ("0.0", "0.1", "1.0", "1.1"):
        (x / name).write_bytes(stored)
    ids = np.array([f"ENSG{i:011}" for i in range(2 * COLUMNS)], dtype="<U15")
    index = write_array(
        folder / "var" / "_index", shape=[len(ids)], chunks=[len(ids)], dtype="<U15", fill_value=""
    )
    (index / "0").write_bytes(ids.tobytes())
    for group in (folder, folder / "var"):
        (group / ".zgroup").write_text('{"zarr_format": 2}')
    (folder / "var" / ".zattrs").write_text('{"_index": "_index"}')
    return 4 * int(chunk.sum())


@pytest.mark.slow
@pytest.mark.parametrize("name", CODECS)
def test_threads_share_one_budget(name: str, tmp_path: Path) -> None:
    """With one thread and with four: the same numbers, and the same limit of memory."""
    codec, limit = CODECS[name]
    expected = write_zarr(tmp_path / "m.zarr", codec)
    peaks = {}
    for threads in (1, 4):
        output = tmp_path / f"out-{threads}"
        command = dpss_command(
            *("summarize", tmp_path / "m.zarr", "--output", output, "--threads", threads),
            "--no-embedding",
        )
        found = measure(command, tmp_path, Limits(time_seconds=600))
        assert found.ok, found.output
        (summary,) = output.glob("*/summary.json")
        assert json.loads(summary.read_text())["total_counts"] == expected
        peaks[threads] = found.peak_bytes >> 20
    assert max(peaks.values()) <= limit >> 20, peaks
