"""The authors' labels of the cells: choice of the column, code of each cell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpss.errors import ColumnError, plural
from dpss.formats.base import CellTable

MAX_TYPES = 2_000
"""Most distinct values of a column that annotates cells."""
MAX_NAME = 200
"""Most characters of a name that is shown."""
MAX_MESSAGE = 600
"""Most characters of a warning."""
_ORDER = (
    r"cell_?type",
    r"author_cell_?type",
    r".*cell[-_. ]?(type|class|label|identity|state).*",
    r"(.*[-_. ])?(annotations?|subclass|class|bulk_labels|labels?)([-_. ].*)?",
    r"clusters?([-_. ]?names?)?",
    r"seurat_clusters",
    r"louvain",
    r"leiden",
    r".*(cluster|louvain|leiden).*",
)
"""Names of columns of labels, the best first: the CELLxGENE schema's, then others that occur."""
_OTHERS = re.compile(
    r".*(ontology_term_id|score|prob|conf|colou?r|size|count|order|umap|tsne|doublet)s?([-_. ].*)?",
    re.IGNORECASE,
)
_MAPS = (r".*umap.*", r".*t-?sne.*", r".*phate.*", r".*draw_graph.*|.*force.*|.*fdl.*|.*fr")
_NO_MAPS = re.compile(r".*(spatial|coord|position|pca|lsi|latent|scvi|harmony|velocity).*", re.I)


@dataclass(frozen=True)
class CellLabels:
    """Labels of the cells of a matrix."""

    names: tuple[str, ...]
    """Distinct labels, the most frequent first."""
    codes: NDArray[np.int16]
    """Index of each cell's label, -1 without one, shape ``(n_cells,)``."""


def one_line(text: str, most: int = MAX_NAME) -> str:
    """Return a text from a file as one line of at most ``most`` characters.

    Code points that are no characters, or control a terminal, become spaces.

    >>> one_line("T" + chr(10) + "cell")
    'T cell'
    """
    line = "".join(c if c.isprintable() else " " for c in text[:most])
    return line if len(text) <= most else f"{line[:-1]}…"


def rank_columns(columns: Sequence[str]) -> list[str]:
    """Return the columns that may annotate cells, the best first.

    >>> rank_columns(["leiden", "n_counts", "cell_type", "cell_type_ontology_term_id"])
    ['cell_type', 'leiden']
    """
    found = []
    for pattern in _ORDER:
        named = [name for name in columns if re.fullmatch(pattern, name, re.IGNORECASE)]
        found += [each for each in named if not _OTHERS.fullmatch(each)]
    return list(dict.fromkeys(found))


def rank_coordinates(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return coordinates that are maps of cells by name, and those that may be.

    >>> rank_coordinates(["X_pca", "X_tsne", "X_umap", "spatial", "X_shown"])
    (['X_umap', 'X_tsne'], ['X_shown'])
    """
    maps = [
        name for pattern in _MAPS for name in names if re.fullmatch(pattern, name, re.IGNORECASE)
    ]
    others = [name for name in names if name not in maps and not _NO_MAPS.fullmatch(name)]
    return list(dict.fromkeys(maps)), others


def read_labels(cells: CellTable, column: str, n_cells: int) -> CellLabels:
    """Read the labels of all cells, a part at a time.

    Args:
        cells: The table of the cells.
        column: A column of it.
        n_cells: Number of cells of the matrix.

    Raises:
        ColumnError: The column can't be read, or does not hold labels.
    """
    numbers: dict[str | None, int] = {None: 0}
    parts: list[NDArray[np.int16]] = []
    for part in cells.labels(column):
        codes = [numbers.setdefault(value, len(numbers)) for value in part.tolist()]
        if len(numbers) - 1 > MAX_TYPES:
            raise ColumnError(f"it has more than {MAX_TYPES:,} distinct values")
        parts.append(np.array(codes, dtype=np.int16))
    found = np.concatenate([np.empty(0, dtype=np.int16), *parts])
    if len(found) != n_cells:
        raise ColumnError(f"it has {plural(len(found), 'value')} for {plural(n_cells, 'cell')}")
    if len(numbers) == 1:
        raise ColumnError("all of its values are missing")
    sizes = np.bincount(found, minlength=len(numbers))
    order = order_by_frequency(numbers, sizes)
    table = np.full(len(numbers), -1, dtype=np.int16)
    table[[numbers[value] for value in order]] = np.arange(len(order))
    return CellLabels(tuple(order), table[found])


def order_by_frequency(numbers: Mapping[str | None, int], sizes: NDArray[np.int64]) -> list[str]:
    """Return values, the most frequent first; ties of numbers are sorted by value.

    Args:
        numbers: Number of each value; ``None`` is left out.
        sizes: Frequency of each value, by its number.
    """

    def key(value: str) -> tuple[int, int, str]:
        return -int(sizes[numbers[value]]), len(value) if value.isdigit() else 0, value

    return sorted((value for value in numbers if value is not None), key=key)
