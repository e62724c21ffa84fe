"""The differences between two summaries: numbers, checks and orders of genes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dpss.summary.record import Check
from dpss.summary.verdict import judge

NUMBERS = (
    "n_cells",
    "n_cells_kept",
    "n_cells_estimated",
    "n_genes",
    "n_nonzero",
    "total_counts",
    "median_genes_per_cell",
    "median_counts_per_cell",
    "median_pct_counts_mt",
    "median_pct_counts_ribo",
    "median_pct_counts_hb",
    "median_pct_counts_in_top_50_genes",
    "median_complexity",
)
"""Header numbers that are compared, by their names in ``summary.json``."""

LISTS = {
    "highest_expr_genes": "rank_highest_expr",
    "genes_by_cell_count": "rank_cell_count",
    "highly_variable_genes": "rank_variability",
}
"""Lists of the best genes in ``summary.json``, each with its column of ranks in ``genes.csv``."""

Ranks = Mapping[str, Mapping[str, int | None]]
"""Ranks of all genes: by the name of the column, then by the id of the gene; ``None`` for none."""


@dataclass(frozen=True)
class ComparedSummary:
    """A summary that takes part in a comparison."""

    url: str
    """Address of the summary or matrix, without secrets."""
    document: Mapping[str, Any]
    """Content of ``summary.json``."""
    ranks: Ranks | None = None
    """Ranks of all genes; ``None`` where only ``summary.json`` is known."""


@dataclass(frozen=True)
class Change:
    """A value that differs."""

    name: str
    """Name of the value: a field of ``summary.json``, or a path such as ``matrix.layer``."""
    old: Any
    """The value of the old summary; ``None`` where there is none."""
    new: Any
    """The value of the new summary; ``None`` where there is none."""

    @property
    def percent(self) -> float | None:
        """Change of a number in percent of the old one; ``None`` if undefined."""
        numeric = all(isinstance(value, (int, float)) for value in (self.old, self.new))
        return 100 * (self.new - self.old) / abs(self.old) if numeric and self.old else None

    @property
    def percent_text(self) -> str:
        """Change in percent with its sign, three digits; empty where there is none."""
        return "" if self.percent is None else f"{self.percent:+.3g} %".replace("-", "\u2212", 1)


@dataclass(frozen=True)
class Move:
    """A gene of one of the lists of 20 whose rank differs."""

    gene_id: str
    gene_name: str
    old: int | None
    """Rank in the old list, from 1; ``None`` if the gene is not in it."""
    new: int | None
    """Rank in the new list, from 1; ``None`` if the gene is not in it."""


@dataclass(frozen=True)
class ListChange:
    """The differences between two lists of the best genes."""

    name: str
    """Name of the list in ``summary.json``."""
    n_common: int
    """Number of genes that both lists have."""
    moves: tuple[Move, ...]
    """Genes whose rank differs: those of the new list in its order, then those that left it."""
    correlation: float | None
    """Spearman's correlation of the ranks of all genes that have one in both; ``None`` where
    ranks are not known, or fewer than two genes have one.
    """

    @property
    def differs(self) -> bool:
        """Whether a rank differs."""
        return bool(self.moves) or (self.correlation is not None and self.correlation < 1)


@dataclass(frozen=True)
class Comparison:
    """All differences between two summaries; empty parts mean that nothing differs."""

    old: str
    """Address of the old summary."""
    new: str
    """Address of the new summary."""
    verdicts: tuple[str, str]
    """The verdicts, the old one first."""
    numbers: tuple[Change, ...]
    """Header numbers that differ."""
    sources: tuple[Change, ...]
    """Facts about the matrix, its reading, the settings and the version that differ."""
    checks: tuple[Change, ...]
    """Checks whose status differs, by name; a check that one side lacks has ``None`` there."""
    messages: Mapping[str, str]
    """Messages of these checks, those of the new summary where it has them."""
    lists: tuple[ListChange, ...]
    """The lists of genes that differ, or whose ranks do."""
    genes_added: tuple[str, ...] | None
    """Ids of genes that only the new matrix has; ``None`` where the genes are not known."""
    genes_removed: tuple[str, ...] | None
    """Ids of genes that only the old matrix has; ``None`` where the genes are not known."""

    @property
    def same(self) -> bool:
        """Whether nothing differs but, perhaps, the version of the program."""
        facts = [change for change in self.sources if change.name != "provenance.version"]
        parts = (self.numbers, facts, self.checks, self.lists, self.genes_added, self.genes_removed)
        return not any(parts) and self.verdicts[0] == self.verdicts[1]


def compare_summaries(old: ComparedSummary, new: ComparedSummary) -> Comparison:
    """Return the differences between two summaries.

    Args:
        old: The earlier summary.
        new: The later summary.
    """
    checks, messages = _checks(old.document, new.document)
    added, removed = _genes(old.ranks, new.ranks)
    lists = (_list_change(name, old, new) for name in LISTS)
    return Comparison(
        old=old.url,
        new=new.url,
        verdicts=(_verdict(old.document), _verdict(new.document)),
        numbers=_changes({name: old.document.get(name) for name in NUMBERS},
                         {name: new.document.get(name) for name in NUMBERS}),
        sources=_changes(_facts(old.document), _facts(new.document)),
        checks=checks,
        messages=messages,
        lists=tuple(each for each in lists if each.differs),
        genes_added=added,
        genes_removed=removed,
    )  # fmt: skip


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as a JSON document; changed numbers have ``percent``."""
    document = asdict(comparison)
    document["verdicts"] = dict(zip(("old", "new"), comparison.verdicts, strict=True))
    document["numbers"] = [asdict(each) | {"percent": each.percent} for each in comparison.numbers]
    return {"same": comparison.same} | document


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    names = dict.fromkeys([*old, *new])
    return tuple(
        Change(name, old.get(name), new.get(name))
        for name in names
        if old.get(name) != new.get(name)
    )


