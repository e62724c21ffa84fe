"""Rows that are no genes are told from genes by their form, in every format alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from dpss.demo.genes import HOUSEKEEPING, MARKERS, MITOCHONDRIAL
from dpss.errors import NoCountsError
from dpss.formats.annotation.feature_kinds import (
    CELL_ANNOTATION,
    GUIDE,
    KINDS,
    PATTERNS,
    REGION,
    SPIKE_IN,
    SUMMARY_ROW,
    TAG,
    with_kinds,
)
from dpss.model import GENE_EXPRESSION, GeneTable
from tests.libraries import scanpy
from tests.summarise import summarise

NO_GENES = {
    SUMMARY_ROW: (
        "__no_feature", "__ambiguous", "__too_low_aQual", "__not_aligned",
        "__alignment_not_unique", "X__no_feature", "N_unmapped", "N_multimapping", "N_noFeature",
        "N_ambiguous", "unmapped", "no_match", "bad_struct", "total_reads", "Unassigned_NoFeatures",
        "no_feature", "ambiguous", "too_low_aQual", "no feature", "Unmapped reads", "unassigned",
        "Mapped", "multimapped", "Total UMIs", "UNMAPPED", "*", "__ambiguous[ACTB+ACTG1]",
    ),
    TAG: (
        "ADT_CD3", "adt_CD3", "hto-A", "HTO-A", "CD45RA_TotalSeqC", "CD4.totalseq_b",
        "TotalSeq-A CD8", "CMO301",
        "CD3:SK7|CD3E|AHS0033|pAbO", "SampleTag01_hs|stAbO", "Hashtag 3", "HASHTAG2",
        "CD3-CTCATTGTAACTCCT", "Hashtag1-GTCAACTCTTTAGCG", "sgRNA_TP53_ACGTACGTACGTACGTACGT",
        "CD3_PROT", "CD45RA_PROT", "HLA-DR-PROTEIN", "anti-human CD3", "anti-mouse-CD19",
        "Anti-Human_TCR",
    ),
    GUIDE: ("sgRNA_TP53_1", "gRNA-AAVS1.2", "sgTP53-1", "sgNTC_12", "crRNA_3", "sgMT-CO1_1",
            "TP53_gRNA_2", "MT-CO1.sgRNA1"),
    SPIKE_IN: ("ERCC-00002", "ERCC-00171", "ERCC_00002", "SIRV101", "phiX174", "PhiX"),
    REGION: (
        "chr1:1-500", "chrX-10-20", "chrUn_KI270742v1_5_9", "GRCh38_chr2:3-4", "12:100-200",
        "GL000194.1:55-66", "NC_000001.11:5-900",
    ),
    CELL_ANNOTATION: ("batch", "Donor", "in_tissue", "array_row", "nCount_RNA", "FOV"),
    "Negative Control Probe": (
        "NegControlProbe_00042", "NegControlProbe_00042.1", "antisense_PROKR2", "NegPrb3",
        "NegativeControl_1", "Neg_ctrl_3", "NEGCTRL2",
    ),
    "Negative Control Codeword": (
        "NegControlCodeword_0500", "NegControlCodeword_0500-1", "SystemControl12",
    ),
    "Blank Codeword": ("BLANK_0006", "Blank-12", "blank-3", "blank7", "BLANK8"),
    "Unassigned Codeword": ("UnassignedCodeword_0001", "UnassignedCodeword_0001.1"),
    "Deprecated Codeword": ("DeprecatedCodeword_0321", "DeprecatedCodeword_0321-2"),
    "Genomic Control": ("Intergenic_Region_12", "INTERGENIC_10", "intergenic-3"),
}  # fmt: skip
GENES = (
    "MT-ND1", "mt-Nd1", "HLA-A", "HLA-DRB1", "NKX2-5", "ERCC1", "ERCC6L", "Ercc2", "ERCC6L2-AS1",
    "N4BP1", "NEGR1", "Negr1", "BLNK", "BLANK", "TAG-AS1", "CAT", "TAT", "GATA3", "ATG7", "TTC5",
    "AC012345.1", "RP11-34P13.7", "Y_RNA", "H2-K1", "T", "Tg", "SIRPA", "SIRT1", "7SK", "gag",
    "NKX2-1-AS1", "TRAC", "TRA-AGC1-1", "MIR17HG", "A_ACTG", "5S_rRNA", "UNASSIGNED",
    "GRCh38__ACTB", "mm10___Actb", "CATG-1", "IGHV1OR15-1", "LOC100130417", "gene_7", "NKX2-5-1",
    "1700001C02Rik", "total", "NTC", "DCT-TACTAAG", "PROT", "sgk1", "sgpp2-1",
    "SGK1-2", "ANTXR1", "PHIP", *HOUSEKEEPING, *MARKERS, *MITOCHONDRIAL,
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for kind, names in NO_GENES.items() for name in names]
)
def test_what_is_no_gene_is_named(name: str, kind: str) -> None:
    assert PATTERNS.kind_of(name) == kind


@pytest.mark.parametrize("name", GENES)
def test_genes_stay_genes(name: str) -> None:
    assert PATTERNS.kind_of(name) is None


@pytest.mark.slow
@given(st.data())
def test_the_quick_look_finds_what_the_forms_say(data: st.DataObject) -> None:
    """Whatever the case and length of a name that has one of the forms."""
    kind = data.draw(st.sampled_from(KINDS))
    drawn = data.draw(st.from_regex(re.compile(PATTERNS.by_kind[kind], re.ASCII), fullmatch=True))
    name = data.draw(st.sampled_from([drawn, drawn.upper()]))
    table = with_kinds(GeneTable(*[np.array([name, "ACTB"], dtype=object)] * 2))
    found = GENE_EXPRESSION if table.feature_types is None else table.feature_types[0]
    assert found == (PATTERNS.kind_of(name) or GENE_EXPRESSION)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tenx_v3.h5", "pbmc4k_csr_gzip.h5ad", "dentategyrus_layers.h5ad"])
def test_no_gene_of_a_real_matrix_is_caught(name: str, real_data: Path) -> None:
    """Names of hundreds of real genes, read by scanpy."""
    sc = scanpy()

    path = real_data / name
    adata = sc.read_10x_h5(path) if path.suffix == ".h5" else anndata.read_h5ad(path)
    names = {*adata.var_names, *adata.var.get("gene_ids", ())}
    assert len(names) > 200
    assert {text: kind for text in names if (kind := PATTERNS.kind_of(text))} == {}


def test_types_that_the_file_states_are_kept() -> None:
    ids = np.array(["ENSG01", "CD3", "CD4-ACGTACGTACGT", "__no_feature"], dtype=object)
    adt = "Antibody Capture"
    types = np.array([GENE_EXPRESSION, adt, adt, GENE_EXPRESSION], dtype=object)
    told = with_kinds(GeneTable(ids=ids, names=ids, feature_types=types)).feature_types
    assert told is not None
    assert told.tolist() == [*types[:3], SUMMARY_ROW]
    assert types[3] == GENE_EXPRESSION, "what it was given is not changed"


ALL = sorted(name for names in NO_GENES.values() for name in names)
BARE = [f"ENSG{i:011d}" for i in range(40)]


def _tsv(counts: pd.DataFrame, folder: Path) -> Path:
    counts.to_csv(folder / "a.tsv", sep="\t")
    return folder / "a.tsv"


def _csv_of_cells(counts: pd.DataFrame, folder: Path) -> Path:
    counts.T.to_csv(folder / "b.csv")
    return folder / "b.csv"


def _h5ad(counts: pd.DataFrame, folder: Path) -> Path:
    anndata.AnnData(
        sp.csr_matrix(counts.to_numpy().T.astype(np.float32)),
        var=pd.DataFrame(index=counts.index),
        obs=pd.DataFrame(index=counts.columns),
    ).write_h5ad(folder / "c.h5ad")
    return folder / "c.h5ad"


def _mtx(counts: pd.DataFrame, folder: Path) -> Path:
    (folder / "d").mkdir()
    scipy.io.mmwrite(folder / "d" / "matrix.mtx", sp.coo_matrix(counts.to_numpy()))
    (folder / "d" / "features.tsv").write_text("\n".join(counts.index) + "\n")
    (folder / "d" / "barcodes.tsv").write_text("\n".join(counts.columns) + "\n")
    return folder / "d"


def _tenx_h5(counts: pd.DataFrame, folder: Path) -> Path:
    matrix = sp.csc_matrix(counts.to_numpy())
    with h5py.File(folder / "e.h5", "w") as file:
        group = file.create_group("matrix")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(matrix, name)
        group["shape"] = matrix.shape
        group["barcodes"] = counts.columns.to_numpy(dtype="S")
        for name in ("id", "name"):
            group[f"features/{name}"] = counts.index.to_numpy(dtype="S")
        group["features/feature_type"] = np.full(len(counts), b"Gene Expression")
    return folder / "e.h5"


WRITERS: tuple[Callable[[pd.DataFrame, Path], Path], ...] = (
    _tsv, _csv_of_cells, _h5ad, _mtx, _tenx_h5,
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("write", WRITERS)
def test_rows_that_are_no_genes_change_no_number(
    write: Callable[[pd.DataFrame, Path], Path], tmp_path: Path
) -> None:
    """Random matrices with all such rows at random places give pandas' sums without them."""
    rng = np.random.default_rng(20261126)
    names = rng.permutation([*BARE, *ALL])
    cells = [f"{''.join(rng.choice(list('ACGT'), 16))}-1" for _ in range(25)]
    counts = pd.DataFrame(
        rng.poisson(1.5, (len(names), len(cells))).astype(int), index=names, columns=cells
    )
    counts.loc[ALL] *= 1000
    genes = counts.loc[[name for name in names if name in set(BARE)]]
    summary = summarise(write(counts, tmp_path))
    assert summary.n_genes == len(BARE)
    assert summary.n_cells == len(cells)
    assert summary.total_counts == genes.to_numpy().sum()
    assert summary.median_counts_per_cell == np.median(genes.sum())
    assert summary.genes.gene_id.tolist() == genes.index.tolist()
    assert summary.genes.total_counts.tolist() == genes.sum(axis=1).tolist()
    (check,) = (check for check in summary.checks if check.name == "feature_types")
    assert check.status == "warn"
    for kind, examples in NO_GENES.items():
        assert f"{len(examples)} {kind}" in check.message


