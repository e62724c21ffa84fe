"""A job that is killed, told to end, or not alone: the output is consistent each time."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud.portal import STRATA, add, matrix_bytes, project_id
from tests.servers.azul import AzulServer, stored, tree
from tests.servers.base import Answer

KILLS = 50


@pytest.fixture
def quick_folder() -> Iterator[Path]:
    """A folder in memory where there is one: the sweep is about order, not about the disk."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
def test_50_kills_leave_the_output_consistent(quick_folder: Path) -> None:
    """SIGKILL at 50 random moments, each input in one of two versions: the files that a summary
    lists are its own to the last byte, or the matrix is known to be being replaced; the next
    run completes what is missing, byte for byte."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.cloud.kill_sweep", str(quick_folder), str(KILLS), "7"],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    document = json.loads(done.stdout.splitlines()[-1])
    assert document["killed"] == KILLS
    assert len(set(document["summaries"])) > 1, "some kills came before the end"
    assert sum(document["replaced"]) > 0, "some kills came in the middle of a publication"


def command(azul: AzulServer, output: Path, *more: str) -> list[str]:
    return [
        *(sys.executable, "-m", "dpss", "run", "--source", "azul", "--source-url", azul.url),
        *("--output", str(output), *more),
    ]


def wait_until(happened: object, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def test_sigterm_ends_a_hanging_download_in_time(tmp_path: Path) -> None:
    """A container has 30 seconds to end: a server that says nothing does not keep it, however
    long it may be waited for; what is finished stays, the report is written, and no scratch
    file is left."""
    data = matrix_bytes("h5ad", 1)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with AzulServer() as azul:
        add(azul, 0, stored("good.h5ad", data + b"\0" * 1000))
        hanging = stored("hangs.h5ad", data, faults=[Answer(hang_after=1000)] * 9)
        add(azul, 1, hanging)
        output = tmp_path / "out"
        process = subprocess.Popen(
            command(azul, output, "--scratch", str(scratch), "--timeout", "3600"),
            stderr=subprocess.DEVNULL,
        )
        summary = output / project_id(0) / "good" / "summary.json"
        wait_until(lambda: summary.exists() and azul.asked(hanging.entry["uuid"]))
        process.send_signal(signal.SIGTERM)
        process.wait(120)
    assert process.returncode == 128 + signal.SIGTERM
    assert summary.exists()
    (report,) = (output / "runs").glob("*Z.json")
    assert json.loads(report.read_text())["interrupted_by"] == "SIGTERM"
    assert list(scratch.iterdir()) == []


def test_scratch_of_a_killed_run_is_removed_by_the_next(tmp_path: Path) -> None:
    """SIGKILL leaves files behind; whoever comes next removes them."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with AzulServer() as azul:
        # The first request reads the beginning of the file, the second one is the download.
        faults = [Answer(), Answer(hang_after=1000)]
        add(azul, 0, stored("a.h5ad", matrix_bytes("h5ad", 1), faults=faults))
        run = command(azul, tmp_path / "out", "--scratch", str(scratch))
        with subprocess.Popen(run, stderr=subprocess.DEVNULL) as process:
            try:
                wait_until(lambda: list(scratch.glob("*/*/*")))
            finally:
                process.kill()
        assert list(scratch.iterdir())
        assert subprocess.run(run, capture_output=True, check=False).returncode == 0
    assert list(scratch.iterdir()) == []


def test_a_matrix_that_fits_no_scratch_is_told(tmp_path: Path) -> None:
    """Where the server gives no ranges and the limit is too small, both are said."""
    with AzulServer() as azul:
        file = stored("a.mtx.zip", matrix_bytes("mtx.zip", 1))
        file.file.ranges = False
        azul.keep(file)
        azul.add_project(project_id(0), "T", tree((STRATA, file)))
        done = subprocess.run(
            command(azul, tmp_path / "out", "--scratch-limit", "1kB"),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "--scratch-limit" in done.stderr


@pytest.mark.slow
def test_two_runs_at_once_do_no_harm(tmp_path: Path) -> None:
    """Both publish to the same output; afterwards all is there and nothing is left to do."""
    with AzulServer() as azul:
        for number in range(4):
            add(azul, number, stored(f"m{number}.h5ad", matrix_bytes("h5ad", number)))
        run = command(azul, tmp_path / "out")
        both = [subprocess.Popen(run, stdout=subprocess.DEVNULL) for _ in range(2)]
        assert [process.wait(600) for process in both] == [0, 0]
        done = subprocess.run(run, capture_output=True, text=True, check=False)
        assert done.returncode == 0
        assert "0 published, 4 unchanged" in done.stdout
    for summary in (tmp_path / "out").glob("*/*/summary.json"):
        for figure in json.loads(summary.read_text())["figures"]:
            if not figure["left_out"]:
                assert (summary.parent / f"{figure['slug']}.png").stat().st_size > 1000
