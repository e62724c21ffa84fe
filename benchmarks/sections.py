"""The sections of ``make bench``: what is measured, for the goals that the project has."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.bench import Bench, Row, say
from benchmarks.groups import limited
from benchmarks.measuring import OK, contender_command, dpss_command, measure
from benchmarks.pairs import N_TURNS, run_pairs

PEERS = ("scanpy_in_memory", "scanpy_with_dask", "anndata_backed", "plain_h5py")
MIN_GENE_COUNTS = (0, 300, 900, 1200, 1500, 1800)
MEMORY_SIZES = tuple(n << 20 for n in (256, 512, 1024, 2048, 8192, 16384))
SAME_PEAK = 1.05
"""Peaks that differ by no more than this factor are taken for the same."""
REMOTE_DELAY_SECONDS = 0.03
REMOTE_BYTES_PER_SECOND = 50e6
"""Of one connection."""


@dataclass(frozen=True)
class Sizes:
    """How large the inputs are."""

    pairs: tuple[int, ...] = (100_000, 1_000_000)
    peers: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    memory: tuple[int, ...] = (10_000, 100_000, 200_000, 1_000_000)
    mtx: int = 20_000
    """Cells of 2,090 genes: 42 million entries."""
    csv: int = 2_000
    gene_major: int = 100_000
    startup: int = 2_000
    embedding: tuple[int, ...] = (2_000, 100_000, 1_000_000)
    pipeline: int = 100_000
    many_values: int = 2_200_000_000
    projects: int = 600
    """Of five matrices each."""
    dask: tuple[int, ...] = (100_000, 1_000_000)
    remote: int = 100_000
    zip_bytes: int = 2_400_000_000


QUICK = Sizes(
    pairs=(2_000, 10_000),
    peers=(2_000,),
    memory=(2_000, 10_000),
    mtx=2_000,
    csv=50,
    gene_major=2_000,
    embedding=(2_000, 10_000),
    pipeline=2_000,
    many_values=50_000_000,
    projects=10,
    dask=(2_000, 10_000),
    remote=10_000,
    zip_bytes=20_000_000,
)


SMALL = {"h5ad": 2_000, "csc": 2_000, "mtx": 2_000, "csv": 50}
"""Cells of an input of each kind that is read before anything is measured."""


def warm_up(bench: Bench) -> None:
    """Have the program compile what it compiles when it's first used."""
    for kind, n_cells in SMALL.items():
        # 50 lines of csv are too few cells for an embedding, which does no harm.
        bench.dpss(bench.input(kind, n_cells), repeats=1, embedding=True)


def run_peers(bench: Bench, sizes: Sizes) -> Row:
    """This program and the other ways to the same figures, h5ad (CSR, gzip)."""
    rows = []
    for n_cells in sizes.peers:
        path = bench.input("h5ad", n_cells)
        facts = {"n_cells": n_cells, "n_values": bench.n_values(path)}
        found = [bench.dpss(path), bench.contender("decode_only", path, 2)]
        found += [bench.figures_of(name, path) for name in PEERS]
        rows += [{**row, **facts} for row in found]
    return {"rows": rows}


def run_mtx(bench: Bench, sizes: Sizes) -> Row:
    """This program and scanpy on mtx.gz."""
    path = bench.input("mtx", sizes.mtx)
    facts = {"n_cells": sizes.mtx, "n_values": bench.n_values(path)}
    found = [bench.dpss(path)]
    # scanpy keeps what it read beside the file if asked to; it isn't.
    found += [bench.figures_of(name, path) for name in ("scanpy_mtx", "scanpy_mtx_figures")]
    return {"rows": [{**row, **facts} for row in found]}


def run_memory(bench: Bench, sizes: Sizes) -> Row:
    """Peak memory and time per stored value from few cells to many."""
    rows = []
    for kind in ("h5ad", "mtx"):
        for n_cells in sizes.memory:
            path = bench.input(kind, n_cells)
            facts = {
                "kind": kind,
                "n_cells": n_cells,
                "n_values": bench.n_values(path),
                "input_bytes": bench.size(path),
            }
            rows.append({**bench.dpss(path, repeats=max(bench.repeats, 2)), **facts})
    return {"rows": rows}


