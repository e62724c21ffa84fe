"""The figures of the benchmarks' page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.goals import MIB, Results, rows_of

COLOURS = {
    "dpss": "#0072b2",
    "scanpy_in_memory": "#d55e00",
    "scanpy_with_dask": "#e69f00",
    "anndata_backed": "#009e73",
    "plain_h5py": "#cc79a7",
    "decode_only": "#777777",
}
"""Okabe and Ito's palette, which the colour-blind can tell apart."""
NAMES = {
    "dpss": "dpss",
    "scanpy_in_memory": "scanpy, in memory",
    "scanpy_with_dask": "scanpy, Dask arrays",
    "anndata_backed": "AnnData, backed",
    "plain_h5py": "h5py, by chunks",
    "decode_only": "decoding alone",
    "scanpy_mtx": "scanpy.read_10x_mtx",
    "scanpy_mtx_figures": "scanpy, mtx and figures",
    "pyarrow_csv": "ISA-L and pyarrow, reading alone",
    "scanpy_pipeline": "scanpy, whole pipeline",
}


def draw_peers(results: Results) -> Figure:
    """Draw time and memory of all contenders against the number of cells."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for contender, colour in COLOURS.items():
        rows = rows_of(results, "peers", contender=contender)
        if not rows:
            continue
        cells = [row["n_cells"] for row in rows]
        style: dict[str, Any] = {"color": colour, "marker": "o", "label": NAMES[contender]}
        if contender == "decode_only":
            style["linestyle"] = ":"
        left.plot(cells, [row["wall_seconds"] for row in rows], **style)
        right.plot(cells, [row["peak_bytes"] / MIB for row in rows], **style)
    _finish(left, "seconds, whole process")
    _finish(right, "peak memory, MiB")
    handles, names = left.get_legend_handles_labels()
    figure.legend(handles, names, frameon=False, fontsize=8, loc="outside lower center", ncols=6)
    return figure


def _finish(axes: Axes, label: str) -> None:
    axes.set(xscale="log", yscale="log", xlabel="cells × 33,000 genes", ylabel=label)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)


def draw_memory_2019(section: dict[str, Any]) -> Figure:
    """Draw which memory suffices for which ``min_gene_count``."""
    counts = sorted({cell["min_gene_count"] for cell in section["cells"]})
    sizes = sorted({cell["memory_bytes"] for cell in section["cells"]})
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for cell in section["cells"]:
        x, y = sizes.index(cell["memory_bytes"]), counts.index(cell["min_gene_count"])
        measured = cell["how"].startswith("measured")
        colour = "#0072b2" if cell["suffices"] else "#d55e00"
        axes.scatter(
            x, y, s=420, marker="s", color=colour if measured else "none", edgecolors=colour
        )
        mark = "yes" if cell["suffices"] else "no"
        axes.text(
            x, y, mark, ha="center", va="center", fontsize=8,
            color="white" if measured else colour,
        )  # fmt: skip
    axes.set_xticks(range(len(sizes)), [_size(n) for n in sizes])
    axes.set_yticks(range(len(counts)), [f"{n:,}" for n in counts])
    axes.set(xlabel="memory limit", ylabel="min_gene_count")
    axes.set(xlim=(-0.5, len(sizes) - 0.5), ylim=(-0.5, len(counts) - 0.5))
    axes.set_title(
        f"Is the memory enough for {section['n_cells']:,} cells "
        f"(mtx.zip of {section['input_bytes'] / 1e9:.2g} GB)?\n"
        "filled: measured under that limit; outlined: derived from the measured peak",
        fontsize=10,
    )
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure


def _size(n_bytes: int) -> str:
    return f"{n_bytes >> 20} MiB" if n_bytes < 1 << 30 else f"{n_bytes >> 30} GiB"


def save(figure: Figure, path: Path, formats: Sequence[str] = ("png", "svg")) -> None:
    """Write a figure, with the same bytes for the same numbers."""
    for suffix in formats:
        with rc_context({"svg.hashsalt": "dpss", "svg.fonttype": "path"}):
            metadata: dict[str, Any] = {"Date": None} if suffix == "svg" else {"Software": None}
            figure.savefig(path.with_suffix(f".{suffix}"), dpi=120, metadata=metadata)
