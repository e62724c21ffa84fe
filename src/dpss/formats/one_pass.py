"""Recognition, by their first bytes, of files that can be read in one pass."""

from __future__ import annotations

from dpss.errors import MatrixError, NeedsWholeError
from dpss.formats.contents import recognise
from dpss.formats.mtx import reader as mtx
from dpss.formats.registry import Format
from dpss.formats.text.layout import CELLS_BY_GENES, Orientation, look_at, orient
from dpss.storage.base import Blob


def reads_in_one_pass(blob: Blob, orientation: Orientation | None = None) -> bool:
    """Tell whether a file's reader has enough of one reading, after looks at its beginning.

    So it is where cell follows cell: in a table whose lines are cells and in a MatrixMarket
    file sorted by cell. A file of R is read into memory anyway. HDF5 and archives are read
    at many places, and what is gene by gene twice. What is refused is refused at once.

    Args:
        blob: The file.
        orientation: What lines and columns of a table are; ``None`` tells it from their names.
    """
    try:
        kind = recognise(blob)
        if isinstance(kind, Format) and kind.rows:
            return orient(look_at(kind.rows(blob)), orientation).value == CELLS_BY_GENES
        if isinstance(kind, Format) and kind.open_beside:
            (matrix,) = mtx.open_(blob)
            return all(layer.cell_major for layer in matrix.layers)
        return kind is None or (isinstance(kind, Format) and kind.read_whole)
    except NeedsWholeError:
        return False
    except MatrixError:
        # Its reader will say so, too.
        return True
