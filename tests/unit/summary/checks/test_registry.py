"""The verdict: what each check says of matrices made to provoke it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from dpss.formats.registry import open_matrices
from dpss.model import GeneTable
from dpss.storage.local import LocalFile
from dpss.summary.checks import CHECKS
from dpss.summary.nomenclature import describe_names
from dpss.summary.record import Check
from tests.summarise import summarise, summarise_matrix


def verdict(path: Path, **settings: Any) -> dict[str, Check]:
    """Return a matrix's checks by name."""
    return {check.name: check for check in summarise(path, **settings).checks}


def write(path: Path, x: Any, names: list[str] | None = None, **parts: Any) -> Path:
    """Write an h5ad file."""
    names = names or [f"GENE{i}" for i in range(x.shape[1])]
    anndata.AnnData(x, var=pd.DataFrame(index=names), **parts).write_h5ad(path)
    return path


def counts(n_cells: int = 200, n_genes: int = 30) -> np.ndarray:
    """Draw counts without an empty cell."""
    return np.random.default_rng(1).poisson(2, (n_cells, n_genes)).astype("f4") + 1


def test_a_good_matrix_passes(tmp_path: Path) -> None:
    """Counts of human genes with mitochondrial ones leave nothing to complain of."""
    names = [*(f"MT-ND{i}" for i in range(1, 7)), *(f"ZNF{i}" for i in range(194))]
    x = counts(n_genes=200)
    x[:, :6] = x[:, :6] > 3
    found = verdict(write(tmp_path / "x.h5ad", sp.csr_matrix(x), names))
    others = {check.name: check.status for check in found.values() if check.status != "pass"}
    unmeasured = ("x_identical_to_raw", "log1p_ceiling", "cell_count", "clusters")
    assert others == dict.fromkeys(unmeasured, "not measured")
    assert list(found) == [kind.name for kind in CHECKS]


def test_every_check_ends_as_a_sentence(tmp_path: Path) -> None:
    """Each message is one plain sentence, or a few."""
    for check in verdict(write(tmp_path / "x.h5ad", counts())).values():
        assert check.message[0].isupper() or check.message[0].isdigit()
        assert check.message.endswith(".")


def test_empty_cells_and_genes(tmp_path: Path) -> None:
    """They are counted."""
    x = counts()
    x[:7] = 0
    x[:, :3] = 0
    found = verdict(write(tmp_path / "x.h5ad", sp.csr_matrix(x)))
    assert found["cells"] == Check("cells", "warn", "7 of 200 cells have no counts.")
    assert found["genes"].message == "27 of 30 genes are found in at least one cell."
    none = verdict(tmp_path / "x.h5ad", min_gene_count=31)
    assert none["cells"].status == "fail"


def test_unfiltered_droplets(tmp_path: Path) -> None:
    """Mostly empty barcodes look like droplets before cells were called."""
    x = sp.random(500, 5000, density=0.002, format="csr", random_state=1)
    x.data[:] = 1
    found = verdict(write(tmp_path / "x.h5ad", x))
    assert "droplets" in found["depth"].message


def test_the_number_of_cells_is_compared(tmp_path: Path) -> None:
    """Another number than the source states is a warning with both."""
    (matrix,) = open_matrices(LocalFile(write(tmp_path / "x.h5ad", counts())))
    for expected, status in ((200, "pass"), (201, "warn"), (None, "not measured")):
        checks = summarise_matrix(matrix, expected_cells=expected).checks
        assert next(c for c in checks if c.name == "cell_count").status == status


@pytest.mark.parametrize(
    ("ids", "names", "expected"),
    [
        (["ENSG00000141510.18", "ENSG00000000003.1"], None, ("Ensembl ids", True, ("human",))),
        (["ENSMUSG00000000001"], None, ("Ensembl ids", False, ("mouse",))),
        (
            ["ENSG00000141510", "ENSMUSG00000000001"],
            None,
            ("Ensembl ids", False, ("human", "mouse")),
        ),
        (["GRCh38_TP53", "mm10___Trp53"], None, ("gene symbols", False, ("human", "mouse"))),
        (["Trp53", "Actb", "mt-Co1"], None, ("gene symbols", False, ("mouse",))),
        (["TP53", "ACTB", "C1orf112"], None, ("gene symbols", False, ("human",))),
        (["7157", "60"], ["7157", "60"], ("Entrez ids", False, ("human",))),
        (["gene 1", "gene 2"], None, ("numbers", False, ())),
    ],
)
def test_ids_and_species(
    ids: list[str], names: list[str] | None, expected: tuple[Any, ...]
) -> None:
    """Ids are told by their form, species by ids, genomes' prefixes or the case of symbols."""
    genes = GeneTable(np.array(ids, dtype=object), np.array(names or ids, dtype=object))
    found = describe_names(genes)
    if expected[0] == "numbers":
        assert found.id_type == "numbers"
    else:
        assert (found.id_type, found.versioned, found.species) == expected
