"""Damage to what an HDF5 file says, not to its bytes: types, shapes, links, attributes."""

from __future__ import annotations

import io
from contextlib import suppress
from random import Random
from typing import Any

import h5py
import numpy as np

HUGE = (0, 1, 7, 1 << 20, 1 << 31, 1 << 40, 1 << 62)
TYPES = ("i1", "u1", "i4", "u8", "i8", "f2", "f4", "f8", ">f4", ">i8", "?", "S3", "c8")
WORDS = ("", "csr_matrix", "csc_matrix", "array", "dataframe", "categorical", "dict", "x" * 999)


def damage_hdf5(rng: Random, data: bytes) -> bytes:
    """Change a few things of a file through the library."""
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as file:
        for _ in range(rng.choice((1, 1, 2, 3))):
            paths: list[str] = []
            file.visit(paths.append)
            if paths:
                # What the library itself refuses is no damage.
                with suppress(
                    OSError, ValueError, TypeError, KeyError, IndexError, RuntimeError, MemoryError
                ):
                    _damage_one(rng, file, rng.choice(paths), paths)
    return buffer.getvalue()


def _damage_one(rng: Random, file: h5py.File, path: str, paths: list[str]) -> None:
    match rng.randrange(9):
        case 0:
            del file[path]
        case 1:
            other = rng.choice(paths)
            file.move(path, "swap")
            if other in file:
                file.move(other, path)
            file.move("swap", other)
        case 2:
            _damage_attribute(rng, file[path])
        case 3:
            _link(rng, file, path)
        case 4:
            _declare(rng, file, path)
        case _:
            if isinstance(file[path], h5py.Dataset):
                _rewrite(rng, file, path)
            else:
                _damage_attribute(rng, file[path])


def _damage_attribute(rng: Random, node: Any) -> None:
    names = list(node.attrs) or ["encoding-type"]
    name = rng.choice([*names, "shape", "_index", "encoding-type"])
    values: list[Any] = [
        rng.choice(WORDS), rng.choice(HUGE), -1, 1.5, b"\xff\xfe", np.arange(3), h5py.Empty("f"),
        np.array([rng.choice(HUGE), rng.choice(HUGE)]), [b"a", b"b"], np.nan,
    ]  # fmt: skip
    if rng.randrange(4) == 0 and name in node.attrs:
        del node.attrs[name]
    else:
        node.attrs[name] = rng.choice(values)


def _link(rng: Random, file: h5py.File, path: str) -> None:
    """Let a path lead elsewhere: out of the file, to itself, to nothing."""
    links: list[Any] = [
        h5py.SoftLink("/nowhere"), h5py.SoftLink(f"/{path}"), h5py.SoftLink("/"),
        h5py.ExternalLink("/etc/passwd", "/"), h5py.ExternalLink("other.h5", "/X"),
        h5py.ExternalLink("/dev/zero", "/X"),
    ]  # fmt: skip
    del file[path]
    file[path] = rng.choice(links)


def _declare(rng: Random, file: h5py.File, path: str) -> None:
    """Declare a shape that nothing stands behind, or bytes that lie in another file."""
    shape = tuple(rng.choice(HUGE) for _ in range(rng.choice((1, 1, 2, 2, 3))))
    del file[path]
    if rng.randrange(4) == 0:
        file.create_dataset(path, (64,), "u1", external=[("/etc/passwd", 0, 64)])
        return
    chunks = tuple(max(1, min(side, rng.choice((1, 100, 1 << 12)))) for side in shape)
    options: dict[str, Any] = {"chunks": chunks, "maxshape": tuple(None for _ in shape)}
    file.create_dataset(path, shape, rng.choice(TYPES), **options)


def _rewrite(rng: Random, file: h5py.File, path: str) -> None:
    """Store a dataset again: of another type, length, order, or with other numbers."""
    values = file[path][()]
    del file[path]
    match rng.randrange(8):
        case 0:
            file[path] = np.asarray(values).astype(rng.choice(TYPES))
        case 1:
            file[path] = np.asarray(values)[: rng.randrange(4)]
        case 2:
            file[path] = np.concatenate([values, values])
        case 3:
            file[path] = np.asarray(values)[::-1]
        case 4:
            file[path] = np.asarray(values).reshape(rng.choice(((-1, 1), (1, -1), (-1,))))
        case 5:
            file[path] = h5py.Empty(rng.choice(TYPES))
        case 6:
            file.create_dataset(
                path, data=values, chunks=True, compression=rng.choice(("gzip", "lzf")),
                fletcher32=rng.random() < 0.3, scaleoffset=rng.choice((None, None, 2)),
            )  # fmt: skip
        case _:
            changed = np.array(values)
            flat = changed.reshape(-1)
            if flat.size and flat.dtype.kind in "iuf":
                wrong = (-1, 1 << 20, 127) if flat.dtype.kind != "f" else (np.nan, -1, 1e30, np.inf)
                for _ in range(rng.choice((1, 1, flat.size))):
                    flat[rng.randrange(flat.size)] = np.array(rng.choice(wrong)).astype(flat.dtype)
            file[path] = changed
