"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real matrices, which are not part of the project."""
    folder = Path(os.environ.get("DPSS_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real matrices in {folder}; set DPSS_REAL_DATA to a folder with them")
    return folder
