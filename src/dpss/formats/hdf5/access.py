"""Opening of local files by the HDF5 library, and its errors."""

from __future__ import annotations

from pathlib import Path

import h5py

_METADATA_BYTES = 1 << 18
"""Size of the library's cache of a file's metadata, in bytes: chunks are read once, in order."""

LIBRARY_ERRORS = (
    OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError, OverflowError,
)  # fmt: skip
"""Errors that h5py raises for damaged metadata, or for a group instead of a dataset."""


def open_local(path: Path) -> h5py.File:
    """Open a file without a lock, which many file systems lack."""
    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        # AnnData, backed, has the file open with a lock in this process.
        if "locking flag" not in str(error):
            raise
        return h5py.File(path, "r")


def limit_metadata(file: h5py.File) -> None:
    """Limit the library's cache of metadata; large indices fill its 32 MiB."""
    config = file.id.get_mdc_config()
    config.set_initial_size = True
    config.initial_size = config.max_size = _METADATA_BYTES
    config.min_size = _METADATA_BYTES // 2
    file.id.set_mdc_config(config)
