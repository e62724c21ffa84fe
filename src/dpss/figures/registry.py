"""Figures of a summary: one module per figure, pure functions.

To add one, write a module that makes a `Figure`, put it into `FIGURES`, and describe it in
`docs/reference/figures.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpss.figures.annotation_clusters import ANNOTATION_CLUSTERS
from dpss.figures.annotation_markers import ANNOTATION_MARKERS
from dpss.figures.annotations import ANNOTATIONS
from dpss.figures.authors_embedding import AUTHORS_EMBEDDING
from dpss.figures.base import Figure
from dpss.figures.cluster_qc import CLUSTER_QC
from dpss.figures.genes_by_cell_count import GENES_BY_CELL_COUNT
from dpss.figures.highest_expr_genes import HIGHEST_EXPR_GENES
from dpss.figures.highly_variable_genes import HIGHLY_VARIABLE_GENES
from dpss.figures.knee import KNEE
from dpss.figures.marker_genes import MARKER_GENES
from dpss.figures.pca_variance import PCA_VARIANCE
from dpss.figures.scatter_genes_vs_counts import SCATTER_GENES_VS_COUNTS
from dpss.figures.scatter_mito_vs_count import SCATTER_MITO_VS_COUNT
from dpss.figures.strata import STRATA
from dpss.figures.umap_clusters import UMAP_CLUSTERS
from dpss.figures.umap_qc import UMAP_QC
from dpss.figures.violin import VIOLIN
from dpss.summary.tables import FigureInfo

if TYPE_CHECKING:
    import matplotlib.figure

    from dpss.summary.record import Summary

__all__ = [
    "FIGURES",
    "Figure",
    "draw_figures",
    "figure_infos",
]

FIGURES: tuple[Figure, ...] = (
    HIGHEST_EXPR_GENES,
    GENES_BY_CELL_COUNT,
    HIGHLY_VARIABLE_GENES,
    VIOLIN,
    SCATTER_GENES_VS_COUNTS,
    SCATTER_MITO_VS_COUNT,
    KNEE,
)
"""All figures, in the order in which they are shown."""


EMBEDDING_FIGURES: tuple[Figure, ...] = (
    UMAP_CLUSTERS,
    UMAP_QC,
    PCA_VARIANCE,
    MARKER_GENES,
    CLUSTER_QC,
)
"""Figures of an embedding, made only if the embedding was requested."""


STRATA_FIGURES: tuple[Figure, ...] = (STRATA,)
"""Figures of strata, made only if strata were requested."""


ANNOTATION_FIGURES: tuple[Figure, ...] = (
    AUTHORS_EMBEDDING,
    ANNOTATIONS,
    ANNOTATION_MARKERS,
    ANNOTATION_CLUSTERS,
)
"""Figures of the authors' annotation, made only if the file has one."""


def figures_of(summary: Summary) -> tuple[Figure, ...]:
    """Return the figures that apply to a summary, also those left out for a reason."""
    asked = summary.embedding is not None or summary.no_embedding_reason
    embedding = EMBEDDING_FIGURES if asked else ()
    authors = ANNOTATION_FIGURES if summary.annotation is not None else ()
    strata = STRATA_FIGURES if summary.strata is not None else ()
    return (*FIGURES, *authors, *embedding, *strata)


def draw_figures(summary: Summary) -> dict[str, matplotlib.figure.Figure]:
    """Draw every figure whose numbers the summary has; return them by slug."""
    return {
        figure.slug: figure.draw(summary)
        for figure in figures_of(summary)
        if figure.needs(summary) is None
    }


def figure_infos(summary: Summary) -> tuple[FigureInfo, ...]:
    """Return title, caption and state of each figure."""
    return tuple(
        FigureInfo(figure.slug, figure.title, figure.caption(summary), figure.needs(summary))
        for figure in figures_of(summary)
    )