def _facts(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts about the matrix, its reading, the settings and the version."""
    matrix, provenance = document["matrix"], document["provenance"]
    return {
        "values": document["values"],
        "matrix.format": matrix["format"],
        "matrix.layer": matrix["layer"],
        **{f"reading.{each['topic']}": each["value"] for each in document.get("reading", ())},
        "provenance.version": provenance["version"],
        **{f"settings.{name}": value for name, value in provenance["settings"].items()},
    }


def _verdict(document: Mapping[str, Any]) -> str:
    return judge([Check(**each) for each in document["checks"]]).sentence


def _checks(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> tuple[tuple[Change, ...], dict[str, str]]:
    """Return the checks whose status differs, and the message of each."""
    messages = {each["name"]: each["message"] for side in (old, new) for each in side["checks"]}
    found = _changes(
        {each["name"]: each["status"] for each in old["checks"]},
        {each["name"]: each["status"] for each in new["checks"]},
    )
    return found, {each.name: messages[each.name] for each in found}


def _genes(
    old: Ranks | None, new: Ranks | None
) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Return the ids of added and of removed genes, each in its matrix's order."""
    if old is None or new is None:
        return None, None
    column = next(iter(LISTS.values()))
    before, after = old[column], new[column]
    return (
        tuple(gene for gene in after if gene not in before),
        tuple(gene for gene in before if gene not in after),
    )


def _list_change(name: str, old: ComparedSummary, new: ComparedSummary) -> ListChange:
    names: dict[str, str] = {}
    ranks: list[dict[str, int]] = []
    for side in (old, new):
        entries = side.document[name]
        names |= {each["gene_id"]: each["gene_name"] for each in entries}
        ranks.append({each["gene_id"]: rank for rank, each in enumerate(entries, 1)})
    before, after = ranks
    moves = tuple(
        Move(gene, names[gene], before.get(gene), after.get(gene))
        for gene in dict.fromkeys([*after, *before])
        if before.get(gene) != after.get(gene)
    )
    column = LISTS[name]
    correlation = (
        None
        if old.ranks is None or new.ranks is None
        else rank_correlation(old.ranks[column], new.ranks[column])
    )
    return ListChange(name, len(before.keys() & after.keys()), moves, correlation)


def rank_correlation(old: Mapping[str, int | None], new: Mapping[str, int | None]) -> float | None:
    """Return Spearman's correlation of the ranks of the genes that have one in both.

    >>> rank_correlation({"a": 1, "b": 2, "c": 9}, {"a": 5, "b": 6, "c": 7})
    1.0

    Args:
        old: Rank of each gene, from 1, all different; ``None`` for none.
        new: The same of the other summary.

    Returns:
        A number from -1 to 1, to 12 digits; ``None`` for fewer than two genes.
    """
    pairs = [
        (rank, other)
        for gene, rank in old.items()
        if rank is not None and (other := new.get(gene)) is not None
    ]
    n = len(pairs)
    if n < 2:
        return None
    order = np.argsort(np.argsort(np.array(pairs, dtype=np.int64), axis=0), axis=0)
    squares = int(((order[:, 0] - order[:, 1]) ** 2).sum())
    # Whole numbers: ranks differ, so that Spearman's formula without ties is exact.
    return round(1 - 6 * squares / (n * (n * n - 1)), 12)
