"""For notebooks: one call from a matrix to its summary."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dpss.errors import MatrixError
from dpss.settings import StatSettings, make_read_settings

if TYPE_CHECKING:
    from dpss.formats import Layer, Matrix
    from dpss.summary import Summary


def summarize(
    source: str | os.PathLike[str] | Any,
    *,
    layer: str | None = None,
    min_gene_count: int = 0,
    threads: int | None = None,
    matrix: str | None = None,
) -> Summary:
    """Summarise a matrix: a file, a folder, or an AnnData object in memory.

    >>> summary = summarize("my.h5ad")               # doctest: +SKIP
    >>> summary.n_cells, summary.median_genes_per_cell  # doctest: +SKIP
    (2170, 1236.0)
    >>> summary.genes_table().head()                 # doctest: +SKIP
    >>> summary.figures()["violin"]                  # doctest: +SKIP

    Args:
        source: Path or address of a matrix in any format that is read, or an AnnData
            object, which is neither copied nor changed; a view will do.
        layer: The layer to read, or ``None`` for the first that has counts.
        min_gene_count: Leave out cells with fewer genes detected.
        threads: As many, or ``None`` for what the machine has.
        matrix: Its name, where a file holds several.

    Returns:
        All numbers; ``genes_table()`` gives the genes as a data frame, ``figures()`` the
        figures as matplotlib's.

    Raises:
        MatrixError: It can't be summarised; the message says why.
        SettingsError: A setting is wrong.
        UnreachableError: There is no such file.
    """
    from dpss.formats.in_memory import is_anndata, open_anndata

    stats = StatSettings(min_gene_count, layer)
    read = make_read_settings(threads)
    if is_anndata(source):
        return _summarize(open_anndata(source), "", "AnnData object", "", stats, read.threads)

    from dpss.formats.table import open_matrices
    from dpss.names import stem_of
    from dpss.stores.fingerprints import fingerprint
    from dpss.stores.opening import open_source

    opened = open_source(os.fspath(source))
    found = choose_matrix(open_matrices(opened, read.threads), matrix, opened.url)
    title = stem_of(opened.name)
    return _summarize(found, opened.name, title, fingerprint(opened), stats, read.threads)


def choose_matrix(matrices: tuple[Matrix, ...], name: str | None, url: str) -> Matrix:
    """Return the one that is asked for, or the only one.

    Raises:
        MatrixError: There is no such one, or none is asked for and there are several.
    """
    wanted = [each for each in matrices if name is None or each.name == name]
    if len(wanted) != 1:
        names = ", ".join(repr(each.name) for each in matrices)
        raise MatrixError(f"{url}: holds {len(matrices)} matrices; choose one by matrix=: {names}")
    return wanted[0]


def _summarize(
    found: Matrix, url: str, title: str, mark: str, stats: StatSettings, threads: int
) -> Summary:
    from dpss import __version__
    from dpss.building import Identity
    from dpss.executors.threads import ThreadExecutor
    from dpss.settings import ReadSettings
    from dpss.summarizing import SilentProgress, summarize_matrix
    from dpss.summary import MatrixInfo, Provenance

    def identify(opened: Matrix, layer: Layer) -> Identity:
        info = MatrixInfo(opened.name, url, opened.format, layer.name, mark)
        return Identity(title, title, info, Provenance(__version__, stats.as_mapping()))

    return summarize_matrix(
        found, identify, stats, ReadSettings(threads), ThreadExecutor(threads), SilentProgress()
    )
