"""The groups and datasets of an HDF5 file, none of which leads to another file.

HDF5 follows external links to other files, and reads datasets whose values are stored in other
files: external storage and virtual datasets. A downloaded file must not make the program read a
file of the machine, so every object is opened here, link by link, and refused before HDF5 opens
anything else.
"""

from __future__ import annotations

from collections.abc import Iterator
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

    It is used as h5py's own: by ``[]``, ``get``, ``in``, ``items()`` and ``attrs``. ``file``
    and ``parent`` are not available, because they lead to h5py's own groups.
    """

    def __init__(self, bind: h5g.GroupID, url: str) -> None:
        """Take an open group.

        Args:
            bind: The group.
            url: Address of the file, for messages.
        """
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
                raise self._refusal(_decode(path), "is a link to", _targets(at, part, kind))
        return at

    def _wrap(self, found: Any, path: str) -> Any:
        """Return an object of h5py's for an open identifier."""
        if isinstance(found, h5g.GroupID):
            return Hdf5Group(found, self._url)
        if not isinstance(found, h5d.DatasetID):
            return h5py.Datatype(found)
        # Its shape isn't asked for before: for a virtual dataset, HDF5 opens the other files then.
        properties = found.get_create_plist()
        if properties.get_layout() == h5d.VIRTUAL:
            names = map(properties.get_virtual_filename, range(properties.get_virtual_count()))
            raise self._refusal(path, "is a virtual dataset over", names)
        if properties.get_external_count():
            found_in = iter([properties.get_external(0)[0]])
            raise self._refusal(path, "is stored in", found_in)
        return h5py.Dataset(found, readonly=True)

    def _refusal(self, path: str, how: str, names: Iterator[Any]) -> OtherFileError:
        name = next(names, b"")
        shown = repr(_decode(name) if isinstance(name, bytes) else name)[:_MAX_SHOWN]
        return OtherFileError(
            f"{self._url}: {path} {how} another file ({shown}); other files are never read: "
            "copy the values into this one"
        )


def _targets(group: h5g.GroupID, name: bytes, kind: int) -> Iterator[Any]:
    """Yield the name of the file that a link leads to, if it states one."""
    if kind == h5l.TYPE_EXTERNAL:
        yield group.links.get_val(name)[0]


def _encode(name: Any) -> bytes:
    return name if isinstance(name, bytes) else str(name).encode("utf-8", "surrogateescape")


def _decode(name: bytes) -> str:
    return name.decode("utf-8", "replace")
