"""The context of log lines: ids of the run, project and matrix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_context: ContextVar[Mapping[str, str]] = ContextVar("context", default=MappingProxyType({}))


@contextmanager
def context(**ids: str) -> Iterator[None]:
    """Add ids (``run``, ``project``, ``matrix``) to each log line of a ``with`` block."""
    token = _context.set(MappingProxyType({**_context.get(), **ids}))
    try:
        yield
    finally:
        _context.reset(token)


def current() -> Mapping[str, str]:
    """Return the ids that are set."""
    return _context.get()
