"""Notes about faults in names of cells: warnings, as no number depends on them."""

from __future__ import annotations

from dpss.errors import plural
from dpss.formats.annotation.gene_table import Note

_NAME = "cell_names"


def note_cell_names(where: str, n_names: int | None, n_cells: int) -> tuple[Note, ...]:
    """Return a warning if the number of names is not the number of cells.

    Args:
        where: The table or vector of names, as a path in the file.
        n_names: Number of its entries; ``None`` if not known.
        n_cells: Number of cells of the matrix.

    Returns:
        At most one note.
    """
    if n_names == n_cells:
        return ()
    if n_names is None:
        return note_unreadable_cells(where, "it has no column of one value for each cell")
    return (
        (
            _NAME,
            "warn",
            f"{where} has {plural(n_names, 'name')} for {plural(n_cells, 'cell')}: "
            "the names are not used.",
        ),
    )


def note_unreadable_cells(
    where: str, reason: BaseException | str, url: str = ""
) -> tuple[Note, ...]:
    """Return a warning that the names of the cells can't be read.

    Args:
        where: The table or vector of names, as a path in the file.
        reason: The error, or a description of the fault.
        url: The file's address, which is left out of the reason.
    """
    shown = str(reason).removeprefix(f"{url}: ")
    return ((_NAME, "warn", f"{where}: the names of the cells can't be read ({shown})."),)


def note_missing_cells(where: str) -> tuple[Note, ...]:
    """Return a warning that the file has no names of cells."""
    return ((_NAME, "warn", f"The file has no {where}: its cells go by their number."),)
