"""Opening of files by the HDF5 library: without a lock, and with a small cache."""

from __future__ import annotations

from pathlib import Path

import h5py

_METADATA_BYTES = 1 << 18
"""Size of HDF5's cache of a file's metadata, in bytes: chunks are read once, and in order."""

ASTRAY = (OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError, OverflowError)
"""Errors that h5py raises where an object is of another kind than expected: a group for a dataset,
a scalar for a vector."""


def open_local(path: Path) -> h5py.File:
    """Open a file by the library, without a lock: many file systems have none."""
    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        # This process has it open with a lock (AnnData, backed): open it in the same way.
        if "locking flag" not in str(error):
            raise
        return h5py.File(path, "r")


def limit_metadata(file: h5py.File) -> None:
    """Limit the library's cache of metadata: its default is 32 MiB, which large indices fill."""
    config = file.id.get_mdc_config()
    config.set_initial_size = True
    config.initial_size = config.max_size = _METADATA_BYTES
    config.min_size = _METADATA_BYTES // 2
    file.id.set_mdc_config(config)


def reason_of(error: BaseException) -> str:
    """Return the first line of an error's message, short."""
    lines = str(error).splitlines()
    return lines[0][:120] if lines else type(error).__name__
