"""The authors' annotation of one matrix: types of cells, and their map."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dpss.engine.annotation_choice import (
    AnnotationNotes,
    AnnotationRequest,
    choose_labels,
    choose_map,
    list_coordinates,
)
from dpss.engine.cell_labels import CellLabels, one_line, rank_columns
from dpss.engine.embedding import BY_GENE, BlockFold, express_markers
from dpss.engine.layer_passes import LayerPasses
from dpss.errors import NotCellMajorError, plural
from dpss.formats.base import Matrix
from dpss.model import GeneTable
from dpss.stats.embedding.annotated import (
    AnnotatedAccumulator,
    AnnotatedSums,
    adjusted_rand_index,
    select_groups,
)
from dpss.stats.embedding.covariance import VariableGenes
from dpss.stats.embedding.group_tables import GroupSums, HistogramGenes
from dpss.stats.embedding.markers import find_markers
from dpss.summary.annotation import AnnotatedType, Annotation
from dpss.summary.record import Summary

MAX_OTHERS = 40
"""Most other columns, and most other coordinates, that are named."""
MOST_SUMMED = 64
"""Most types with markers and medians."""


@dataclass(frozen=True)
class CellSource:
    """Facts of the matrix that a pass over its types needs."""

    features: GeneTable
    mitochondrial: NDArray[np.bool_]
    min_gene_count: int
    passes: LayerPasses | None
    """Passes over whole cells; ``None`` where the matrix is stored gene by gene."""
    n_cells: int


def annotate_cells(
    summary: Summary, matrix: Matrix, source: CellSource, request: AnnotationRequest
) -> Summary:
    """Return the summary with the types and the map that the file has of its cells.

    A file without annotation gives no warning; annotation that can't be read does.

    Args:
        summary: The summary, with its embedding where there is one.
        matrix: The matrix.
        source: Facts for a pass over its cells.
        request: The requested column and coordinates.
    """
    notes = AnnotationNotes()
    annotation = _find(summary, matrix, source, request, notes)
    checks = (*summary.checks, *notes.checks)
    if annotation is None or (annotation.column is None and annotation.map is None):
        return replace(summary, checks=checks)
    return replace(summary, annotation=annotation, checks=checks)


def _find(
    summary: Summary,
    matrix: Matrix,
    source: CellSource,
    request: AnnotationRequest,
    notes: AnnotationNotes,
) -> Annotation | None:
    cells = matrix.cells
    columns = (notes.attempt(cells.columns, "The table of the cells") or []) if cells else []
    column, labels = choose_labels(cells, columns, source.n_cells, request.column, notes)
    candidates, names = list_coordinates(matrix.coordinates, request.coordinates, notes)
    if column is None and not candidates:
        return None
    others = [one_line(name) for name in rank_columns(columns) if name != column]
    annotation = Annotation(
        None if column is None else one_line(column), tuple(others[:MAX_OTHERS]), ()
    )
    kept = _kept_cells(summary, source)
    if column is None:
        labels = CellLabels((), np.full(source.n_cells, -1, dtype=np.int16))
    else:
        sums, reason = _sum_types(summary, source, labels)
        kept = kept if sums is None else sums.kept
        if kept is not None:
            annotation = replace(annotation, no_markers_reason=reason)
            annotation, labels = _describe_types(annotation, labels, kept, sums, source)
    if kept is None:
        notes.warn(
            f"{column or candidates[0]} is left out: which cells are kept is known only of a "
            "matrix that is stored cell by cell."
        )
        return None
    cell_map = None
    if matrix.coordinates is not None:
        cell_map = choose_map(matrix.coordinates, candidates, labels, kept, notes)
    unused = [one_line(name) for name in names if cell_map is None or name != cell_map.name]
    annotation = replace(annotation, other_coordinates=tuple(unused[:MAX_OTHERS]))
    if cell_map is not None:
        annotation = replace(annotation, map=replace(cell_map, name=one_line(cell_map.name)))
    return _with_clusters(annotation, labels, summary)


def _kept_cells(summary: Summary, source: CellSource) -> NDArray[np.bool_] | None:
    """Return which cells are kept; ``None`` where that is not known without a pass."""
    if not source.min_gene_count:
        return np.ones(source.n_cells, dtype=bool)
    if summary.embedding is None or len(summary.embedding.cells.labels) != source.n_cells:
        return None
    return np.asarray(summary.embedding.cells.labels >= 0)


@dataclass(frozen=True)
class _AnnotatedFold(BlockFold):
    codes: NDArray[np.int16]
    n_types: int
    histograms: HistogramGenes

    def start(self) -> AnnotatedAccumulator:
        return AnnotatedAccumulator(self.genes, self.codes, self.n_types, self.histograms)


def _reason_of_others(n_types: int) -> str:
    if not n_types:
        return ""
    return f"{plural(n_types, 'smaller type')} {'has' if n_types == 1 else 'have'} no markers"


def _sum_types(
    summary: Summary, source: CellSource, labels: CellLabels
) -> tuple[AnnotatedSums | None, str]:
    """Return the sums per type; ``None`` and the reason where there are none."""
    if source.passes is None:
        return None, BY_GENE
    features = source.features
    none_variable = np.empty(0, dtype=np.int64)
    genes = VariableGenes.of(features, source.mitochondrial, none_variable, source.min_gene_count)
    n_types = min(len(labels.names), MOST_SUMMED)
    sizes = np.bincount(labels.codes[labels.codes >= 0], minlength=n_types)[:n_types]
    histograms = HistogramGenes.choose(
        float(sizes.min()), n_types, np.flatnonzero(features.is_gene),
        summary.genes.n_cells_by_counts, summary.n_cells_kept, len(features),
    )  # fmt: skip
    passes = source.passes
    fold = _AnnotatedFold(passes.reading, genes, labels.codes, n_types, histograms)
    try:
        sums = passes.run("comparing types", fold).result()
    except NotCellMajorError:
        return None, BY_GENE
    n_others = len(labels.names) - n_types
    return sums, _reason_of_others(n_others)


def _describe_types(
    annotation: Annotation,
    labels: CellLabels,
    kept: NDArray[np.bool_],
    sums: AnnotatedSums | None,
    source: CellSource,
) -> tuple[Annotation, CellLabels]:
    """Add the types of the kept cells, and number them by their kept cells."""
    codes = np.where(kept, labels.codes, -1)
    sizes = np.bincount(codes[codes >= 0], minlength=len(labels.names))
    n_summed = 0 if sums is None else len(sums.groups.sizes)
    # Types with sums come first: beyond `MOST_SUMMED`, a smaller one of these can have more cells.
    keys = np.lexsort((-sizes, np.arange(len(sizes)) >= n_summed))
    order = keys[sizes[keys] > 0]
    numbers = np.full(len(sizes) + 1, -1, dtype=np.int16)
    numbers[order] = np.arange(len(order))
    groups = None if sums is None else select_groups(sums.groups, order[order < n_summed])
    is_gene = source.features.is_gene
    with_mt = bool((source.mitochondrial & is_gene).any())
    types = tuple(
        _type_of(labels.names[k], int(sizes[k]), groups, index, with_mt=with_mt)
        for index, k in enumerate(order.tolist())
    )
    n_missing = int(np.count_nonzero(kept & (labels.codes < 0)))
    annotation = replace(annotation, types=types, n_missing=n_missing)
    renamed = CellLabels(tuple(each.name for each in types), numbers[codes])
    if groups is not None:
        genes = np.flatnonzero(is_gene)
        markers = find_markers(groups, genes)
        expression = express_markers(groups, genes, markers)
        annotation = replace(annotation, markers=markers, expression=expression)
    return annotation, renamed


def _type_of(
    name: str, size: int, groups: GroupSums | None, index: int, *, with_mt: bool
) -> AnnotatedType:
    if groups is None or index >= len(groups.sizes):
        return AnnotatedType(one_line(name), size)
    genes_found, totals, percents = groups.measures[index]
    return AnnotatedType(one_line(name), size, genes_found, totals, percents if with_mt else None)


def _with_clusters(annotation: Annotation, labels: CellLabels, summary: Summary) -> Annotation:
    """Add the numbers of cells by type and cluster of the embedding."""
    if summary.embedding is None or not annotation.types:
        return annotation
    clusters, n_clusters = summary.embedding.cells.labels, len(summary.embedding.clusters)
    if len(clusters) != len(labels.codes):
        return annotation
    both = (clusters >= 0) & (labels.codes >= 0)
    keys = labels.codes[both].astype(np.int64) * n_clusters + clusters[both]
    table = np.bincount(keys, minlength=len(annotation.types) * n_clusters)
    table = table.reshape(len(annotation.types), n_clusters)
    return replace(annotation, clusters=table, adjusted_rand_index=adjusted_rand_index(table))
