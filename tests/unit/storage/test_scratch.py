"""Scratch space: bounded, in order, and empty at the end."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pytest

from dpss.compute.background import begin
from dpss.errors import CorruptMatrixError, FetchError, LimitError, UnreachableError
from dpss.storage.scratch import Scratch


@dataclass
class Remote:
    """A file elsewhere."""

    data: bytes
    size_bytes: int | None
    name: str = "a.h5ad"
    url: str = "https://host/a.h5ad"
    random_access: bool = False
    error: Exception | None = None
    opened: int = 0

    def read_range(self, start: int, length: int) -> bytes:
        return self.data[start : start + length]

    def open(self) -> BinaryIO:
        self.opened += 1
        if self.error:
            raise self.error
        return BytesIO(self.data)


def remote(n_bytes: int, **how: object) -> Remote:
    return Remote(b"x" * n_bytes, n_bytes, **how)  # type: ignore[arg-type]


def test_what_is_fetched_is_there_and_then_gone(tmp_path: Path) -> None:
    """A held file has the remote one's bytes, name and address; afterwards nothing is left."""
    with Scratch(1000, tmp_path) as scratch:
        with scratch.hold(remote(500)) as file:
            assert (file.name, file.url) == ("a.h5ad", "https://host/a.h5ad")
            assert file.path.read_bytes() == b"x" * 500
        assert scratch.used_bytes == 0
        assert not file.path.exists()
    assert list(tmp_path.iterdir()) == []


def test_more_than_the_limit_is_told(tmp_path: Path) -> None:
    """Too large a file is refused before a byte is fetched; one of unknown size while it is."""
    with Scratch(1000, tmp_path) as scratch:
        known = remote(1001)
        assert not scratch.fits(known)
        with pytest.raises(LimitError, match="--scratch-limit"), scratch.hold(known):
            pass
        assert known.opened == 0
        unknown = Remote(b"x" * 2000, None)
        with pytest.raises(LimitError, match="--scratch-limit"), scratch.hold(unknown):
            pass
        assert scratch.used_bytes == 0


def wait_for_waiters(scratch: Scratch, n: int) -> None:
    """Return once so many wait for room."""
    deadline = time.monotonic() + 300
    while True:
        with scratch.changed:
            if len(scratch.waiting) == n:
                return
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_room_counts_what_is_written_and_gives_it_back(tmp_path: Path) -> None:
    """Beyond the limit is an error at once; the folder and its bytes are gone afterwards."""
    with Scratch(1000, tmp_path) as scratch:
        with scratch.room() as room:
            (room.path / "a").write_bytes(b"x")
            room.take(600)
            with pytest.raises(LimitError, match="--scratch-limit"):
                room.take(500)
            room.take(400)
            assert scratch.used_bytes == 1000
        assert scratch.used_bytes == 0
        assert not room.path.exists()


def test_who_comes_first_is_served_first(tmp_path: Path) -> None:
    """A large file waits for room, and small ones that come later wait behind it."""
    with Scratch(1000, tmp_path) as scratch:
        first = scratch.hold(remote(600))
        first.__enter__()
        large, small = scratch.hold(remote(900)), scratch.hold(remote(100))
        waits_large = begin(large.__enter__)
        wait_for_waiters(scratch, 1)
        waits_small = begin(small.__enter__)
        wait_for_waiters(scratch, 2)
        assert not waits_large.done()
        assert not waits_small.done()
        first.__exit__(None, None, None)
        waits_large.result(300)
        waits_small.result(300)
        for held in (large, small):
            held.__exit__(None, None, None)


def test_whoever_waits_is_let_go_at_the_end(tmp_path: Path) -> None:
    """Closing ends those that wait for room: no thread is left behind."""
    with Scratch(1000, tmp_path) as scratch:
        first = scratch.hold(remote(600))
        first.__enter__()
        waits = begin(scratch.hold(remote(600)).__enter__)
        wait_for_waiters(scratch, 1)
    with pytest.raises(FetchError, match="the program ends"):
        waits.result(300)
    first.__exit__(None, None, None)
    assert list(tmp_path.iterdir()) == []


def test_what_came_damaged_is_fetched_once_more(tmp_path: Path) -> None:
    """A second try may be right; two wrong ones are told."""
    wrong = Remote(b"x" * 10, 11)
    with Scratch(1000, tmp_path) as scratch:
        with pytest.raises(CorruptMatrixError, match="size 11 was stated, but 10 came"):
            scratch.hold(wrong).__enter__()
        assert wrong.opened == 2
        assert scratch.used_bytes == 0


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """The message names the folder and what to do."""
    full = remote(10, error=OSError(errno.ENOSPC, "No space left on device"))
    with Scratch(1000, tmp_path) as scratch, pytest.raises(LimitError, match=r"is full.*--scratch"):
        scratch.hold(full).__enter__()


def test_a_folder_that_can_not_be_used_is_told(tmp_path: Path) -> None:
    """A parent that is no folder is named."""
    with Scratch(1000, tmp_path / "none") as scratch, pytest.raises(UnreachableError, match="none"):
        scratch.hold(remote(1)).__enter__()


def test_only_the_dead_are_cleaned_up_after(tmp_path: Path) -> None:
    """A killed program's folder is removed by the next one, a running one's is not."""
    code = (
        "import os, sys, pathlib; from dpss.storage.scratch import Scratch\n"
        "Scratch(9, pathlib.Path(sys.argv[1]))._make_folder(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, env=os.environ)
    assert len(list(tmp_path.iterdir())) == 1
    with Scratch(9, tmp_path) as running, running.hold(remote(1)):
        (own,) = tmp_path.iterdir()
        with Scratch(9, tmp_path):
            assert list(tmp_path.iterdir()) == [own]


def test_files_that_only_save_time_leave_half_to_others(tmp_path: Path) -> None:
    """Others may take all that is left."""
    with Scratch(1_000, tmp_path) as scratch, scratch.room() as room, scratch.room() as other:
        room.take(500, optional=True)
        with pytest.raises(LimitError, match="--scratch-limit"):
            room.take(1, optional=True)
        other.take(500)
        with pytest.raises(LimitError):
            other.take(1)
        room.give_back()
        other.take(500)