def run_csv(bench: Bench, sizes: Sizes) -> Row:
    """Dense csv.gz: this program and ISA-L with pyarrow's reader."""
    path = bench.input("csv", sizes.csv)
    facts = {"n_cells": sizes.csv, "n_values": sizes.csv * 33_000}
    found = [bench.dpss(path), bench.contender("pyarrow_csv", path)]
    return {"rows": [{**row, **facts} for row in found]}


def run_embedding(bench: Bench, sizes: Sizes) -> Row:
    """Mixtures of known types: without and with the embedding, and scanpy's whole pipeline."""
    rows = []
    for n_cells in sizes.embedding:
        path = bench.input("mixture", n_cells)
        facts = {"n_cells": n_cells, "n_values": bench.n_values(path)}
        for embedding in (False, True):
            row = bench.dpss(
                path, "--annotation", "none", repeats=max(bench.repeats, 2), embedding=embedding
            )
            rows.append({**row, **facts, "embedding": "with" if embedding else "without"})
    path = bench.input("mixture", sizes.pipeline)
    facts = {"n_cells": sizes.pipeline, "n_values": bench.n_values(path)}
    rows.append({**bench.figures_of("scanpy_pipeline", path), **facts})
    found: Row = {}
    if rows[-1]["status"] == OK:
        for name in ("embedding_quality", "rank_sum"):
            found |= bench.contender(name, path, bench.output("scanpy_pipeline"), repeats=1)
    wanted = ("agreement", "same_of_rank_sum", "rank_sum_cpu_seconds")
    agreement = {key: found[key] for key in wanted if key in found}
    return {"rows": rows, "agreement": agreement}


def run_startup(bench: Bench, sizes: Sizes) -> Row:
    """How long it takes to do little, with warm caches."""
    path = bench.input("h5ad", sizes.startup)
    facts = {"n_cells": sizes.startup, "n_values": bench.n_values(path)}
    small = {**bench.dpss(path, repeats=5), **facts, "what": "small"}
    asked = {**bench.command("dpss --help", dpss_command("--help"), 5), "what": "help"}
    return {"rows": [small, asked]}


def run_many(bench: Bench, sizes: Sizes) -> Row:
    """More than 2**31 stored values."""
    path = bench.input("many", sizes.many_values)
    return {"rows": [{**bench.dpss(path, repeats=1), "n_values": bench.n_values(path)}]}


def run_pages(bench: Bench, sizes: Sizes) -> Row:
    """All pages of a portal from nothing."""
    path = bench.input("portal", sizes.projects)
    row = bench.contender("build_pages", path, bench.output("pages"))
    return {"rows": [{**row, "n_projects": sizes.projects}]}


def run_dask(bench: Bench, sizes: Sizes) -> Row:
    """One and two workers of one thread each, on loopback."""
    from tests.cluster import Cluster

    rows: list[Row] = []
    with ExitStack() as stack:
        clusters = {}
        for n_workers in (1, 2):
            place = bench.folder / f"cluster-{n_workers}"
            shutil.rmtree(place, ignore_errors=True)
            clusters[n_workers] = stack.enter_context(Cluster(place, n_workers))
        for n_cells in sizes.dask:
            path = bench.input("h5ad", n_cells)
            commands = {
                f"dask, {n} worker{'s' if n > 1 else ''}": contender_command(
                    "dask_fold", cluster.address, path, n
                )
                for n, cluster in clusters.items()
            }
            found = bench.in_turn(commands, path, N_TURNS)
            rows += [{**row, "n_values": bench.n_values(path)} for row in found]
    return {"rows": rows}


