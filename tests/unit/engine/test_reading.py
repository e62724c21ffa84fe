"""What is published equals an independent reading, or a warning names what was assumed."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpss.cli.commands import commands
from dpss.cli.entry import execute
from dpss.engine.inspection import inspect_source
from dpss.engine.reading import TOPICS
from dpss.errors import MatrixError
from dpss.formats.discovery import iter_matrices
from dpss.formats.options import OpenOptions
from dpss.model import Certainty, Decision
from dpss.summary.assumptions import assumptions
from tests.summarise import source_of, summarise_matrix

pytestmark = pytest.mark.filterwarnings("ignore:Writing zarr v2 data")
GENES = ["ACTB", "GAPDH", "MT-CO1", "CD3E", "MS4A1", "LYZ", "NKG7", "PPBP", "CD8A", "FCER1A"]
CELLS = ["".join("ACGT"[(i >> (2 * k)) & 3] for k in range(16)) + "-1" for i in range(5, 45)]
EVERY = {"format", "orientation", "layer", "values", "gene_ids", "species"}


def counts(seed: int) -> np.ndarray:
    """Return counts of 40 cells × 10 genes."""
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.gamma(1, 4, (len(CELLS), len(GENES))))


def write(folder: Path, form: str, x: np.ndarray) -> Path:
    """Write cells × genes as a file of a format."""
    adata = anndata.AnnData(sp.csr_matrix(x))
    adata.obs_names, adata.var_names = CELLS, GENES
    frame = pd.DataFrame(x, index=CELLS, columns=GENES)
    if form == "h5ad":
        path = folder / "m.h5ad"
        adata.write_h5ad(path)
    elif form == "zarr":
        path = folder / "m.zarr"
        adata.write_zarr(path)
    elif form == "csv":
        path = folder / "m.csv"
        frame.T.to_csv(path)
    elif form == "cells.csv":
        path = folder / "m.csv"
        frame.to_csv(path)
    else:
        path = folder / "m"
        path.mkdir()
        scipy.io.mmwrite(path / "matrix.mtx", sp.csc_matrix(x.T))
        (path / "genes.tsv").write_text("".join(f"{g}\t{g}\n" for g in GENES))
        (path / "barcodes.tsv").write_text("".join(f"{c}\n" for c in CELLS))
    return path


KINDS = ("counts", "noise", "half", "ln", "log2", "log10", "odd log", "scaled", "01")
FORMS = ("h5ad", "zarr", "csv", "cells.csv", "mtx")


def summarise(path: Path):
    """Return the summary of the only matrix."""
    (matrix,) = iter_matrices(source_of(path))
    return summarise_matrix(matrix)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", [1, 2])
def test_inspect_and_summarize_decide_alike(form: str, seed: int, tmp_path: Path) -> None:
    """Every decision of the summary is that of the look before it, in the order of topics."""
    path = write(tmp_path, form, counts(seed))
    (inspected,) = inspect_source(source_of(path), OpenOptions(sample_only=True))
    reading = summarise(path).reading
    assert reading == inspected.reading
    topics = [each.topic for each in reading]
    assert set(topics) >= EVERY
    assert topics == sorted(topics, key=TOPICS.index)


@pytest.mark.slow
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 1 << 16),
    form=st.sampled_from(FORMS),
    kind=st.sampled_from(
        ["counts", "noise", "half", "ln", "log2", "log10", "odd log", "scaled", "01"]
    ),
)
def test_published_is_equal_or_the_assumption_is_named(
    seed: int, form: str, kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Numbers are numpy's, or a warning says what was assumed, or the file is refused."""
    x = counts(seed).astype(np.float64)
    x[:, 0] += 1  # no cell is empty
    normalised = x / x.sum(1, keepdims=True) * 1e4
    made, true = {
        "counts": (x, x),
        "noise": (x * (1 + 1e-15), x),
        "half": (x / 2, x / 2),
        "ln": (np.log1p(normalised), normalised),
        "log2": (np.log2(1 + normalised), normalised),
        "log10": (np.log10(1 + normalised), normalised),
        "odd log": (np.log1p(x) / np.log(3.3), None),
        "scaled": (x - x.mean(0), None),
        "01": (np.sign(x), np.sign(x)),
    }[kind]
    path = write(tmp_path_factory.mktemp("m"), form, made)
    try:
        summary = summarise(path)
    except MatrixError:
        assert kind == "scaled"
        return
    warned = any(check.name == "assumptions" and check.status == "warn" for check in summary.checks)
    assert warned == bool(assumptions(summary.reading))
    if true is None:
        assert warned
        return
    assert summary.genes.n_cells_by_counts.tolist() == (true > 0).sum(0).tolist()
    if not warned:
        assert summary.total_counts == pytest.approx(true.sum(), rel=1e-6)
        assert summary.genes.total_counts == pytest.approx(true.sum(0), rel=1e-6)


