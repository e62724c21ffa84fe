"""``--executor dask`` as a person meets it: real commands, a real cluster, the same bytes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import inputs
from tests.cluster import Cluster
from tests.conftest import ROOT
from tests.servers.files import FileServer
from tests.unit.cli.test_commands import dpss, environment
from tests.unit.small import counts, write_h5ad_csr


def published(folder: Path) -> dict[str, bytes]:
    """Return all published files but the reports of runs and the pages that name their time."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "runs" not in path.parts
    }


@pytest.fixture
def matrices(tmp_path: Path) -> Path:
    """A folder with a few small matrices."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(3):
        write_h5ad_csr(folder / f"m{number}.h5ad", counts(number))
    return folder


@pytest.mark.slow
def test_a_run_on_a_cluster_publishes_the_same_bytes(matrices: Path, tmp_path: Path) -> None:
    """Two workers, two matrices side by side: every published file is that of threads."""
    assert dpss("run", "--input", matrices, "--output", tmp_path / "threads").returncode == 0
    with Cluster(tmp_path / "cluster") as cluster:
        done = dpss(
            "run", "--input", matrices, "--output", tmp_path / "dask", "--jobs", "2",
            DPSS_SCHEDULER=cluster.address,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert f"Dask: {cluster.address}" in done.stderr
    assert published(tmp_path / "dask") == published(tmp_path / "threads")


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    """One of two workers is killed while a matrix behind HTTP is read: exit 0, the same bytes."""
    path = tmp_path / "m.h5ad"
    inputs.write_h5ad(path, 1_500)
    with FileServer() as server, Cluster(tmp_path / "cluster") as cluster:
        url = server.add("/m.h5ad", path.read_bytes())
        assert dpss("summarize", url, "--output", tmp_path / "threads").returncode == 0
        before = len(server.requests)
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "dpss", "summarize", url),
                *("--output", str(tmp_path / "dask")),
                *("--executor", "dask", "--scheduler", cluster.address),
            ],
            env=environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_for_requests(server, before + 12)
        cluster.kill_worker(0)
        _, told = process.communicate(timeout=600)
        assert process.returncode == 0, told
        # Nothing was fetched whole and handed on: workers ask for their own ranges.
        assert all("range" in request.headers for request in server.requests)
    assert published(tmp_path / "dask") == published(tmp_path / "threads")


def wait_for_requests(server: FileServer, n: int) -> None:
    """Wait until a server was asked so often."""
    deadline = time.monotonic() + 300
    while len(server.requests) < n:
        assert time.monotonic() < deadline, "it never asked"
        time.sleep(0.01)


@pytest.mark.slow
def test_a_cluster_of_this_machine_shows_its_dashboard(matrices: Path, tmp_path: Path) -> None:
    """Without an address a cluster is started and ended; its dashboard's link is told.

    A path that is relative to where the command stands is found by workers that stand elsewhere.
    """
    done = subprocess.run(
        [
            *(sys.executable, "-m", "dpss", "summarize", "in/m0.h5ad"),
            *("--output", "out", "--executor", "dask", "--threads", "1"),
        ],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"Dask: .* 1 thread; dashboard: http://127\.0\.0\.1:\d+", done.stderr)
    assert (tmp_path / "out" / "m0" / "summary.json").exists()


def test_without_dask_the_message_says_how_to_get_it(matrices: Path, tmp_path: Path) -> None:
    """Where the extra isn't installed: exit 2, and the command that installs it."""
    (tmp_path / "absent").mkdir()
    for name in ("dask", "distributed"):
        (tmp_path / "absent" / f"{name}.py").write_text("raise ImportError('absent')\n")
    path = os.pathsep.join([str(tmp_path / "absent"), str(ROOT / "src")])
    done = dpss("run", "--input", matrices, "--output", tmp_path / "out", "--executor", "dask",
                PYTHONPATH=path)  # fmt: skip
    assert done.returncode == 2
    assert "pip install 'data-portal-summary-stats[dask]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_scheduler_is_of_dask_only(matrices: Path, tmp_path: Path) -> None:
    """An address that nothing would be done with is a mistake, and said to be one."""
    done = dpss("run", "--input", matrices, "--output", tmp_path / "out",
                "--executor", "threads", "--scheduler", "tcp://127.0.0.1:1")  # fmt: skip
    assert done.returncode == 2
    assert "only --executor dask" in done.stderr