def run_remote(bench: Bench, sizes: Sizes) -> Row:
    """From disk, and from a server that is 30 ms away and limits each connection to 50 MB/s."""
    from benchmarks.throttled import far_away

    path = bench.input("h5ad", sizes.remote)
    facts = {
        "n_cells": sizes.remote,
        "n_values": bench.n_values(path),
        "input_bytes": bench.size(path),
    }
    with far_away(bench.folder, REMOTE_DELAY_SECONDS, REMOTE_BYTES_PER_SECOND) as far:
        before = far.sent()
        commands = {
            "dpss": bench.summarize(path),
            "dpss, remote": bench.summarize(f"{far.url}/{path.name}"),
        }
        local, remote = bench.in_turn(commands, path, N_TURNS)
        after = far.sent()
    for name in ("bytes", "requests"):
        remote[f"{name}_sent"] = (after[name] - before[name]) / N_TURNS
    return {"rows": [{**row, **facts} for row in (local, remote)]}


def run_memory_2019(bench: Bench, sizes: Sizes) -> Row:
    """The experiment of 2019 again: memory × ``min_gene_count`` on an HCA mtx.zip."""
    tile = bench.input("zip", 10_000)
    n_tiles = max(1, round(sizes.zip_bytes / tile.stat().st_size))
    path = bench.input("zip", 10_000 * n_tiles)
    rows = []
    for min_gene_count in MIN_GENE_COUNTS:
        row = bench.dpss(path, "--min-gene-count", min_gene_count, repeats=1)
        rows.append({**row, "min_gene_count": min_gene_count})
    cells: list[Row] = []
    for row in rows:
        cells += _fill_column(bench, path, row, cells)
    return {
        "rows": rows,
        "cells": cells,
        "input_bytes": path.stat().st_size,
        "n_cells": 10_000 * n_tiles,
        "n_values": bench.n_values(path),
    }


def _fill_column(bench: Bench, path: Any, unlimited: Row, known: list[Row]) -> list[Row]:
    """Say for each size of memory whether it suffices.

    From the smallest up it is tried under a real limit, until it did suffice, here or for
    another ``min_gene_count`` whose peak without a limit was nearly the same. What is larger
    follows from that and from the measured peak.
    """
    min_gene_count, peak = unlimited["min_gene_count"], unlimited["peak_bytes"]
    cells = []
    sufficed = False
    for n_bytes in MEMORY_SIZES:
        cell: Row = {"min_gene_count": min_gene_count, "memory_bytes": n_bytes, "peak": peak}
        tried = sufficed or any(
            other["suffices"]
            and other["memory_bytes"] <= n_bytes
            and peak <= other["peak"] * SAME_PEAK
            for other in known
        )
        if tried and unlimited["status"] == OK and peak <= n_bytes:
            cells.append({**cell, "suffices": True, "how": "derived"})
            continue
        with limited(replace(bench.limits, memory_bytes=1 << 60), n_bytes) as (limits, how):
            run = bench.limited(path, limits, "--min-gene-count", min_gene_count)
        sufficed = run.ok
        cells.append({**cell, "suffices": run.ok, "how": f"measured, {how}", **run.as_row()})
        say(f"  {n_bytes >> 20:6} MiB, min_gene_count {min_gene_count}: {run.status} ({how})")
    return cells


SECTIONS: dict[str, Callable[[Bench, Sizes], Row]] = {
    "startup": run_startup,
    "pairs": run_pairs,
    "peers": run_peers,
    "mtx": run_mtx,
    "memory": run_memory,
    "csv": run_csv,
    "embedding": run_embedding,
    "many": run_many,
    "pages": run_pages,
    "dask": run_dask,
    "remote": run_remote,
    "memory_2019": run_memory_2019,
}
"""In the order in which they're run."""


def take_versions(bench: Bench) -> Row:
    """Return the versions of all that takes part."""
    found = measure([sys.executable, "-m", "benchmarks.contenders", "versions"], bench.folder)
    told = found.last_json
    told.pop("inner_seconds", None)
    return told
