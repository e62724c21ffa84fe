"""The program without what only some systems have: their modules, functions and files.

A real Python runs it, from which they are taken (`absent/sitecustomize.py`).
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT

LINUX_ONLY = ("os.sched_getaffinity", "/proc", "/sys")
NOT_ON_WINDOWS = (
    "resource", "fcntl", "pwd", "grp", "termios", "os.fork", "os.pread", "os.geteuid", "os.getuid",
    "os.sysconf", "os.wait4", "socket.send_fds", "socket.recv_fds",
    "signal.SIGKILL", *LINUX_ONLY,
)  # fmt: skip
"""Modules, functions and folders that the program or its libraries use elsewhere."""
SYSTEMS = {
    # `os.wait4` is made of `resource`.
    "no resource": ("resource", "os.wait4"),
    "no fcntl": ("fcntl",),
    "no fork": ("os.fork",),
    "no affinity": ("os.sched_getaffinity",),
    "no proc": ("/proc", "/sys"),
    "like macOS": ("platform=darwin", *LINUX_ONLY),
    "like Windows": NOT_ON_WINDOWS,
}
GUARDED = {
    "resource", "fcntl", "pwd", "grp", "termios", "tty", "pty", "syslog", "posix", "msvcrt",
    "winreg",
}  # fmt: skip
"""Modules of the standard library that not every system has."""


def python(
    *arguments: str, absent: tuple[str, ...], home: Path
) -> subprocess.CompletedProcess[str]:
    """Run this Python, from which something is taken, with an empty home."""
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DPSS_", "AWS_", "PYTHON", "COV"))
    }
    environ |= {
        "HOME": str(home),
        "PYTHONPATH": os.pathsep.join(map(str, (Path(__file__).parent / "absent", ROOT / "src"))),
        "DPSS_TEST_ABSENT": ",".join(absent),
    }
    return subprocess.run(
        [sys.executable, *arguments],
        env=environ,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def summarized(matrix: Path, absent: tuple[str, ...], tmp_path: Path) -> dict[str, object]:
    """Summarise a matrix in a real process, and return its ``summary.json``."""
    output = tmp_path / "output"
    done = python(
        "-m",
        "dpss",
        "summarize",
        str(matrix),
        "--output",
        str(output),
        absent=absent,
        home=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert (output / "small" / "violin.png").stat().st_size > 1000
    found: dict[str, object] = json.loads((output / "small" / "summary.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def everywhere(matrix: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Return the summary of a system from which nothing is taken."""
    return summarized(matrix, (), tmp_path_factory.mktemp("everywhere"))


@pytest.mark.slow
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_summary_is_the_same_without(
    system: str, matrix: Path, everywhere: dict[str, object], tmp_path: Path
) -> None:
    """A matrix is summarised, and drawn, to the same numbers on a system that has less."""
    assert summarized(matrix, SYSTEMS[system], tmp_path) == everywhere


@pytest.mark.slow
def test_a_notebook_of_another_system(matrix: Path, tmp_path: Path) -> None:
    """`dpss.summarize` gives the same where the system calls itself Windows."""
    absent = ("platform=win32", "resource", "fcntl", "os.fork", *LINUX_ONLY)
    told = f"import dpss; s = dpss.summarize({str(matrix)!r}); print(s.n_cells, s.n_genes)"
    done = python("-c", told, absent=absent, home=tmp_path)
    assert (done.returncode, done.stdout) == (0, "200 50\n"), done.stderr


@pytest.mark.slow
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(absent=st.sets(st.sampled_from(NOT_ON_WINDOWS)))
def test_any_combination_can_be_imported(absent: set[str], tmp_path: Path) -> None:
    """Whatever a system lacks, the package is imported and its help is shown."""
    names = tuple(sorted(absent))
    done = python("-c", "import dpss; dpss.summarize", absent=names, home=tmp_path)
    assert done.returncode == 0, done.stderr
    done = python("-m", "dpss", "--help", absent=names, home=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


IMPORT_ALL = """
import importlib, pkgutil, dpss
names = [each.name for each in pkgutil.walk_packages(dpss.__path__, "dpss.")]
# Dask's psutil is made for the real system.
for name in names:
    if name not in ("dpss.__main__", "dpss.compute.dask_executor"):
        importlib.import_module(name)
print(len(names))
"""


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_every_module_can_be_imported(platform: str, tmp_path: Path) -> None:
    """No module, also one that few commands need, wants what another system lacks."""
    lacking = NOT_ON_WINDOWS if platform == "win32" else LINUX_ONLY
    absent = (f"platform={platform}", *lacking)
    done = python("-c", IMPORT_ALL, absent=absent, home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 300


def modules_without_guard(text: str) -> list[str]:
    """Return the imports of modules that not every system has, outside a ``try``."""
    tree = ast.parse(text)
    guarded = {id(node) for each in ast.walk(tree) if isinstance(each, ast.Try)
               for part in each.body for node in ast.walk(part)}  # fmt: skip
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)) and id(node) not in guarded:
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
            )
            found += [name for name in names if name.partition(".")[0] in GUARDED]
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import fcntl", ["fcntl"]),
        ("def f():\n    from resource import getrusage", ["resource"]),
        ("try:\n    import resource\nexcept ImportError:\n    resource = None", []),
        ("import os, termios", ["termios"]),
    ],
)
def test_an_unguarded_import_is_found(text: str, found: list[str]) -> None:
    """The rule below finds an import of what not every system has."""
    assert modules_without_guard(text) == found


def test_no_module_imports_what_a_system_lacks() -> None:
    """No module of the program imports what not every system has, unless it can do without."""
    found = {
        path.relative_to(ROOT).as_posix(): names
        for path in sorted((ROOT / "src").rglob("*.py"))
        if (names := modules_without_guard(path.read_text("utf-8")))
    }
    assert found == {}


def test_texts_are_read_as_utf_8() -> None:
    """No file is read or written in the encoding that a system happens to have."""
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--preview", "--isolated", "--select", "PLW1514",
         ROOT / "src"], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout
