"""Made-up published folders, from a seed: documents of the schema, small figures, gene tables."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import random
import struct
import zlib
from pathlib import Path

from dpss.summary.tables import GENE_COLUMNS

SPECIES = ("Homo sapiens", "Mus musculus", "Danio rerio")
ORGANS = ("blood", "brain", "lung", "kidney", "skin of body", "eye", "pancreas", "liver")
ASSAYS = ("10x 3' v2", "10x 3' v3", "Smart-seq2", "Drop-seq")
FIGURES = (
    ("highest_expr_genes", "Genes with the highest share of a cell's counts"),
    ("genes_by_cell_count", "Genes found in the most cells"),
    ("highly_variable_genes", "Expression variability"),
    ("violin", "Genes, counts and mitochondrial percentage per cell"),
    ("scatter_genes_vs_counts", "Genes against counts"),
    ("scatter_percentMitoGenes_vs_count", "Mitochondrial percentage against counts"),
    ("knee", "Counts per cell, in descending order"),
)
NASTY = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}",
    "</title></script><script>alert(2)</script>",
)


def png(width: int = 64, height: int = 40, grey: int = 230) -> bytes:
    """Return a small grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + bytes([grey]) * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


ASSUMED = "Orientation cells × genes was assumed: Made up. --orientation changes it."
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="40"/>'


def decision(topic: str, value: str, evidence: str = "Made up.", *, assumed: bool = False) -> dict:
    """Return an entry of ``reading``."""
    return {
        "topic": topic,
        "value": value,
        "evidence": evidence,
        "certainty": "assumed" if assumed else "stated",
        "option": "--orientation" if assumed else "",
        "changes_numbers": True,
    }


def gene_rows(rng: random.Random, n_genes: int, n_cells: int, names=None) -> list[dict]:
    """Return the lines of a ``genes.csv``, as consistent as pages need."""
    rows = []
    for g in range(n_genes):
        found = min(n_cells, int(n_cells * rng.random() ** 3))
        total = int(found * rng.lognormvariate(0.5, 1)) if found else 0
        rows.append(
            {
                "gene_id": f"ENSG{g:011d}",
                "gene_name": names[g] if names and g < len(names) else f"GENE{g}",
                "mitochondrial": g < 3,
                "n_cells_by_counts": found,
                "pct_dropout_by_counts": 100 * (1 - found / n_cells) if n_cells else None,
                "total_counts": total,
                "mean_counts": total / n_cells if n_cells else None,
                "mean_pct_of_cell_counts": total / n_cells / 40 if n_cells else 0.0,
                "means": rng.random() * 3 if found else 0.0,
                "dispersions": rng.gauss(1, 1) if found else None,
                "dispersions_norm": rng.gauss(0, 1) if found else None,
                "highly_variable": bool(found and rng.random() < 0.1),
            }
        )
    for column, value in (
        ("rank_highest_expr", "mean_pct_of_cell_counts"),
        ("rank_cell_count", "n_cells_by_counts"),
        ("rank_variability", "dispersions_norm"),
    ):
        defined = [row for row in rows if row[value] is not None]
        for rank, row in enumerate(sorted(defined, key=lambda row: -row[value]), 1):
            row[column] = rank
        for row in rows:
            row.setdefault(column, None)
    return rows


