"""A small simulated portal, to try the program without real data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dpss._version import __version__
from dpss.catalogs.local import LocalCatalog
from dpss.demo.cells import Tissue, simulate
from dpss.model import Project

MARK = "SIMULATED.json"
"""Name of the file that states that the matrices beside it are simulated, with the seed."""


@dataclass(frozen=True)
class DemoProject:
    """A project of the simulated portal."""

    title: str
    species: str
    organ: str
    technology: str
    matrices: tuple[tuple[str, str, Tissue], ...]
    """For each matrix its path within the folder, the name of the writer, and the tissue."""


_BLOOD = Tissue(("T cell", "monocyte", "B cell"), 1000, 2600, 2400, 0.05)
_BRAIN = Tissue(("neuron", "oligodendrocyte", "astrocyte"), 320, 2800, 3800, 0.03, mouse=True)
_HEART = Tissue(("cardiomyocyte", "fibroblast", "endothelial"), 900, 3000, 5200, 0.12)
_KIDNEY = Tissue(
    ("proximal tubule", "loop of Henle", "podocyte"), 288, 2600, 60_000, 0.15, mouse=True
)
_LIVER = Tissue(("hepatocyte", "Kupffer cell", "stellate cell"), 320, 2600, 3000, 0.18)
_PANCREAS = Tissue(("beta cell", "alpha cell", "acinar cell"), 500, 2400, 3600, 0.06)

PROJECTS = {
    "blood": DemoProject(
        "White blood cells of a healthy donor",
        "Homo sapiens",
        "blood",
        "10x 3' v3",
        (("blood.h5", "tenx_h5", _BLOOD),),
    ),
    "brain": DemoProject(
        "Visual cortex of the adult mouse",
        "Mus musculus",
        "brain",
        "10x 3' v3",
        (("brain", "tenx_folder", _BRAIN),),
    ),
    "heart": DemoProject(
        "Left ventricle of the human heart",
        "Homo sapiens",
        "heart",
        "10x 3' v2",
        (("heart.h5ad", "h5ad_csr", _HEART),),
    ),
    "kidney": DemoProject(
        "Kidney of the mouse, full-length reads",
        "Mus musculus",
        "kidney",
        "Smart-seq2",
        (("kidney.h5ad", "h5ad_dense", _KIDNEY),),
    ),
    "liver": DemoProject(
        "Human liver, from a transplant",
        "Homo sapiens",
        "liver",
        "10x 3' v2",
        (("liver.mtx.zip", "mtx_zip", _LIVER),),
    ),
    "pancreas": DemoProject(
        "Islets of the human pancreas, two donors",
        "Homo sapiens",
        "pancreas",
        "10x 3' v3",
        (
            ("pancreas/donor-1.h5ad", "h5ad_csc", _PANCREAS),
            ("pancreas/donor-2.h5ad", "h5ad_csr", replace(_PANCREAS, n_cells=360)),
        ),
    ),
}


@dataclass(frozen=True)
class DemoCatalog:
    """The simulated portal as a `dpss.catalogs.base.Catalog`."""

    folder: Path
    """Folder that `write_matrices` has written to."""

    @property
    def name(self) -> str:
        """Name of the source."""
        return "demo (simulated)"

    def projects(self) -> Iterator[Project]:
        """Yield the projects, with titles and strata."""
        for project in LocalCatalog(str(self.folder), lambda _: False).projects():
            about = PROJECTS.get(project.id)
            if about is None:
                continue
            strata = {
                "species": (about.species,),
                "organ": (about.organ,),
                "technology": (about.technology,),
            }
            refs = tuple(replace(ref, strata=strata) for ref in project.refs)
            yield replace(project, title=f"{about.title} (simulated)", refs=refs)


def write_matrices(folder: Path, seed: int) -> None:
    """Write the matrices of all projects, unless they are there already.

    Args:
        folder: Folder to write to.
        seed: Seed of the random counts.
    """
    from dpss.demo import files

    mark = {"simulated": True, "seed": seed, "version": __version__}
    matrices = [matrix for project in PROJECTS.values() for matrix in project.matrices]
    complete = all((folder / path).exists() for path, _, _ in matrices)
    if complete and _read_mark(folder) == mark:
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).unlink(missing_ok=True)
    for number, (path, writer, tissue) in enumerate(matrices):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write: files.Write = getattr(files, f"write_{writer}")
        write(folder / path, simulate(tissue, seed * 1000 + number))
    (folder / MARK).write_text(json.dumps(mark) + "\n")


def _read_mark(folder: Path) -> object:
    try:
        return json.loads((folder / MARK).read_text())
    except (OSError, ValueError):
        return None
