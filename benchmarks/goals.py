"""The goals, held against what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

Results = dict[str, Any]
Row = dict[str, Any]
MIB = 1 << 20


@dataclass(frozen=True)
class Goal:
    """One goal and what was measured for it."""

    text: str
    found: str
    met: bool | None
    """``None``: not measured."""

    @property
    def verdict(self) -> str:
        """In words."""
        return {True: "met", False: "not met", None: "not measured"}[self.met]


def all_goals(results: Results) -> list[Goal]:
    """Return every goal with its verdict."""
    return [
        *_speed_goals(results),
        *_gene_major_goals(results),
        *_memory_goals(results),
        *_start_goals(results),
        *_embedding_goals(results),
        *_other_goals(results),
        *_remote_goals(results),
    ]


def rows_of(results: Results, section: str, **wanted: Any) -> list[Row]:
    """Return the rows of a section that ended well and have some values."""
    rows = results["sections"].get(section, {}).get("rows", [])
    return [
        row
        for row in rows
        if row["status"] == "ok" and all(row.get(k) == v for k, v in wanted.items())
    ]


def one(results: Results, section: str, **wanted: Any) -> Row | None:
    """Return the first such row."""
    return next(iter(rows_of(results, section, **wanted)), None)


def seconds_per_value(results: Results, kind: str) -> float | None:
    """Return what one more stored value costs: the slope between smallest and largest matrix."""
    rows = rows_of(results, "memory", kind=kind)
    if len(rows) < 2:
        return None
    few, many = rows[0], rows[-1]
    seconds = many["wall_seconds"] - few["wall_seconds"]
    return float(seconds / (many["n_values"] - few["n_values"]))


def ratios(over: Row | None, under: Row | None, what: str = "walls") -> list[float]:
    """Return how many times as long one command took as the other, turn by turn."""
    if over is None or under is None or not {what} <= over.keys() & under.keys():
        return []
    return [a / b for a, b in zip(over[what], under[what], strict=True)]


@dataclass(frozen=True)
class Ratio:
    """A goal for the ratio of two commands that ran in turn."""

    text: str
    over: Row | None
    under: Row | None
    least: float | None = None
    most: float | None = None
    seconds: str = "wall_seconds"

    def judge(self, more: str = "") -> Goal:
        """Return the goal with the median of the turns' ratios."""
        what = "walls" if self.seconds == "wall_seconds" else "folds"
        found = ratios(self.over, self.under, what)
        if not found or self.over is None or self.under is None:
            return Goal(self.text, "", None)
        middle = median(found)
        met = (self.least is None or middle >= self.least) and (
            self.most is None or middle <= self.most
        )
        times = f"{self.over[self.seconds]:.2f} s, {self.under[self.seconds]:.2f} s"
        spread = f"{min(found):.2f} to {max(found):.2f}"
        text = f"{middle:.2f} times ({times}; {len(found)} turns: {spread}{more})"
        return Goal(self.text, text, met)


def _speed_goals(results: Results) -> Iterator[Goal]:
    def row(group: str, contender: str, **wanted: Any) -> Row | None:
        return one(results, "pairs", group=group, contender=contender, **wanted)

    few, many = {"n_cells": 100_000}, {"n_cells": 1_000_000}
    ours = row("h5ad", "dpss", **few)
    yield Ratio(
        "100,000 cells, h5ad: 15 times the speed of scanpy, which draws two of the figures",
        row("h5ad", "scanpy_in_memory", **few),
        ours,
        least=15,
    ).judge()
    for wanted, most in ((few, 1.5), (many, 1.3)):
        yield Ratio(
            f"{wanted['n_cells']:,} cells, h5ad: at most {most} times the time of decoding alone",
            row("h5ad", "dpss", **wanted),
            row("h5ad", "decode_only", **wanted),
            most=most,
        ).judge()
    ours = row("mtx", "dpss")
    n_values = ours["n_values"] / 1e6 if ours else 40
    yield Ratio(
        f"mtx.gz, {n_values:.0f} million entries: 7 times scanpy.read_10x_mtx alone",
        row("mtx", "scanpy_mtx"),
        ours,
        least=7,
    ).judge()
    yield Ratio(
        "the pass alone: two threads 1.85 times as fast as one",
        row("threads", "pass, 1 thread"),
        row("threads", "pass, 2 threads"),
        least=1.85,
        seconds="fold_seconds",
    ).judge()


def _gene_major_goals(results: Results) -> Iterator[Goal]:
    genes, cells = (
        one(results, "pairs", group="order", contender=f"dpss, by {order}")
        for order in ("genes", "cells")
    )
    peaks = [row["peak_bytes"] / MIB for row in (genes, cells) if row]
    yield Ratio(
        "h5ad by genes (CSC): at most 1.25 times the time of by cells (CSR)",
        genes,
        cells,
        most=1.25,
    ).judge("".join(f"; {peak:.0f} MiB" for peak in peaks))


