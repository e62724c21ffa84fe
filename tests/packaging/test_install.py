"""The built wheel and sdist, as a stranger installs them: no home, no compiler."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import h5py
import pytest
from uv import find_uv_bin

from tests.conftest import ROOT
from tests.packaging.pythons import pythons

UNREACHABLE = re.compile(
    "error sending request|dns error|timed out|status server error|network was disabled|"
    "failed to fetch|connect error",
    re.IGNORECASE,
)
MOST_MEBIBYTES = 350
"""Of an installation without extras and without Python's bytecode."""
EXTRAS = "[aws,notebook,r]"
EXTRA_OF_R = "pip install 'data-portal-summary-stats[r]'"
R_FILE = ROOT / "tests/unit/formats/r_files/matrix.rds"


def uv(*arguments: str | Path) -> str:
    """Run uv; without a package index the test is skipped."""
    done = subprocess.run(
        [find_uv_bin(), *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=900,
    )  # fmt: skip
    if done.returncode and UNREACHABLE.search(done.stderr):
        pytest.skip(f"no package index can be reached: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sdist, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--quiet", "--out-dir", folder, "--python", sys.executable)
    return folder


Install = Callable[[str, str, str, str], Path]
"""Returns the environment of a Python, a kind of file, a set and extras, which is made once."""


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Install:
    """What tests share: a new environment compiles all loops, which takes a dozen seconds."""

    @cache
    def environment_of(version: str, kind: str, resolution: str, extras: str) -> Path:
        (what,) = built.glob(f"*.{kind}")
        folder = tmp_path_factory.mktemp("installed")
        return install(pythons()[version], what, folder, resolution, extras)

    return environment_of


def install(python: Path, what: Path, folder: Path, resolution: str, extras: str) -> Path:
    """Make an environment, install a file with the oldest or newest of all it needs."""
    environment = folder / "environment"
    uv("venv", "--quiet", "--python", python, environment)
    program = environment / "bin" / "python"
    # Of all others there must be wheels, as there is no compiler; an sdist is built here.
    ours = ("--no-binary", "data-portal-summary-stats") if what.suffix == ".gz" else ()
    uv("pip", "install", "--quiet", "--python", program, "--resolution", resolution,
       "--only-binary", ":all:", *ours, f"{what}{extras}")  # fmt: skip
    return environment


def dpss(environment: Path, *arguments: str | Path, home: Path, code: int = 0) -> str:
    """Run the installed program with an empty home, and no other program to be found."""
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        [environment / "bin" / "dpss", *arguments], cwd=home, capture_output=True, text=True,
        check=False, timeout=900,
        env={"HOME": str(home), "PATH": "/nowhere", "CC": "/nowhere/cc", "LANG": "C.UTF-8"},
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr if code else done.stdout


def case_of(place: int, n_pythons: int) -> tuple[str, str, str]:
    """Return what is installed, with which set and extras: the oldest on the oldest Python."""
    if place == 0:
        return "whl", "lowest-direct", EXTRAS
    return ("tar.gz" if place == n_pythons - 1 else "whl"), "highest", ""


CASES = [
    (version, *case_of(place, len(pythons()))) for place, version in enumerate(pythons())
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("version", "kind", "resolution", "extras"), CASES)
def test_it_is_installed_and_summarises(
    version: str, kind: str, resolution: str, extras: str, installed: Install, matrix: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    """Each Python of this machine installs it, oldest and newest set, and a matrix is read.

    A file of R is read where its extra is, and else refused with the extra's name.
    """
    environment = installed(version, kind, resolution, extras)
    home = tmp_path / "home"
    dpss(environment, "summarize", matrix, "--output", tmp_path / "output", home=home)
    folder = tmp_path / "output" / "small"
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    genes = list(csv.DictReader(io.StringIO((folder / "genes.csv").read_text("utf-8"))))
    counts = h5py.File(matrix)["X"][:]
    assert (summary["n_cells"], summary["n_genes"]) == counts.shape
    assert [float(gene["total_counts"]) for gene in genes] == counts.sum(0).tolist()
    assert (folder / "violin.png").read_bytes().startswith(b"\x89PNG")
    said = dpss(
        environment, "summarize", R_FILE, "--output", tmp_path / "r", home=home,
        code=0 if extras else 1,
    )  # fmt: skip
    assert (EXTRA_OF_R in " ".join(said.split())) is not bool(extras)


@pytest.mark.slow
def test_the_demo_of_an_installation(installed: Install, tmp_path: Path) -> None:
    """`dpss demo` of the newest Python publishes its portal; the installation is small."""
    *_, version = pythons()
    environment = installed(version, "tar.gz", "highest", "")
    files = [
        path.stat().st_size
        for path in environment.rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".machine-code")
    ]
    assert sum(files) < MOST_MEBIBYTES << 20
    said = dpss(environment, "demo", "--output", tmp_path / "demo", home=tmp_path / "home")
    assert "7 published, 0 unchanged, 0 skipped, 0 failed" in said
    assert (tmp_path / "demo" / "portal" / "index.html").is_file()


@pytest.mark.slow
def test_both_hold_the_package_and_its_licence(built: Path) -> None:
    """Wheel and sdist have every file of the package, the licence, and no test."""
    ours = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src" / "dpss").rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".machine-code")
        and "__pycache__" not in path.parts
    }  # fmt: skip
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    in_wheel = set(zipfile.ZipFile(wheel).namelist())
    with tarfile.open(sdist) as archive:
        in_sdist = {name.partition("/")[2] for name in archive.getnames()}
    assert ours <= in_wheel
    assert {f"src/{name}" for name in ours} <= in_sdist
    for each in ("LICENSE", "NOTICE", "src/dpss/figures/fonts/LICENSE.txt"):
        assert any(name.endswith(f"licenses/{each}") for name in in_wheel)
    assert {"LICENSE", "NOTICE", "README.md", "CHANGELOG.md", "pyproject.toml"} <= in_sdist
    assert not [name for name in in_wheel | in_sdist if "tests/" in name or ".machine-code" in name]


HEAVY = {"numpy", "numba", "llvmlite", "matplotlib", "pandas", "h5py", "botocore", "jinja2", "rich"}


@pytest.mark.parametrize(
    ("code", "most"),
    [
        ("import dpss", 200),
        ("import dpss, dpss.errors", 200),
        ("from dpss.cli.commands import main\ntry: main(['--help'])\nexcept SystemExit: pass", 700),
    ],
)
def test_an_import_and_the_help_load_no_heavy_library(code: str, most: int) -> None:
    """`import dpss` and `dpss --help` are quick, as what takes time is imported when it is used."""
    told = f"{code}\nimport sys; print('|', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/nowhere"},
    )  # fmt: skip
    loaded = done.stdout.rpartition("|")[2].split()
    assert not HEAVY & {name.partition(".")[0] for name in loaded}
    assert len(loaded) < most
