"""A fingerprint is of the content: the same for copies, another after a change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dpss.storage.fingerprint import MAX_MEMBERS, N_PLACES, PLACE_BYTES, fingerprint
from dpss.storage.locations import open_source

LARGE = 3 * N_PLACES * PLACE_BYTES


def of(path: Path) -> str:
    """Return the fingerprint of a file or folder."""
    return fingerprint(open_source(str(path)))


@pytest.mark.parametrize("size", [0, 1, PLACE_BYTES, N_PLACES * PLACE_BYTES, LARGE])
def test_copies_have_the_same(tmp_path: Path, size: int) -> None:
    """Name, place and time do not matter."""
    (tmp_path / "a.h5ad").write_bytes(bytes(size))
    shutil.copy(tmp_path / "a.h5ad", tmp_path / "other.name")
    assert of(tmp_path / "a.h5ad") == of(tmp_path / "other.name")


@pytest.mark.parametrize("place", [0, 100_000, 4_000_000])
def test_any_change_of_a_small_file_is_seen(tmp_path: Path, place: int) -> None:
    """Up to 4 MiB every byte counts."""
    data = bytearray(N_PLACES * PLACE_BYTES)
    path = tmp_path / "a"
    path.write_bytes(data)
    before = of(path)
    data[place] = 1
    path.write_bytes(data)
    assert of(path) != before


def test_changes_of_a_large_file_are_seen_at_its_ends_and_by_its_size(tmp_path: Path) -> None:
    """Its first and last bytes, its length, and an even sample in between."""
    data = bytearray(LARGE)
    path = tmp_path / "a"
    seen = set()
    for change in (None, 0, LARGE - 1):
        if change is not None:
            data[change] = 1
        path.write_bytes(data)
        seen.add(of(path))
    path.write_bytes(data + b"\0")
    seen.add(of(path))
    assert len(seen) == 4


def test_a_folder_is_its_names_and_contents(tmp_path: Path) -> None:
    """Renaming, adding or changing a file in it is a change; copying the folder is none."""
    folder = tmp_path / "a"
    folder.mkdir()
    seen = set()
    (folder / "x").write_bytes(b"12")
    seen.add(of(folder))
    (folder / "y").write_bytes(b"")
    seen.add(of(folder))
    (folder / "y").write_bytes(b"1")
    seen.add(of(folder))
    (folder / "y").rename(folder / "z")
    seen.add(of(folder))
    assert len(seen) == 4
    shutil.copytree(folder, tmp_path / "copy")
    assert of(tmp_path / "copy") in seen


def test_a_folder_of_many_files_is_quick(tmp_path: Path) -> None:
    """Of all files the sizes count, of some the content: the first among them."""
    folder = tmp_path / "a"
    folder.mkdir()
    for number in range(2 * MAX_MEMBERS):
        (folder / f"{number:04}").write_bytes(b"1")
    seen = {of(folder)}
    (folder / "0000").write_bytes(b"2")
    seen.add(of(folder))
    (folder / "0001").write_bytes(b"12")
    seen.add(of(folder))
    assert len(seen) == 3