def genes_csv(rows: list[dict]) -> bytes:
    """Return lines as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, GENE_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _top(rows: list[dict], rank: str) -> list[dict]:
    return sorted((row for row in rows if row[rank]), key=lambda row: row[rank])[:20]


def _pick(row: dict, *columns: str) -> dict:
    return {name: row[name] for name in ("gene_id", "gene_name", *columns)}


def spread(middle: float | None) -> dict | None:
    """Return quantiles around a median."""
    factors = {"p5": 0.4, "p25": 0.75, "p50": 1, "p75": 1.3, "p95": 2.2}
    return None if middle is None else {q: middle * each for q, each in factors.items()}


def document(
    rng: random.Random,
    rows: list[dict],
    *,
    project: str,
    title: str,
    name: str = "",
    n_cells: int = 1000,
    **changes,
) -> dict:
    """Return a ``summary.json`` that goes with the lines of a gene table."""
    n_warn = rng.choice((0, 0, 1, 2))
    found = {
        "schema": 1,
        "project": {"id": project, "title": title},
        "matrix": {
            "name": name,
            "url": f"https://example.org/{project}/{name or 'matrix'}.h5ad",
            "format": "h5ad",
            "layer": "raw.X",
            "fingerprint": f"{rng.getrandbits(64):016x}",
            "strata": {
                "species": [rng.choice(SPECIES)],
                "organ": [rng.choice(ORGANS)],
                "libraryConstructionApproach": [rng.choice(ASSAYS)],
            },
        },
        "simulated": False,
        "values": rng.choice(("counts", "counts", "counts", "log-normalised")),
        "n_cells": n_cells,
        "n_cells_kept": n_cells,
        "n_genes": len(rows),
        "n_nonzero": sum(row["n_cells_by_counts"] for row in rows),
        "total_counts": sum(row["total_counts"] for row in rows),
        "median_genes_per_cell": float(rng.randint(200, 4000)),
        "median_counts_per_cell": float(rng.randint(500, 20000)),
        "median_pct_counts_mt": rng.choice((None, rng.random() * 12)),
        "median_pct_counts_ribo": 21.5,
        "median_pct_counts_hb": None,
        "median_pct_counts_in_top_50_genes": 33.25,
        "median_complexity": 0.87,
        "n_cells_estimated": None,
        "droplets": None,
        "thresholds": [
            {
                "measure": "n_genes_by_counts",
                "limit": 200,
                "side": "at least",
                "source": "scanpy and Seurat tutorials",
                "n_cells_kept": n_cells // 2,
            },
            {
                "measure": "all together",
                "limit": None,
                "side": None,
                "source": "all of the above",
                "n_cells_kept": n_cells // 3,
            },
        ],
        "policy": [],
        "quantiles": {},
        "highest_expr_genes": [
            {
                **_pick(row, "mean_pct_of_cell_counts"),
                "box": {
                    "q1": 0.1,
                    "median": row["mean_pct_of_cell_counts"],
                    "q3": 1.5,
                    "whisker_low": 0.0,
                    "whisker_high": 3.0,
                    "n_outliers": 4,
                },
            }
            for row in _top(rows, "rank_highest_expr")
        ],
        "genes_by_cell_count": [
            _pick(row, "n_cells_by_counts", "pct_dropout_by_counts")
            for row in _top(rows, "rank_cell_count")
        ],
        "highly_variable_genes": [
            _pick(row, "means", "dispersions", "dispersions_norm", "highly_variable")
            for row in _top(rows, "rank_variability")
        ],
        "checks": [
            {"name": f"check_{i}", "status": status, "message": f"Check number {i} {said}."}
            for i, (status, said) in enumerate(
                [("pass", "passed")] * 3 + [("warn", "gives cause for caution")] * min(n_warn, 1)
            )
        ]
        + [{"name": "assumptions", "status": "warn", "message": ASSUMED}] * (n_warn > 1),
        "reading": [
            decision("format", "h5ad"),
            decision("orientation", "cells × genes", assumed=n_warn > 1),
        ],
        "figures": [
            {"slug": slug, "title": t, "caption": f"How to read {t.lower()}.", "left_out": None}
            for slug, t in FIGURES
        ],
        "provenance": {"version": "1.0", "settings": {"min_gene_count": 0, "n_bins": 20}},
        "files": {},
    }
    for measure, key in (
        ("n_genes_by_counts", "median_genes_per_cell"),
        ("total_counts", "median_counts_per_cell"),
        ("pct_counts_mt", "median_pct_counts_mt"),
    ):
        found["quantiles"][measure] = spread(found[key])
    return {**found, **changes}


def axis(title: str, low: float, high: float, scale: str = "log") -> dict:
    """Return an axis of a plot, with a tick near each end."""
    ticks = [[low * 1.1, f"{low * 1.1:,.0f}"], [high * 0.9, f"{high * 0.9:,.0f}"]]
    return {"title": title, "scale": scale, "low": low, "high": high, "ticks": ticks}


def plots(rng: random.Random, n_bins: int = 200) -> dict:
    """Return a ``plots.json``: some bins along a diagonal, and the views of all genes."""
    edges = [round(2 ** (8 + i / 8), 3) for i in range(33)]
    places = sorted(
        {(x := rng.randrange(32), min(31, x + rng.randrange(3))) for _ in range(n_bins)}
    )
    grid = {
        "x": [x for x, _ in places],
        "y": [y for _, y in places],
        "n": [rng.randint(1, 500) for _ in places],
        "x_edges": edges,
        "y_edges": edges,
    }
    percent = {**grid, "y_edges": [i / 4 for i in range(33)]}
    genes = {
        name: {
            "x": axis("mean", 1e-3, 5, "log" if name == "detection" else "linear"),
            "y": axis(name, -4, 4, "asinh") | {"ticks": [[-2, "-2"], [2, "2"]]},
            "guides": [],
            "legend": [["dot", "blue", "highly variable"], ["dot", "grey", "other"]],
        }
        for name in ("variability", "dispersion", "detection")
    }
    first, last = edges[0], edges[-1]
    median = {"along": "x", "at": edges[16], "text": "median", "kind": "median"}
    limit = {"along": "y", "at": edges[4], "text": "3 cells beyond", "kind": "limit"}
    shared = {
        "x": axis("counts", first, last),
        "guides": [one | {"start": None, "end": None} for one in (median, limit)],
        "legend": [["dot", "blue", "one cell"], ["bin", "density1", "4 or more cells"]],
        "bins": {
            "x": [[1000, 2000], [3000, 4000]],
            "y": [[1000, 2000], [3000, 4000]],
            "n": [4, 9],
            "steps": [4],
            "shades": ["density1"],
        },
        "dots": {"x": [edges[20], edges[30]], "y": [5.0, 6.0]},
        "whole": True,
    }
    y = axis("% in mitochondrial genes", 0.0, 8.0, "root") | {"ticks": [[1, "1"], [5, "5"]]}
    return {
        "schema": 1,
        "genes": genes,
        "cells": {
            "scatter_genes_vs_counts": {
                **shared,
                "y": axis("genes", first, last),
                "dots": {"x": [edges[20], edges[30]], "y": [edges[3], edges[9]]},
                "grid": grid,
                "units": ["counts", "genes"],
                "keep": ["at least", "at least"],
            },
            "scatter_percentMitoGenes_vs_count": {
                **shared,
                "y": y,
                "guides": [limit | {"at": 5.0, "start": None, "end": None}],
                "grid": percent,
                "units": ["counts", "%"],
                "keep": ["at least", "at most"],
            },
        },
    }


def write_matrix(folder: Path, doc: dict, rows: list[dict], **others: bytes) -> None:
    """Write everything that a run publishes of one matrix; ``others`` by name without dots."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"genes.csv": genes_csv(rows)}
    for figure in doc["figures"]:
        if figure["left_out"] is None:
            files |= {f"{figure['slug']}.png": png(), f"{figure['slug']}.svg": SVG}
    files |= {name.replace("_", "."): data for name, data in others.items()}
    for name, data in files.items():
        (folder / name).write_bytes(data)
    vouch(folder, doc, files)


