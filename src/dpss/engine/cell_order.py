"""The compiled loops of `dpss.engine.cell_copy`, which sort values by cell.

A record is one value: the cell within its file in the upper 16 bits, the gene in the next 32, and
the value, a whole number, in the lowest 16.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dpss.compute.jit import compiled, part

CELL_SHIFT, GENE_SHIFT = 48, 16
"""Places of cell and gene in a record."""


@part(inline="always")
def is_short(value: Any) -> Any:
    """Return whether a value fits into a record."""
    return 1.0 <= value <= 65_535.0 and value == np.floor(value)


@compiled
def count_values(
    cells: Any, values: Any, width: int, n_together: int, n_records: Any, n_others: Any, counts: Any
) -> None:
    """Count the values that are not zero, per file and per group of consecutive cells.

    Args:
        cells: ``int64``, shape ``(n_values,)``.
        values: ``float64``, of the same shape.
        width: Cells of a file.
        n_together: Cells of a group.
        n_records: ``int64``, shape ``(n_files,)``; added to: values that fit into a record.
        n_others: ``int64``, of the same shape; added to: the others.
        counts: ``int64``, shape ``(n_groups,)``; added to.
    """
    for i in range(len(cells)):
        value = values[i]
        if value != 0.0:
            file = np.uint64(cells[i] // width)
            if is_short(value):
                n_records[file] += 1
            else:
                n_others[file] += 1
            counts[np.uint64(cells[i] // n_together)] += 1


@compiled
def split_values(  # noqa: PLR0913
    cells: Any, genes: Any, values: Any, width: int,
    record_ends: Any, other_ends: Any, records: Any, other_keys: Any, other_values: Any,
) -> None:  # fmt: skip
    """Sort values by file.

    Args:
        cells: ``int64``, shape ``(n_values,)``.
        genes: ``int64``, of the same shape.
        values: ``float64``, of the same shape; zeros are left out.
        width: Cells of a file.
        record_ends: ``int64``, shape ``(n_files,)``: where each file's records begin; in the end,
            where they end.
        other_ends: The same of the values that do not fit into a record.
        records: ``uint64``, filled.
        other_keys: ``uint64``, filled: records without a value.
        other_values: ``float64``, filled.
    """
    for i in range(len(cells)):
        value = values[i]
        if value != 0.0:
            file = np.uint64(cells[i] // width)
            within = cells[i] - np.int64(file) * width
            key = (within << CELL_SHIFT) | (genes[i] << GENE_SHIFT)
            if is_short(value):
                at = np.uint64(record_ends[file])
                records[at] = np.uint64(key | np.int64(value))
                record_ends[file] += 1
            else:
                at = np.uint64(other_ends[file])
                other_keys[at] = np.uint64(key)
                other_values[at] = value
                other_ends[file] += 1


@compiled
def sort_records(
    records: Any, first: int, gene_ends: Any, bounds: Any, work: Any, genes: Any, values: Any
) -> None:
    """Sort records by cell and gene, by counting: first by gene, then by cell.

    Args:
        records: ``uint64``, shape ``(n,)``.
        first: Number of the first cell within its file.
        gene_ends: ``int64``, shape ``(n_genes + 2,)``, zeros; memory to work in.
        bounds: ``int64``, shape ``(n_cells + 2,)``, zeros; in the end, where each cell begins.
        work: ``uint64``, shape ``(n,)``; memory to work in.
        genes: ``int32``, shape ``(n,)``, filled.
        values: ``float32``, of the same shape, filled.
    """
    gene_bits, low_bits = np.uint64(0xFFFFFFFF), np.uint64(0xFFFF)
    gene_shift, cell_shift = np.uint64(GENE_SHIFT), np.uint64(CELL_SHIFT)
    two, one = np.uint64(2), np.uint64(1)
    start = np.uint64(first)
    for i in range(len(records)):
        gene_ends[((records[i] >> gene_shift) & gene_bits) + two] += 1
        bounds[(records[i] >> cell_shift) - start + two] += 1
    for k in range(2, len(gene_ends)):
        gene_ends[k] += gene_ends[k - 1]
    for k in range(2, len(bounds)):
        bounds[k] += bounds[k - 1]
    for i in range(len(records)):
        at = ((records[i] >> gene_shift) & gene_bits) + one
        work[np.uint64(gene_ends[at])] = records[i]
        gene_ends[at] += 1
    for i in range(len(records)):
        record = work[i]
        at = (record >> cell_shift) - start + one
        place = np.uint64(bounds[at])
        genes[place] = np.int32((record >> gene_shift) & gene_bits)
        values[place] = np.float32(record & low_bits)
        bounds[at] += 1
