"""What fuzzing found stays found: each case that once broke a reader is tried again."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import pytest

import dpss.formats.hdf5.file  # noqa: F401 — h5py's import starts a process, which a child may not
from tests.fuzz.trying import try_apart

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", sorted(CORPUS.iterdir()), ids=lambda path: path.name)
def test_a_found_case_is_a_summary_or_our_own_error(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but a summary or one of the program's own errors, within time and memory."""
    # Where the readers' temporary files go is watched, too.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert try_apart(path, tmp_path) == ""
