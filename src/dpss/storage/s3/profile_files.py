"""Explanations why AWS's files in ``~/.aws`` can't be read, mostly in a container.

botocore treats an unreadable file as a missing one, so that a private folder of another user, or a
folder mounted elsewhere, leads to "profile not found". The functions here find the cause.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

_FILES = {"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"}
"""Name of each file in ``~/.aws``, by the variable that sets another path."""
_MOUNTS = Path("/proc/self/mountinfo")


def explain_files(environ: Mapping[str, str], mounts: Path = _MOUNTS) -> str | None:
    """Return why AWS's files can't be read, in one line; ``None`` if they can.

    ``environ`` are AWS's variables with ``HOME``; ``mounts`` is the system's list of mounts.
    """
    home = Path(os.path.expanduser("~/.aws"))  # noqa: PTH111 (without a home it stays ~)
    paths = [Path(environ.get(variable) or home / name) for variable, name in _FILES.items()]
    refused = [path for path in paths if _is_refused(path)]
    if refused:
        return _explain_refusal(refused[0])
    if any(map(os.path.exists, paths)):
        return None
    elsewhere = [path for path in _mounted(mounts) if path.name == ".aws" and not _same(path, home)]
    if elsewhere:
        return f"~/.aws is {home} here, but {elsewhere[0]} is mounted: mount it to {home}"
    return None


def _is_refused(path: Path) -> bool:
    """Return whether a file, or the way to it, may not be read."""
    try:
        path.open("rb").close()
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _explain_refusal(path: Path) -> str:
    """Return which user can't read which file, and as which user to run."""
    if not hasattr(os, "geteuid"):  # Windows has no numeric rights.
        return f"this user may not read {path}"
    # The outermost unreadable folder; its owner can be read from its parent folder.
    folders = (folder for folder in reversed(path.parents) if not os.access(folder, os.X_OK))
    closed = next(folders, path)
    words = f"user {os.geteuid()} may not read {closed}"
    try:
        owner = closed.stat()
    except OSError:
        return words
    words += f", which is of user {owner.st_uid} (mode {owner.st_mode & 0o777:04o})"
    if owner.st_uid == os.geteuid():
        return f"{words}: chmod -R u+rwX {closed}"
    return f"{words}: run as that user, with Docker: --user {owner.st_uid}:{owner.st_gid}"


def _mounted(mounts: Path) -> Iterable[Path]:
    """Yield all mount points."""
    try:
        lines = mounts.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        words = line.split(" ")
        if len(words) > 4:
            yield Path(words[4].replace("\\040", " "))


def _same(path: Path, other: Path) -> bool:
    """Return whether two paths are one place."""
    return os.path.realpath(path) == os.path.realpath(other)
