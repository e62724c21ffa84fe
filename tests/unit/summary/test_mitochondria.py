"""Mitochondrial genes: by chromosome, else by name, else by Ensembl id."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.model import GeneTable
from dpss.summary.mitochondria import HUMAN, MOUSE, find_mitochondrial


def table(ids: list[str], names: list[str], chromosomes: list[str] | None = None) -> GeneTable:
    """Make a gene table of lists."""
    return GeneTable(
        np.array(ids, dtype=object),
        np.array(names, dtype=object),
        chromosomes=None if chromosomes is None else np.array(chromosomes, dtype=object),
    )


def test_both_genomes_have_37_genes() -> None:
    """The mitochondrial genomes of human and mouse each carry 37 genes."""
    assert len(HUMAN) == len(MOUSE) == 37


@pytest.mark.parametrize("name", ["MT-CO1", "mt-Co1", "Mt-nd1", "GRCh38_MT-ND1", "mm10___mt-Nd1"])
def test_by_name(name: str) -> None:
    """Human, mouse and rat spelling, also with a genome's prefix."""
    assert find_mitochondrial(table(["a", "b"], [name, "ACTB"])).tolist() == [True, False]


@pytest.mark.parametrize("name", ["MTOR", "MT1X", "MTRNR2L1", "Mtch1", "SMT-X", "NMT-1"])
def test_other_names_that_look_alike(name: str) -> None:
    """Nuclear genes whose names begin alike are not meant."""
    assert not find_mitochondrial(table(["a"], [name])).any()


def test_the_chromosome_goes_before_the_name() -> None:
    """Where the file says the chromosome, names do not matter."""
    genes = table(["a", "b"], ["MT-X", "ND1"], ["chr1", "chrM"])
    assert find_mitochondrial(genes).tolist() == [False, True]


def test_by_id_without_names() -> None:
    """Ensembl ids, with and without version, of human and mouse."""
    ids = ["ENSG00000198804.2", "ENSG00000075624", "ENSMUSG00000064351"]
    assert find_mitochondrial(table(ids, ids)).tolist() == [True, False, True]
