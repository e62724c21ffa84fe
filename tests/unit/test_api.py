"""One call in a notebook: of a file or of an AnnData object, with the same result."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import dpss
from dpss.engine.options import own_options
from dpss.engine.settings import ReadSettings, StatSettings
from dpss.errors import (
    LimitError,
    MatrixError,
    NoMatrixError,
    SettingsError,
    UnknownFormatError,
    UnreachableError,
)
from dpss.summary.tables import summary_document
from tests.cloud import test_no_ranges as far
from tests.servers.files import FileServer
from tests.unit.formats.packing import table
from tests.unit.small import counts, write_h5ad_csr, write_two_genomes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A small h5ad."""
    write_h5ad_csr(tmp_path / "small.h5ad", counts(3, n_cells=60))
    return tmp_path / "small.h5ad"


def same(one: dpss.Summary, two: dpss.Summary) -> bool:
    """Tell whether two summaries have the same numbers, to the bit."""
    pd.testing.assert_frame_equal(one.genes_table(), two.genes_table(), check_exact=True)
    documents = [summary_document(summary, ()) for summary in (one, two)]
    for document in documents:
        for name in ("project", "matrix", "checks", "reading"):
            del document[name]
    return documents[0] == documents[1]


KINDS: dict[str, Any] = {
    "csr_matrix": sp.csr_matrix,
    "csc_matrix": sp.csc_matrix,
    "csr_array": sp.csr_array,
    "dense": lambda x: x.toarray(),
    "fortran": lambda x: np.asfortranarray(x.toarray()),
    "uint16": lambda x: x.astype(np.uint16),
    "float64": lambda x: x.astype(np.float64),
    "int16": lambda x: x.astype(np.int16),
}


def without_top(summary: dpss.Summary) -> dpss.Summary:
    """Leave out the share of the top genes, and the limits, one of which is of it."""
    measures = dict(summary.other_measures)
    measures.pop("pct_counts_in_top_50_genes", None)
    return replace(summary, other_measures=measures, thresholds=())


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_an_object_in_memory_gives_what_its_file_gives(path: Path, kind: str) -> None:
    """Whatever X is: scipy's sparse kinds, dense in either order, any type of numbers."""
    adata = anndata.read_h5ad(path)
    before = adata.X.copy()
    adata.X = KINDS[kind](adata.X)
    found, expected = dpss.summarize(adata), dpss.summarize(path)
    if kind == "csc_matrix":
        # The first passes never see all counts of a cell at a time, so not the highest either.
        found, expected = without_top(found), without_top(expected)
    assert same(found, expected)
    assert abs(sp.csr_matrix(adata.X) - before).sum() == 0


def test_a_view_is_summarised_without_a_copy(path: Path) -> None:
    """Every other cell of some genes: as if it had been copied first, but it stays a view."""
    adata = anndata.read_h5ad(path)
    view = adata[::2, 3:20]
    assert same(dpss.summarize(view), dpss.summarize(view.copy()))
    assert view.is_view


def test_a_backed_object_is_read_from_its_file(path: Path) -> None:
    """What lies on disk is cut out block by block."""
    whole = dpss.summarize(path)
    backed = anndata.read_h5ad(path, backed="r")
    assert same(dpss.summarize(backed), whole)
    backed.file.close()


def test_a_file_that_is_open_in_this_process_is_read_all_the_same(path: Path) -> None:
    """A notebook that has the file open, backed, may name it: HDF5's locks don't get in the way."""
    expected = dpss.summarize(path)
    adata = anndata.read_h5ad(path, backed="r")
    try:
        assert same(dpss.summarize(path), expected)
    finally:
        adata.file.close()


@pytest.mark.parametrize("ranges", [True, False])
def test_an_address_is_as_good_as_a_path(path: Path, ranges: bool) -> None:
    """Behind HTTP it is read in place, or fetched first where the server gives no ranges."""
    with FileServer() as server:
        url = server.add("/small.h5ad", path.read_bytes(), ranges=ranges)
        assert same(dpss.summarize(url), dpss.summarize(path))


