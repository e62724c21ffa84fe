"""Measurements of decisions 3, 7, 12, 13 and 14: fingerprints, R's objects, drawings, clusters."""

from __future__ import annotations

import hashlib
import resource
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HEAD = b"X\n" + struct.pack(">iii", 2, 0x30000, 0x20300)
_N_DOUBLES, _N_OBJECTS = 20_000_000, 300_000
_STRING = struct.pack(">ii", 0x40009, 12)


def _vector_of_strings() -> bytes:
    """Return a vector of strings; made piece by piece, so that the peak is not that of a list."""
    found = bytearray(_HEAD + struct.pack(">ii", 16, _N_OBJECTS))
    for i in range(_N_OBJECTS):
        found += _STRING + b"%012d" % i
    return bytes(found)


R_OBJECTS: dict[str, Callable[[], bytes]] = {
    "doubles": lambda: _HEAD + struct.pack(">ii", 14, _N_DOUBLES) + bytes(8 * _N_DOUBLES),
    "strings": _vector_of_strings,
    "NULL": lambda: _list_of(struct.pack(">i", 254)),
    "numeric(0)": lambda: _list_of(struct.pack(">ii", 14, 0)),
    "NA": lambda: _list_of(struct.pack(">iii", 13, 1, -(1 << 31))),
}
"""Contents of R files, by what they hold."""


def _list_of(item: bytes) -> bytes:
    return _HEAD + struct.pack(">ii", 19, _N_OBJECTS) + item * _N_OBJECTS


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure_r_files(kind: str = "") -> None:
    """Parse R's objects: seconds of the import, memory of each byte, string and object."""
    if not kind:
        for each in R_OBJECTS:
            program = f"from benchmarks.costs import measure_r_files; measure_r_files({each!r})"
            subprocess.run([sys.executable, "-c", program], check=True)
        return
    from dpss.formats.r.objects import parse_objects

    start = time.process_time()
    from rdata import parser  # noqa: F401

    imported = time.process_time() - start
    data = R_OBJECTS[kind]()
    before, start = _peak_bytes(), time.process_time()
    found = parse_objects(data, kind, 1 << 30)
    seconds, grown = time.process_time() - start, _peak_bytes() - before
    n = len(data) if kind == "doubles" else _N_OBJECTS
    what = "byte besides the file's own" if kind == "doubles" else "object"
    print(
        f"{kind}: import {imported:.2f} s; parsed in {seconds:.2f} s of processor time; "
        f"{grown / n:.1f} bytes of memory for each {what}"
    )
    del found


def measure_fingerprint(file: Path) -> None:
    """Take the fingerprint of a file, and the checksum of all of it, five times each."""
    from dpss.storage.fingerprint import fingerprint
    from dpss.storage.local import LocalFile

    def whole() -> None:
        with file.open("rb") as stream:
            hashlib.file_digest(stream, "sha256")

    for label, take in (("fingerprint", lambda: fingerprint(LocalFile(file))), ("sha256", whole)):
        seconds = []
        for _ in range(5):
            start = time.perf_counter()
            take()
            seconds.append(time.perf_counter() - start)
        print(f"{label}: {1000 * min(seconds):.1f} ms for {file.stat().st_size / 1e6:,.0f} MB")


def measure_drawing(file: Path) -> None:
    """Lay out and draw the figures of a matrix, in seconds of processor time, one process."""
    import dpss

    summary: Any = dpss.summarize(file, embedding=False)
    spent: dict[str, float] = {}

    def timed(label: str, work: Callable[[], Any]) -> Any:
        start = time.process_time()
        found = work()
        spent[label] = spent.get(label, 0.0) + time.process_time() - start
        return found

    def import_ours() -> Any:
        from dpss.figures import export, registry

        return export, registry

    def import_matplotlib() -> Any:
        from dpss.figures import mpl
        from dpss.figures.elements import style

        style.preload()
        return mpl, style

    def save(figure: Any, ending: str) -> bytes:
        file = BytesIO()
        figure.savefig(file, format=ending)
        return file.getvalue()

    export, registry = timed("imports of our own", import_ours)
    from dpss.figures.elements.layout import NARROW
    from dpss.figures.raster.png import draw
    from dpss.figures.svg import svg_bytes

    figures = [each for each in registry.figures_of(summary) if each.needs(summary) is None]
    pages = timed("layout, wide", lambda: [each.page(summary) for each in figures])
    narrow = timed("layout, narrow", lambda: [each.page(summary, NARROW) for each in figures])
    timed("SVG", lambda: [svg_bytes(page) for page in pages])
    timed("narrow SVG", lambda: [svg_bytes(page) for page in narrow])
    timed("first drawing: machine code and font", lambda: draw(pages[0]))
    timed("drawing", lambda: [draw(page) for page in pages])
    timed("drawing and packing PNG", lambda: [export.png_of(page) for page in pages])
    mpl, style = timed("matplotlib: imports", import_matplotlib)
    with style.theme():
        drawn = timed("matplotlib: objects", lambda: [mpl.draw_page(page) for page in pages])
        timed("matplotlib: PNG", lambda: [save(each, "png") for each in drawn])
        timed("matplotlib: SVG", lambda: [save(each, "svg") for each in drawn])
    for label, seconds in spent.items():
        print(f"{label}: {seconds:.2f} s")


def measure_clusters() -> None:
    """Run the steps from components to clusters and a map, of a mixture of 20 kinds of cells."""
    from dpss.stats.embedding.graph import graph_of
    from dpss.stats.embedding.layout import place_nodes
    from dpss.stats.embedding.leiden import find_clusters
    from dpss.stats.embedding.neighbours import N_NEIGHBOURS, ScoreScale, search_all, squared_norms

    def neighbours_of(points: NDArray[np.int16]) -> tuple[Any, Any]:
        places = np.empty((len(points), N_NEIGHBOURS), dtype=np.int32)
        distances = np.empty_like(places)
        search_all(points, points, squared_norms(points), 0, places, distances)
        return places, np.sqrt(distances.astype(np.float64))

    # The first round of few cells loads or compiles the loops; it is not printed.
    for n_cells in (500, 2_000, 20_000):
        rng = np.random.default_rng(1)
        centres = rng.normal(0, 4, (20, 50)) / np.sqrt(1 + np.arange(50))
        scores = centres[rng.integers(0, 20, n_cells)] + rng.normal(0, 1, (n_cells, 50))
        times = [time.process_time()]
        places, distances = neighbours_of(ScoreScale.of(scores).apply(scores))
        times.append(time.process_time())
        graph = graph_of(places, distances)
        times.append(time.process_time())
        n_clusters = int(find_clusters(graph).max()) + 1
        times.append(time.process_time())
        place_nodes(graph, scores)
        times.append(time.process_time())
        steps = ("exact neighbours", "graph", "Leiden", "layout of the map")
        if n_cells > 500:
            parts = zip(steps, np.diff(times), strict=True)
            listed = ", ".join(f"{step} {seconds:.2f} s" for step, seconds in parts)
            print(f"{n_cells:,} cells: {listed}; {n_clusters} clusters")
