"""Object files loaded without LLVM: they do what they do when LLVM links them."""

from __future__ import annotations

import ctypes
import mmap
import platform
import re
import struct
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest

from dpss.compute import jit_cache as machine_code
from dpss.compute import object_file
from dpss.compute.jit import Loop
from dpss.compute.object_file import load_object

HERE = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"),
    reason="LLVM links here",
)

llvm.initialize_all_targets()
llvm.initialize_all_asmprinters()

CALLS = """
@table = private unnamed_addr constant [4 x i64] [i64 3, i64 5, i64 7, i64 {last}]
declare ptr @memset(ptr, i32, i64)
declare i64 @labs(i64)
define i64 @f(ptr %to, i64 %i) {{
  %a = call ptr @memset(ptr %to, i32 {byte}, i64 11)
  %p = getelementptr [4 x i64], ptr @table, i64 0, i64 %i
  %x = load i64, ptr %p
  %y = call i64 @labs(i64 %x)
  ret i64 %y
}}
"""


ARM = "aarch64-unknown-linux-gnu"
MIX = """
def mix(values, out, factor):
    n = 0
    for i in range(values.shape[0]):
        out[i % out.shape[0]] += values[i] * factor + table[i % 5]
        n += values[i] > 3
    return n, factor / 3
"""


def emit(ir: str, triple: str | None = None, model: str = "jitdefault", pic: bool = False) -> bytes:
    """Return the object file of a module."""
    target = llvm.Target.from_triple(triple) if triple else llvm.Target.from_default_triple()
    machine = target.create_target_machine(
        codemodel=model, reloc="pic" if pic else "default", jit=not pic
    )
    return machine.emit_object(llvm.parse_assembly(f'target triple = "{target.triple}"\n{ir}'))


def linked_by_llvm(code: bytes, symbol: str) -> tuple[Any, int]:
    """Return the address of a function that LLVM linked, and what holds it."""
    machine = llvm.Target.from_default_triple().create_target_machine()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine, engine.get_function_address(symbol)


@HERE
@pytest.mark.parametrize(
    ("model", "pic"), [("jitdefault", False), ("large", False), ("default", True)]
)
@pytest.mark.parametrize("seed", range(5))
def test_it_does_what_it_does_when_llvm_links_it(model: str, pic: bool, seed: int) -> None:
    """Constants, and functions of the C library, however they are addressed."""
    random = Random(seed)
    last, byte = random.randrange(-(2**63) + 1, 2**63), random.randrange(256)
    code = emit(CALLS.format(last=last, byte=byte), model=model, pic=pic)
    loaded = load_object(code)
    engine, other = linked_by_llvm(code, "f")
    assert engine
    for address in (loaded.address_of("f"), other):
        function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64)(address)
        room = ctypes.create_string_buffer(16)
        assert [function(ctypes.addressof(room), i) for i in range(4)] == [3, 5, 7, abs(last)]
        assert room.raw == bytes([byte]) * 11 + bytes(5)
    with pytest.raises(ValueError, match="no g in"):
        loaded.address_of("g")


