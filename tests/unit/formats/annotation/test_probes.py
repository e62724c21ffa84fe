"""Matrices of probes (Flex, Visium for fixed tissue) are read as genes: held against pandas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.io as scipy_io
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpss.formats.anndata import open_anndata
from dpss.formats.annotation.gene_table import gene_table
from dpss.formats.base import Matrix
from tests.summarise import summarise
from tests.unit.formats.layers import dense, open_path

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::zarr.errors.UnstableSpecificationWarning"),
]
N_CELLS, N_PROBES = 40, 30


class Probes:
    """Counts of probes, and what they are of."""

    def __init__(self, seed: int, n_genes: int = 11, n_antibodies: int = 0) -> None:
        """Draw some."""
        rng = np.random.default_rng(seed)
        genes = rng.integers(0, n_genes, N_PROBES)
        genes[:2] = 0
        self.gene_ids = [f"ENSG{g:011d}" for g in genes]
        self.gene_names = [f"NAME{g}" for g in genes]
        pairs = zip(self.gene_ids, self.gene_names, strict=True)
        self.ids = [f"{i}|{name}|{k + 2**24:07x}" for k, (i, name) in enumerate(pairs)]
        self.types = ["Gene Expression"] * N_PROBES
        tags = [f"CD{k}" for k in range(n_antibodies)]
        for column in (self.ids, self.gene_ids, self.gene_names):
            column.extend(tags)
        self.types += ["Antibody Capture"] * n_antibodies
        self.counts = rng.poisson(0.6, (N_CELLS, len(self.ids))).astype(np.float32)

    @property
    def summed(self) -> pd.DataFrame:
        """Counts of genes × cells, by pandas."""
        return pd.DataFrame(self.counts.T, self.gene_ids).groupby(level=0, sort=False).sum()


def check(matrix: Matrix, probes: Probes) -> None:
    """Compare a matrix with the sums, and look for the decision."""
    expected = probes.summed
    for layer in matrix.layers:
        assert layer.genes.ids.tolist() == expected.index.tolist()
        names = dict(zip(probes.gene_ids, probes.gene_names, strict=True))
        for gene_id, name in zip(layer.genes.ids, layer.genes.names, strict=True):
            assert name == names[gene_id] or not gene_id.startswith("ENSG")
        gathered = None if layer.cell_major else layer.gathered()
        assert np.array_equal(dense(gathered or layer), expected.to_numpy().T)
    (told,) = [each for each in matrix.decisions if each.topic == "probes"]
    assert told.value == f"{len(probes.ids)} probes of {len(expected)} features, added up"
    assert told.changes_numbers


FRAMES: dict[str, Callable[[Probes], pd.DataFrame]] = {
    "index of probe ids": lambda p: pd.DataFrame({"feature_types": p.types}, index=p.ids),
    "ids in a column": lambda p: pd.DataFrame(
        {"gene_ids": p.ids, "feature_types": p.types},
        index=[f"{name}-{i}" for i, name in enumerate(p.gene_names)],
    ),
    "as scanpy reads a probe matrix": lambda p: pd.DataFrame(
        {
            "gene_ids": p.gene_ids,
            "probe_ids": p.ids,
            "feature_types": p.types,
            "gene_name": p.gene_names,
            "probe_region": "spliced",
        },
        index=[f"probe-{i}" for i in range(len(p.ids))],
    ),
    "with a probe_id and a gene_id": lambda p: pd.DataFrame(
        {
            "probe_id": [f"p{i}" for i in range(len(p.ids))],
            "gene_id": p.gene_ids,
            "gene_name": p.gene_names,
            "feature_types": p.types,
        },
        index=[f"probe-{i}" for i in range(len(p.ids))],
    ),
}


def adata_of(probes: Probes, frame: str, layout: Callable[[Any], Any]) -> anndata.AnnData:
    """Return an AnnData object with the probes in X and in a layer."""
    var = FRAMES[frame](probes)
    obs = pd.DataFrame(index=[f"c{i}" for i in range(N_CELLS)])
    return anndata.AnnData(layout(probes.counts), obs, var, layers={"b": layout(probes.counts)})


@pytest.mark.slow
@pytest.mark.parametrize("layout", [sp.csr_matrix, sp.csc_matrix, np.asarray])
@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("n_antibodies", [0, 3])
def test_h5ad_and_zarr(
    frame: str, layout: Callable[[Any], Any], n_antibodies: int, tmp_path: Path
) -> None:
    """Whatever names the probes and however values are stored, genes are sums; tags stay."""
    probes = Probes(1, n_antibodies=n_antibodies)
    adata = adata_of(probes, frame, layout)
    adata.write_h5ad(tmp_path / "a.h5ad")
    adata.write_zarr(tmp_path / "a.zarr")
    for path in (tmp_path / "a.h5ad", tmp_path / "a.zarr"):
        (matrix,) = open_path(path)
        check(matrix, probes)
        assert int((~matrix.layers[0].genes.is_gene).sum()) == n_antibodies
    check(open_anndata(adata), probes)


@pytest.mark.parametrize("order", ["cells", "genes", "none"])
def test_mtx(order: str, tmp_path: Path) -> None:
    """A folder as Cell Ranger's whose features are probes, its entries in any order."""
    probes = Probes(2, n_antibodies=2)
    entries = sp.coo_matrix(probes.counts.T.astype(int))
    sorting = {
        "cells": np.lexsort((entries.row, entries.col)),
        "genes": np.lexsort((entries.col, entries.row)),
        "none": np.random.default_rng(3).permutation(entries.nnz),
    }[order]
    parts = (entries.data[sorting], (entries.row[sorting], entries.col[sorting]))
    scipy_io.mmwrite(tmp_path / "matrix.mtx", sp.coo_matrix(parts, entries.shape))
    rows = zip(probes.ids, probes.ids, probes.types, strict=True)
    (tmp_path / "features.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    (tmp_path / "barcodes.tsv").write_text("".join(f"c{i}\n" for i in range(N_CELLS)))
    (matrix,) = open_path(tmp_path)
    check(matrix, probes)
    summary = summarise(tmp_path)
    summed = probes.summed.to_numpy()[: len(summary.genes.gene_id)]
    assert summary.genes.total_counts.tolist() == summed.sum(axis=1).tolist()
    assert summary.genes.n_cells_by_counts.tolist() == (summed > 0).sum(axis=1).tolist()
    assert "probes" in [each.topic for each in summary.reading]


@pytest.mark.slow
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 1000),
    n_genes=st.integers(1, 40),
    layout=st.sampled_from([sp.csr_matrix, sp.csc_matrix, np.asarray]),
    frame=st.sampled_from(sorted(FRAMES)),
)
def test_summaries_are_those_of_pandas(
    seed: int, n_genes: int, layout: Callable[[Any], Any], frame: str, tmp_path: Path
) -> None:
    """What is published of each gene is what its probes' sums give."""
    probes = Probes(seed, n_genes)
    path = tmp_path / f"{seed}-{n_genes}-{layout.__name__}-{frame}.h5ad"
    if not path.exists():
        adata_of(probes, frame, layout).write_h5ad(path)
    summary = summarise(path)
    summed = probes.summed.to_numpy()
    assert summary.genes.total_counts.tolist() == summed.sum(axis=1).tolist()
    assert summary.genes.n_cells_by_counts.tolist() == (summed > 0).sum(axis=1).tolist()
    assert summary.n_cells == N_CELLS


