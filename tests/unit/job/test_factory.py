"""An output is checked before hours of work, also where several runs begin at once."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dpss.errors import UnreachableError
from dpss.job.factory import check_output


@pytest.mark.parametrize("deep", [1, 3])
def test_many_runs_check_one_output_at_once(tmp_path: Path, deep: int) -> None:
    """Each makes the folder and removes it: none takes the other's removal for a fault."""
    output = tmp_path.joinpath(*(f"new-{level}" for level in range(deep)))
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(check_output, [str(output)] * 400):
            pass


def test_nothing_is_left_and_nothing_of_others_is_removed(tmp_path: Path) -> None:
    """A new folder is gone after the check; one that holds something stays."""
    check_output(str(tmp_path / "a" / "b"))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_bytes(b"1")
    check_output(str(tmp_path / "kept"))
    assert (tmp_path / "kept" / "file").read_bytes() == b"1"


def test_an_output_below_a_file_is_refused(tmp_path: Path) -> None:
    """Before any matrix is read."""
    (tmp_path / "file").write_bytes(b"1")
    with pytest.raises(UnreachableError, match="can't be written"):
        check_output(str(tmp_path / "file" / "out"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights_is_refused(tmp_path: Path) -> None:
    """The reason is the system's own."""
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(UnreachableError, match="Permission denied"):
        check_output(str(tmp_path / "closed" / "out"))
