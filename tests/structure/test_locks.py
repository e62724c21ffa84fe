"""The lock files hold what pyproject.toml asks for, and nothing about where they were made."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = {
    "requirements.lock": ("dependencies", "aws", "notebook", "r"),
    "requirements-build.lock": ("build",),
    "requirements-docs.lock": ("dependencies", "aws", "notebook", "r", "docs"),
    "requirements-dev.lock": ("dependencies", "aws", "notebook", "r", "build", "docs", "dev"),
}
# What uv says when the package index itself can't be reached, as opposed to an answer it dislikes.
UNREACHABLE = re.compile(
    "error sending request|dns error|timed out|status server error|network was disabled"
)
PYTHONS = ("3.11", "3.12", "3.13")


def requirements_of(sources: tuple[str, ...]) -> list[Requirement]:
    """The direct requirements that pyproject.toml lists under these names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lists = {
        "dependencies": project["project"]["dependencies"],
        **project["project"]["optional-dependencies"],
        **project["dependency-groups"],
    }
    return [Requirement(line) for name in sources for line in lists[name] if isinstance(line, str)]


def pins_of(text: str, python: str) -> dict[str, str]:
    """Name and version of each package that a lock file installs on Linux with this Python."""
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_python_implementation": "CPython",
    }
    pins = {}
    for name, version, marker in re.findall(
        r"^([\w.-]+)==([^\s;]+)(?: ; ([^\\\n]+))? \\$", text, re.MULTILINE
    ):
        if not marker or Marker(marker).evaluate(environment):
            assert name not in pins, f"{name} is pinned twice for Python {python}"
            pins[canonicalize_name(name)] = version
    return pins


def unmet(requirements: list[Requirement], pins: dict[str, str]) -> list[str]:
    """The requirements that no pin satisfies."""
    return [
        str(wanted)
        for wanted in requirements
        if (pin := pins.get(canonicalize_name(wanted.name))) is None
        or not wanted.specifier.contains(pin, prereleases=True)
    ]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", LOCKS)
def test_lock_meets_every_direct_requirement(name: str, python: str) -> None:
    """Without any network: each package that pyproject.toml names has a pin in its range."""
    pins = pins_of((ROOT / name).read_text(), python)
    assert unmet(requirements_of(LOCKS[name]), pins) == [], f"{name} is stale: run `make lock`"


@pytest.mark.parametrize("python", PYTHONS)
def test_what_is_tested_is_what_is_installed(python: str) -> None:
    """The runtime and build locks are parts of the development lock, version by version."""
    dev = pins_of((ROOT / "requirements-dev.lock").read_text(), python)
    for name in LOCKS:
        pins = pins_of((ROOT / name).read_text(), python)
        assert pins.items() <= dev.items(), f"{name} is stale: run `make lock`"


@pytest.mark.parametrize("name", LOCKS)
def test_lock_has_hashes_and_no_address(name: str) -> None:
    """Every pin has a hash, and no line names an index, a URL or a path."""
    text = (ROOT / name).read_text()
    pin = r"[\w.-]+==[^\s;]+(?: ; [^\\\n]+)? \\\n"
    digest = r"    --hash=sha256:[0-9a-f]{64}"
    assert re.fullmatch(rf"(?:{pin}{digest}(?: \\\n{digest})*\n)+", text)


@pytest.mark.parametrize("python", PYTHONS)
def test_requirements_txt_pins_what_the_lock_pins(python: str) -> None:
    """`pip install -r requirements.txt`, as in 2019: this package, and each pin of the lock."""
    lines = [
        line
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if not line.startswith("#")
    ]
    assert lines[0] == "-e ."
    found = {}
    for requirement in map(Requirement, lines[1:]):
        if requirement.marker is None or requirement.marker.evaluate(
            {"python_version": python, "python_full_version": f"{python}.0",
             "sys_platform": "linux", "platform_system": "Linux"}
        ):  # fmt: skip
            (only,) = requirement.specifier
            assert only.operator == "=="
            found[canonicalize_name(requirement.name)] = only.version
    assert found == pins_of((ROOT / "requirements.lock").read_text(), python)


def test_rule_notices_a_missing_and_an_outdated_pin() -> None:
    """The rule above is no rubber stamp: a package left out or out of range is named."""
    wanted = [Requirement("click>=8.1"), Requirement("numpy>=2.0"), Requirement("new-thing")]
    assert unmet(wanted, {"click": "8.0.0", "numpy": "2.1.0"}) == ["click>=8.1", "new-thing"]


@pytest.mark.slow
def test_locks_are_what_resolving_again_gives(tmp_path: Path) -> None:
    """Resolving pyproject.toml over the present pins changes no byte of any lock file.

    A new release of a package does not fail it, as pins that still fit are kept. Where no package
    index can be reached it's skipped with that reason, and the rules above stand alone.
    """
    for name in ("pyproject.toml", *LOCKS):
        shutil.copy(ROOT / name, tmp_path)
    command = [sys.executable, str(ROOT / "tools" / "lock.py"), "--directory", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode and UNREACHABLE.search(done.stderr):
        pytest.skip(f"no package index within reach: {' '.join(done.stderr.split())}")
    assert done.returncode == 0, done.stderr
    made = (*LOCKS, "requirements.txt")
    stale = [n for n in made if (ROOT / n).read_text() != (tmp_path / n).read_text()]
    assert stale == [], "these no longer match pyproject.toml: run `make lock` and commit them"