@pytest.mark.slow
@pytest.mark.parametrize("by_cell", [True, False])
def test_a_table_from_a_server_without_ranges(by_cell: bool, tmp_path: Path) -> None:
    """After size and fingerprint it is fetched once."""
    values, lines, columns = far.counts(), far.CELLS, far.GENES
    data = far.table(*((values, lines, columns) if by_cell else (values.T, columns, lines)))
    (tmp_path / "m.csv").write_bytes(data)
    with FileServer() as server:
        url = server.add("/m.csv", data, ranges=False)
        assert same(dpss.summarize(url, threads=2), dpss.summarize(tmp_path / "m.csv"))
        assert len(server.requests) == 3


def test_layers_and_raw_are_found(path: Path) -> None:
    """The rule is that of files: counts in layers, then raw.X, then X; or the one asked for."""
    adata = anndata.read_h5ad(path)
    adata.raw = adata.copy()
    adata.X = adata.X.log1p()
    assert dpss.summarize(adata).matrix.layer == "raw.X"
    assert dpss.summarize(adata[:30, :10]).matrix.layer == "raw.X"
    adata.layers["counts"] = adata.raw.X.copy()
    assert dpss.summarize(adata).matrix.layer == "counts"
    assert dpss.summarize(adata, layer="X").matrix.layer == "X"


def test_cells_with_few_genes_can_be_left_out(path: Path) -> None:
    """As numpy counts them."""
    detected = np.count_nonzero(anndata.read_h5ad(path).X.toarray(), axis=1)
    limit = int(np.median(detected))
    assert dpss.summarize(path, min_gene_count=limit).n_cells_kept == (detected >= limit).sum()


def test_a_table_is_read_as_it_is_said_to_be(tmp_path: Path) -> None:
    """Its lines are genes by their names; cells, and 17 of them, if that is asked for."""
    (tmp_path / "t.csv").write_bytes(table())
    told = dpss.summarize(tmp_path / "t.csv")
    assert (told.n_cells, len(told.genes.gene_id)) == (23, 17)
    asked = dpss.summarize(tmp_path / "t.csv", orientation="cells-by-genes")
    assert (asked.n_cells, len(asked.genes.gene_id)) == (17, 23)
    assert asked.provenance.settings["orientation"] == "cells-by-genes"


def test_what_is_read_whole_stays_below_a_limit() -> None:
    """An R file that would need more is refused, and the option is named."""
    path = Path(__file__).parent / "formats" / "r_files" / "dgC_plain.rds"
    assert dpss.summarize(path, memory="1GB").n_cells
    with pytest.raises(LimitError, match="--memory"):
        dpss.summarize(path, memory="1000")


@pytest.mark.slow
def test_tables_and_figures_for_the_notebook(path: Path) -> None:
    """A data frame with a line per gene, and matplotlib figures by slug."""
    summary = dpss.summarize(path, threads=1)
    assert summary.genes_table().shape == (25, 15)
    figures = summary.figures()
    assert "violin" in figures
    assert all(hasattr(figure, "savefig") for figure in figures.values())


def test_what_cannot_be_summarised_says_why(tmp_path: Path) -> None:
    """Each error is one of the program's own."""
    with pytest.raises(NoMatrixError, match=r"no X"):
        dpss.summarize(anndata.AnnData(shape=(3, 4)))
    with pytest.raises(UnknownFormatError, match="object"):
        dpss.summarize(anndata.AnnData(np.array([["a", "b"]], dtype=object)))
    with pytest.raises(OSError, match=r"nope\.h5ad"):
        dpss.summarize("nope.h5ad")
    with pytest.raises(SettingsError, match="DPSS_THREADS"):
        dpss.summarize(anndata.AnnData(np.ones((2, 2))), threads=0)
    with pytest.raises(SettingsError, match="DPSS_ORIENTATION"):
        dpss.summarize(anndata.AnnData(np.ones((2, 2))), orientation="sideways")
    with pytest.raises(SettingsError, match="DPSS_MEMORY"):
        dpss.summarize(anndata.AnnData(np.ones((2, 2))), memory="much")