@pytest.mark.slow
@HERE
@pytest.mark.parametrize("seed", range(8))
def test_loops_that_numba_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Tables of constants, tuples, any type: the same as Python, and LLVM links nothing."""
    monkeypatch.setattr(machine_code, "_folders", lambda: iter([tmp_path]))
    monkeypatch.setattr(machine_code, "_llvm", lambda: pytest.fail("LLVM was asked to link"))
    random = Random(seed)
    rng = np.random.default_rng(seed)
    dtype = random.choice(["f4", "f8", "i4", "i8", "u1", "u2", "i2"])
    table = rng.integers(-9, 9, 5)
    values = rng.integers(0, 9, 50).astype(dtype)[:: random.choice([1, 2, -1])]
    factor = random.random()
    scope: dict[str, Any] = {"table": table, "__name__": "made"}
    exec(MIX, scope)
    found, wanted = np.zeros(7), np.zeros(7)
    result = Loop(scope["mix"])(values, found, factor)
    assert result == scope["mix"](values.astype("f8"), wanted, factor)
    assert np.allclose(found, wanted, rtol=1e-12)
    assert len(list(tmp_path.iterdir())) == 1


def decode_moves(code: bytes) -> int:
    """Return the number that movz and movk put together, by ARM's manual (C6.2, move wide)."""
    value = 0
    for (word,) in struct.iter_unpack("<I", code[: len(code) // 4 * 4]):
        kind, half, part = word >> 23, word >> 21 & 3, word >> 5 & 0xFFFF
        if kind == 0b110100101:
            value = part << 16 * half
        elif kind == 0b111100101:
            value = value & ~(0xFFFF << 16 * half) | part << 16 * half
    return value


def placed(code: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[mmap.mmap, dict[str, int], int]:
    """Return what an object file of 64-bit ARM becomes in memory, which is not executed."""
    bases = []
    monkeypatch.setattr(object_file, "_make_executable", lambda base, size: bases.append(base))
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    loaded = load_object(code)
    return loaded.memory, loaded.addresses, bases[0]


@pytest.mark.skipif(sys.platform != "linux", reason="LLVM links here")
def test_addresses_in_code_for_arm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The four parts of an address, a page and a place in it, a call that goes through a stub."""
    ir = (
        "@table = dso_local constant [2 x i64] [i64 1, i64 2]\n"
        "declare void @abort()\n"
        "define i64 @where() { ret i64 ptrtoint (ptr @table to i64) }\n"
        "define void @call() { tail call void @abort() ret void }\n"
    )
    memory, at, base = placed(emit(ir, ARM, "large"), monkeypatch)
    first = at["where"] - base
    assert decode_moves(memory[first : first + 16]) == at["table"]
    assert struct.unpack_from("<2q", memory, at["table"] - base) == (1, 2)

    place = at["call"] - base
    (jump,) = struct.unpack_from("<I", memory, place)
    assert jump >> 26 == 0b000101  # b
    stub = place + ((jump & 0x3FFFFFF) << 2)
    abort = ctypes.cast(ctypes.CDLL(None).abort, ctypes.c_void_p).value
    # ldr x16, #8; br x16: by ARM's manual.
    assert struct.unpack_from("<IIQ", memory, stub) == (0x58000050, 0xD61F0200, abort)

    memory, at, base = placed(emit(ir, ARM, "default", pic=True), monkeypatch)
    page, low = struct.unpack_from("<II", memory, at["where"] - base)
    assert (page >> 31, low >> 22) == (1, 0b1001000100)  # adrp, add
    pages = (page >> 5 & 0x7FFFF) << 2 | page >> 29 & 3
    pages -= (pages >> 20) << 21
    assert (((at["where"] >> 12) + pages) << 12) + (low >> 10 & 0xFFF) == at["table"]


@HERE
@pytest.mark.parametrize(
    ("ir", "words"),
    [
        ("declare void @nowhere()\ndefine void @f() { call void @nowhere() ret void }",
         "needs nowhere"),
        ("@g = global i64 3\ndefine i64 @f() { %x = load i64, ptr @g ret i64 %x }", "written to"),
        ("@g = global i64 0\ndefine i64 @f() { %x = load i64, ptr @g ret i64 %x }", "written to"),
    ],
)  # fmt: skip
def test_what_it_can_not_load_is_named(ir: str, words: str) -> None:
    """A function that is not there; data that would be written to."""
    with pytest.raises(ValueError, match=words):
        load_object(emit(ir))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200))
def test_a_cut_or_other_file_is_refused(seed: int) -> None:
    """Whatever is not whole, and what is of another processor, is a ValueError."""
    random = Random(seed)
    code = emit(CALLS.format(last=1, byte=2))
    other = "aarch64" if platform.machine() == "x86_64" else "x86_64"
    if seed == 0:
        code = emit(CALLS.format(last=1, byte=2), f"{other}-unknown-linux-gnu")
    elif seed == 1:
        code = b"\x7fELF\x01" + code[5:]
    else:
        code = code[: random.randrange(len(code))]
    with pytest.raises(ValueError, match=r"."):
        load_object(code)


@pytest.mark.slow
@HERE
def test_a_warm_process_needs_no_llvm(tmp_path: Path) -> None:
    """Neither numba nor llvmlite is imported when the loops are there."""
    path = tmp_path / "m.csv"
    path.write_text("g,a,b\nx,1,2\ny,0,3\n")
    code = (
        "import dpss, sys; print(dpss.summarize(sys.argv[1]).total_counts, "
        "[name for name in ('numba', 'llvmlite') if name in sys.modules])"
    )
    for _ in range(2):
        said = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
        ).stdout
    assert re.fullmatch(r"6(\.0)? \[\]\n", said)
