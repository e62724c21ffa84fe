"""The recipe for conda-forge says what pyproject.toml says."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from tests.conftest import ROOT
from tools.release import Stop, recipe_of, version_of

RECIPE = ROOT / "packaging/conda/recipe.yaml"
CONDA_NAMES = {"isal": "python-isal", "matplotlib": "matplotlib-base"}
"""Packages that conda-forge has under another name than PyPI."""


@pytest.fixture(scope="module")
def recipe() -> dict[str, Any]:
    """Return the recipe as it stands, with its expressions."""
    return dict(yaml.safe_load(RECIPE.read_text("utf-8")))


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """Return the project's own data."""
    return dict(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"])


def as_conda(requirements: list[str]) -> set[str]:
    """Return requirements as conda writes them; markers have no place in a package of `noarch`."""
    found = set()
    for each in map(Requirement, requirements):
        name = CONDA_NAMES.get(each.name, each.name)
        found.add(f"{name} {each.specifier}".strip())
    return found


def test_same_dependencies(recipe: dict[str, Any], project: dict[str, Any]) -> None:
    """Every dependency with its bound, and no other; Python as `requires-python` has it."""
    run = set(recipe["requirements"]["run"])
    python = recipe["context"]["python_min"]
    assert project["requires-python"] == f">={python}"
    assert run == as_conda(project["dependencies"]) | {"python >=${{ python_min }}"}


def test_same_bounds_of_extras(recipe: dict[str, Any], project: dict[str, Any]) -> None:
    """What an extra brings is constrained, so that an old version is not installed beside it."""
    extras = project["optional-dependencies"]
    named = [each for name, names in extras.items() if name != "all" for each in names]
    assert set(recipe["requirements"]["run_constraints"]) == as_conda(named)


def test_same_build(recipe: dict[str, Any]) -> None:
    """The build needs what pyproject.toml asks of a build, and pip."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    needed = as_conda(document["build-system"]["requires"]) | {"pip"}
    host = set(recipe["requirements"]["host"])
    assert host == needed | {"python ${{ python_min }}.*"}


def test_same_commands(recipe: dict[str, Any], project: dict[str, Any]) -> None:
    """Both commands are installed, and tried."""
    points = dict(each.split(" = ") for each in recipe["build"]["python"]["entry_points"])
    assert points == project["scripts"]
    tried = recipe["tests"][1]["script"]
    assert {f"{name} --help" for name in points} <= set(tried)


def test_same_words(recipe: dict[str, Any], project: dict[str, Any]) -> None:
    """Name, version, licence and summary are those of the project; files of licences exist."""
    about, context = recipe["about"], recipe["context"]
    assert context["name"] == project["name"]
    assert context["version"] == version_of()
    assert about["summary"] == project["description"]
    assert about["license"] == project["license"]
    assert about["license_file"] == project["license-files"]
    assert all((ROOT / name).is_file() for name in about["license_file"])


def test_expressions_are_of_the_context(recipe: dict[str, Any]) -> None:
    """Each name within an expression is defined: in the context, or by the builder."""
    used = set(re.findall(r"\$\{\{\s*(\w+)", RECIPE.read_text("utf-8")))
    assert used - {"PYTHON"} <= set(recipe["context"])


def test_recipe_of_a_release(tmp_path: Path) -> None:
    """The checksum is that of the file; one of another version is refused."""
    sdist = tmp_path / f"data_portal_summary_stats-{version_of()}.tar.gz"
    sdist.write_bytes(b"an sdist")
    url = f"https://index.example/{sdist.name}"
    made = yaml.safe_load(recipe_of(sdist, url))
    assert made["source"]["url"] == url
    assert made["source"]["sha256"] == hashlib.sha256(b"an sdist").hexdigest()
    done = subprocess.run(
        [sys.executable, ROOT / "tools/release.py", "recipe", sdist, url],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == recipe_of(sdist, url)
    other = sdist.with_name("data_portal_summary_stats-0.0.1.tar.gz")
    with pytest.raises(Stop, match="is no sdist of version"):
        recipe_of(other, url)
