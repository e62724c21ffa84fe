"""Columns of a project's table of matrices: values of the catalogue that vary."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dpss.website.records import ORGAN, SPECIES, TECHNOLOGY

MAX_COLUMNS = 3
"""Most columns of the table."""
_NAME = "title"
"""The dimension that names a matrix, which is no column."""
_FIRST = ("group", *TECHNOLOGY, *ORGAN, *SPECIES)
"""Dimensions that come first, in lower case without other characters than letters and digits."""

Terms = Mapping[str, tuple[str, ...]]
"""Values that a catalogue states of a matrix, by dimension."""


@dataclass(frozen=True)
class CatalogueColumns:
    """Dimensions of a catalogue that vary between the matrices of a project."""

    titles: tuple[str, ...]
    values: tuple[tuple[tuple[str, ...], ...], ...]
    """For each matrix and title, the values; empty where the catalogue states none."""

    def order(self) -> list[int]:
        """Return the places of the matrices, those with equal values one after the other."""
        return sorted(range(len(self.values)), key=lambda i: [_as_key(v) for v in self.values[i]])

    def sort_values(self, place: int) -> list[str]:
        """Return a matrix's values as texts that a column is sorted by."""
        return [", ".join(each) for each in self.values[place]]


def catalogue_columns(matrices: Sequence[Terms]) -> CatalogueColumns:
    """Return at most three columns; group, technology and organ come first.

    Args:
        matrices: Values that the catalogue states of each matrix.
    """
    names = {name for terms in matrices for name in terms}
    varying = [
        name
        for name in sorted(names, key=lambda name: (_rank(name), name))
        if _plain(name) != _NAME and len({frozenset(terms.get(name, ())) for terms in matrices}) > 1
    ][:MAX_COLUMNS]
    return CatalogueColumns(
        tuple(map(title_of, varying)),
        tuple(tuple(tuple(terms.get(name, ())) for name in varying) for terms in matrices),
    )


def title_of(name: str) -> str:
    """Return the name of a dimension as words.

    >>> title_of("libraryConstructionApproach"), title_of("development_stage"), title_of("organ")
    ('Library construction approach', 'Development stage', 'Organ')
    """
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name.replace("_", " ")).split()
    return " ".join(words).lower().capitalize() if words else name


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


def _rank(name: str) -> int:
    plain = _plain(name)
    return _FIRST.index(plain) if plain in _FIRST else len(_FIRST)


def _as_key(values: Sequence[str]) -> tuple[bool, list[str]]:
    return not values, [value.casefold() for value in values]
