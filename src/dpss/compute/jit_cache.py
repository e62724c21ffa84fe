"""Cache of machine code: made by numba, stored in files, loaded without numba.

A loop that allocates and raises nothing becomes an object file that refers to nothing
outside itself but the C library. A stored file is used if loop, types and processor are the same,
or if it is for any processor of this architecture. Where `dpss.compute.object_file` can't load it
(not on Linux), llvmlite links it.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import json
import logging
import os
import platform
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from dpss.compute.object_file import c_library, load_object

log = logging.getLogger(__name__)

_LAYOUT = 1
"""Version of the layout of cache files."""
_GENERIC = "generic"
"""numba's name for any processor of an architecture."""
_C_TYPES = {
    "?": ctypes.c_uint8,
    "q": ctypes.c_int64,
    "Q": ctypes.c_uint64,
    "d": ctypes.c_double,
}
"""The type of a number in C, by numpy's letter for it."""
_CPU_FIELDS = {
    "cpu family", "model", "model name", "flags",
    "CPU implementer", "CPU variant", "CPU part", "Features",
}  # fmt: skip
"""Fields of ``/proc/cpuinfo`` on which machine code depends."""
_SUCCESS = (0, -2)
"""Status codes of numba's functions that ended without an error."""
_LOCK = threading.Lock()


@dataclass(frozen=True)
class MachineCode:
    """The machine code of a loop for one combination of argument types."""

    symbol: str
    """Name of the function in the object file."""
    returns: str
    """Types of the returned numbers, as letters of `_C_TYPES`."""
    code: bytes
    """Content of the object file."""


def type_of(value: Any) -> str:
    """Return a name of an argument's type; equal names share machine code.

    >>> type_of(np.zeros((2, 3), dtype=np.int32)), type_of((1, 2.0, True))
    ('<i42C', '(q d ?)')
    """
    if isinstance(value, np.ndarray):
        flags = value.flags
        layout = "C" if flags.c_contiguous else "A"
        return f"{value.dtype.str}{value.ndim}{layout}{'' if flags.aligned else 'u'}"
    if isinstance(value, tuple):
        return f"({' '.join(map(type_of, value))})"
    if isinstance(value, (bool, np.bool_)):
        return "?"
    if isinstance(value, (float, np.floating)):
        return "d"
    return "Q" if isinstance(value, np.uint64) else "q"


@cache
def can_compile() -> bool:
    """Return whether numba is installed; the container's image has none."""
    return importlib.util.find_spec("numba") is not None


def compile_function(function: Any, arguments: tuple[Any, ...]) -> MachineCode:
    """Compile a function for the types of some arguments.

    Raises:
        ValueError: The code needs more than the C library, or returns something other than numbers.
    """
    from numba.core import compiler, types
    from numba.core.registry import cpu_target

    flags = compiler.Flags()
    flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    found = compiler.compile_extra(
        cpu_target.typing_context,
        cpu_target.target_context,
        function,
        tuple(map(_numba_type_of, arguments)),
        None,
        flags,
        {},
    )
    result = found.signature.return_type
    parts = () if result == types.none else getattr(result, "types", (result,))
    letters = {types.boolean: "?", types.int64: "q", types.uint64: "Q", types.float64: "d"}
    if not all(part in letters for part in parts):
        raise ValueError(f"returns {result}")
    _check_references(found.library)
    return MachineCode(
        found.fndesc.llvm_func_name,
        "".join(letters[part] for part in parts),
        bytes(found.library._get_compiled_object()),
    )


def link(machine_code: MachineCode, arguments: tuple[Any, ...]) -> Callable[..., Any]:
    """Return a function that calls machine code with arguments of these types.

    It returns a Python number, several as a tuple.
    """
    held, address = _load(machine_code)
    types = list(_c_types_of(arguments))
    pointer = ctypes.c_void_p
    function = ctypes.CFUNCTYPE(ctypes.c_int32, pointer, pointer, *types)(address)
    fields = [(f"n{i}", _C_TYPES[letter]) for i, letter in enumerate(machine_code.returns)]
    # Functions without a return value write to this pointer, too.
    result_type = type("Result", (ctypes.Structure,), {"_fields_": [*fields, ("_", pointer)]})
    flags = [letter == "?" for letter in machine_code.returns]

    def call(*values: Any) -> Any:
        result, error = result_type(), pointer()
        status = function(
            ctypes.addressof(result),
            ctypes.addressof(error),
            *_flatten(values),
        )
        if status not in _SUCCESS:
            raise RuntimeError(f"{machine_code.symbol} ended with status {status}")
        numbers = tuple(getattr(result, name) for name, _ in fields)
        numbers = tuple(bool(n) if flag else n for n, flag in zip(numbers, flags, strict=True))
        return numbers if len(numbers) > 1 else numbers[0] if numbers else None

    call.held = held  # type: ignore[attr-defined]  # keeps the code in memory
    return call


