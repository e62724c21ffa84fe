"""Loops in machine code: the same as in Python, kept, and had without numba afterwards."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dpss.compute import jit_cache as machine_code
from dpss.compute.jit import Loop, _digest_of, compiled, part
from dpss.errors import MatrixError

_FACTOR = 3


@part(forceinline=True)
def _scaled(x: Any) -> Any:
    return x * _FACTOR


@compiled
def _sum_up(pair: Any, table: Any, add: bool, bias: float) -> Any:
    first, second = pair
    total = 0.0
    n = 0
    for i in range(first.shape[0]):
        total += _scaled(first[i]) + second[i]
        table[i % table.shape[0], 0] += 1
        n += first[i] > 0
    return (total + bias if add else total), n, n == first.shape[0]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the one folder where machine code is kept."""
    monkeypatch.setattr(machine_code, "_folders", lambda: iter([tmp_path]))
    return tmp_path


def _fresh() -> Any:
    return Loop(_sum_up.function)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64])
@pytest.mark.parametrize("step", [1, 2])
def test_a_loop_does_what_python_does(folder: Path, dtype: Any, step: int) -> None:
    """Arrays of any type, with gaps too, tuples and numbers go in; numbers come out."""
    rng = np.random.default_rng(1)
    first = rng.integers(0, 9, 20).astype(dtype)[::step]
    second = rng.integers(0, 9, 20).astype(np.int32)[::step]
    table = np.zeros((3, 2), dtype=np.int64)
    result = _fresh()((first, second), table, True, 0.5)
    assert result == (
        float((first * 3.0 + second).sum()) + 0.5, int((first > 0).sum()), bool((first > 0).all())
    )  # fmt: skip
    assert [type(value) for value in result] == [float, int, bool]
    assert table[:, 0].sum() == len(first)
    assert not table[:, 1].any()
    assert len(list(folder.iterdir())) == 1


@pytest.mark.slow
def test_what_is_kept_is_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second process compiles nothing."""
    arguments = ((np.ones(2), np.ones(2)), np.zeros((1, 1), dtype=np.int64), False, 0.0)
    first = _fresh()(*arguments)
    monkeypatch.setattr("dpss.compute.jit.compile_function", lambda *_: pytest.fail("compiled"))
    assert _fresh()(*arguments) == first


@pytest.mark.slow
def test_where_no_file_tells_the_processor_llvm_does(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system without /proc compiles a loop, keeps it, and finds it again."""
    read, before = Path.read_text, machine_code._host()

    def refuse(path: Path, *given: Any, **more: Any) -> str:
        if path.is_relative_to("/proc"):
            raise FileNotFoundError(path)
        return read(path, *given, **more)

    monkeypatch.setattr(Path, "read_text", refuse)
    monkeypatch.setattr(machine_code, "_host", cache(machine_code._host.__wrapped__))
    assert machine_code._host() != before
    arguments = ((np.ones(2), np.ones(2)), np.zeros((1, 1), dtype=np.int64), False, 0.0)
    first = _fresh()(*arguments)
    assert len(list(folder.iterdir())) == 1
    monkeypatch.setattr("dpss.compute.jit.compile_function", lambda *_: pytest.fail("compiled"))
    assert _fresh()(*arguments) == first


@pytest.mark.slow
def test_damaged_machine_code_is_not_run(folder: Path) -> None:
    """What was kept and is no longer whole is made again."""
    arguments = ((np.ones(2), np.ones(2)), np.zeros((1, 1), dtype=np.int64), False, 0.0)
    first = _fresh()(*arguments)
    (kept,) = folder.iterdir()
    whole = kept.read_bytes()
    for damaged in (whole[:-100], whole[:-100] + b"\xcc" * 100, b"", b"\n", b"[]\n"):
        kept.write_bytes(damaged)
        assert _fresh()(*arguments) == first
        assert len(kept.read_bytes()) == len(whole)


