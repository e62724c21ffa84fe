"""Data files of all matrices: for look-ups, comparisons and runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from dpss.website import wording as words
from dpss.website.data_files import dumps, script
from dpss.website.pages.environment import THUMBNAILS, anchor
from dpss.website.records import (
    ORGAN,
    SPECIES,
    TECHNOLOGY,
    MatrixRecord,
    ProjectRecord,
    quoted_path,
)


def portal_script(projects: Sequence[ProjectRecord]) -> bytes:
    """Return the data file that names every matrix, for the look-up of a gene.

    What matrices share is said once, since a page waits while a browser reads the file:
    ``projects`` has title, folder and address of each; ``samples`` species, organs,
    technologies, values, whether they are simulated, and pictures. A row of ``matrices`` has the
    number of its project, the rest of its folder, its label (0: that rest), the number of
    its sample, its kept cells and, where it differs, the rest as a part of an address.
    """
    samples: dict[str, int] = {}
    rows = [
        dumps(_row(number, project, matrix, samples))
        for number, project in enumerate(projects)
        for matrix in project.matrices
    ]
    named = [dumps([project.title, project.folder, project.path]) for project in projects]
    parts = {"projects": named, "samples": list(samples), "matrices": rows}
    texts = [f'"{name}":[\n' + ",\n".join(lines) + "\n]" for name, lines in parts.items()]
    return script("{" + ",\n".join(texts) + "}")


def _row(
    number: int, project: ProjectRecord, matrix: MatrixRecord, samples: dict[str, int]
) -> list[str | int]:
    sample = [
        list(matrix.terms(SPECIES)),
        list(matrix.terms(ORGAN)),
        list(matrix.terms(TECHNOLOGY)),
        matrix.values,
        matrix.simulated,
        [slug for slug in THUMBNAILS if slug in matrix.figures],
    ]
    rest = matrix.folder.partition("/")[2]
    label = matrix.label if matrix.label != project.title else ""
    quoted = quoted_path(rest)
    return [
        number,
        rest,
        0 if label == rest else label,
        samples.setdefault(dumps(sample), len(samples)),
        matrix.numbers["n_cells_kept"],
        *([quoted] if quoted != rest else []),
    ]


def compare_script(projects: Sequence[ProjectRecord]) -> bytes:
    """Return the data file by which chosen matrices are compared."""
    rows = [
        [
            matrix.folder,
            project.title,
            project.path + "index.html#" + anchor(matrix.folder),
            matrix.label if matrix.label != project.title else "",
            *words.verdict(matrix.checks)[::2],
            matrix.checks["fail"] * 1000 + matrix.checks["warn"],
            matrix.numbers["n_cells"],
            matrix.numbers["n_genes"],
            [spread and _short(spread) for spread in matrix.spreads],
        ]
        for project in projects
        for matrix in project.matrices
    ]
    return script("[\n" + ",\n".join(map(dumps, rows)) + "\n]")


def _short(spread: Sequence[float]) -> list[float]:
    """Return quantiles with as many digits as are seen; the median with all."""
    return [float(f"{value:.{9 if n == 2 else 4}g}") for n, value in enumerate(spread)]


def example_genes(projects: Sequence[ProjectRecord]) -> list[str]:
    """Return the two commonest names and an id among the best genes."""
    pairs = [pair for p in projects for m in p.matrices for pair in m.genes]
    names = Counter(name for name, gene_id in pairs if name and name != gene_id)
    ids = Counter(gene_id for _, gene_id in pairs)
    best = sorted(names, key=lambda name: (-names[name], name))[:2]
    return best + sorted(ids.keys() - names.keys(), key=lambda one: (-ids[one], one))[:1]


def published_addresses(projects: Sequence[ProjectRecord]) -> dict[str, dict[str, str]]:
    """Return each matrix's title and its address from the top page, by folder."""
    return {
        matrix.folder: {
            "title": project.title,
            "address": f"{project.path}index.html#{anchor(matrix.folder)}",
        }
        for project in projects
        for matrix in project.matrices
    }
