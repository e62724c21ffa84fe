"""Make the images of docs/tutorials/gallery.md, of simulated samples: `make gallery`.

python tools/gallery.py [DIR]
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from PIL import Image

import dpss
from dpss.demo.cells import Counts, Tissue, simulate
from dpss.demo.genes import MARKERS
from dpss.figures.elements.layout import NARROW
from dpss.figures.export import png_of
from dpss.figures.registry import (
    ANNOTATION_FIGURES,
    EMBEDDING_FIGURES,
    FIGURES,
    STRATA_FIGURES,
    Figure,
)

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images" / "gallery"
KINDS = ("T cell", "monocyte", "B cell")
N_CELLS, N_GENES, N_EMPTY, N_DONORS = 800, 1500, 6000, 5
N_COLOURS = 24
ALL = (*FIGURES, *EMBEDDING_FIGURES, *STRATA_FIGURES, *ANNOTATION_FIGURES)

GOOD = Tissue(KINDS, N_CELLS, N_GENES, 4000, 0.04)
LATE = Tissue(KINDS, N_CELLS, N_GENES, 700, 0.3)
ALIKE = Tissue(("T cell",), N_CELLS, N_GENES, 700, 0.05)
"""A whole sample, one that was left on the bench, and one of cells that do not differ."""

WITHOUT_STRUCTURE = ("highly_variable_genes", "pca_variance", "umap_clusters", "marker_genes")
"""Figures whose bad sample is the one of cells that do not differ."""


def object_of(counts: Counts, matrix: NDArray[np.int32] | None = None) -> Any:
    """Return counts as an AnnData object."""
    x = counts.matrix if matrix is None else matrix
    return anndata.AnnData(
        sp.csr_matrix(x.astype(np.float32)),
        obs=pd.DataFrame(index=[f"cell{i}" for i in range(len(x))]),
        var=pd.DataFrame({"gene_ids": counts.ids}, index=counts.symbols),
    )


def annotated(tissue: Tissue, *, wrong: bool) -> Any:
    """Return a sample of five donors, with types by their markers and a map.

    Args:
        tissue: What is simulated.
        wrong: Whether half of the types are shuffled, and the last donor is shallower.
    """
    rng = np.random.default_rng(5)
    counts = simulate(tissue, 7)
    matrix = counts.matrix
    donor = np.arange(len(matrix)) % N_DONORS
    if wrong:
        last = donor == N_DONORS - 1
        matrix = np.where(last[:, None], rng.binomial(matrix, 0.3), matrix).astype(np.int32)
    places = [np.isin(counts.symbols, MARKERS[kind].split()) for kind in tissue.kinds]
    kind = np.argmax([matrix[:, place].sum(axis=1) for place in places], axis=0)
    if wrong:
        some = np.flatnonzero(rng.random(len(kind)) < 0.5)
        kind[some] = kind[rng.permutation(some)]
    sample = object_of(counts, matrix)
    sample.obs["donor"] = [f"donor {number + 1}" for number in donor]
    sample.obs["cell_type"] = [tissue.kinds[number] for number in kind]
    cells = dpss.summarize(sample).cells_table()
    sample.obsm["X_umap"] = cells[["umap_1", "umap_2"]].to_numpy()
    return sample


def droplets(n_cells: int, depth: float, ambient: float, spread: float) -> Any:
    """Return all barcodes of a droplet experiment: cells, and droplets of ambient RNA.

    Args:
        n_cells: Number of cells.
        depth: Median counts of a cell.
        ambient: Median counts of an empty droplet.
        spread: Standard deviation of the logarithm of the latter.
    """
    rng = np.random.default_rng(11)
    counts = simulate(Tissue(KINDS, n_cells, N_GENES, depth, 0.04), 7)
    soup = counts.matrix.sum(axis=0) / counts.matrix.sum()
    totals = ambient * rng.lognormal(0, spread, N_EMPTY)
    empty = rng.poisson(soup * totals[:, None]).astype(np.int32)
    return object_of(counts, np.concatenate([counts.matrix, empty]))


SAMPLES: dict[str, Callable[[], dpss.Summary]] = {
    "good": lambda: dpss.summarize(annotated(GOOD, wrong=False), by="donor"),
    "bad": lambda: dpss.summarize(annotated(LATE, wrong=True), by="donor"),
    "alike": lambda: dpss.summarize(object_of(simulate(ALIKE, 7))),
    "cells": lambda: dpss.summarize(droplets(700, 4000, 20, 0.6), embedding=False),
    "soup": lambda: dpss.summarize(droplets(300, 1500, 150, 1.1), embedding=False),
}
"""What is summarised, by name."""


def sample_of(slug: str, side: str) -> str:
    """Return the name of the sample of which a figure's good or bad image is made."""
    if slug == "knee":
        return {"good": "cells", "bad": "soup"}[side]
    return "alike" if side == "bad" and slug in WITHOUT_STRUCTURE else side


def pictures(figures: Iterable[Figure]) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of the two images of each figure."""
    made: dict[str, dpss.Summary] = {}
    for figure in figures:
        for side in ("good", "bad"):
            name = sample_of(figure.slug, side)
            if name not in made:
                made[name] = replace(SAMPLES[name](), project_title=f"sample “{name}”", demo=True)
            yield f"{figure.slug}.{side}.png", smaller(png_of(figure.page(made[name], NARROW)))


def smaller(picture: bytes) -> bytes:
    """Return a PNG with few colours, a third of its bytes."""
    made = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("RGB").quantize(N_COLOURS).save(made, "PNG", optimize=True)
    return made.getvalue()


def main() -> int:
    """Write the images."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in pictures(ALL):
        (folder / name).write_bytes(data)
    print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
