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

from dpss.formats.registry import open_matrices
from dpss.stats.values.kinds import ValueKind
from tests.cases.made import COUNTS, NAMES, RNG, TENX, agrees, features, write_h5, write_triple
from tests.summarise import source_of, summarise, summarise_matrix

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
    assert summary.values is (ValueKind.EXPECTED_COUNTS if fractions else ValueKind.COUNTS)


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
    assert summary.values is ValueKind.EXPECTED_COUNTS
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
    assert summary.values is ValueKind.COUNTS


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


def test_flex(tmp_path: Path) -> None:
    """Flex's raw_probe_bc_matrix.h5 counts probes, its other matrices genes: the same numbers."""
    gene = np.sort(np.concatenate([np.arange(len(COUNTS)), np.arange(0, len(COUNTS), 3)]))
    second = np.r_[False, gene[1:] == gene[:-1]]
    aside = RNG.poisson(0.5, (len(gene), COUNTS.shape[1]))
    first = COUNTS.to_numpy()[gene]
    # A gene's count is shared by its probes.
    has_two = np.isin(gene, gene[second])[:, None]
    part = np.minimum(first, aside)
    probes = np.where(second[:, None], part, first - np.roll(part, -1, axis=0) * has_two)
    ids = [f"{COUNTS.index[g]}|{NAMES[g]}|{k + 2**26:07x}" for k, g in enumerate(gene)]
    deprecated = [f"DEPRECATED_{COUNTS.index[0]}|{NAMES[0]}|0a1b2c3"]
    tables = {
        "features/id": ids + deprecated,
        "features/name": [*(NAMES[g] for g in gene), NAMES[0]],
        "features/feature_type": ["Gene Expression"] * (len(ids) + 1),
        "features/genome": ["GRCh38"] * (len(ids) + 1),
        "features/gene_id": [*COUNTS.index[gene], f"DEPRECATED_{COUNTS.index[0]}"],
        "features/gene_name": [*(NAMES[g] for g in gene), NAMES[0]],
        "features/probe_region": ["spliced"] * (len(ids) + 1),
    }
    stored = np.vstack([probes, np.ones((1, COUNTS.shape[1]), dtype=int)])
    path = write_h5(tmp_path / "raw_probe_bc_matrix.h5", "matrix", stored, tables)
    with h5py.File(path, "a") as file:
        file["matrix/features/filtered_probes"] = np.array([True] * len(ids) + [False])
        file["matrix/filtered_barcodes"] = np.array([], dtype="S18")
    summary = summarise(path)
    agrees(summary)
    assert summary.genes.gene_name.tolist() == NAMES
    (told,) = [each for each in summary.reading if each.topic == "probes"]
    assert told.value == f"{len(ids) + 1} probes of {len(COUNTS) + 1} features, added up"
    assert "Deprecated Probe" in str(summary.reading)
    agrees(summarise(write_h5(tmp_path / "sample_raw.h5", "matrix", COUNTS, features())))


def test_seurat_disk(tmp_path: Path) -> None:
    """SaveH5Seurat: compressed vectors, text of any length, scaled values, meta data, tags."""
    path = tmp_path / "pbmc.h5Seurat"
    text = h5py.string_dtype()

    def write(group: h5py.Group, name: str, values: Any, **options: Any) -> None:
        data = np.asarray(values, dtype=object if "dtype" in options else None)
        how = {"chunks": True, "compression": "gzip", "compression_opts": 4, "maxshape": None}
        shape = (None,) * data.ndim
        group.create_dataset(name, data=data, **{**how, "maxshape": shape, **options})

    def write_slot(assay: h5py.Group, name: str, genes_by_cells: Any) -> None:
        columns = sp.csc_matrix(genes_by_cells)
        group = assay.create_group(name)
        write(group, "data", columns.data.astype(np.float64))
        write(group, "indices", columns.indices.astype(np.int32))
        write(group, "indptr", columns.indptr.astype(np.int32))
        group.attrs["dims"] = np.array(columns.shape, dtype=np.int32)

    with h5py.File(path, "w") as file:
        file.attrs["version"], file.attrs["project"] = ["3.1.5.9900"], ["pbmc"]
        file.attrs["active.assay"] = ["RNA"]
        write(file, "cell.names", list(COUNTS.columns), dtype=text)
        for name in ("commands", "graphs", "images", "misc", "neighbors", "tools"):
            file.create_group(name)
        write(file, "active.ident/values", np.ones(25, dtype=np.int32))
        write(file, "active.ident/levels", ["pbmc"], dtype=text)
        write(file, "meta.data/nCount_RNA", COUNTS.sum().to_numpy(float))
        file["meta.data"].attrs["colnames"] = ["nCount_RNA"]
        write(file, "reductions/pca/cell.embeddings", RNG.normal(size=(5, 25)))
        rna = file.create_group("assays/RNA")
        rna.attrs["key"] = ["rna_"]
        write(rna, "features", list(COUNTS.index), dtype=text)
        write(rna, "variable.features", list(COUNTS.index[:7]), dtype=text)
        write(rna, "scaled.features", list(COUNTS.index[:7]), dtype=text)
        write_slot(rna, "counts", COUNTS)
        write_slot(rna, "data", np.log1p(COUNTS / COUNTS.sum() * 1e4))
        write(rna, "scale.data", RNG.normal(size=(25, 7)))
        rna.create_group("meta.features")
        adt = file.create_group("assays/ADT")
        write(adt, "features", ["CD3", "CD4"], dtype=text)
        write_slot(adt, "counts", RNG.poisson(9, (2, 25)))
    found = {matrix.name: matrix for matrix in open_matrices(source_of(path))}
    assert sorted(found) == ["ADT", "RNA"]
    assert not found["RNA"].notes
    assert not found["ADT"].layers[0].genes.is_gene.any()
    summary = summarise_matrix(found["RNA"])
    agrees(summary)
    assert summary.values is ValueKind.COUNTS
    assert summary.genes.gene_id.tolist() == list(COUNTS.index)