@pytest.mark.parametrize("names", [
    ["CD3-CTCATTGTAACTCCT", "CD4-TGTTCCCGCTCAACT", "unmapped"],
    ["NegControlProbe_00042", "BLANK_0006", "BLANK_0007"],
    ["ERCC-00002", "ERCC-00003", "ERCC-00004"],
])  # fmt: skip
def test_a_matrix_without_genes_is_not_published(names: list[str], tmp_path: Path) -> None:
    cells = ["ACGTACGTACGTACGA-1", "ACGTACGTACGTACGC-1"]
    counts = pd.DataFrame(np.ones((3, 2), dtype=int), index=names, columns=cells)
    with pytest.raises(NoCountsError, match="holds no genes: its features are"):
        summarise(_mtx(counts, tmp_path))


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("form", ["chr{}:{}-{}", "chr{}-{}-{}", "chr{}_{}_{}"])
def test_peaks_alone_are_not_published(
    write: Callable[[pd.DataFrame, Path], Path], form: str, tmp_path: Path
) -> None:
    """As ArchR, Signac and SnapATAC name them, without a type that says so."""
    rng = np.random.default_rng(9)
    peaks = [form.format(k % 3 + 1, 1000 * k, 1000 * k + 500) for k in range(30)]
    cells = [f"{''.join(rng.choice(list('ACGT'), 16))}-1" for _ in range(25)]
    counts = pd.DataFrame(rng.poisson(1.5, (30, 25)), index=peaks, columns=cells)
    with pytest.raises(NoCountsError, match="no genes: its features are 30 Genomic Region"):
        summarise(write(counts, tmp_path))