@pytest.mark.slow
def test_a_loop_runs_where_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only system costs a compilation, no more."""
    monkeypatch.setattr(machine_code, "_folders", lambda: iter([Path("/proc/none")]))
    arguments = ((np.ones(2), np.ones(2)), np.zeros((1, 1), dtype=np.int64), True, 1.0)
    assert _fresh()(*arguments) == (9.0, 2, True)


@pytest.mark.slow
def test_a_loop_that_allocates_is_left_to_numba(folder: Path) -> None:
    """What can't stand alone still works."""

    @compiled
    def reverse(values: Any) -> Any:
        copy = values.copy()
        for i in range(len(values)):
            values[i] = copy[len(values) - 1 - i]

    values = np.arange(4)
    reverse(values)
    assert values.tolist() == [3, 2, 1, 0]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_without_numba_unusual_arrays_become_usual_ones(
    folder: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Gaps, odd addresses, the other byte order: copied in, and what was written copied back."""
    rng = np.random.default_rng(seed)
    dtype = str(rng.choice(["i4", "i8", "f4", "f8"]))

    def usual() -> tuple[Any, ...]:
        first = np.arange(1, 21).astype(dtype)
        return (first, np.ones(20, dtype="i4")), np.zeros((3, 2), dtype=np.int64), True, 0.5

    def unusual(array: Any) -> Any:
        match int(rng.integers(0, 4)):
            case 0:
                room = np.zeros(array.nbytes + 1, dtype=np.uint8)
                odd = room[1:].view(array.dtype).reshape(array.shape)
            case 1:
                odd = np.zeros((2 * array.shape[0], *array.shape[1:]), dtype=array.dtype)[::2]
            case 2:
                odd = array.astype(array.dtype.newbyteorder(">"))
            case _:
                return array
        odd[...] = array
        return odd

    wanted = usual()
    result = _fresh()(*wanted)
    monkeypatch.setattr("dpss.compute.jit.can_compile", lambda: False)
    monkeypatch.setattr("dpss.compute.jit.compile_function", lambda *_: pytest.fail("compiled"))
    (first, second), table, *rest = usual()
    pair = (unusual(first), unusual(second))
    table = unusual(table)
    assert _fresh()(pair, table, *rest) == result
    assert (table == wanted[1]).all()
    assert table.any()


def test_without_numba_a_new_type_is_a_fault_of_one_matrix(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the loop and the type, and where it could be counted."""
    monkeypatch.setattr("dpss.compute.jit.can_compile", lambda: False)
    with pytest.raises(MatrixError, match=r"_sum_up for \(<u21C <u21C\).*no numba"):
        _fresh()((np.ones(2, "u2"), np.ones(2, "u2")), np.zeros((1, 1), dtype="i8"), True, 1.0)


def test_the_key_covers_all_that_a_loop_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed constant of a function that a loop calls makes it another loop."""
    before = _digest_of(_sum_up.function)
    assert before == _digest_of(_sum_up.function)
    monkeypatch.setitem(_sum_up.function.__globals__, "_FACTOR", 4)
    assert _digest_of(_sum_up.function) != before


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.h5ad", "dense.h5ad", "csc.h5ad", "a.mtx", "a.csv"])
def test_a_warm_process_needs_no_numba(tmp_path: Path, name: str) -> None:
    """After the first matrix of a kind, numba isn't even imported."""
    import anndata
    import pandas as pd
    import scipy.io
    import scipy.sparse

    counts = np.random.default_rng(0).poisson(0.5, (30, 40)).astype(np.float32)
    names = [f"GENE{i}" for i in range(40)], [f"CELL{i}-1" for i in range(30)]
    path = tmp_path / name
    if path.suffix == ".h5ad":
        makers: dict[str, Any] = {"a": scipy.sparse.csr_matrix, "csc": scipy.sparse.csc_matrix}
        layout = makers.get(path.stem, np.asarray)(counts)
        frames = [pd.DataFrame(index=names[1]), pd.DataFrame(index=names[0])]
        anndata.AnnData(layout, *frames).write_h5ad(path)
    elif path.suffix == ".mtx":
        scipy.io.mmwrite(path, scipy.sparse.coo_matrix(counts.astype(np.int32)))
    else:
        pd.DataFrame(counts.astype(int).T, index=names[0], columns=names[1]).to_csv(path)
    code = (
        "import dpss, sys; print(dpss.summarize(sys.argv[1]).total_counts, 'numba' in sys.modules)"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
        )
        for _ in range(2)
    ]
    assert runs[1].stdout.split() == [runs[0].stdout.split()[0], "False"]
    assert float(runs[1].stdout.split()[0]) == counts.sum()
