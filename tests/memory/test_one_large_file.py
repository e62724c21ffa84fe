"""One file that needs more memory than there is costs itself only: a real limit of 512 MiB."""

from __future__ import annotations

import json
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from benchmarks.groups import CGROUP, limited
from benchmarks.measuring import Limits, Measurement, dpss_command, measure
from dpss.compute.processes import can_fork
from dpss.job.report.outcomes import is_run_key
from tests.unit.small import counts, write_h5ad_csr

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not can_fork(), reason="children are forked on Linux only"),
]

LIMIT_BYTES = 512 << 20
GOOD = tuple(f"good-{number}" for number in range(3))
N_GENES, N_CELLS = 2_000, 60_000
"""120 million doubles: 0.9 GiB."""


def write_large_rds(path: Path) -> None:
    """Write a base matrix of R, genes × cells; all cells of one slice are in the next, too.

    A slice is compressed once, to a block that needs nothing before it, and repeated.
    """
    n_slices = 60
    rng = np.random.default_rng(5)
    values = rng.negative_binomial(1, 0.62, N_GENES * N_CELLS // n_slices).astype(">f8").tobytes()
    start = b"X\n" + struct.pack(">iii", 2, 0x00030600, 0x00020300)
    start += struct.pack(">ii", 0x20E, N_GENES * N_CELLS)  # doubles with attributes
    # LISTSXP with a tag: the symbol dim, then two integers; and the end of the list.
    end = struct.pack(">iiii", 0x402, 1, 0x00040009, 3) + b"dim"
    end += struct.pack(">iiiii", 13, 2, N_GENES, N_CELLS, 0xFE)
    packer = zlib.compressobj(1, wbits=-15)
    repeated = zlib.compressobj(1, wbits=-15)
    block = repeated.compress(values) + repeated.flush(zlib.Z_FULL_FLUSH)
    last = zlib.compressobj(1, wbits=-15)
    checksum = zlib.crc32(start)
    for _ in range(n_slices):
        checksum = zlib.crc32(values, checksum)
    checksum = zlib.crc32(end, checksum)
    size = len(start) + n_slices * len(values) + len(end)
    with path.open("wb") as file:
        file.write(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")
        file.write(packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH))
        for _ in range(n_slices):
            file.write(block)
        file.write(last.compress(end) + last.flush())
        file.write(struct.pack("<II", checksum, size & 0xFFFFFFFF))


@pytest.fixture(scope="module")
def matrices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three good matrices and one that is too large."""
    folder = tmp_path_factory.mktemp("in")
    for number, name in enumerate(GOOD):
        write_h5ad_csr(folder / f"{name}.h5ad", counts(number))
    write_large_rds(folder / "bad.rds")
    return folder


def run_in_512_mib(matrices: Path, folder: Path, *more: object) -> tuple[Measurement, str]:
    """Run the job in 512 MiB; returns what it took, and how it was limited."""
    command = dpss_command(
        *("run", "--input", matrices, "--output", folder / "out"),
        *("--metrics", "emf", "--log-format", "json", *more),
    )
    with limited(Limits(time_seconds=300), LIMIT_BYTES) as (limits, how):
        return measure(command, folder, limits), how


def last_report(output: Path) -> dict[str, dict[str, object]]:
    """Return the entries of the newest report, by project."""
    newest = max(p for p in (output / "runs").iterdir() if is_run_key(f"runs/{p.name}"))
    return {entry["project_id"]: entry for entry in json.loads(newest.read_text())["matrices"]}


@pytest.mark.parametrize(
    ("more", "cause", "lost"),
    [((), "needs more than", False), (("--memory", "8GB"), "SIGKILL", True)],
    ids=["refused", "killed"],
)
def test_an_r_file_among_three_good_matrices(
    matrices: Path, tmp_path: Path, more: tuple[str, ...], cause: str, lost: bool
) -> None:
    """0.9 GiB of doubles: 3 are published, 1 fails, and so on the next day; all is written.

    It is refused before it is parsed, by the group's limit. Where a wrong --memory says that
    there is enough, the kernel ends the process that reads it, and only that one.
    """
    output = tmp_path / "out"
    for day in (1, 2):
        for _ in range(5):
            found, how = run_in_512_mib(matrices, tmp_path, *more)
            # While the kernel frees what it ended, it may end the run as well: then again.
            if not lost or '"_aws"' in found.output:
                break
            if day == 1:
                shutil.rmtree(output, ignore_errors=True)
        if how != CGROUP and lost:
            pytest.skip("no cgroup can be made here (root): the kernel ends nothing")
        assert found.output.count('"_aws"') == 1, found.output
        assert '"failed": 1' in found.output
        assert f"{'3 published, 0' if day == 1 else '0 published, 3'} unchanged" in found.output
        entries = last_report(output)
        bad = entries.pop("bad")
        assert {e["status"] for e in entries.values()} == {"published" if day == 1 else "unchanged"}
        assert len(entries) == len(GOOD)
        assert (bad["status"], bad["lost"]) == ("failed", lost)
        assert cause in str(bad["reason"])
        assert 0.1 < float(str(bad["seconds"])) < found.wall_seconds
        assert 30 << 20 < int(str(bad["peak_memory_bytes"])) < LIMIT_BYTES
        if lost:
            assert "MiB of memory" in str(bad["reason"])
        page = (output / "index.html").read_text()
        assert all(name in page for name in GOOD)
        assert {path.parent.name for path in output.glob("*/*/summary.json")} == set(GOOD)
