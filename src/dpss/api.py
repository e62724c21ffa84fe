"""The interface for notebooks: one call returns the summary of a matrix."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from dpss.engine.barcode_tables import BarcodeTableFile, open_barcode_table
from dpss.engine.call_options import Modalities, Several, SummarizeOptions
from dpss.engine.options import make_settings
from dpss.engine.settings import ReadSettings, StatSettings
from dpss.errors import MatrixError, NeedsWholeError, SettingsError, plural
from dpss.summary import record as records
from dpss.summary.annotation_frames import AnnotationFrames
from dpss.summary.object_annotation import AnnotatingSummary

if TYPE_CHECKING:
    import matplotlib.figure
    import pandas as pd

    from dpss.formats.base import Layer, Matrix
    from dpss.stats.cell_records import Records
    from dpss.summary.embedding import Embedding

EVERY = "*"
"""Value of ``matrix`` that means every matrix of a file."""


@dataclass(frozen=True)
class NotebookSummary(AnnotationFrames, AnnotatingSummary):
    """All statistics of one matrix, with the tables and figures that a notebook shows."""

    @classmethod
    def of(cls, record: records.Summary, cells: Records | None = None) -> NotebookSummary:
        """Return the summary with the fields of a record, and the measures of each cell."""
        given: dict[str, Any] = {each.name: getattr(record, each.name) for each in fields(record)}
        return cls(**given, cell_records=cells)

    def __repr__(self) -> str:
        """Return a line with the name, the sizes and the kind of the values."""
        size = f"{plural(self.n_cells_kept, 'cell')} × {plural(self.n_genes, 'gene')}"
        return f"<dpss.Summary of {self.title or 'a matrix'}: {size}, {self.values}>"

    def genes_table(self) -> pd.DataFrame:
        """Return the table of genes with the columns of ``genes.csv``."""
        from dpss.summary.tables import genes_frame

        return genes_frame(self.genes)

    def clusters_table(self) -> pd.DataFrame:
        """Return the clusters with the columns of ``clusters.csv``.

        Raises:
            ValueError: The matrix has no clusters; the message says why.
        """
        from dpss.summary.embedding_tables import clusters_frame

        return clusters_frame(self._embedded())

    def markers_table(self) -> pd.DataFrame:
        """Return the markers of all clusters with the columns of ``markers.csv``.

        Raises:
            ValueError: The matrix has no clusters; the message says why.
        """
        from dpss.summary.embedding_tables import markers_frame

        return markers_frame(self._embedded(), self.genes)

    def strata_table(self) -> pd.DataFrame:
        """Return the strata with the columns of ``strata.csv``.

        Raises:
            ValueError: The matrix has no strata.
        """
        from dpss.summary.strata_tables import strata_frame

        if self.strata is None:
            raise ValueError("there are no strata: summarize(..., by=...) makes them")
        return strata_frame(self.strata)

    def cells_table(self) -> pd.DataFrame:
        """Return the cluster and the map position of each cell, in the matrix's order.

        Raises:
            ValueError: The matrix has no clusters; the message says why.
        """
        from dpss.summary.embedding_tables import cells_frame

        return cells_frame(self._embedded())

    def _embedded(self) -> Embedding:
        if self.embedding is None:
            reason = self.no_embedding_reason or "it was switched off by embedding=False"
            raise ValueError(f"there is no embedding: {reason}")
        return self.embedding

    def figures(self) -> dict[str, matplotlib.figure.Figure]:
        """Draw each figure whose numbers the summary has, and return them by slug."""
        from dpss.figures.registry import draw_figures

        return draw_figures(self)

    def _repr_html_(self) -> str:
        """Return the summary as HTML for a notebook."""
        from dpss.website.pages.notebook import summary_html

        return summary_html(self)


Summary = NotebookSummary
"""The name under which `dpss` exports the class."""


def _open_table(path: str) -> BarcodeTableFile:
    try:
        return open_barcode_table(path)
    except ValueError as error:
        raise SettingsError(f"by_file: {error}") from error


@overload
def summarize(  # type: ignore[overload-overlap]  # "*" is a str, too
    source: Several, *, matrix: Literal["*"], **options: Unpack[SummarizeOptions]
) -> list[dict[str, Summary]]: ...
@overload
def summarize(
    source: Any, *, matrix: Literal["*"], **options: Unpack[SummarizeOptions]
) -> dict[str, Summary]: ...
@overload
def summarize(
    source: Modalities, *, matrix: None = None, **options: Unpack[SummarizeOptions]
) -> dict[str, Summary]: ...
@overload
def summarize(
    source: Sequence[Modalities], *, matrix: None = None, **options: Unpack[SummarizeOptions]
) -> list[dict[str, Summary]]: ...
@overload
def summarize(
    source: Several, *, matrix: str | None = None, **options: Unpack[SummarizeOptions]
) -> list[Summary]: ...
@overload
def summarize(
    source: Any, *, matrix: str | None = None, **options: Unpack[SummarizeOptions]
) -> Summary: ...
def summarize(  # noqa: PLR0913 (settings, by name)
    source: str | os.PathLike[str] | Any,
    *,
    layer: str | None = None,
    min_gene_count: int = 0,
    cells_above_knee: bool = False,
    orientation: str | None = None,
    threads: int | None = None,
    memory: str | None = None,
    matrix: str | None = None,
    embedding: bool = True,
    resolution: float = 1.0,
    annotation: str | None = None,
    authors_embedding: str | None = None,
    n_clusters_max: int = 64,
    by: str | None = None,
    by_file: str | os.PathLike[str] | None = None,
) -> Summary | dict[str, Summary] | list[Any]:
    """Summarise a matrix: a file, a folder, an AnnData object, or a matrix in memory.

    >>> summary = summarize("my.h5ad")               # doctest: +SKIP
    >>> summary.n_cells, summary.median_genes_per_cell  # doctest: +SKIP
    (2170, 1236.0)
    >>> summary.genes_table().head()                 # doctest: +SKIP
    >>> summary.figures()["violin"]                  # doctest: +SKIP

    Args:
        source: Path or address of a matrix in any format that is read, or an AnnData
            object, which is neither copied nor changed (views, backed ones and Dask's arrays are
            allowed), or a sparse or dense matrix or a data frame with cells in its rows; or a
            MuData object; or a list of any of these.
        layer: The layer to read, or ``None`` for the first that has counts.
        min_gene_count: Leave out cells with fewer genes detected.
        cells_above_knee: In a droplet matrix without cell calling, summarise only the barcodes
            above the knee of the curve of counts; the matrix is read twice.
        orientation: Meaning of the lines and columns of a text table, ``genes-by-cells`` or
            ``cells-by-genes``; with ``None`` their names decide.
        threads: Number of threads; ``None`` for the number of processors, at most 8.
        memory: Memory limit for files that can only be read whole (R's), such as ``8GB``; ``None``
            for half of the machine's memory.
        matrix: Name of the matrix, where a file or an object holds several; ``"*"`` for all.
        embedding: Compute components, clusters, markers and maps of the cells, in two more passes;
            needs 200 cells.
        resolution: Resolution of the clusters; a higher one gives more clusters.
        annotation: Column of the cells that names their types, ``none`` for none; ``None`` takes
            ``cell_type`` or the best of those like it.
        authors_embedding: Name of the map of the cells in the file, such as ``X_tsne``, ``none``
            for none; ``None`` takes its UMAP, or the best of others.
        n_clusters_max: Maximum number of clusters; beyond it the smallest clusters join others.
        by: Column of the cells that groups them into strata, each with its own statistics; or
            ``barcode_suffix``.
        by_file: A table ``barcode,value`` whose values group the cells, instead of ``by``.

    Returns:
        The summary; ``genes_table()`` returns a data frame of the genes, ``figures()`` matplotlib
        figures. Of a MuData object without ``matrix``, and with ``"*"``, the summaries by the
        names of the matrices (empty for one without a name); of a list a list, in its order.

    Raises:
        MatrixError: The matrix can't be summarised; the message says why.
        SettingsError: A setting has a value that is not allowed.
        UnreachableError: There is no such file or address.
    """
    stats = StatSettings(
        min_gene_count=min_gene_count,
        layer=layer,
        orientation=orientation,
        embedding=embedding,
        resolution=resolution,
        annotation=annotation,
        authors_embedding=authors_embedding,
        n_clusters_max=n_clusters_max,
        by=by,
        by_file=None if by_file is None else _open_table(os.fspath(by_file)),
        cells_above_knee=cells_above_knee,
    )
    read = make_settings(ReadSettings, {"threads": threads, "memory": memory})
    if isinstance(source, list | tuple):
        sources: Several = source  # pyright: ignore[reportUnknownVariableType]
        return [_summarize_source(each, matrix, stats, read) for each in sources]
    return _summarize_source(source, matrix, stats, read)


def _summarize_source(
    source: Any, wanted: str | None, stats: StatSettings, read: ReadSettings
) -> Summary | dict[str, Summary]:
    """Return the summary of a source, or the summaries of all its matrices by name."""
    if isinstance(source, str | os.PathLike):
        by_name = _summarize_file(os.fspath(source), wanted, stats, read)
        return by_name if wanted == EVERY else next(iter(by_name.values()))
    from dpss.formats.anndata import is_anndata, modalities_of, open_object

    parts = modalities_of(source, None if wanted == EVERY else wanted)
    if parts is None:
        title = "AnnData object" if is_anndata(source) else "matrix in memory"
        found = open_object(source)
        if wanted not in (None, EVERY, found.name):
            raise MatrixError(f"{title}: holds one matrix, without a name; leave out matrix=")
        made = _summarize_matrix(found, "", title, "", stats, read)
        return {found.name: made} if wanted == EVERY else made
    every = {k: _summarize_matrix(open_object(v), "", k, "", stats, read) for k, v in parts.items()}
    return every if wanted in (None, EVERY) else every[wanted]


def _summarize_file(
    address: str, wanted: str | None, stats: StatSettings, read: ReadSettings
) -> dict[str, Summary]:
    """Return the summary of the wanted matrix of a file, or of all, by name."""
    from dpss.formats.endings import stem_of
    from dpss.formats.named_matrices import apply_by_name
    from dpss.formats.options import OpenOptions, parse_orientation
    from dpss.storage.access import in_place, open_access
    from dpss.storage.fingerprint import fingerprint
    from dpss.storage.local import path_of
    from dpss.storage.locations import open_source
    from dpss.storage.scratch import Scratch

    opened = in_place(open_source(address))
    title, digest = stem_of(opened.name), fingerprint(opened)
    options = OpenOptions(read.threads, parse_orientation(stats.orientation), read.memory_bytes)

    def make(found: Matrix) -> Summary:
        return _summarize_matrix(found, opened.name, title, digest, stats, read)

    with Scratch() as scratch:
        try:
            with open_access(opened, scratch) as ready:
                return apply_by_name(ready, wanted, options, make, every=EVERY)
        except NeedsWholeError:
            if path_of(opened) is not None:
                raise
            with open_access(opened, scratch, whole=True) as copy:
                return apply_by_name(copy, wanted, options, make, every=EVERY)


def _summarize_matrix(
    found: Matrix, url: str, title: str, digest: str, stats: StatSettings, read: ReadSettings
) -> Summary:
    from dpss._version import __version__
    from dpss.compute.thread_executor import ThreadExecutor
    from dpss.engine.held_cells import HeldCells
    from dpss.engine.progress import NullProgress
    from dpss.engine.summarizer import summarize_matrix
    from dpss.summary.builder import Identity
    from dpss.summary.record import MatrixInfo, Provenance

    def identify(opened: Matrix, layer: Layer) -> Identity:
        info = MatrixInfo(opened.name, url, opened.format, layer.name, digest)
        return Identity(title, title, info, Provenance(__version__, stats.as_mapping()))

    executor, cells = ThreadExecutor(read.threads), HeldCells()
    record = summarize_matrix(found, identify, stats, read, executor, NullProgress(), sink=cells)
    return Summary.of(record, cells.joined())
