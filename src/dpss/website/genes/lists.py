"""The lists of the best genes as rows of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from dpss.summary.numerals import number, percent
from dpss.website.wording import gene_label

BAR = 60
"""Width of a full bar, in pixels."""


@dataclass(frozen=True)
class Row:
    """A row of a list: one gene."""

    label: str
    gene_id: str
    """Id of the gene; empty where the label is the id."""
    query: str
    """The id, percent-encoded for an address."""
    bar: str
    """Width of the gene's bar in pixels; empty for none."""
    cells: tuple[str, ...]
    found: bool
    """Whether the gene is found in a cell."""


@dataclass(frozen=True)
class TopList:
    """One list of best genes."""

    caption: str
    headings: tuple[str, ...]
    """Headings of the columns after the gene."""
    rows: tuple[Row, ...]


def top_lists(document: Mapping[str, Any]) -> list[TopList]:
    """Return the lists of a summary that have entries."""
    lists = [_by_share(document), _by_cells(document), _by_variability(document)]
    return [found for found in lists if found.rows]


def _by_share(document: Mapping[str, Any]) -> TopList:
    entries = document["highest_expr_genes"]
    most = entries[0]["mean_pct_of_cell_counts"] if entries else 0
    return TopList(
        "Highest share of a cell’s counts",
        ("Mean share", "Median"),
        _rows(
            entries,
            [_bar(entry["mean_pct_of_cell_counts"], most) for entry in entries],
            [
                (percent(entry["mean_pct_of_cell_counts"]), percent(entry["box"]["median"]))
                for entry in entries
            ],
        ),
    )


def _by_cells(document: Mapping[str, Any]) -> TopList:
    entries, n_cells = document["genes_by_cell_count"], document["n_cells_kept"]
    shares = [entry["pct_dropout_by_counts"] for entry in entries]
    return TopList(
        "Found in the most cells",
        ("Cells", "Share"),
        _rows(
            entries,
            [_bar(entry["n_cells_by_counts"], n_cells) for entry in entries],
            [
                (number(e["n_cells_by_counts"]), percent(None if s is None else 100 - s))
                for e, s in zip(entries, shares, strict=True)
            ],
        ),
    )


def _by_variability(document: Mapping[str, Any]) -> TopList:
    entries = document["highly_variable_genes"]
    return TopList(
        "Most variable expression",
        ("Normalised dispersion", "Mean"),
        _rows(
            entries,
            [""] * len(entries),
            [(number(entry["dispersions_norm"]), number(entry["means"])) for entry in entries],
        ),
    )


def _rows(
    entries: Sequence[Mapping[str, Any]], bars: Sequence[str], cells: Sequence[tuple[str, ...]]
) -> tuple[Row, ...]:
    return tuple(
        Row(
            gene_label(entry),
            entry["gene_id"] if entry["gene_name"] not in ("", entry["gene_id"]) else "",
            quote(entry["gene_id"], safe=""),
            bar,
            texts,
            _is_found(entry),
        )
        for entry, bar, texts in zip(entries, bars, cells, strict=True)
    )


def _bar(value: float, most: float) -> str:
    return f"{BAR * min(value / most, 1):.1f}" if most else "0"


def _is_found(entry: Mapping[str, Any]) -> bool:
    """Return whether a gene is found in a cell; one that varies always is."""
    return bool(entry.get("n_cells_by_counts", entry.get("mean_pct_of_cell_counts", 1)))
