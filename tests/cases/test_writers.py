"""The table of writers tells what is tested; small files as their makers' documentation says."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from dpss.stats.values.kinds import Values
from tests.cases.made import COUNTS, NAMES, RNG, TENX, agrees, features, write_h5, write_triple
from tests.summarise import summarise

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WRITERS: list[dict[str, Any]] = json.loads((HERE / "writers.json").read_text())
INSTANCES = sorted({each for writer in WRITERS for each in writer["instances"]})


@pytest.mark.parametrize("instance", INSTANCES)
def test_an_instance_is_a_case_or_a_test(instance: str) -> None:
    path, _, function = instance.partition("::")
    if not function:
        assert instance in json.loads((HERE / "expected.json").read_text())
        return
    tree = ast.parse((ROOT / path).read_text())
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_writer_says_what_is_done_with_its_files() -> None:
    assert all(writer["reading"] for writer in WRITERS if writer["instances"])
    assert len({writer["writer"] for writer in WRITERS}) == len(WRITERS)


@pytest.mark.slow
def test_cell_ranger_2(tmp_path: Path) -> None:
    """A group that is called like the genome, with genes and gene_names."""
    tables = {"genes": COUNTS.index, "gene_names": NAMES}
    summary = summarise(write_h5(tmp_path / "a.h5", "GRCh38", COUNTS, tables))
    agrees(summary)
    assert summary.genes.gene_name.tolist() == NAMES
    assert summary.genes.mitochondrial.sum() == 2


def test_cellbender(tmp_path: Path) -> None:
    """remove-background adds what it learned of droplets, of the whole and of itself."""
    path = write_h5(tmp_path / "out_filtered.h5", "matrix", COUNTS, features())
    with h5py.File(path, "a") as file:
        file["droplet_latents/cell_probability"] = np.ones(25)
        file["droplet_latents/gene_expression_encoding"] = np.ones((25, 10))
        file["droplet_latents/barcode_indices_for_latents"] = np.arange(25)
        file["global_latents/ambient_expression"] = np.ones(40) / 40
        file["metadata/learning_curve_train_elbo"] = np.arange(5.0)
        file["metadata/estimator"] = "mckp"
    summary = summarise(path)
    agrees(summary)
    assert summary.genes.gene_name.tolist() == NAMES


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("fractions", [False, True])
def test_droplet_utils(version: int, fractions: bool, tmp_path: Path) -> None:
    """write10xCounts for counts, and for SoupX's corrected ones, which are fractions."""
    counts = COUNTS * 0.73 if fractions else COUNTS
    names, rows = TENX, None
    if version == 2:
        names = ("matrix.mtx", "genes.tsv", "barcodes.tsv")
        rows = [f"{i}\t{name}" for i, name in zip(counts.index, NAMES, strict=True)]
    summary = summarise(write_triple(tmp_path / "out", names, counts=counts, rows=rows))
    agrees(summary, counts)
    assert summary.values is (Values.EXPECTED_COUNTS if fractions else Values.COUNTS)


def test_drop_seq_tools(tmp_path: Path) -> None:
    """DigitalExpression: GENE, then barcodes without suffix."""
    counts = COUNTS.set_axis(NAMES).rename(columns=lambda name: name[:-2])
    counts.to_csv(tmp_path / "s1.dge.txt.gz", sep="\t", index_label="GENE")
    agrees(summarise(tmp_path / "s1.dge.txt.gz"), counts)


def test_rsem(tmp_path: Path) -> None:
    """rsem-generate-data-matrix of isoforms: quoted, fractions, transcripts named as such."""
    counts = (COUNTS * 37.61).rename(index=lambda name: name.replace("ENSG", "ENST"))
    counts.columns = [f"cell_{k}.isoforms.results" for k in range(25)]
    counts.rename(index=lambda name: f'"{name}"', columns=lambda name: f'"{name}"').to_csv(
        tmp_path / "isoforms.matrix", sep="\t", quoting=3
    )
    summary = summarise(tmp_path / "isoforms.matrix")
    agrees(summary, counts)
    assert summary.values is Values.EXPECTED_COUNTS
    (check,) = (check for check in summary.checks if check.name == "gene_ids")
    assert check.status == "warn"
    assert "transcript ids" in check.message


def annotated(**layers: sp.csr_matrix) -> anndata.AnnData:
    """Make an AnnData of the common counts, with layers."""
    return anndata.AnnData(
        sp.csr_matrix(COUNTS.to_numpy().T.astype(np.float32)),
        obs=pd.DataFrame(index=list(COUNTS.columns)),
        var=pd.DataFrame({"gene_symbols": NAMES}, index=list(COUNTS.index)),
        layers=layers,
    )


def test_simpleaf(tmp_path: Path) -> None:
    """quants.h5ad: X is the sum of spliced, unspliced and ambiguous, which are layers."""
    spliced = sp.csr_matrix(np.floor(COUNTS.to_numpy().T / 2))
    data = annotated(spliced=spliced, ambiguous=spliced * 0)
    data.layers["unspliced"] = data.X - spliced
    data.write_h5ad(tmp_path / "quants.h5ad")
    summary = summarise(tmp_path / "quants.h5ad")
    agrees(summary)
    assert summary.genes.gene_name.tolist() == NAMES


def test_scvi_tools(tmp_path: Path) -> None:
    """Logarithms in X, counts and the model's rates in layers, the latent space beside."""
    data = annotated()
    data.layers["counts"] = data.X.copy()
    data.layers["scvi_normalized"] = RNG.random(data.shape, dtype=np.float32)
    data.obsm["X_scVI"] = RNG.random((data.n_obs, 10), dtype=np.float32)
    data.uns["_scvi_uuid"] = "d7c9a7f4"
    data.X = np.log1p(data.X.toarray() / data.X.sum(axis=1).A1[:, None] * 1e4)
    data.write_h5ad(tmp_path / "a.h5ad")
    summary = summarise(tmp_path / "a.h5ad")
    agrees(summary)
    assert summary.values is Values.COUNTS


def test_scirpy(tmp_path: Path) -> None:
    """Receptors are an awkward array in obsm, which stands in nobody's way."""
    annotated().write_h5ad(tmp_path / "a.h5ad")
    with h5py.File(tmp_path / "a.h5ad", "a") as file:
        node = file.create_group("obsm/airr")
        node.attrs.update(
            {"encoding-type": "awkward-array", "encoding-version": "0.1.0", "length": 25}
        )
        node.attrs["form"] = '{"class": "ListOffsetArray", "offsets": "i64", "content": "u8"}'
        node["node0-offsets"] = np.arange(26)
        node["node1-data"] = np.arange(25, dtype=np.uint8)
    agrees(summarise(tmp_path / "a.h5ad"))