def vouch(folder: Path, doc: dict, names) -> None:
    """Write a summary that lists these files as they are."""
    doc["files"] = {}
    for name in sorted(names):
        data = (folder / name).read_bytes()
        doc["files"][name] = {
            "size_bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
    (folder / "summary.json").write_text(json.dumps(doc, ensure_ascii=False, indent=2) + "\n")


def make_portal(
    root: Path,
    n_projects: int = 3,
    n_matrices: int = 2,
    n_genes: int = 60,
    seed: int = 0,
    *,
    figures: bool = True,
) -> Path:
    """Write a portal of so many projects with so many matrices each."""
    rng = random.Random(seed)
    for p in range(n_projects):
        project, organ = f"project-{p:04d}", rng.choice(ORGANS)
        title = f"Atlas of the {rng.choice(('adult', 'fetal', 'aging'))} {organ}, part {p}"
        for m in range(n_matrices):
            n_cells = rng.randint(50, 100_000)
            rows = gene_rows(rng, n_genes, n_cells)
            name = f"sample {m} of {organ}" if n_matrices > 1 else ""
            doc = document(rng, rows, project=project, title=title, name=name, n_cells=n_cells)
            folder = root / project / f"matrix-{m}" if n_matrices > 1 else root / project
            if not figures:
                doc["figures"] = []
            others = {"plots_json": json.dumps(plots(rng)).encode()} if figures else {}
            write_matrix(folder, doc, rows, **others)
    return root


def make_nasty(root: Path, seed: int = 1) -> Path:
    """Write a project whose every text tries to become markup."""
    rng = random.Random(seed)
    rows = gene_rows(rng, 40, 500, names=[f"{n} {i}" for i, n in enumerate(NASTY * 8)])
    for row in rows[:10]:
        row["gene_id"] = f"{NASTY[1]}{row['gene_id']}"
    doc = document(rng, rows, project='a "b" <i>&', title=NASTY[4], name=NASTY[0], n_cells=500)
    doc["matrix"] |= {
        "url": "javascript:alert(1)",
        "format": NASTY[1],
        "layer": NASTY[0],
        "fingerprint": NASTY[2],
        "strata": {NASTY[0]: [NASTY[1]], "species": [NASTY[0]], "organ": [NASTY[1]]},
    }
    doc["checks"] = [
        {"name": NASTY[0], "status": "warn", "message": NASTY[1]},
        {"name": "assumptions", "status": "warn", "message": NASTY[1]},
    ]
    doc["reading"] = [decision(NASTY[0], NASTY[1], NASTY[2], assumed=True)]
    doc["figures"][0] |= {"title": NASTY[0], "caption": NASTY[1]}
    doc["figures"][6] |= {"left_out": NASTY[0]}
    doc["provenance"] = {"version": NASTY[0], "settings": {NASTY[1]: NASTY[0]}}
    shown = plots(rng)
    for what in (*shown["genes"].values(), *shown["cells"].values()):
        what["legend"].append(["dot", "blue", NASTY[1]])
        what["x"]["title"] = NASTY[0]
    folder = root / 'a "b" <i>&' / "m ?#% <b>"
    write_matrix(folder, doc, rows, plots_json=json.dumps(shown).encode())
    return root


def make_runs(root: Path) -> None:
    """Write the reports of three runs over what is published."""
    folders = [p.parent.relative_to(root).as_posix() for p in sorted(root.rglob("summary.json"))]
    names = {folder: (folder.partition("/")[0], folder.partition("/")[2]) for folder in folders}
    gone = ("gone-project", "old")

    def matrix(folder, status, reason="", name=None, numbers=None):
        project_id, matrix_name = name or names[folder]
        return {
            "project_id": project_id,
            "matrix": matrix_name,
            "status": status,
            "reason": reason,
            "folder": folder,
            "url": "https://example.org/x",
            "fingerprint": "1",
            "n_cells": 1,
            "n_genes": 1,
            "input_bytes": 1,
            "seconds": 1.0,
            "peak_memory_bytes": 1,
            "numbers": numbers or {},
        }

    before = {
        "n_cells": 1200, "n_genes": 300, "median_genes_per_cell": 812.5,
        "median_counts_per_cell": 2041.0, "median_pct_counts_mt": None, "n_warn": 0, "n_fail": 0,
    }  # fmt: skip
    after = before | {"n_cells": 1315, "median_pct_counts_mt": 7.25, "n_warn": 2}

    first = [matrix(folder, "published", numbers=before) for folder in folders]
    first.append(matrix("/".join(gone), "published", name=gone))
    second = [matrix(folder, "unchanged") for folder in folders[:-1]]
    second.append(matrix(folders[-1], "published", numbers=after))
    second.append(matrix("bad/one", "failed", f"bad.h5ad: {NASTY[0]} holds NaN", ("bad", "one")))
    third = [matrix(folder, "unchanged") for folder in folders[1:]]
    third.append(matrix(folders[0], "failed", "x.h5ad: is truncated"))
    third.append(matrix("notes", "skipped", "not a matrix", ("notes", "")))
    for hour, matrices in enumerate((first, second, third)):
        statuses = [m["status"] for m in matrices]
        report = {
            "schema": 1,
            "started": f"2026-03-04T0{hour}:00:00+00:00",
            "finished": f"2026-03-04T0{hour}:05:00+00:00",
            "seconds": 300.0,
            "version": "1.0",
            "source": "local /data",
            "output": "/out",
            "settings": {},
            "interrupted_by": None,
            "problems": [],
            "exit_code": 0,
            "counts": {
                s: statuses.count(s) for s in ("published", "unchanged", "skipped", "failed")
            },
            "matrices": matrices,
        }
        (root / "runs").mkdir(exist_ok=True)
        (root / f"runs/20260304T0{hour}0000.000000Z.json").write_text(json.dumps(report))