def read_cached(key: str) -> MachineCode | None:
    """Return machine code from the cache; ``None`` if no complete file of it is there."""
    for target in (_host(), _GENERIC):
        for folder in _folders():
            try:
                header, code = (folder / _file_name(key, target)).read_bytes().split(b"\n", 1)
                fields = json.loads(header)
                if fields["sha256"] == hashlib.sha256(code).hexdigest():
                    return MachineCode(str(fields["symbol"]), str(fields["returns"]), code)
            except (OSError, ValueError, KeyError, TypeError):
                continue
    return None


def store(key: str, machine_code: MachineCode) -> None:
    """Store machine code in the first writable folder of the cache, if there is one."""
    from numba.core import config

    target = _GENERIC if config.CPU_NAME == _GENERIC else _host()
    header = {
        "symbol": machine_code.symbol,
        "returns": machine_code.returns,
        "sha256": hashlib.sha256(machine_code.code).hexdigest(),
    }
    data = json.dumps(header).encode() + b"\n" + machine_code.code
    for folder in _folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            draft = folder / f"{uuid.uuid4()}.draft"
            draft.write_bytes(data)
            draft.replace(folder / _file_name(key, target))
        except OSError as error:
            log.debug("machine code is not stored in %s: %s", folder, error)
        else:
            return


def _c_types_of(values: tuple[Any, ...]) -> Iterator[Any]:
    """Yield the types in C of arguments as numba's functions take them.

    An array takes these: two null pointers (its owner), number of items, item size in bytes,
    address, shape and strides.
    """
    size, pointer = ctypes.c_int64, ctypes.c_void_p
    for value in values:
        if isinstance(value, np.ndarray):
            yield from (pointer, pointer, size, size, pointer)
            yield from [size] * 2 * value.ndim
        elif isinstance(value, tuple):
            yield from _c_types_of(value)
        else:
            yield _C_TYPES[type_of(value)]


def _flatten(values: tuple[Any, ...]) -> list[Any]:
    """Return arguments as numba's functions take them, of the types of `_c_types_of`.

    It runs for each block, while no other thread can run Python: quick, without generators.
    """
    flat: list[Any] = []
    for value in values:
        if isinstance(value, np.ndarray):
            address = value.ctypes.data
            flat += (None, None, value.size, value.itemsize, address, *value.shape, *value.strides)
        elif isinstance(value, tuple):
            flat += _flatten(value)
        else:
            flat.append(value.item() if isinstance(value, np.generic) else value)
    return flat


def _numba_type_of(value: Any) -> Any:
    """Return numba's type of an argument; it distinguishes types as `type_of` does."""
    from numba import from_dtype, types

    if isinstance(value, np.ndarray):
        layout = "C" if value.flags.c_contiguous else "A"
        return types.Array(from_dtype(value.dtype), value.ndim, layout, aligned=value.flags.aligned)
    if isinstance(value, tuple):
        return types.BaseTuple.from_types(tuple(map(_numba_type_of, value)))
    letters = {"?": types.boolean, "q": types.int64, "Q": types.uint64, "d": types.float64}
    return letters[type_of(value)]


def _check_references(library: Any) -> None:
    """Check that a library refers to the C library only, which every process has."""
    process = c_library()
    for function in library._final_module.functions:
        name = function.name
        if function.is_declaration and not name.startswith("llvm.") and not hasattr(process, name):
            raise ValueError(f"needs {name}")


@cache
def _llvm() -> Any:
    """Return llvmlite's binding, ready for this processor."""
    import llvmlite.binding as llvm  # type: ignore[import-untyped]

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


def _load(machine_code: MachineCode) -> tuple[Any, int]:
    """Return an object that holds the code in memory, and the function's address."""
    try:
        loaded = load_object(machine_code.code)
        return loaded, loaded.address_of(machine_code.symbol)
    except (ValueError, OSError) as error:
        log.debug("%s is linked by llvmlite: %s", machine_code.symbol, error)
    llvm = _llvm()
    with _LOCK:
        machine = llvm.Target.from_default_triple().create_target_machine()
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(machine_code.code))
        engine.finalize_object()
    address = engine.get_function_address(machine_code.symbol)
    if not address:
        raise ValueError(f"no {machine_code.symbol} in the object file")
    return engine, address


@cache
def _host() -> str:
    """Return this processor's model and features as text."""
    try:
        first = Path("/proc/cpuinfo").read_text("utf-8").split("\n\n", 1)[0]
    except (OSError, UnicodeDecodeError):
        llvm = _llvm()
        return f"{llvm.get_host_cpu_name()}{llvm.get_host_cpu_features().flatten()}"
    fields = (line.partition(":") for line in first.splitlines())
    return "|".join(f"{k.strip()}={v.strip()}" for k, _, v in fields if k.strip() in _CPU_FIELDS)


def _folders() -> Iterator[Path]:
    """Yield the folders of the cache: that of the program, then that of the user."""
    yield Path(__file__).parent / "__pycache__"
    yield Path(os.path.expanduser("~/.cache/dpss"))  # noqa: PTH111 (without a home it stays ~)


def _file_name(key: str, target: str) -> str:
    """Return the name of the file for a loop, its types and a processor."""
    whole = f"{_LAYOUT}|{key}|{sys.platform}|{platform.machine()}|{target}"
    return f"{key.split('|', 1)[0]}-{hashlib.sha256(whole.encode()).hexdigest()[:24]}.machine-code"
