"""A matrix that takes its process with it costs itself only: the real command, real processes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from dpss.compute.processes import can_fork
from dpss.job.report.outcomes import is_run_key
from tests.unit.cli.test_commands import environment
from tests.unit.small import counts, write_h5ad_csr

pytestmark = pytest.mark.skipif(not can_fork(), reason="children are forked on Linux only")

HARM = textwrap.dedent(
    """
    import ctypes, os, resource, signal, sys, threading, time
    import dpss.engine.summarizer as s

    real = s.summarize_matrix

    def harm(name):
        if "kill" in name:
            os.kill(os.getpid(), signal.SIGKILL)
        if "crash" in name:
            ctypes.string_at(0)
        if "abort" in name:
            os.abort()
        if "exit" in name:
            os._exit(7)
        if "hang" in name:
            threading.Event().wait(600)
        if "spin" in name:
            while True:
                pass
        if "memory" in name:
            limit = int(open("/proc/self/statm").read().split()[0]) * 4096 + (64 << 20)
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            held = []
            while True:
                held.append(bytes(8 << 20))

    def summarize_matrix(matrix, identify, *args, **more):
        harm(identify(matrix, matrix.layers[0]).project_id)
        return real(matrix, identify, *args, **more)

    s.summarize_matrix = summarize_matrix
    from dpss.cli.commands import main
    main(sys.argv[1:])
    """
)
"""The command, with matrices that do harm by their name."""

GOOD = ("a", "m", "z")


@pytest.fixture(scope="module", autouse=True)
def compiled(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Compile all loops: on a busy machine that could take longer than a time limit of a test."""
    folder = tmp_path_factory.mktemp("compiled")
    done = dpss("run", "--input", write(folder / "in", "a"), "--output", folder / "out")
    assert done.returncode == 0, done.stderr


def dpss(*arguments: object, harm: str = HARM) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-c", harm, *map(str, arguments)],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def write(folder: Path, *names: str) -> Path:
    """Write small matrices."""
    folder.mkdir()
    for number, name in enumerate(names):
        write_h5ad_csr(folder / f"{name}.h5ad", counts(number))
    return folder


def last_report(output: Path) -> dict[str, dict[str, object]]:
    """Return the entries of the newest report, by project."""
    newest = max(p for p in (output / "runs").iterdir() if is_run_key(f"runs/{p.name}"))
    return {entry["project_id"]: entry for entry in json.loads(newest.read_text())["matrices"]}


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_bad_ones_among_good_ones(tmp_path: Path, jobs: int) -> None:
    """Killed, crashed, aborted, gone, hanging, out of memory: the others are published, the
    report, the index and the metrics are written, and the exit code is 1."""
    bad = {
        "b_kill": "SIGKILL",
        "c_crash": "SIGSEGV",
        "d_abort": "SIGABRT",
        "e_exit": "exit code 7",
        "f_hang": "--time-limit",
        "h_memory": "out of memory",
    }
    if jobs > 1:
        bad["g_spin"] = "--time-limit"
    folder, output = write(tmp_path / "in", *GOOD, *bad), tmp_path / "out"
    done = dpss(
        *("run", "--input", folder, "--output", output, "--time-limit", 20, "--jobs", jobs),
        *("--metrics", "emf", "--threads", 2),
    )
    assert done.returncode == 1, done.stderr
    entries = last_report(output)
    assert {name for name, entry in entries.items() if entry["status"] == "published"} == set(GOOD)
    for name, cause in bad.items():
        assert entries[name]["status"] == "failed"
        assert cause in str(entries[name]["reason"])
        assert entries[name]["lost"] is True
        word = str(entries[name]["cause"])
        assert word == {"--time-limit": "time limit", "out of memory": "memory"}.get(cause, cause)
        assert f"failed: {word}" in done.stdout
        assert re.search(rf"{name} .* \d+\.\d s +\d+(\.\d)? MiB", done.stdout)
        assert int(str(entries[name]["peak_memory_bytes"])) > 20 << 20
        assert f"{name}.h5ad" in str(entries[name]["reason"])
    assert (output / "index.html").exists()
    assert {f"{name}" for name in GOOD} <= {path.name for path in output.iterdir()}
    assert f'"failed": {len(bad)}' in done.stdout
    (line,) = (line for line in done.stdout.splitlines() if line.startswith('{"_aws"'))
    told = {each["matrix"]: each for each in json.loads(line)["lost"]}
    assert told.keys() == bad.keys()
    for name in bad:
        found = {key: entries[name][key] for key in ("cause", "seconds", "peak_memory_bytes")}
        assert told[name] == {"matrix": name, **found}
    assert not list(output.glob("*_*/*/summary.json"))


