"""The stratum of each cell: from a column, a table or the barcodes' suffixes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpss.engine.barcode_tables import BarcodeTableFile, BarcodeValues, read_barcode_values
from dpss.engine.cell_labels import order_by_frequency
from dpss.engine.settings import StatSettings
from dpss.errors import ColumnError, NoStrataError, agreeing, plural
from dpss.formats.base import CellTable, Layer, Matrix
from dpss.formats.faults import reader_faults
from dpss.stats.strata import Stratification, StratumKind, most_strata

BARCODE_SUFFIX = "barcode_suffix"
"""Value of ``--by`` for strata by the suffix that Cell Ranger's aggr adds to barcodes (``-1``)."""
MAX_VALUES = 4_000
"""Most distinct values of a column; one with more is taken for a list of names."""
OTHER, MISSING = "(other)", "(missing)"
"""Names of the strata of all rare values together, and of cells without a value."""
_SHOWN = 40


@dataclass(frozen=True)
class CellStrata:
    """The stratum of each cell of a matrix, and notes on the assignment."""

    by: str
    """Name of the column."""
    stratification: Stratification
    n_values: int
    """Number of distinct values, including those without their own stratum."""
    notes: tuple[tuple[str, str, str], ...] = ()
    """Notes for the checks: name, status and sentence."""


def stratify(
    matrix: Matrix, layer: Layer, by: str | None, by_file: BarcodeTableFile | None
) -> CellStrata | None:
    """Return the stratum of each cell; ``None`` if no strata are requested.

    Args:
        matrix: The matrix.
        layer: The layer that is read.
        by: Name of a column, or `BARCODE_SUFFIX`.
        by_file: A table of barcodes and values, instead of ``by``.

    Raises:
        NoStrataError: The cells can't be grouped; the message gives the reason and the columns.
    """
    if by is None and by_file is None:
        return None
    option = f"--by {by}" if by_file is None else f"--by-file {by_file.path}"
    if layer.n_cells is None:
        raise NoStrataError(
            f"{option}: this {matrix.format} tells its cells only while it is read, so that they "
            "can't be put into strata first; convert it to h5ad"
        )
    if matrix.cells is None:
        raise NoStrataError(
            f"{option}: no names or columns of the cells are read of {matrix.format}"
        )
    with reader_faults(layer.name):
        try:
            if by_file is not None:
                return _by_file(matrix.cells, by_file, option, layer)
            if by == BARCODE_SUFFIX:
                return _gather(by, _suffixes(matrix.cells.names(), option), option, layer)
            columns = matrix.cells.columns()
            if by not in columns:
                raise NoStrataError(f"{option}: {_describe_columns(columns)}")
            return _gather(str(by), matrix.cells.labels(str(by)), option, layer)
        except ColumnError as error:
            raise NoStrataError(f"{option}: {error}") from error


def stratify_or_warn(
    matrix: Matrix, layer: Layer, stats: StatSettings
) -> tuple[CellStrata | None, tuple[tuple[str, str, str], ...]]:
    """Return the stratum of each cell by the settings, and checks.

    Where strata are not needed, those that can't be had are left out with a warning. A check is
    its name, status and sentence.

    Raises:
        NoStrataError: The cells can't be grouped, and strata are needed.
    """
    try:
        found = stratify(matrix, layer, stats.by, stats.by_file)
    except NoStrataError as error:
        if stats.needs_strata:
            raise
        return None, (("strata", "warn", f"Strata are left out. {error}."),)
    return found, () if found is None else found.notes


def _describe_columns(columns: Sequence[str]) -> str:
    if not columns:
        return (
            "there is no such column, as the file says nothing of its cells but their names; "
            f"--by-file takes a table barcode,value, and --by {BARCODE_SUFFIX} their suffixes"
        )
    more = f", and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else ""
    return f"there is no such column; there is: {', '.join(columns[:_SHOWN])}{more}"


def _suffixes(names: Iterable[NDArray[Any]], option: str) -> Iterator[NDArray[Any]]:
    """Yield the number after the last hyphen of each name; ``None`` for none."""
    any_found = False
    for part in names:
        found = np.empty(len(part), dtype=object)
        ends = [(name or "").rpartition("-") for name in part.tolist()]
        found[:] = [end if start and end.isdigit() else None for start, _, end in ends]
        any_found = any_found or any(end is not None for end in found.tolist())
        yield found
    if not any_found:
        raise NoStrataError(f"{option}: no barcode ends in a hyphen and a number, as AAAC-1 does")