def test_a_file_with_several_matrices_asks_which(tmp_path: Path) -> None:
    """The message names them, and one can be chosen."""
    write_two_genomes(tmp_path / "mixture.h5")
    with pytest.raises(MatrixError, match=r"hg19.*mm10"):
        dpss.summarize(tmp_path / "mixture.h5")
    assert dpss.summarize(tmp_path / "mixture.h5", matrix="mm10").matrix.name == "mm10"


def test_the_package_imports_nothing_before_it_is_needed() -> None:
    """``import dpss`` is cheap; what it offers is documented."""
    assert set(dpss.__all__) == {"Summary", "__version__", "summarize"}
    assert "AnnData" in str(inspect.getdoc(dpss.summarize))


def test_a_notebook_has_each_option_of_statistics() -> None:
    """What a command can be told of a matrix, `dpss.summarize` can be told, too."""
    options = [*own_options(StatSettings), *own_options(ReadSettings)]
    wanted = {option.parameter for _, _, option in options if option.group == "statistics"}
    wanted -= {"cells"}  # A file; a notebook has `cells_table`.
    assert wanted <= inspect.signature(dpss.summarize).parameters.keys()


@pytest.mark.parametrize("n_cells", [1, 60, 1234])
def test_a_terminal_shows_one_line(n_cells: int, tmp_path: Path) -> None:
    """The name, the sizes and the kind of the values; no array."""
    write_h5ad_csr(tmp_path / "blood.h5ad", counts(3, n_cells=n_cells))
    summary = dpss.summarize(tmp_path / "blood.h5ad", embedding=False)
    cells = "1 cell" if n_cells == 1 else f"{n_cells:,} cells"
    expected = f"blood: {cells} × {summary.n_genes:,} genes, counts"
    assert repr(summary) == f"<dpss.Summary of {expected}>"


BARE: dict[str, Any] = {
    **KINDS,
    "coo_matrix": sp.coo_matrix,
    "frame": lambda x: pd.DataFrame(x.toarray()),
}


@pytest.mark.parametrize("kind", BARE)
def test_a_bare_matrix(kind: str) -> None:
    """Any sparse or dense kind: its rows are cells, which is told as an assumption."""
    matrix = sp.csr_matrix(counts(3, n_cells=60).matrix)
    summary = dpss.summarize(BARE[kind](matrix), embedding=False)
    assert (summary.n_cells, summary.n_genes) == matrix.shape
    assert summary.genes.total_counts.tolist() == np.asarray(matrix.sum(axis=0)).ravel().tolist()
    (rows,) = [each for each in summary.reading if each.topic == "orientation"]
    assert rows.is_warning


def test_a_data_frame_names_its_genes() -> None:
    """Its columns are genes, its index cells."""
    drawn = counts(3, n_cells=60)
    frame = pd.DataFrame(drawn.matrix, index=drawn.barcodes, columns=drawn.ids)
    summary = dpss.summarize(frame, embedding=False)
    assert summary.genes.gene_id.tolist() == list(drawn.ids)


class Several:
    """An object like MuData, of which mudata is not needed."""

    def __init__(self, **mod: Any) -> None:
        self.mod = mod


