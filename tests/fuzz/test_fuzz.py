"""The fuzzer itself: it finds what is wrong, leaves alone what is right, and repeats itself."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from dpss.errors import CorruptMatrixError
from tests.fuzz import __main__ as fuzzer
from tests.fuzz import trying
from tests.fuzz.targets import TARGETS, Target


def _cases(name: str, seed: int, n: int) -> list[bytes]:
    target, rng = TARGETS[name], Random(seed)
    seeds = target.seeds()
    made = []
    for _ in range(n):
        valid, number = fuzzer.draw(rng, seeds)
        made.append(target.damage(Random(number), valid))
    return made


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mtx", "text", "zarr", "tenx"])
def test_the_seed_decides_every_case(name: str) -> None:
    """Valid files are made anew each time, and damaged alike."""
    assert _cases(name, 5, 8) == _cases(name, 5, 8)
    assert _cases(name, 5, 8) != _cases(name, 6, 8)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["mtx", "text", "tenx"])
def test_a_reader_holds_for_a_second(name: str, tmp_path: Path) -> None:
    seen = fuzzer.fuzz(name, TARGETS[name], 1, 20261126, tmp_path)
    assert seen.pop("") > 0
    assert not seen, dict(seen)


def _raise(error: BaseException) -> None:
    raise error


FAULTS: dict[str, tuple[Callable[[], object], str]] = {
    "exception": (lambda: _raise(IndexError("out of bounds")), "IndexError at .*out of bounds"),
    "signal": (lambda: os.kill(os.getpid(), signal.SIGSEGV), "died by SIGSEGV"),
    "memory": (lambda: bytearray(2 * trying.MEMORY_BYTES), "MemoryError"),
    "a file elsewhere": (lambda: Path("/var/tmp/elsewhere").write_text("x"), "writes to"),
    "a word": (lambda: _raise(CorruptMatrixError("the file is damaged")), ""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_goes_wrong_is_found(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each kind of fault is found, and its smallest case kept; the program's errors are none."""
    act, message = FAULTS[fault]

    def read(source: object) -> list[object]:
        del source
        act()
        return []

    def refuse(path: Path) -> str:
        return f"{path} is valid"

    monkeypatch.setattr(trying, "iter_matrices", read)
    monkeypatch.setattr(fuzzer, "attempt", refuse)
    target = Target(lambda: [b"12345678"], lambda rng, data: data[: rng.randrange(8)], ".txt")
    seen = fuzzer.fuzz("x", target, 0.3, 1, tmp_path / "kept")
    assert seen.pop("") > 0
    if not message:
        assert not seen
        return
    (found,) = seen
    assert re.search(message, found)
    (kept,) = (tmp_path / "kept").iterdir()
    assert kept.name == "x-1-0.txt"
    assert f"x: case 1: {found}" in capsys.readouterr().out


@pytest.mark.parametrize("fault", ["exception", "signal", "memory"])
def test_damage_that_fails_makes_no_case(fault: str, tmp_path: Path) -> None:
    """Damage is done within the same limits, as a file may declare 2⁶² values and be read."""

    def damage(rng: Random, data: bytes) -> bytes:
        del rng
        FAULTS[fault][0]()
        return data

    assert not fuzzer.make_apart(Target(list, damage), b"", 1, tmp_path / "a")
    assert not (tmp_path / "a").exists()
