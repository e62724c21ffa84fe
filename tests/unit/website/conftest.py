"""Fixtures of the tests of pages."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dpss.storage.local import LocalStore
from dpss.website.build import build_website
from tests.unit.website.portal import (
    make_portal,
    make_runs,
)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a published folder with its pages, which no test changes."""
    root = make_portal(tmp_path_factory.mktemp("built") / "out", 3, 2, 60)
    make_runs(root)
    build_website(LocalStore(root))
    return root


@pytest.fixture
def portal(built: Path, tmp_path: Path) -> Path:
    """Return a copy of `built`, files' times included."""
    return Path(shutil.copytree(built, tmp_path / "out"))