def test_each_modality_has_a_summary(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """By name, one of them by `matrix`; a name that is not there is told with those that are.

    As in a file, one of proteins is left out, unless it is asked for.
    """
    rna, small = anndata.read_h5ad(path), anndata.read_h5ad(path)[:40].copy()
    both = Several(rna=rna, small=small)
    assert list(dpss.summarize(Several(rna=small, prot=rna), embedding=False)) == ["rna"]
    assert "left out, as they hold no genes: prot" in caplog.text
    assert (
        dpss.summarize(Several(rna=small, prot=rna), matrix="prot", embedding=False).n_cells == 60
    )
    with pytest.raises(NoMatrixError, match=r"none of the modalities holds gene .*\(prot\)"):
        dpss.summarize(Several(prot=rna))
    found = dpss.summarize(both, embedding=False)
    assert list(found) == ["rna", "small"]
    assert [found[name].n_cells for name in found] == [rna.n_obs, 40]
    assert found["small"].title == "small"
    assert dpss.summarize(both, matrix="small", embedding=False).n_cells == 40
    assert list(dpss.summarize(both, matrix="*", embedding=False)) == ["rna", "small"]
    with pytest.raises(MatrixError, match="holds 2 matrices: 'rna', 'small'"):
        dpss.summarize(both, matrix="prot")


@pytest.mark.parametrize("kind", ["AnnData object", "matrix in memory", "file"])
def test_every_matrix_of_what_has_one(kind: str, path: Path) -> None:
    """By names, as of several: its name is empty. A name that it does not have is refused."""
    adata = anndata.read_h5ad(path)
    source = {"AnnData object": adata, "matrix in memory": adata.X, "file": path}[kind]
    found = dpss.summarize(source, matrix="*", embedding=False)
    assert {name: each.n_cells for name, each in found.items()} == {"": 60}
    several = dpss.summarize([source] * 2, matrix="*", embedding=False)
    assert [list(each) for each in several] == [[""], [""]]
    assert dpss.summarize(source, matrix="", embedding=False).n_cells == 60
    with pytest.raises(MatrixError, match=r"leave out matrix=|choose one by matrix="):
        dpss.summarize(source, matrix="counts", embedding=False)


def test_a_list_has_a_summary_each(path: Path) -> None:
    """In its order, of paths and objects; the error of one names it."""
    adata = anndata.read_h5ad(path)[:50].copy()
    found = dpss.summarize([path, adata, str(path)], embedding=False)
    assert [each.n_cells for each in found] == [60, 50, 60]
    assert [each.title for each in dpss.summarize((path,), embedding=False)] == [path.stem]
    assert dpss.summarize([]) == []
    with pytest.raises(UnreachableError, match=r"nope\.h5ad"):
        dpss.summarize([path, "nope.h5ad"], embedding=False)


DASK_CHUNKS = {
    "dense": lambda matrix: matrix.toarray(),
    "csr": sp.csr_matrix,
    "csc": sp.csc_matrix,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", DASK_CHUNKS)
def test_a_dask_backed_object_is_read_in_parts(path: Path, kind: str) -> None:
    """Whole, and as a view, with the numbers of the object in memory."""
    import dask.array as da

    adata = anndata.read_h5ad(path)
    whole, part = (dpss.summarize(each, embedding=False) for each in (adata, adata[5:45]))
    lazy = adata.copy()
    dense = da.from_array(adata.X.toarray(), chunks=(16, adata.n_vars))
    lazy.X = dense.map_blocks(lambda block: DASK_CHUNKS[kind](sp.csr_matrix(block)))
    assert same(dpss.summarize(lazy, embedding=False), whole)
    assert same(dpss.summarize(lazy[5:45], embedding=False), part)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"a.h5ad", "b.h5ad"}, "a set of 2 is no matrix; give a list of paths or objects"),
        ([["a.h5ad"]], "a list of 1 is no matrix"),
        (5, "of type int can't be read; give a path"),
        (None, "of type NoneType can't be read"),
        (np.zeros(3), "of type ndarray can't be read"),
    ],
)
def test_an_object_that_is_no_matrix(source: Any, message: str) -> None:
    """The error says what it is, and what to give instead."""
    with pytest.raises(SettingsError, match=message):
        dpss.summarize(source)
