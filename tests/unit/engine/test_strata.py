"""Strata of whole matrices: where they come from, what they hold, and what is refused."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp

import dpss
from dpss.engine.settings import ReadSettings
from dpss.engine.strata import BARCODE_SUFFIX, MAX_VALUES
from dpss.errors import MatrixError, NoStrataError, SettingsError
from dpss.job.tables import tables_of, with_summary
from dpss.stats.strata import MAX_STRATA, StratumKind
from dpss.summary.record import Summary
from dpss.summary.strata_tables import STRATUM_COLUMNS
from tests.libraries import scanpy

N_CELLS, N_GENES = 600, 300


def adata_of(seed: int = 0, n_cells: int = N_CELLS, n_genes: int = N_GENES) -> anndata.AnnData:
    """Simulate cells of four donors, one of them much deeper, some of none."""
    rng = np.random.default_rng(seed)
    donors = rng.choice(["d1", "d2", "d3", "d4", ""], n_cells, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    depth = rng.lognormal(6.5, 0.3, n_cells) * np.where(donors == "d3", 5, 1)
    profile = rng.lognormal(0, 1.5, n_genes)
    counts = rng.poisson(depth[:, None] * profile / profile.sum() * rng.lognormal(0, 0.5, n_genes))
    obs = pd.DataFrame(
        {
            "donor": pd.Categorical([donor or None for donor in donors]),
            "text": donors,
            "batch": rng.integers(0, 3, n_cells),
            "passed": rng.random(n_cells) < 0.5,
            "score": rng.random(n_cells),
            "number": pd.array([None if d == "" else int(d[1]) for d in donors], dtype="Int64"),
        },
        index=[f"CELL{i}-{1 + i % 3}" for i in range(n_cells)],
    )
    var = pd.DataFrame(index=[f"MT-{i}" if i < 6 else f"GENE{i}" for i in range(n_genes)])
    return anndata.AnnData(sp.csr_matrix(counts.astype(np.float32)), obs=obs, var=var)


def write(adata: anndata.AnnData, path: Path, layout: str) -> Path:
    """Write it in one of the layouts that files have."""
    adata = adata.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if layout == "csc":
            adata.X = sp.csc_matrix(adata.X)
        elif layout == "dense":
            adata.X = adata.X.toarray()
        if layout == "zarr":
            adata.write_zarr(path / "a.zarr")
            return path / "a.zarr"
        adata.write_h5ad(path / "a.h5ad")
    return path / "a.h5ad"


def by_name(summary: Summary) -> dict[str, Any]:
    """Return the strata by name."""
    assert summary.strata is not None
    return {each.name: each for each in summary.strata.strata}


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["csr", "csc", "dense", "zarr"])
@pytest.mark.parametrize("column", ["donor", "text", "batch", "passed", "number"])
def test_strata_are_those_of_pandas(tmp_path: Path, layout: str, column: str) -> None:
    """Each encoding of a column, each layout of the values: sizes and medians per group."""
    adata = adata_of()
    found = by_name(dpss.summarize(write(adata, tmp_path, layout), by=column))
    counts = pd.DataFrame(
        {
            "group": adata.obs[column].astype(object).where(adata.obs[column].notna(), "(missing)"),
            "total": np.asarray(adata.X.sum(axis=1)).ravel(),
            "genes": adata.X.getnnz(axis=1),
            "mt": 100 * np.asarray(adata.X[:, :6].sum(axis=1) / adata.X.sum(axis=1)).ravel(),
        }
    )
    counts["group"] = counts["group"].astype(str).replace("", "(missing)")
    groups = dict(iter(counts.groupby("group")))
    assert found.keys() == groups.keys()
    for name, group in groups.items():
        assert found[name].n_cells == len(group)
        assert found[name].median("total_counts") == group["total"].median()
        assert found[name].median("n_genes_by_counts") == group["genes"].median()
        assert found[name].median("pct_counts_mt") == pytest.approx(group["mt"].median(), rel=1e-9)
        assert found[name].n_nonzero == group["genes"].sum()
    if "(missing)" in found:
        assert found["(missing)"].kind is StratumKind.MISSING


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_variable_genes_are_those_of_scanpy_with_a_batch_key(seed: int) -> None:
    """The number of strata in which a gene is variable is scanpy's highly_variable_nbatches."""
    sc = scanpy()

    adata = adata_of(seed)
    adata = adata[adata.obs["donor"].notna()].copy()
    summary = dpss.summarize(adata, by="donor")
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sc.pp.highly_variable_genes(adata, batch_key="donor")
    assert summary.strata is not None
    found = summary.strata.n_variable_in
    assert found.max() > 1
    # float32 in scanpy: a gene on the very limit may fall on either side
    assert np.mean(found == adata.var["highly_variable_nbatches"].to_numpy()) > 0.99


