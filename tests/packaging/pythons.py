"""Pythons of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

from tests.conftest import ROOT

TOLD = "import sys, ensurepip, venv; print(sys.implementation.name, *sys.version_info[:2])"


def supported() -> list[str]:
    """Return the versions that pyproject.toml names, as ``3.11``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    words = [line.rpartition(" :: ")[2] for line in project["classifiers"]]
    return [word for word in words if word.startswith("3.")]


@cache
def pythons() -> dict[str, Path]:
    """Return one interpreter of each supported version that is installed here.

    They are looked for on the ``PATH`` and among pyenv's; this process's own is one of them.
    """
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    folders += sorted(versions.glob("*/bin"))
    found = {"{}.{}".format(*sys.version_info): Path(sys.executable)}
    for version in supported():
        for path in (folder / f"python{version}" for folder in folders):
            if version not in found and path.is_file():
                done = subprocess.run(
                    [path, "-c", TOLD], capture_output=True, text=True, check=False, timeout=600
                )
                if done.stdout.split() == ["cpython", *version.split(".")]:
                    found[version] = path
    return {version: found[version] for version in supported() if version in found}
