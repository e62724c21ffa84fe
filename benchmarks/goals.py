"""The goals, held against what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Results = dict[str, Any]
Row = dict[str, Any]
MIB = 1 << 20
REMOTE_CONNECTIONS = 16
"""As many as the program opens side by side: the full allowed bandwidth is theirs together."""


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


def _times(text: str, row: Row | None, other: Row | None, least: float) -> Goal:
    """Judge "at least so many times as fast as another"."""
    if row is None or other is None:
        return Goal(text, "", None)
    ratio = other["wall_seconds"] / row["wall_seconds"]
    found = f"{ratio:.1f} times ({row['wall_seconds']:.1f} s, {other['wall_seconds']:.1f} s)"
    return Goal(text, found, ratio >= least)


def _speed_goals(results: Results) -> Iterator[Goal]:
    ours = one(results, "peers", contender="dpss", n_cells=100_000)
    scanpy = one(results, "peers", contender="scanpy_in_memory", n_cells=100_000)
    decode = one(results, "peers", contender="decode_only", n_cells=100_000)
    for least in (8, 15):
        yield _times(f"100,000 cells, h5ad: {least} times scanpy's speed", ours, scanpy, least)
    text = "100,000 cells, h5ad: at most 1.35 times the time of decoding alone"
    if ours is None or decode is None:
        yield Goal(text, "", None)
    else:
        ratio = ours["wall_seconds"] / decode["wall_seconds"]
        alone = ours["wall_seconds"] / decode["decode_seconds"]
        found = f"{ratio:.2f} times, whole processes; {alone:.2f} times without the other's start"
        yield Goal(text, found, ratio <= 1.35)
    ours = one(results, "mtx", contender="dpss")
    scanpy = one(results, "mtx", contender="scanpy_mtx")
    n_values = ours["n_values"] / 1e6 if ours else 40
    text = f"mtx.gz, {n_values:.0f} million entries: 6 times scanpy.read_10x_mtx"
    yield _times(text, ours, scanpy, 6)


def _gene_major_goals(results: Results) -> Iterator[Goal]:
    cells, genes = (one(results, "gene_major", order=order) for order in ("cells", "genes"))
    text = "gene-major h5ad: at most twice the time of cell-major, in the same memory (within 10 %)"
    if cells is None or genes is None:
        yield Goal(text, "", None)
        return
    ratio = genes["wall_seconds"] / cells["wall_seconds"]
    peaks = [row["peak_bytes"] / MIB for row in (cells, genes)]
    seconds = f"{genes['wall_seconds']:.1f} s, {cells['wall_seconds']:.1f} s"
    found = f"{ratio:.2f} times ({seconds}), {peaks[1]:.0f} MiB and {peaks[0]:.0f} MiB"
    yield Goal(text, found, ratio <= 2 and peaks[1] <= 1.1 * peaks[0])


def _memory_goals(results: Results) -> Iterator[Goal]:
    for kind, limit, few, many in (
        ("h5ad", 400, 10_000, 200_000),
        ("mtx", 400, 10_000, 200_000),
        ("h5ad", 300, 100_000, 1_000_000),
        ("mtx", 300, 100_000, 1_000_000),
    ):
        text = f"{kind}: at most {limit} MiB and the same within 10 %, {few:,} and {many:,} cells"
        rows = [one(results, "memory", kind=kind, n_cells=n) for n in (few, many)]
        peaks = [row["peak_bytes"] / MIB for row in rows if row is not None]
        if len(peaks) < 2:
            yield Goal(text, "", None)
            continue
        met = max(peaks) <= limit and max(peaks) <= 1.1 * min(peaks)
        yield Goal(text, " and ".join(f"{peak:.0f} MiB" for peak in peaks), met)
    text = "h5ad: time per stored value the same within 10 %, 10,000 to 1,000,000 cells"
    rows = rows_of(results, "memory", kind="h5ad")
    small = one(results, "startup", what="small")
    if small is None or len({row["n_cells"] for row in rows} & {10_000, 1_000_000}) < 2:
        yield Goal(text, "", None)
        return
    costs = [(row["wall_seconds"] - small["wall_seconds"]) / row["n_values"] * 1e9 for row in rows]
    found = ", ".join(f"{cost:.1f}" for cost in costs) + " ns beyond the start-up"
    yield Goal(text, found, max(costs) <= 1.1 * min(costs))


def _start_goals(results: Results) -> Iterator[Goal]:
    for what, text, most in (
        ("help", "dpss --help within 0.3 s", 0.3),
        ("small", "2,000 cells within 3 s, warm", 3.0),
        ("small", "2,000 cells within 2 s, warm", 2.0),
    ):
        row = one(results, "startup", what=what)
        if row is None:
            yield Goal(text, "", None)
        else:
            seconds = row["wall_seconds"]
            yield Goal(text, f"{seconds:.2f} s", seconds <= most)


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
    pair = [one(results, "dask", n_workers=n) for n in (1, 2)]
    text = "Dask: two workers 1.7 times as fast as one"
    seconds = [row["fold_seconds"] for row in pair if row is not None]
    if len(seconds) < 2:
        yield Goal(text, "", None)
    else:
        ratio = seconds[0] / seconds[1]
        yield Goal(
            text, f"{ratio:.2f} times ({seconds[0]:.1f} s, {seconds[1]:.1f} s)", ratio >= 1.7
        )


def _remote_goals(results: Results) -> Iterator[Goal]:
    here = one(results, "remote", where="here")
    far = one(results, "remote", where="far away")
    time = "from afar: at most 1.3 times the larger of reading here and the bare transfer"
    sent = "from afar: at most 1.05 times the file's bytes are sent"
    if here is None or far is None:
        yield Goal(time, "", None)
        yield Goal(sent, "", None)
        return
    transfer = far["input_bytes"] / (REMOTE_CONNECTIONS * 50e6)
    ratio = far["wall_seconds"] / max(here["wall_seconds"], transfer)
    seconds = f"{far['wall_seconds']:.1f} s, here {here['wall_seconds']:.1f} s"
    yield Goal(time, f"{ratio:.2f} times ({seconds}, transfer {transfer:.1f} s)", ratio <= 1.3)
    ratio = far["bytes_sent"] / far["input_bytes"]
    found = f"{ratio:.3f} times, {far['requests_sent']:.0f} requests"
    yield Goal(sent, found, ratio <= 1.05)