@pytest.mark.slow
def test_any_number_of_threads_gives_the_same_bytes(tmp_path: Path) -> None:
    """1, 2 and 8 threads over many partitions publish the same files."""
    path = write(adata_of(n_cells=2000), tmp_path, "csr")
    published = []
    for threads in (1, 2, 8):
        summary = dpss.summarize(path, by="donor", threads=threads)
        published.append(with_summary(summary, tables_of(summary)))
    assert published[0] == published[1] == published[2]
    table = pd.read_csv(io.BytesIO(published[0]["strata.csv"]))
    assert tuple(table.columns) == STRATUM_COLUMNS
    assert table["n_cells"].sum() == 2000
    genes = pd.read_csv(io.BytesIO(published[0]["genes.csv"]))
    assert genes["highly_variable_nbatches"].max() > 0
    assert ReadSettings(threads=8).threads == 8


def test_the_odd_one_out_is_marked() -> None:
    """A donor whose cells have five times the counts of the others stands apart."""
    found = by_name(dpss.summarize(adata_of(), by="donor", embedding=False))
    assert "total_counts" in found["d3"].odd
    assert not found["d1"].odd


@pytest.mark.slow
def test_small_strata_become_one_other() -> None:
    """Of 100 values the 64 largest have strata of their own; the others are counted together."""
    adata = adata_of(n_cells=3000, n_genes=60)
    rng = np.random.default_rng(0)
    adata.obs["many"] = [f"v{int(100 * x**2)}" for x in rng.random(3000)]
    summary = dpss.summarize(adata, by="many")
    found = by_name(summary)
    assert len(found) == MAX_STRATA + 1
    sizes = adata.obs["many"].value_counts()
    assert found["(other)"].n_cells == sizes.iloc[MAX_STRATA:].sum()
    assert summary.strata is not None
    assert summary.strata.n_values == len(sizes)


@pytest.mark.slow
def test_a_column_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    """The message lists the columns; so many values as cells are refused, too."""
    adata = adata_of(n_cells=MAX_VALUES + 50, n_genes=30)
    path = write(adata, tmp_path, "csr")
    with pytest.raises(NoStrataError, match="there is: batch, donor, number, passed, score, text"):
        dpss.summarize(path, by="tissue")
    with pytest.raises(NoStrataError, match="more than 4,000 distinct values"):
        dpss.summarize(path, by="score")
    (tmp_path / "donors.csv").write_text("A-1,x\n")
    with pytest.raises(SettingsError, match="take one of them"):
        dpss.summarize(path, by="donor", by_file=str(tmp_path / "donors.csv"))


def test_suffixes_of_barcodes(tmp_path: Path) -> None:
    """What Cell Ranger's aggr appends tells the library; without it there are no strata."""
    adata = adata_of()
    path = write(adata, tmp_path, "csr")
    found = by_name(dpss.summarize(path, by=BARCODE_SUFFIX, embedding=False))
    assert {name: each.n_cells for name, each in found.items()} == {"1": 200, "2": 200, "3": 200}
    adata.obs_names = [f"cell {i}" for i in range(N_CELLS)]
    with pytest.raises(NoStrataError, match="no barcode ends in a hyphen and a number"):
        dpss.summarize(adata, by=BARCODE_SUFFIX)