def test_peaks_by_type_are_not_published(tmp_path: Path) -> None:
    """As Cell Ranger ATAC's matrix: every feature has the type Peaks."""
    cells = ["ACGTACGTACGTACGA-1", "ACGTACGTACGTACGC-1"]
    peaks = ["chr1:1-500", "chr1:600-900", "chr2:1-9"]
    counts = pd.DataFrame(np.ones((3, 2), dtype=int), index=peaks, columns=cells)
    path = _mtx(counts, tmp_path)
    lines = "".join(f"{name}\t{name}\tPeaks\n" for name in counts.index)
    (path / "features.tsv").write_text(lines)
    with pytest.raises(NoCountsError, match="no genes: its features are 3 Peaks"):
        summarise(path)


@pytest.mark.parametrize("seed", range(5))
def test_regions_in_three_columns_are_named(seed: int, tmp_path: Path) -> None:
    """As in bed and SJ.out.tab: sequence, first and last base; genes with numbers stay genes."""
    rng = np.random.default_rng(seed)
    n, more = int(rng.integers(6, 40)), int(rng.integers(0, 7))
    first = rng.integers(1, 10**6, n)
    table = {"a": rng.choice(["chr1", "chrX"], n), "b": first, "c": first + 90}
    table |= {f"d{k}": rng.integers(0, 9, n) for k in range(more)}
    counts = pd.DataFrame(np.ones((n, 2), dtype=int), columns=["ACGTACGTACGT", "ACGTACGTACGA"])
    path = _mtx(counts.set_axis([str(k) for k in range(n)]), tmp_path)
    pd.DataFrame(table).to_csv(path / "features.tsv", sep="\t", header=False, index=False)
    with pytest.raises(NoCountsError, match=f"no genes: its features are {n} Genomic Region"):
        summarise(path)
    genes = pd.DataFrame({**table, "a": [f"ZNF{k}" for k in range(n)]})
    genes.to_csv(path / "features.tsv", sep="\t", header=False, index=False)
    assert summarise(path).genes.gene_id.tolist() == genes["a"].tolist()


@given(st.from_regex(r"[A-Za-z][A-Za-z0-9]{1,9}(-[A-Z0-9]{1,4})?(\.[0-9])?", fullmatch=True))
def test_what_is_built_like_a_symbol_is_a_gene(name: str) -> None:
    """No symbol of letters, digits and a short suffix is left out."""
    assert PATTERNS.kind_of(name) is None
