"""Memory and processor limits that Linux control groups set on this process.

A limit of any level holds for everything below it, so that all levels are read, from the
process's own group up to the mounted root. Versions 1 and 2 may be mounted side by side.
Source: the kernel's manual, "Control Groups" and "Control Group v2".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_ROOT = Path("/")


def memory_limit(root: Path = _ROOT) -> int | None:
    """Return the smallest memory limit of all levels, in bytes.

    Args:
        root: The directory that holds ``proc`` and ``sys``.

    Returns:
        ``None`` where no level has a limit. Version 1 writes a limit of nearly 2**63
        bytes where there is none; it is returned as it stands.
    """
    found: list[int | None] = []
    for folder, unified in _levels("memory", root):
        if unified:
            found.append(_number(_first_line(folder / "memory.max")))
        else:
            # Levels above the mounted root are not in the tree; the statistics include them.
            found.append(_number(_first_line(folder / "memory.limit_in_bytes")))
            found.append(_hierarchical_limit(folder))
    return min((limit for limit in found if limit is not None), default=None)


def cpu_limit(root: Path = _ROOT) -> float | None:
    """Return the smallest limit of processor time of all levels, in processors.

    Args:
        root: The directory that holds ``proc`` and ``sys``.

    Returns:
        ``None`` where no level has a limit.
    """
    found = (_cpu_ratio(folder, unified=unified) for folder, unified in _levels("cpu", root))
    return min((limit for limit in found if limit is not None), default=None)


def _levels(controller: str, root: Path) -> Iterator[tuple[Path, bool]]:
    """Yield the group's directory and all above it, and whether they are of version 2."""
    for line in _lines(root / "proc/self/cgroup"):
        number, _, rest = line.partition(":")
        names, _, group = rest.partition(":")
        unified = number == "0" and not names
        if not unified and controller not in names.split(","):
            continue
        for mount, mounted in _mounts(controller, root, unified=unified):
            for level in _up(group, mounted):
                yield root / mount.lstrip("/") / level, unified


def _mounts(controller: str, root: Path, *, unified: bool) -> Iterator[tuple[str, str]]:
    """Yield the mount point of a hierarchy, and the path of the group mounted there."""
    found = False
    for line in _lines(root / "proc/self/mountinfo"):
        before, _, rest = line.partition(" - ")
        fields, (kind, _, options) = before.split(" "), rest.partition(" ")
        of_controller = kind == "cgroup" and controller in options.split(" ")[-1].split(",")
        if len(fields) > 4 and ((kind == "cgroup2") if unified else of_controller):
            found = True
            yield fields[4], fields[3]
    if not found:
        yield ("/sys/fs/cgroup" if unified else f"/sys/fs/cgroup/{controller}"), "/"


def _up(group: str, mounted: str) -> Iterator[PurePosixPath]:
    """Yield a group's path below the mounted one, and every path above it."""
    path = PurePosixPath(group)
    # A group outside the mounted part is shown with "..", or with the host's path.
    inside = path.is_relative_to(mounted) and ".." not in path.parts
    below = path.relative_to(mounted) if inside else PurePosixPath()
    yield from (below, *below.parents)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _first_line(path: Path) -> str:
    return "".join(_lines(path)[:1]).strip()


def _number(text: str) -> int | None:
    """Return a number; ``None`` for "max", -1 and an empty text."""
    return int(text) if text.isdecimal() else None


def _hierarchical_limit(folder: Path) -> int | None:
    for line in _lines(folder / "memory.stat"):
        name, _, value = line.partition(" ")
        if name == "hierarchical_memory_limit":
            return _number(value)
    return None


def _cpu_ratio(folder: Path, *, unified: bool) -> float | None:
    """Return the quota over the period, in processors."""
    if unified:
        texts: tuple[str, ...] = _first_line(folder / "cpu.max").partition(" ")[::2]
    else:
        texts = tuple(_first_line(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
    quota, period = map(_number, texts)
    return quota / period if quota is not None and period else None