@pytest.mark.parametrize(
    "ids",
    [
        ["ENSG1|A|0f", "ENSG2|B|1e", "ENSG3|C|2d"],  # one probe each: nothing to add up
        ["ENSG1|A|exon", "ENSG1|A|intron", "ENSG2|B|exon"],  # parts of genes
        ["ENSG1|A|0f", "ENSG1|A|0f", "ENSG2|B|1e"],  # ids of probes do not repeat
        ["ENSG1|A|0f", "ENSG1|B|1e", "ENSG2|C|2d"],  # a gene has one name
        ["A", "B", "C", "ENSG1|A|0f", "ENSG1|A|1e"],  # most are none
        ["A|B", "A|C", "D"],
    ],
)
def test_what_is_no_probe_is_left_as_it_is(ids: list[str]) -> None:
    """Names with bars in them are no evidence alone."""
    genes = gene_table({"index": np.array(ids, dtype=object)})
    assert genes.probes is None
    assert genes.ids.tolist() == ids


def test_deprecated_probes_are_no_genes() -> None:
    """10x leaves them out of its analysis: https://www.10xgenomics.com, probe sets."""
    ids = ["ENSG1|A|0f", "ENSG1|A|1e", "DEPRECATED_ENSG2|B|2d", "ENSG3|C|3c"]
    genes = gene_table({"index": np.array(ids, dtype=object)})
    assert genes.ids.tolist() == ["ENSG1", "ENSG1", "DEPRECATED_ENSG2", "ENSG3"]
    assert genes.is_gene.tolist() == [True, True, False, True]
