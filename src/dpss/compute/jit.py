"""Loops in machine code, compiled by numba once and later used without numba.

Each process would need a second to import numba and to find its compiled code. The loops of this
program are simple enough to do without; see `dpss.compute.jit_cache`. `compiled` makes a loop that
Python can call, `part` a function that only loops call, and `primitive` an instruction that Python
does not have.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType, FunctionType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from dpss.compute.jit_cache import can_compile, compile_function, link, read_cached, store, type_of
from dpss.errors import MatrixError

log = logging.getLogger(__name__)


def compiled(function: Callable[..., Any]) -> Any:
    """Decorator: compile a loop over arrays, numbers and tuples of them.

    The function must neither allocate nor raise. It runs without the interpreter's lock and may
    return numbers.
    """
    return Loop(function)


def part(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorator: mark a function that only loops call, with options of numba's `njit`."""
    return lambda function: Part(function, options)


def primitive(make: Callable[[], Any]) -> Any:
    """Decorator: make an instruction from a function that returns a numba `intrinsic`."""
    return Primitive(make)


class Primitive:
    """An instruction, made when a loop that uses it is compiled."""

    def __init__(self, make: Callable[[], Any]) -> None:
        """Store the function that makes the instruction."""
        self.function = cast(FunctionType, make)
        self.resolve = cache(make)


class Part:
    """A function that only loops call."""

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        """Keep the function and numba's options for it."""
        self.function = cast(FunctionType, function)
        self._options = options
        self.resolve = cache(self._resolve)

    def _resolve(self) -> Any:
        # Only loops call it: without entries for Python and C, loops compile a tenth faster.
        return _dispatcher(
            self.function, no_cpython_wrapper=True, no_cfunc_wrapper=True, **self._options
        )


class Loop:
    """A loop with machine code for each combination of argument types."""

    def __init__(self, function: Callable[..., Any]) -> None:
        """Keep the function; nothing is compiled yet."""
        self.function = cast(FunctionType, function)
        self._natives: dict[str, Callable[..., Any]] = {}
        self._lock = threading.Lock()

    def __call__(self, *args: Any) -> Any:
        """Run the loop."""
        types = ",".join(map(type_of, args))
        native = self._natives.get(types)
        if native is None:
            with self._lock:
                native = self._natives.get(types) or self._prepare(types, args)
                self._natives[types] = native
        return native(*args)

    def _prepare(self, types: str, args: tuple[Any, ...]) -> Callable[..., Any]:
        """Return the loop for these types: from the cache, or compiled now."""
        name = f"{self.function.__module__}.{self.function.__qualname__}"
        key = f"{name}|{types}|{_digest_of(self.function)}"
        machine_code = read_cached(key)
        if machine_code is None and not can_compile():
            if types == ",".join(type_of(plain) for plain in map(_plain, args)):
                raise MatrixError(
                    f"there is no machine code of {name} for {types}, and no numba to compile it: "
                    "run dpss from a Python environment, which has it, instead of the container"
                )
            return self._on_plain_arrays
        try:
            if machine_code is None:
                log.debug("%s is compiled for %s", name, types)
                machine_code = compile_function(_bound(self.function), args)
                store(key, machine_code)
            return link(machine_code, args)
        except Exception:
            # If numba's internals change, its own dispatcher still runs the loop.
            log.debug("%s is left to numba", name, exc_info=True)
            return _dispatcher(self.function)

    def _on_plain_arrays(self, *args: Any) -> Any:
        """Run the loop on copies of arrays that are not plain, and copy results back."""
        plain = tuple(map(_plain, args))
        result = self(*plain)
        for given, copy in zip(_arrays_of(args), _arrays_of(plain), strict=True):
            if copy is not given and given.flags.writeable:
                given[...] = copy
        return result


def _plain(value: Any) -> Any:
    """Return an argument with plain arrays: contiguous, aligned, in native byte order."""
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    if not isinstance(value, np.ndarray):
        return value
    return np.require(value, value.dtype.newbyteorder("="), ["C", "A"])


def _arrays_of(values: tuple[Any, ...]) -> Iterator[NDArray[Any]]:
    for value in values:
        if isinstance(value, tuple):
            yield from _arrays_of(value)
        elif isinstance(value, np.ndarray):
            yield value


def _bound(function: FunctionType) -> FunctionType:
    """Return a copy of a function whose globals numba understands."""
    names = {
        name: value.resolve() if isinstance(value, (Part, Primitive)) else value
        for name, value in _globals_of(function)
    }
    twin = FunctionType(function.__code__, {**names, "__name__": function.__module__})
    twin.__module__, twin.__qualname__ = function.__module__, function.__qualname__
    return twin


def _dispatcher(function: FunctionType, **options: Any) -> Callable[..., Any]:
    """Return numba's dispatcher of a function, with options of `njit`."""
    from numba import njit

    return cast(Callable[..., Any], njit(nogil=True, **options)(_bound(function)))


def _globals_of(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the globals that a function uses, with their names."""
    for name in function.__code__.co_names:
        if name in function.__globals__:
            yield name, function.__globals__[name]


def _digest_of(function: FunctionType) -> str:
    """Return a checksum of a function's code and of all globals it uses."""
    parts = [_text_of(function.__code__)]
    for name, value in _globals_of(function):
        if isinstance(value, (Part, Primitive)):
            parts.append(f"{name}={_digest_of(value.function)}")
        elif isinstance(value, np.ndarray):
            parts.append(f"{name}={value.dtype.str}{value.tobytes()!r}")
        elif isinstance(value, (int, float, np.generic)):
            parts.append(f"{name}={value!r}")
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def _text_of(code: CodeType) -> str:
    """Return the code of a function and its nested functions as text."""
    constants = (_text_of(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts)
    return f"{code.co_code!r}{code.co_names}{code.co_varnames}{code.co_freevars}{list(constants)}"
