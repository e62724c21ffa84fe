"""Which reader knows which bytes: formats are recognised by content, not by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dpss.errors import CorruptMatrixError, DpssError, UnknownFormatError
from dpss.formats import Matrix, mtx, r_objects, text, zarr
from dpss.formats.dense_hdf5 import is_plain, open_plain
from dpss.formats.h5ad import is_h5ad, is_h5mu, open_h5ad, open_h5mu
from dpss.formats.hdf5 import Hdf5File, is_hdf5
from dpss.formats.hdf5_strings import check_heaps_of_attributes
from dpss.formats.loom import is_loom, open_loom
from dpss.formats.means import Means
from dpss.formats.tenx_h5 import is_tenx_h5, open_tenx_h5
from dpss.stores import Blob, Tree

HEAD_BYTES = 1 << 12
"""How much of a file is looked at to recognise it."""

Source = Blob | Tree


@dataclass(frozen=True)
class Hdf5Format:
    """A layout within HDF5."""

    recognises: Callable[[Hdf5File], bool]
    open: Callable[[Blob, Hdf5File], tuple[Matrix, ...]]


@dataclass(frozen=True)
class Format:
    """A format that is no HDF5: of a file, a folder or an archive."""

    recognises: Callable[[Source], bool]
    open: Callable[[Source, Means], tuple[Matrix, ...]]
    """Opens a source, with what it may use."""


HDF5_FORMATS = (
    Hdf5Format(is_tenx_h5, open_tenx_h5),
    Hdf5Format(is_h5ad, lambda blob, file: (open_h5ad(blob, file),)),
    Hdf5Format(is_loom, lambda blob, file: (open_loom(blob, file),)),
    Hdf5Format(is_h5mu, open_h5mu),
    Hdf5Format(is_plain, lambda blob, file: (open_plain(blob, file),)),
)

FORMATS = (
    # First, as a hierarchy has thousands of small files, and names say what they are.
    Format(zarr.sniff, lambda source, means: zarr.open_(source)),
    Format(mtx.sniff, lambda source, means: mtx.open_(source, means.threads)),
    Format(
        r_objects.sniff,
        lambda source, means: r_objects.open_(source, memory_bytes=means.memory_bytes),
    ),
    # Last, as any text could be a table.
    Format(text.sniff, lambda source, means: text.open_(source, means.threads, means.orientation)),
)


def open_matrices(source: Source, means: Means | None = None) -> tuple[Matrix, ...]:
    """Open what is of one format; `dpss.formats.finding.each_matrix` opens whatever there is.

    Args:
        source: A file or object, or a folder or zip archive that is a matrix.
        means: What opening may use.

    Returns:
        At least one matrix.

    Raises:
        UnknownFormatError: No reader knows these bytes.
        CorruptMatrixError: The file is damaged or contradicts itself.
        NoMatrixError: It is whole, but there is no matrix in it.
    """
    if isinstance(source, Blob):
        head = source.read_range(0, HEAD_BYTES)
        if not head:
            raise CorruptMatrixError(f"{source.url}: the file is empty")
        if is_hdf5(head):
            return _open_hdf5(source)
    for known in FORMATS:
        if known.recognises(source):
            return known.open(source, means or Means())
    raise UnknownFormatError(f"{source.url}: not a matrix in a format that this program reads")


def _open_hdf5(blob: Blob) -> tuple[Matrix, ...]:
    file = Hdf5File(blob)
    check_heaps_of_attributes(file)
    for layout in HDF5_FORMATS:
        try:
            known = layout.recognises(file)
        except DpssError:
            raise
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            raise CorruptMatrixError(f"{blob.url}: the HDF5 file is damaged ({error})") from error
        if known:
            return layout.open(blob, file)
    raise UnknownFormatError(
        f"{blob.url}: an HDF5 file, but neither AnnData nor Cell Ranger wrote it"
    )
