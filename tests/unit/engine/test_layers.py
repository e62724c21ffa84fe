"""Which layer is summarised: told by what layers hold, whatever they are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from dpss.errors import DpssError, NoCountsError
from dpss.model import Certainty
from dpss.stats.values.kinds import ValueKind
from dpss.summary.record import Summary
from tests.summarise import summarise

CASE = Path(__file__).resolve().parents[2] / "cases" / "counts-in-a-layer-of-another-name"


def counts(seed: int = 1) -> np.ndarray:
    """Draw counts without an empty cell."""
    return np.random.default_rng(seed).poisson(2, (120, 30)).astype("f4") + 1


def scaled(x: np.ndarray) -> np.ndarray:
    """Return z-scores."""
    return ((x - x.mean(axis=0)) / x.std(axis=0)).astype("f4")


def lognorm(x: np.ndarray) -> np.ndarray:
    """Return log-normalised values."""
    return np.log1p(x / x.sum(axis=1, keepdims=True) * 1e4).astype("f4")


def write(path: Path, x: Any, layers: dict[str, Any]) -> Path:
    """Write an h5ad file."""
    var = pd.DataFrame(index=[f"GENE{i}" for i in range(30)])
    anndata.AnnData(x, var=var, layers=layers).write_h5ad(path)
    return path


def layers_check(summary: Summary) -> tuple[str, str]:
    """Return status and message of the check of layers."""
    return next((c.status, c.message) for c in summary.checks if c.name == "layers")


def test_the_case() -> None:
    """Counts in RNA_counts, scaled values in X."""
    summary = summarise(CASE / "layer_RNA_counts.h5ad")
    assert summary.matrix.layer == "RNA_counts"
    assert (summary.n_cells, summary.n_genes, summary.n_nonzero) == (130, 30, 2534)
    assert summary.total_counts == 20287


@pytest.mark.parametrize("n_cells", [0, 5])
def test_a_matrix_without_features_is_refused(tmp_path: Path, n_cells: int) -> None:
    """It holds no genes."""
    path = tmp_path / "x.h5ad"
    anndata.AnnData(sp.csr_matrix((n_cells, 0), dtype="f4")).write_h5ad(path)
    with pytest.raises(NoCountsError, match="holds no genes: its features are none at all"):
        summarise(path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["UMI", "original_counts", "RNA", "X_orig", "données", "0"])
@pytest.mark.parametrize("make", [scaled, lognorm, lambda x: x * 0.37])
@pytest.mark.parametrize("layout", [np.asarray, sp.csr_matrix, sp.csc_matrix])
def test_counts_of_any_name(tmp_path: Path, name: str, make: Any, layout: Any) -> None:
    """Whatever X holds, and however the layer is stored."""
    x = counts()
    summary = summarise(write(tmp_path / "x.h5ad", make(x), {name: layout(x)}))
    assert (summary.matrix.layer, summary.values) == (name, ValueKind.COUNTS)
    assert summary.total_counts == x.sum()
    assert layers_check(summary)[0] == "pass"


@pytest.mark.parametrize(
    "name",
    [
        "spliced",
        "soupX_corrected",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("unspliced", "ambiguous", "Ms")),
    ],
)
def test_parts_and_corrected_counts_are_set_aside(tmp_path: Path, name: str) -> None:
    """They are taken only where named; an error lists them with what they hold."""
    x = counts()
    path = write(tmp_path / "x.h5ad", lognorm(x), {name: x})
    assert summarise(path).matrix.layer == "X"
    assert summarise(path, layer=name).total_counts == x.sum()
    path = write(tmp_path / "y.h5ad", scaled(x), {name: x, "z": -x})
    with pytest.raises(NoCountsError) as error:
        summarise(path)
    for part in ("X: scaled", f"{name}: counts (--layer {name} takes them)", "z: scaled"):
        assert part in str(error.value)


def test_ties_are_named(tmp_path: Path) -> None:
    """Two layers of counts that differ: one is taken, with a warning that names the option."""
    x, y = counts(1), counts(2)
    summary = summarise(write(tmp_path / "x.h5ad", scaled(x), {"A": x, "my_UMIs": y, "B": x}))
    assert summary.matrix.layer == "my_UMIs"
    status, message = layers_check(summary)
    assert status == "warn"
    assert "so do A, B" in message
    assert "--layer" in message
    same = summarise(write(tmp_path / "y.h5ad", scaled(x), {"A": x, "B": x}))
    assert (same.matrix.layer, layers_check(same)[0]) == ("A", "pass")


def test_masks_are_no_counts(tmp_path: Path) -> None:
    """A layer of 0 and 1 beside other values is not taken unless it is named."""
    x = counts()
    mask = (x > 3).astype("f4")
    assert summarise(write(tmp_path / "x.h5ad", lognorm(x), {"seen": mask})).matrix.layer == "X"
    path = write(tmp_path / "y.h5ad", scaled(x), {"seen": mask})
    with pytest.raises(NoCountsError, match="seen: only 0 and 1"):
        summarise(path)
    assert summarise(path, layer="seen").total_counts == mask.sum()


def test_without_x(tmp_path: Path) -> None:
    """A file without X is read where a layer holds counts."""
    x = counts()
    summary = summarise(write(tmp_path / "x.h5ad", None, {"mine": x, "other": lognorm(x)}))
    assert summary.matrix.layer == "mine"
    with pytest.raises(DpssError, match="--layer"):
        summarise(write(tmp_path / "y.h5ad", None, {"spliced": x}))


@pytest.mark.parametrize("seed", range(6))
def test_random_files(tmp_path: Path, seed: int) -> None:
    """Among layers in random order with random names, the one of counts is found."""
    rng = np.random.default_rng(seed)
    x = counts(seed)
    made = [scaled(x), lognorm(x), x * rng.uniform(0.1, 0.9), x]
    names = ["".join(rng.choice(list("cdfghjklnprtz"), 7)) for _ in made]
    order = rng.permutation(len(made))
    layers = {names[i]: made[i] for i in order}
    summary = summarise(write(tmp_path / "x.h5ad", scaled(x), layers))
    assert summary.matrix.layer == names[3]
    assert summary.total_counts == x.sum()


RATES = {
    "rounded CPM": lambda x: np.round(x / x.sum(1, keepdims=True) * 1e6),
    "rounded CP10K": lambda x: np.round(x / x.sum(1, keepdims=True) * 1e4),
    "ceiled": lambda x: np.ceil(x / x.sum(1, keepdims=True) * 50_000),
}


@pytest.mark.parametrize("kind", [*RATES, "counts", "few counts"])
@pytest.mark.parametrize("dense", [False, True])
def test_whole_numbers_with_equal_totals_are_not_taken_for_sure(
    kind: str, dense: bool, tmp_path: Path
) -> None:
    """Rates that were rounded are whole numbers, too: counts is then an assumption."""
    rng = np.random.default_rng(11)
    x = rng.poisson(rng.gamma(0.6, 3, (50, 200))).astype(float) + (rng.random((50, 200)) < 0.1)
    x = x[:5] if kind == "few counts" else x
    made = RATES[kind](x) if kind in RATES else x
    anndata.AnnData(made if dense else sp.csr_matrix(made)).write_h5ad(tmp_path / "m.h5ad")
    summary = summarise(tmp_path / "m.h5ad")
    (told,) = [each for each in summary.reading if each.topic == "values"]
    assert str(summary.values) == "counts"
    assert (told.certainty is Certainty.ASSUMED) == (kind in RATES)
    (check,) = [each for each in summary.checks if each.name == "assumptions"]
    assert (check.status == "warn") == (kind in RATES)