def _memory_goals(results: Results) -> Iterator[Goal]:
    for kind in ("h5ad", "mtx"):
        rows = rows_of(results, "memory", kind=kind)
        peaks = [row["peak_bytes"] / MIB for row in rows]
        found = ", ".join(
            f"{peak:.0f} MiB ({row['n_cells']:,} cells)"
            for peak, row in zip(peaks, rows, strict=True)
        )
        most = f"{kind}: at most 256 MiB at any size"
        yield Goal(most, found, max(peaks) <= 256) if peaks else Goal(most, "", None)
        same = f"{kind}: the same memory within 10 % for ten times the cells"
        tens = [
            (few, many)
            for few, small in zip(peaks, rows, strict=True)
            for many, large in zip(peaks, rows, strict=True)
            if large["n_cells"] == 10 * small["n_cells"]
        ]
        if not tens:
            yield Goal(same, "", None)
            continue
        found = ", ".join(f"{few:.0f} and {many:.0f} MiB" for few, many in tens)
        yield Goal(same, found, all(many <= 1.1 * few for few, many in tens))
    text = "h5ad: time per stored value the same within 10 %, 10,000 to 1,000,000 cells"
    rows = rows_of(results, "memory", kind="h5ad")
    small = one(results, "startup", what="small")
    if small is None or len({row["n_cells"] for row in rows} & {10_000, 1_000_000}) < 2:
        yield Goal(text, "", None)
        return
    costs = [
        (row["wall_seconds"] - small["wall_seconds"])
        / (row["n_values"] - small.get("n_values", 0))
        * 1e9
        for row in rows
    ]
    found = ", ".join(f"{cost:.1f}" for cost in costs) + " ns beyond the start-up"
    yield Goal(text, found, max(costs) <= 1.1 * min(costs))


def _start_goals(results: Results) -> Iterator[Goal]:
    for what, text, seconds, most in (
        ("help", "dpss --help within 0.15 s", "wall_seconds", 0.15),
        ("small", "2,000 cells within 0.9 s, warm", "wall_seconds", 0.9),
        ("small", "2,000 cells within 1.3 CPU seconds, warm", "cpu_seconds", 1.3),
    ):
        row = one(results, "startup", what=what)
        if row is None:
            yield Goal(text, "", None)
        else:
            yield Goal(text, f"{row[seconds]:.2f} s", row[seconds] <= most)


def _embedding_goals(results: Results) -> Iterator[Goal]:
    pairs = {
        n_cells: [
            one(results, "embedding", n_cells=n_cells, embedding=how) for how in ("without", "with")
        ]
        for n_cells in (2_000, 100_000, 1_000_000)
    }
    text = "embedding: at most 1.5 s more for 2,000 cells"
    few = [row["wall_seconds"] for row in pairs[2_000] if row]
    more = few[1] - few[0] if len(few) == 2 else 0.0
    yield Goal(text, f"{more:.2f} s", more <= 1.5) if len(few) == 2 else Goal(text, "", None)
    for n_cells, most in ((100_000, 400), (1_000_000, 360)):
        text = f"embedding: at most {most} MiB for {n_cells:,} cells"
        row = pairs[n_cells][1]
        if row is None:
            yield Goal(text, "", None)
        else:
            peak = row["peak_bytes"] / MIB
            yield Goal(text, f"{peak:.0f} MiB", peak <= most)
    text = "embedding: 1,000,000 cells in at most 3.5 times the time without it"
    many = [row["wall_seconds"] for row in pairs[1_000_000] if row]
    if len(many) < 2:
        yield Goal(text, "", None)
    else:
        found = f"{many[1] / many[0]:.2f} times ({many[1]:.1f} s, {many[0]:.1f} s)"
        yield Goal(text, found, many[1] <= 3.5 * many[0])


def _other_goals(results: Results) -> Iterator[Goal]:
    row = one(results, "many")
    large = row is not None and row["n_values"] > 2**31
    found = f"{row['n_values']:,} values in {row['wall_seconds']:.0f} s" if row else ""
    yield Goal("more than 2³¹ stored values", found, True if large else None)
    row = one(results, "pages", n_projects=600)
    text = "pages of 600 projects with 5 matrices each, from nothing: within 60 s and 400 MiB"
    if row is None:
        yield Goal(text, "", None)
    else:
        seconds, peak = row["build_seconds"], row["peak_bytes"] / MIB
        yield Goal(text, f"{seconds:.0f} s, {peak:.0f} MiB", seconds <= 60 and peak <= 400)
    for n_cells in (100_000, 1_000_000):
        yield Ratio(
            f"Dask, {n_cells:,} cells: two workers 1.8 times as fast as one",
            one(results, "dask", contender="dask, 1 worker", n_cells=n_cells),
            one(results, "dask", contender="dask, 2 workers", n_cells=n_cells),
            least=1.8,
            seconds="fold_seconds",
        ).judge()


def _remote_goals(results: Results) -> Iterator[Goal]:
    here = one(results, "remote", contender="dpss")
    far = one(results, "remote", contender="dpss, remote")
    yield Ratio(
        "from afar: at most 1.2 times the time of the same file here", far, here, most=1.2
    ).judge()
    text = "from afar: at most 1.05 times the file's bytes are sent"
    if far is None:
        yield Goal(text, "", None)
        return
    ratio = far["bytes_sent"] / far["input_bytes"]
    found = f"{ratio:.3f} times, {far['requests_sent']:.0f} requests"
    yield Goal(text, found, ratio <= 1.05)