@pytest.mark.slow
def test_an_assumption_stands_everywhere(tmp_path: Path, capsys) -> None:
    """On the page above the numbers, in the table at the end, in MultiQC and in the report."""
    x = counts(3)
    path = tmp_path / "m.csv"
    pd.DataFrame(x).to_csv(path, header=[f"u{i}" for i in range(10)])
    output = tmp_path / "out"
    assert execute(commands, "dpss", ["summarize", str(path), "--output", str(output)]) == 0
    words = "rientation genes × cells was assumed"
    shown = capsys.readouterr().out
    assert "published, assumed" in shown
    assert words in " ".join(shown.split())
    page = (output / "m" / "index.html").read_text()
    assert page.index("Orientation: genes × cells.") < page.index('<dl class="numbers">')
    assert page.index("<code>--orientation</code> changes it.") < page.index('<dl class="numbers">')
    assert words in (output / "multiqc" / "matrices_mqc.json").read_text()
    first = (output / "index.html").read_text()
    assert '<span class="verdict warning">assumed</span> orientation</span>' in first
    (run,) = (output / "runs").glob("2*.json")
    assert words in json.loads(run.read_text())["matrices"][0]["assumed"]
    document = json.loads((output / "m" / "summary.json").read_text())
    (told,) = [each for each in document["reading"] if each["topic"] == "orientation"]
    assert (told["certainty"], told["option"]) == ("assumed", "--orientation")


def test_inspect_as_a_command(tmp_path: Path, capsys) -> None:
    """Text and JSON say the same; nothing is written; a file that is none is named."""
    path = write(tmp_path, "h5ad", counts(4))
    (tmp_path / "x.bin").write_bytes(b"PAR1" + bytes(99))
    before = sorted(tmp_path.rglob("*"))
    files = [str(path), str(tmp_path / "x.bin")]
    assert execute(commands, "dpss", ["inspect", *files]) == 1
    shown = capsys.readouterr()
    assert "40 cells × 10 features" in shown.out
    assert "told by content" in shown.out
    assert "Parquet" in shown.err
    assert execute(commands, "dpss", ["inspect", "--json", *files]) == 1
    documents = json.loads(capsys.readouterr().out)
    assert documents[0]["layers"] == {"X": "counts"}
    assert "Parquet" in documents[1]["error"]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.slow
@pytest.mark.parametrize("form", ["h5ad", "csv.gz"])
def test_inspect_reads_little_of_a_large_file(form: str, tmp_path: Path) -> None:
    """Of a file of some 30 MB less than a third is read."""
    rng = np.random.default_rng(5)
    if form == "h5ad":
        x = sp.random(20_000, 2_000, 0.1, "csr", random_state=rng)
        x.data = np.ceil(x.data * 1000)
        path = tmp_path / "m.h5ad"
        anndata.AnnData(x).write_h5ad(path)
    else:
        path = tmp_path / "m.csv.gz"
        with gzip.open(path, "wt", compresslevel=1) as file:
            file.write("gene," + ",".join(f"{c}{i}" for i in range(40) for c in CELLS) + "\n")
            # A deflate window holds eight of them: a row that comes again is not smaller.
            rows = [",".join(map(str, rng.integers(0, 99, 1600).tolist())) for _ in range(100)]
            for i in range(20_000):
                file.write(f"ENSG{i:011d},{rows[i % 100]}\n")

    class Counted:
        """A blob that counts the bytes that are read."""

        def __init__(self, blob):
            self._blob, self.n_bytes = blob, 0

        def __getattr__(self, name):
            return getattr(self._blob, name)

        def read_range(self, start, length):
            data = self._blob.read_range(start, length)
            self.n_bytes += len(data)
            return data

        def open(self):
            file = self._blob.open()
            read = file.read

            def counted(n=-1):
                data = read(n)
                self.n_bytes += len(data)
                return data

            file.read = counted
            return file

    blob = source_of(path)
    if form == "h5ad":
        start = time.process_time()
        (found,) = inspect_source(blob, OpenOptions(sample_only=True))
        assert time.process_time() - start < 10
    else:
        counted = Counted(blob)
        (found,) = inspect_source(counted, OpenOptions(sample_only=True))
        assert 0 < counted.n_bytes < path.stat().st_size / 3
    assert not found.error


def test_only_assumptions_that_change_numbers_are_warnings() -> None:
    """A decision that is stated, or that changes nothing, is none."""
    sure = Decision("layer", "X", "it is named", Certainty.STATED, changes_numbers=True)
    harmless = Decision("species", "human", "a guess", Certainty.ASSUMED)
    risky = Decision("log_base", "e", "a guess", Certainty.ASSUMED, changes_numbers=True)
    assert assumptions([sure, harmless, risky]) == (risky,)


@pytest.mark.parametrize("form", ["h5ad", "zarr", "loom", "cells"])
def test_a_transposed_file_is_doubted(form: str, tmp_path: Path) -> None:
    """Barcodes where the format has genes: the orientation is an assumption, with a warning."""
    x = counts(9)
    adata = anndata.AnnData(sp.csr_matrix(x.T))
    adata.obs_names, adata.var_names = GENES, CELLS
    path = tmp_path / f"m.{form}"
    if form == "h5ad":
        adata.write_h5ad(path)
    elif form == "zarr":
        adata.write_zarr(path)
    elif form == "loom":
        with h5py.File(path, "w") as file:
            file["matrix"] = x
            file["row_attrs/Gene"] = np.array(CELLS, dtype="S")
            file["col_attrs/CellID"] = np.array(GENES, dtype="S")
    else:
        adata.T.write_h5ad(path)
    summary = summarise(path)
    (told,) = [each for each in summary.reading if each.topic == "orientation"]
    (check,) = [each for each in summary.checks if each.name == "assumptions"]
    assert told.is_warning == (form != "cells")
    assert (check.status == "warn") == (form != "cells")
    if form != "cells":
        assert "may be transposed" in check.message
