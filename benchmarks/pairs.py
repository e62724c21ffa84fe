"""The section of ratios: what is compared runs in turn, and the median of the turns counts.

A machine that is slow for a minute is slow for both. Each group below has the commands that one
goal or two compare; the page shows their medians.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmarks.bench import Bench, Row
from benchmarks.measuring import contender_command

N_TURNS = 5


class PairSizes(Protocol):
    """Cells of the inputs that are compared."""

    @property
    def pairs(self) -> tuple[int, ...]:
        """Of h5ad files, from few to many."""

    @property
    def mtx(self) -> int:
        """Of a Cell Ranger folder."""

    @property
    def gene_major(self) -> int:
        """Of the h5ad files that are stored cell by cell and gene by gene."""


@dataclass(frozen=True)
class Group:
    """Commands that are compared on one input, or on two of the same cells."""

    name: str
    n_cells: int
    path: Path
    commands: Mapping[str, list[str]]


def run_pairs(bench: Bench, sizes: PairSizes) -> Row:
    """What the goals compare, in turn, five times; medians."""
    rows: list[Row] = []
    for group in groups_of(bench, sizes):
        facts: dict[str, Any] = {
            "group": group.name,
            "n_cells": group.n_cells,
            "n_values": bench.n_values(group.path),
        }
        found = bench.in_turn(group.commands, group.path, N_TURNS)
        rows += [{**row, **facts} for row in found]
    return {"rows": rows}


def groups_of(bench: Bench, sizes: PairSizes) -> Iterator[Group]:
    """Yield the groups; inputs are made when their group is asked for."""
    for n_cells in sizes.pairs:
        path = bench.input("h5ad", n_cells)
        commands = {
            "dpss": bench.summarize(path),
            "decode_only": contender_command("decode_only", path, 2),
        }
        if n_cells == sizes.pairs[0]:
            figures = contender_command("scanpy_in_memory", path, bench.output("scanpy_in_memory"))
            commands["scanpy_in_memory"] = figures
        yield Group("h5ad", n_cells, path, commands)
    path = bench.input("h5ad", sizes.gene_major)
    threads = {
        f"pass, {n} thread{'s' if n > 1 else ''}": contender_command("pass_alone", path, n)
        for n in (1, 2)
    }
    yield Group("threads", sizes.gene_major, path, threads)
    orders = {"cells": path, "genes": bench.input("csc", sizes.gene_major)}
    by_order = {f"dpss, by {order}": bench.summarize(of) for order, of in orders.items()}
    yield Group("order", sizes.gene_major, path, by_order)
    path = bench.input("mtx", sizes.mtx)
    readers = {
        "dpss": bench.summarize(path),
        "scanpy_mtx": contender_command("scanpy_mtx", path, bench.output("scanpy_mtx")),
    }
    yield Group("mtx", sizes.mtx, path, readers)
