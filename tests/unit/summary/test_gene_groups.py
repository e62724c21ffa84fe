"""Genes of ribosomal proteins and haemoglobins: by symbol, in the case of any species."""

from __future__ import annotations

import re
from pathlib import Path

import anndata
import numpy as np
import pytest

from dpss.model import GeneTable
from dpss.summary.gene_groups import find_haemoglobin, find_ribosomal
from tests.libraries import scanpy
from tests.summarise import summarise

RIBOSOMAL = """
RPS2 RPS3A RPS4X RPS4Y1 RPS27A RPS27L RPSA RPL3 RPL3L RPL7L1 RPL10A RPL22L1
RPL36AL RPLP0 Rps3a1 Rpl13a Rplp2 rps2 rpl36a RpS3 RpL10Ab GRCh38_RPL3
mm10___Rps2
"""
NOT_RIBOSOMAL = """
RPS6KA1 RPS6KB2 RPS19BP1 RPL10P3 RPS2P5 RPL7AP6 RPSAP58 Rpl10-ps3 RPN1 RPRD1A
MRPL3 RPL17-C18orf32
"""
HAEMOGLOBIN = """
HBA1 HBA2 HBB HBD HBE1 HBG1 HBG2 HBM HBQ1 HBZ Hba-a1 Hba-x Hbb-bs Hbb-bh1 Hbb-y
Hbq1b hbaa1 hbae1.1 hbbe2
"""


def table(names: list[str]) -> GeneTable:
    """Make a gene table of symbols."""
    return GeneTable(np.array(names, dtype=object), np.array(names, dtype=object))


@pytest.mark.parametrize("name", RIBOSOMAL.split())
def test_ribosomal(name: str) -> None:
    """Human, mouse, zebrafish and fly, also with a genome's prefix."""
    assert find_ribosomal(table([name, "ACTB"])).tolist() == [True, False]


@pytest.mark.parametrize("name", NOT_RIBOSOMAL.split())
def test_not_ribosomal(name: str) -> None:
    """Pseudogenes, kinases and others whose names begin alike."""
    assert not find_ribosomal(table([name])).any()


@pytest.mark.parametrize("name", HAEMOGLOBIN.split())
def test_haemoglobin(name: str) -> None:
    """Human, mouse and zebrafish."""
    assert find_haemoglobin(table([name])).all()


@pytest.mark.parametrize("name", ["HBEGF", "HBS1L", "HBP1", "HBBP1", "HBAP1", "Hbb-ps1", "HB9"])
def test_not_haemoglobin(name: str) -> None:
    """Pseudogenes and others whose names begin alike."""
    assert not find_haemoglobin(table([name])).any()


@pytest.mark.slow
@pytest.mark.parametrize("file", ["pbmc4k_csr_gzip.h5ad", "dentategyrus_layers.h5ad"])
def test_measures_agree_with_scanpy(file: str, real_data: Path) -> None:
    """Medians are those of calculate_qc_metrics with the same groups of genes."""
    sc = scanpy()

    data = anndata.read_h5ad(real_data / file)
    layer = "spliced" if "spliced" in data.layers else "X"
    if layer != "X":
        data.X = data.layers[layer]
    genes = table([str(name) for name in data.var_names])
    data.var["ribo"], data.var["hb"] = find_ribosomal(genes), find_haemoglobin(genes)
    data.X = data.X.astype(np.float64)
    sc.pp.calculate_qc_metrics(
        data, qc_vars=["ribo", "hb"], percent_top=[50], log1p=False, inplace=True
    )
    summary = summarise(real_data / file, layer=layer)
    for name in ("pct_counts_ribo", "pct_counts_hb", "pct_counts_in_top_50_genes"):
        found = summary.median_of(name)
        if name != "pct_counts_hb" or data.var["hb"].sum() >= 5:
            assert found == pytest.approx(float(np.median(data.obs[name])), rel=1e-6), name
        else:
            assert found is None
    complexity = np.log10(data.obs["n_genes_by_counts"]) / np.log10(data.obs["total_counts"])
    assert summary.median_of("complexity") == pytest.approx(float(np.median(complexity)), rel=1e-9)


def test_the_tutorial_knows_all_of_ours(real_data: Path) -> None:
    """Every gene of ours is one of scanpy's tutorial's, which has more: they are named here."""
    names = anndata.read_h5ad(real_data / "pbmc4k_csr_gzip.h5ad").var_names.astype(str)
    genes = table(list(names))
    ours = set(names[find_ribosomal(genes)])
    tutorial = set(names[names.str.startswith(("RPS", "RPL"))])
    assert ours <= tutorial
    more = re.compile(r"RPS6K.*|.*P\d+$|RPS19BP1|.*-.*")
    assert {name for name in tutorial - ours if not more.fullmatch(name)} == set()
    assert set(names[find_haemoglobin(genes)]) <= set(names[names.str.contains("^HB[^P]")])
