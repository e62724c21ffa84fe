"""Opening of HDF5 files with the first layout that fits."""

from __future__ import annotations

from itertools import islice

from dpss.errors import NeedsWholeError, UnknownFormatError
from dpss.formats.base import Matrix
from dpss.formats.hdf5.file import Hdf5File, reading
from dpss.formats.hdf5.layouts import LAYOUTS
from dpss.formats.hdf5.signature import begin_of, head_bytes
from dpss.formats.hdf5.strings import check_heaps_of_attributes
from dpss.formats.other_formats import describe_hdf5
from dpss.storage.base import Blob, Tree
from dpss.storage.offset import from_offset

_N_GROUPS = 16
"""Most groups whose attributes are read for a message."""


def open_(source: Blob | Tree) -> tuple[Matrix, ...]:
    """Open an HDF5 file with the first layout that it has.

    Raises:
        NeedsWholeError: The file is compressed, or the source is not a file.
        UnknownFormatError: The file has none of the known layouts.
        CorruptMatrixError: The bytes are damaged.
    """
    begin = begin_of(source.read_range(0, head_bytes())) if isinstance(source, Blob) else None
    if not isinstance(source, Blob) or begin is None:
        raise NeedsWholeError(f"{source.url}: a compressed HDF5 file can't be read in place")
    source = from_offset(source, begin)
    file = Hdf5File(source)
    check_heaps_of_attributes(file)
    for layout in LAYOUTS:
        with reading(file):
            known = layout.functions.recognises(file)
        if known:
            return layout.functions.open(source, file)
    with reading(file):
        what = describe_hdf5(file.h5, _attributes(file))
    raise UnknownFormatError(f"{source.url}: {what}")


def _attributes(file: Hdf5File) -> set[str]:
    """Return the names of the attributes of the root and of the first groups there."""
    found = set(file.h5.attrs)
    for name in islice(file.h5, _N_GROUPS):
        found.update(file.h5[name].attrs)
    return found
