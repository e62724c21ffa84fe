"""Groups and datasets of an HDF5 file, without links to other files.

HDF5 follows external links to other files, and reads datasets whose values are stored in other
files: external storage and virtual datasets. A downloaded file must not make the program read a
file of the machine. So every object is opened here, link by link, and one that leads to another
file is refused before HDF5 opens that file.
"""

from __future__ import annotations

from typing import Any

import h5py
from h5py import h5d, h5g, h5l, h5o, h5r

from dpss.errors import CorruptMatrixError, OtherFileError

_MAX_SOFT_LINKS = 16
"""Most soft links followed on the way to an object."""
_MAX_SHOWN = 80
"""Most characters of another file's name that a message shows."""


class Hdf5Group(h5py.Group):  # type: ignore[misc]
    """A group whose members are opened only if they are in the same file.

    It has ``[]``, ``get``, ``in``, ``items()`` and ``attrs`` of h5py's own group, but neither
    ``file`` nor ``parent``, which lead to h5py's own groups.
    """

    def __init__(self, bind: h5g.GroupID, url: str) -> None:
        """Wrap an open group; ``url`` is the file's address, for messages."""
        super().__init__(bind)
        self._url = url

    @property
    def file(self) -> Any:
        """Raise `AttributeError`: h5py's file would follow any link."""
        raise AttributeError("use Hdf5File.h5")

    @property
    def parent(self) -> Any:
        """Raise `AttributeError`: h5py's group would follow any link."""
        raise AttributeError("use Hdf5File.h5")

    def __getitem__(self, name: Any) -> Any:
        """Return a group or dataset by its path, or by a reference to it.

        Raises:
            KeyError: There is no such object.
            OtherFileError: A link on the way, or the dataset, leads to another file.
            CorruptMatrixError: The soft links form a circle.
        """
        if isinstance(name, h5r.Reference):
            found = h5r.dereference(name, self.id)
            if found is None:
                raise KeyError("an empty reference")
            return self._wrap(found, "a referenced object")
        return self._wrap(self._find(_encode(name)), _decode(_encode(name)))

    def get(self, name: Any, default: Any = None, **_: Any) -> Any:
        """Return a group or dataset, ``default`` if there is none of that name.

        Raises:
            OtherFileError: A link on the way, or the dataset, leads to another file.
        """
        try:
            return self[name]
        except KeyError:
            return default

    def __contains__(self, name: Any) -> bool:
        """Return whether there is a group or dataset of that path.

        Raises:
            OtherFileError: A link on the way leads to another file.
        """
        try:
            self._find(_encode(name))
        except KeyError:
            return False
        return True

    def _find(self, path: bytes) -> Any:
        """Follow a path link by link; return the object's identifier."""
        at: Any = h5o.open(self.id, b"/") if path.startswith(b"/") else self.id
        parts = [part for part in path.split(b"/") if part not in (b"", b".")]
        n_followed = 0
        while parts:
            part = parts.pop(0)
            if not isinstance(at, h5g.GroupID) or not at.links.exists(part):
                raise KeyError(f"there is no {_decode(path)}")
            kind = at.links.get_info(part).type
            if kind == h5l.TYPE_SOFT:
                n_followed += 1
                if n_followed > _MAX_SOFT_LINKS:
                    raise CorruptMatrixError(
                        f"{self._url}: {_decode(path)} is a soft link that leads in a circle"
                    )
                target = at.links.get_val(part)
                at = h5o.open(at, b"/") if target.startswith(b"/") else at
                parts = [p for p in target.split(b"/") if p not in (b"", b".")] + parts
            elif kind == h5l.TYPE_HARD:
                at = h5o.open(at, part)
            else:
                name = at.links.get_val(part)[0] if kind == h5l.TYPE_EXTERNAL else b""
                raise self._other_file_error(_decode(path), "is a link to", name)
        return at

    def _wrap(self, found: Any, path: str) -> Any:
        """Return h5py's object for an open identifier, a group as `Hdf5Group`."""
        if isinstance(found, h5g.GroupID):
            return Hdf5Group(found, self._url)
        if not isinstance(found, h5d.DatasetID):
            return h5py.Datatype(found)
        # Before its shape is read: HDF5 opens the other files of a virtual dataset to tell it.
        properties = found.get_create_plist()
        if properties.get_layout() == h5d.VIRTUAL:
            name = properties.get_virtual_filename(0) if properties.get_virtual_count() else b""
            raise self._other_file_error(path, "is a virtual dataset over", name)
        if properties.get_external_count():
            name = properties.get_external(0)[0]
            raise self._other_file_error(path, "is stored in", name)
        return h5py.Dataset(found, readonly=True)

    def _other_file_error(self, path: str, how: str, name: str | bytes) -> OtherFileError:
        shown = repr(_decode(name) if isinstance(name, bytes) else name)[:_MAX_SHOWN]
        return OtherFileError(
            f"{self._url}: {path} {how} another file ({shown}); other files are never read: "
            "copy the values into this one"
        )


def _encode(name: Any) -> bytes:
    return name if isinstance(name, bytes) else str(name).encode("utf-8", "surrogateescape")


def _decode(name: bytes) -> str:
    return name.decode("utf-8", "replace")