def _by_file(cells: CellTable, file: BarcodeTableFile, option: str, layer: Layer) -> CellStrata:
    values = read_barcode_values(file)
    lookup = _Lookup(values)
    found = _gather(values.title, lookup.labels(cells.names()), option, layer)
    if not lookup.n_matched:
        n_barcodes = plural(values.n, "barcode")
        raise NoStrataError(
            f"{option}: none of its {n_barcodes}, such as {values.example}, is one of the "
            f"matrix, such as {lookup.example}"
        )
    n_cells, n_unused = layer.n_cells or 0, values.n - lookup.n_matched
    n_without = n_cells - lookup.n_found
    status = "warn" if n_unused or n_without else "pass"
    sentence = (
        f"{lookup.n_found:,} of {plural(n_cells, 'cell')} {agreeing(lookup.n_found, 'is')} in the "
        f"table of --by-file; {n_without:,} {agreeing(n_without, 'is')} not, and {n_unused:,} of "
        f"its {plural(values.n, 'barcode')} {agreeing(n_unused, 'is')} none of the matrix."
    )
    return replace(found, notes=(("strata", status, sentence), *found.notes))


class _Lookup:
    """Look-up of cells' values by their names, which counts the barcodes found."""

    def __init__(self, values: BarcodeValues) -> None:
        self._values = values
        self._seen = np.zeros(values.n, dtype=bool)
        self.n_found = 0
        self.example = ""

    @property
    def n_matched(self) -> int:
        """Number of the table's barcodes that a cell has."""
        return int(self._seen.sum())

    def labels(self, names: Iterable[NDArray[Any]]) -> Iterator[NDArray[Any]]:
        """Yield the value of each cell."""
        for part in names:
            self.example = self.example or str(next(iter(part), ""))
            indices = self._values.indices_of(part)
            known = indices >= 0
            self._seen[indices[known]] = True
            self.n_found += int(known.sum())
            found = self._values.labels[self._values.codes[indices]]
            found[~known] = None
            yield found


def _gather(by: str, parts: Iterable[NDArray[Any]], option: str, layer: Layer) -> CellStrata:
    """Assign the most frequent values of a column to strata."""
    numbers: dict[str | None, int] = {None: 0}
    found: list[NDArray[np.uint16]] = []
    n = 0
    for part in parts:
        codes = [numbers.setdefault(value, len(numbers)) for value in part.tolist()]
        n += len(codes)
        if len(numbers) - 1 > MAX_VALUES:
            raise NoStrataError(
                f"{option}: more than {MAX_VALUES:,} distinct values among the first "
                f"{plural(n, 'cell')}; a column that names single cells (barcodes), or "
                "measures them, makes no strata"
            )
        found.append(np.array(codes, dtype=np.uint16))
    codes_of = np.concatenate([np.empty(0, np.uint16), *found])
    if len(codes_of) != layer.n_cells:
        raise NoStrataError(
            f"{option}: it has {plural(len(codes_of), 'value')} "
            f"for {plural(layer.n_cells or 0, 'cell')}"
        )
    sizes = np.bincount(codes_of, minlength=len(numbers))
    order = order_by_frequency(numbers, sizes)
    kept = order[: most_strata(len(layer.genes))]
    rest = order[len(kept) :]
    names, kinds = [*kept], [StratumKind.VALUE] * len(kept)
    table = np.zeros(len(numbers), dtype=np.uint8)
    table[[numbers[value] for value in kept]] = np.arange(len(kept))
    if rest:
        table[[numbers[value] for value in rest]] = len(names)
        names, kinds = [*names, OTHER], [*kinds, StratumKind.OTHER]
    if sizes[0]:
        table[0] = len(names)
        names, kinds = [*names, MISSING], [*kinds, StratumKind.MISSING]
    stratification = Stratification(tuple(_unique(names, kinds)), tuple(kinds), table[codes_of])
    return CellStrata(by, stratification, len(order))


def _unique(names: Sequence[str], kinds: Sequence[StratumKind]) -> list[str]:
    """Return names of strata; rename a value that has the name of a special stratum."""
    special = {name for name, kind in zip(names, kinds, strict=True) if kind != StratumKind.VALUE}
    return [
        f"value {name}" if kind is StratumKind.VALUE and name in special else name
        for name, kind in zip(names, kinds, strict=True)
    ]
