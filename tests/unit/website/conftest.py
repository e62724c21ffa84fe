"""Fixtures of the tests of pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpss.storage.local import LocalStore
from dpss.website.build import build_website
from tests.unit.website.portal import (
    make_portal,
    make_runs,
)


@pytest.fixture
def portal(tmp_path: Path) -> Path:
    root = make_portal(tmp_path / "out", 3, 2, 60)
    make_runs(root)
    build_website(LocalStore(root))
    return root
