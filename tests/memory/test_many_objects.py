"""An R file of some kilobytes with millions of tiny objects does not take gigabytes."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import pytest

from benchmarks.measuring import Limits, dpss_command, measure

N = 8_000_000
LIMIT_BYTES = 512 << 20


@pytest.mark.parametrize(
    "item", [struct.pack(">i", 254), struct.pack(">iii", 13, 1, -(1 << 31))], ids=["NULL", "NA"]
)
def test_a_list_of_millions(item: bytes, tmp_path: Path) -> None:
    """Refused within 512 MiB, of which 256 MiB are said to be available."""
    path = tmp_path / "many.rds"
    head = b"X\n" + struct.pack(">iiiii", 2, 0x30000, 0x20300, 19, N)
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(head)
        for _ in range(100):
            file.write(item * (N // 100))
    assert path.stat().st_size < 4 << 20
    command = dpss_command(*("summarize", path, "--output", tmp_path / "out", "--memory", "256MB"))
    found = measure(command, tmp_path, Limits(time_seconds=120))
    assert found.peak_bytes < LIMIT_BYTES
    assert "R files are read whole" in found.output
