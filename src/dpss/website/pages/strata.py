"""Strata of a matrix side by side: the rows of a table, each with its strips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dpss.website.strips import MEASURES, Strip, draw_strips


@dataclass(frozen=True)
class StratumRow:
    """The row of one stratum."""

    name: str
    n_cells: int
    """Number of kept cells."""
    pct_cells: float | None
    """Percentage of the kept cells; ``None`` where none are kept."""
    medians: Mapping[str, float | None]
    """Medians by the keys of `dpss.website.strips.MEASURES`."""
    strips: Mapping[str, Strip]
    """Strips by the same keys."""

    @property
    def sort_values(self) -> list[str | float | None]:
        """The values that the columns are sorted by, in their order."""
        return [self.name, self.n_cells, self.pct_cells, *self.medians.values()]


@dataclass(frozen=True)
class StrataView:
    """The table of a matrix's strata."""

    by: str
    """Name of the column of the cells."""
    rows: tuple[StratumRow, ...]


def strata_table(document: Mapping[str, Any]) -> StrataView | None:
    """Return the table of a summary's strata; ``None`` where it has none.

    Args:
        document: Content of ``summary.json``.
    """
    found = document.get("strata")
    if not found:
        return None
    entries = found["strata"]
    n_kept = sum(entry["n_cells_kept"] for entry in entries)
    rows = []
    all_strips = draw_strips([entry["quantiles"] for entry in entries])
    for entry, strips in zip(entries, all_strips, strict=True):
        medians = {name: entry["quantiles"][each] for name, (each, _) in MEASURES.items()}
        marked = {
            name: replace(strip, odd=MEASURES[name][0] in entry["odd"])
            for name, strip in strips.items()
        }
        rows.append(
            StratumRow(
                entry["name"],
                entry["n_cells_kept"],
                100 * entry["n_cells_kept"] / n_kept if n_kept else None,
                {name: each and each["p50"] for name, each in medians.items()},
                marked,
            )
        )
    return StrataView(found["by"], tuple(rows))