@pytest.mark.slow
def test_three_days_then_skipped_until_it_changes(tmp_path: Path) -> None:
    """Last the next day; skipped after three days, and said so; tried again once it changes."""
    folder, output = write(tmp_path / "in", "a_kill", "b"), tmp_path / "out"
    old = time.time() - 10 * 86400
    for path in folder.iterdir():
        os.utime(path, (old, old))
    attempts = output / "runs" / "attempts.json"
    for n_days in (1, 2, 3):
        done = dpss("run", "--input", folder, "--output", output, "--log-format", "json")
        assert done.returncode == 1
        if n_days == 1:
            begun = [line for line in done.stderr.splitlines() if ": begun" in line]
            assert len(begun) == 2
        document = json.loads(attempts.read_text())
        attempt = document["matrices"]["a_kill/a_kill"]["attempt"]
        assert len(attempt["days"]) == n_days
        assert document["matrices"]["a_kill/a_kill"]["begun"] == ""
        # As if that had been on another day.
        attempt["days"] = [f"2020-01-0{n}" for n in range(1, n_days + 1)]
        attempts.write_text(json.dumps(document))
        (folder / "c.h5ad").unlink(missing_ok=True)
        write_h5ad_csr(folder / "c.h5ad", counts(40 + n_days))
    done = dpss("run", "--input", folder, "--output", output, "--log-format", "json")
    assert done.returncode == 0, done.stderr
    entry = last_report(output)["a_kill"]
    assert entry["status"] == "skipped"
    for words in ("3 days", "SIGKILL", "--force", "2020-01-03"):
        assert words in str(entry["reason"])
    write_h5ad_csr(folder / "a_kill.h5ad", counts(99))
    assert dpss("run", "--input", folder, "--output", output).returncode == 1
    assert last_report(output)["a_kill"]["lost"] is True


@pytest.mark.slow
def test_what_a_killed_run_had_in_hand_goes_last(tmp_path: Path) -> None:
    """The run itself is killed outright: the next one knows what it was at, and says so."""
    folder, output = write(tmp_path / "in", "b"), tmp_path / "out"
    write_h5ad_csr(folder / "a_hang.h5ad", counts(3, n_cells=300))
    past = time.time() - 1000
    for path in folder.iterdir():
        os.utime(path, (past, past))
    arguments = ("run", "--input", str(folder), "--output", str(output), "--log-format", "json")
    process = subprocess.Popen(
        [sys.executable, "-c", HARM, *arguments], env=environment(), stderr=subprocess.DEVNULL
    )
    attempts = output / "runs" / "attempts.json"
    deadline = time.monotonic() + 300
    while "a_hang/a_hang" not in (attempts.read_text() if attempts.exists() else ""):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    done = dpss(*arguments, harm=HARM.replace('"hang"', '"nothing"'))
    assert done.returncode == 0, done.stderr
    begun = [json.loads(line)["message"] for line in done.stderr.splitlines() if "begun" in line]
    assert [line.partition(":")[0] for line in begun] == ["b", "a_hang"]
    assert "a_hang/a_hang: the run that read it ended without a word" in done.stderr
    assert json.loads(attempts.read_text())["matrices"] == {}


@pytest.mark.slow
def test_a_file_that_harms_while_it_is_listed(tmp_path: Path) -> None:
    """What is looked at to be recognised costs no more than itself, either."""
    harm = HARM.replace(
        "from dpss.cli.commands import main",
        "import dpss.formats.discovery as f\n"
        "def holds_matrix(source, means): os.abort()\n"
        "f.holds_matrix = holds_matrix\n"
        "from dpss.cli.commands import main",
    )
    folder, output = write(tmp_path / "in", "b"), tmp_path / "out"
    (folder / "odd.bin").write_bytes(b"odd")
    done = dpss("run", "--input", folder, "--output", output, harm=harm)
    assert done.returncode == 1
    entries = last_report(output)
    assert {name: entry["status"] for name, entry in entries.items()} == {
        "b": "published",
        "odd.bin": "failed",
    }
    listed = dpss("list", "--input", folder, harm=harm)
    assert (listed.returncode, "odd.bin" in listed.stdout) == (0, True), listed.stderr


PRELOADED = textwrap.dedent(
    """
    import sys
    import dpss.job.children.workers as workers

    real = workers._work

    def work(end, open_tasks):
        before = set(sys.modules)
        try:
            real(end, open_tasks)
        finally:
            more = sorted(name for name in set(sys.modules) - before if name.startswith("dpss"))
            print("imported by the task:", *more)
            print("pages:", "dpss.website.build" in sys.modules)
            print("only for the run:", *({"rich", "dpss.catalogs.local"} & before))
            sys.stdout.flush()

    workers._work = work
    from dpss.cli.commands import main
    main(sys.argv[1:])
    """
)
"""The command, whose child prints the modules that its task had to import."""


@pytest.mark.slow
def test_a_child_has_its_modules(tmp_path: Path) -> None:
    """The server that children are forked from has what a task needs, and nothing else."""
    folder = write(tmp_path / "in", "b")
    done = dpss(
        *("summarize", folder / "b.h5ad", "--output", tmp_path / "out", "--no-embedding"),
        harm=PRELOADED,
    )
    assert done.returncode == 0, done.stderr
    assert "imported by the task:\n" in done.stdout
    assert "pages: False" in done.stdout
    assert "only for the run:\n" in done.stdout
