"""Zarr hierarchies in a folder or archive, with their groups and arrays."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from dpss.errors import CorruptMatrixError, OtherFileError
from dpss.formats.zarr.array import ZarrArray
from dpss.formats.zarr.metadata import ArrayMetadata, parse_array
from dpss.storage.base import Blob, Tree
from dpss.storage.local import path_of

METADATA = frozenset((".zgroup", ".zarray", "zarr.json"))
"""Names of the files that make a folder a zarr group or array."""
_CHUNK_NAME = re.compile(r"/(?:c[./])?\d+(?:[./]\d+)*\Z", re.ASCII)
_MAX_JSON_BYTES = 1 << 26
_KEPT_JSON_BYTES = 1 << 12
"""Files of metadata up to this size are kept once they are read."""
_KEPT_FILES = 256
"""Most files of metadata that are kept."""


class ZarrTree:
    """A zarr hierarchy below a folder of a tree; can be pickled."""

    def __init__(self, blob: Tree, root: str = "") -> None:
        """Take a tree and the hierarchy's path in it; nothing is read yet."""
        self.blob = blob
        self._root = root
        self._prefix = f"{root}/" if root else ""
        self._folders: dict[str, str] = {}
        """Resolved path, below which files must lie, of each folder that files name as theirs."""
        self._metadata_files: dict[str, Mapping[str, Any]] = {}
        """Content of the small files of metadata that were read, by path."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle without the listing."""
        return ZarrTree, (self.blob, self._root)

    @property
    def url(self) -> str:
        """The tree's address."""
        return f"{self.blob.url}{'/' if self._root else ''}{self._root}"

    @cached_property
    def _blobs(self) -> Mapping[str, Blob]:
        return self.blob.blobs()

    @cached_property
    def _nodes(self) -> frozenset[str]:
        """Paths of all groups and arrays, that of the root empty."""
        found = set()
        for path in self._blobs:
            folder, _, name = path.rpartition("/")
            if name in METADATA and f"{folder}/".startswith(self._prefix):
                found.add(folder[len(self._prefix) :])
        return frozenset(found)

    @cached_property
    def _sizes(self) -> dict[str, int]:
        """Bytes below each array."""
        sizes: dict[str, int] = {}
        for path, blob in self._blobs.items():
            if path.startswith(self._prefix):
                parts = path[len(self._prefix) :].split("/")[:-1]
                for n in range(len(parts), 0, -1):
                    if "/".join(parts[:n]) in self._nodes:
                        node = "/".join(parts[:n])
                        sizes[node] = sizes.get(node, 0) + (blob.size_bytes or 0)
                        break
        return sizes

    def find(self, path: str) -> Blob | None:
        """Return a blob by its path below the root.

        Raises:
            OtherFileError: The file is a symbolic link that leads out of the folder.
        """
        blob = self._blobs.get(self._prefix + path)
        if (file := path_of(blob)) is not None:
            self._check_inside(file, path)
        return blob

    def _check_inside(self, file: Path, path: str) -> None:
        """Check that a local file lies in the folder of the hierarchy.

        Args:
            file: The file's own path.
            path: Its path below the root, from which the root's folder follows: a tree may be a
                part of another, or of several folders.
        """
        folder = folder_above(str(file), path)
        if folder not in self._folders:
            self._folders[folder] = f"{os.path.realpath(folder)}{os.sep}" if folder else ""
        real = self._folders[folder]
        if real and os.path.realpath(file).startswith(real):
            return
        raise OtherFileError(
            f"{file}: is a link to a file outside of the zarr folder; other files are never "
            "read: copy it into the folder"
        )

    def stored_bytes(self, path: str) -> int | None:
        """Return the size of all files of an array, in bytes."""
        return self._sizes.get(path, 0)

    def __contains__(self, path: str) -> bool:
        """Return whether there is a group or array of this path."""
        return path in self._nodes

    def children(self, path: str) -> list[str]:
        """Return the names of the groups and arrays directly below a group."""
        prefix = f"{path}/" if path else ""
        names = (node[len(prefix) :] for node in self._nodes if node.startswith(prefix))
        return sorted(name for name in names if name and "/" not in name)

    def attributes(self, path: str) -> Mapping[str, Any]:
        """Return the attributes of a group or array."""
        version, meta = self._metadata(path)
        if version == 3:
            found = meta.get("attributes") or {}
        else:
            found = self._json(f"{path}/.zattrs" if path else ".zattrs") or {}
        return found if isinstance(found, Mapping) else {}

    def is_array(self, path: str) -> bool:
        """Return whether there is an array of this path."""
        if path not in self._nodes:
            return False
        version, meta = self._metadata(path)
        return meta.get("node_type") == "array" if version == 3 else "shape" in meta

    def array(self, path: str) -> ZarrArray:
        """Return an array.

        Raises:
            CorruptMatrixError: There is no such array, or its metadata are invalid.
        """
        if not self.is_array(path):
            raise CorruptMatrixError(f"{self.url}: there is no array {path}")
        version, meta = self._metadata(path)
        parsed = parse_array(version, meta, f"{self.url}: {path}")
        self._check_names(path, parsed)
        return ZarrArray(self, path, parsed)

    def _check_names(self, path: str, meta: ArrayMetadata) -> None:
        """Check that an array with chunks has one with a name that its metadata tell.

        Otherwise no chunk would be found, and the array read as fill values. Zarr 2.0 to 2.7 wrote
        chunks in folders without stating it.
        """
        shown = self._chunk_names.get(path)
        if shown is None or meta.is_key(shown):
            return
        prefix = f"{self._prefix}{path}/"
        names = (blob[len(prefix) :] for blob in self._blobs if blob.startswith(prefix))
        if not any(map(meta.is_key, names)):
            first = meta.key((0,) * len(meta.shape))
            raise CorruptMatrixError(
                f"{self.url}: {path} has chunks named like {shown!r}, but its metadata tell of "
                f"names like {first!r}; write it again, or correct dimension_separator"
            )

    @cached_property
    def _chunk_names(self) -> dict[str, str]:
        """Name of one chunk of each array that has chunks, by the array's path."""
        found: dict[str, str] = {}
        for blob in self._blobs:
            below = blob[len(self._prefix) :] if blob.startswith(self._prefix) else ""
            name = _CHUNK_NAME.search(below)
            if name and below[: name.start()] not in found:
                found[below[: name.start()]] = name[0][1:]
        return found

    def _metadata(self, path: str) -> tuple[int, Mapping[str, Any]]:
        """Return the version and the metadata of a node."""
        prefix = f"{path}/" if path else ""
        for name, version in (("zarr.json", 3), (".zarray", 2), (".zgroup", 2)):
            found = self._json(prefix + name)
            if found is not None:
                return version, found
        raise CorruptMatrixError(f"{self.url}: there is no group or array {path!r}")

    def _json(self, path: str) -> Mapping[str, Any] | None:
        """Return the content of a file of metadata; `None` where there is no such file."""
        if path in self._metadata_files:
            return self._metadata_files[path]
        blob = self.find(path)
        if blob is None:
            return None
        with blob.open() as file:
            data = file.read(_MAX_JSON_BYTES + 1)
        try:
            if len(data) > _MAX_JSON_BYTES:
                raise ValueError("it is too large")
            found = json.loads(data)
            if not isinstance(found, dict):
                raise ValueError("it is no object")
        except (ValueError, RecursionError) as error:
            raise CorruptMatrixError(f"{blob.url}: can't be read as JSON ({error})") from error
        if len(data) <= _KEPT_JSON_BYTES and len(self._metadata_files) < _KEPT_FILES:
            self._metadata_files[path] = found
        return found


def folder_above(file: str, path: str, separator: str = os.sep) -> str:
    r"""Return the folder below which a file has a path, with a separator; else empty.

    >>> folder_above("/data/m.zarr/X/0.0", "X/0.0", "/")
    '/data/m.zarr/'

    Args:
        file: The file's own path, with the system's separators.
        path: Its path below the folder, with slashes.
        separator: The system's separator.
    """
    inner = path.replace("/", separator)
    return file[: -len(inner)] if file.endswith(f"{separator}{inner}") else ""