def write_mtx(adata: anndata.AnnData, folder: Path) -> Path:
    """Write it as Cell Ranger does, without compression."""
    folder.mkdir()
    scipy.io.mmwrite(folder / "matrix.mtx", sp.coo_matrix(adata.X.T.astype(int)))
    lines = [f"{name}\t{name}\tGene Expression\n" for name in adata.var_names]
    (folder / "features.tsv").write_text("".join(lines))
    (folder / "barcodes.tsv").write_text("".join(f"{name}\n" for name in adata.obs_names))
    return folder


@pytest.mark.slow
def test_a_table_of_barcodes_for_a_matrix_without_columns(tmp_path: Path) -> None:
    """Values by barcode give the strata of the column; those that don't match are counted."""
    adata = adata_of()
    folder = write_mtx(adata, tmp_path / "mtx")
    table = tmp_path / "donors.csv"
    rows = [f"{name},{donor}\n" for name, donor in adata.obs["text"].items()][:-10]
    table.write_text("barcode,donor\n" + "".join(rows) + "ELSE-1,d1\n")
    summary = dpss.summarize(folder, by_file=str(table))
    assert summary.strata is not None
    assert summary.strata.by == "donor"
    found = by_name(summary)
    kept = adata.obs["text"].iloc[:-10]
    assert found["d1"].n_cells == (kept == "d1").sum()
    assert found["(missing)"].n_cells == (kept == "").sum() + 10
    (check,) = [check for check in summary.checks if check.name == "strata"]
    assert check.status == "warn"
    assert "590 of 600 cells" in check.message
    assert "10 are not, and 1 of its 591 barcodes" in check.message
    table.write_text("barcode,donor\nELSE-1,d1\n")
    with pytest.raises(NoStrataError, match="none of its 1 barcode, such as ELSE-1"):
        dpss.summarize(folder, by_file=str(table))


@pytest.mark.parametrize("seed", range(3))
def test_barcodes_that_occur_twice_or_not_at_all(tmp_path: Path, seed: int) -> None:
    """Cells of one name share its value; lines said twice count once; empty names are missing."""
    rng = np.random.default_rng(seed)
    adata = adata_of(seed, n_cells=60, n_genes=20)
    names = [f"B{i}" for i in rng.integers(0, 40, 60)]
    adata.obs_names = ["" if i % 20 == 7 else name for i, name in enumerate(names)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adata.write_h5ad(tmp_path / "a.h5ad")
    values = {f"B{i}": ["x", "y", ""][i % 3] for i in range(30)}
    lines = [f"{name},{value}" for name, value in values.items()]
    table = tmp_path / "t.csv"
    table.write_text("\n".join(["barcode,group", *lines, *lines[:9], ""]))
    found = by_name(dpss.summarize(tmp_path / "a.h5ad", by_file=str(table)))
    wanted = [values.get(name, "") or "(missing)" for name in adata.obs_names]
    assert {name: each.n_cells for name, each in found.items()} == {
        name: wanted.count(name) for name in set(wanted)
    }


def test_strata_of_a_table_of_text(tmp_path: Path) -> None:
    """Cells that its first line names are put into strata; those told on the way are refused."""
    adata = adata_of(n_cells=40, n_genes=30)
    frame = pd.DataFrame(
        adata.X.toarray().astype(int), index=adata.obs_names, columns=adata.var_names
    )
    frame.T.to_csv(tmp_path / "genes.csv")
    found = by_name(dpss.summarize(tmp_path / "genes.csv", by=BARCODE_SUFFIX))
    for suffix in ("1", "2", "3"):
        totals = frame[frame.index.str.endswith(f"-{suffix}")].sum(axis=1)
        assert found[suffix].n_cells == len(totals)
        assert found[suffix].median("total_counts") == totals.median()
    with pytest.raises(NoStrataError, match="--by donor: there is no such column"):
        dpss.summarize(tmp_path / "genes.csv", by="donor")
    frame.to_csv(tmp_path / "cells.csv")
    with pytest.raises(MatrixError, match=r"--by barcode_suffix: .* only while it is read"):
        dpss.summarize(tmp_path / "cells.csv", by=BARCODE_SUFFIX)
