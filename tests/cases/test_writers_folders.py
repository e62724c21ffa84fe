"""Whole folders of output: every matrix is read, and what stands beside is no failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dpss.errors import MatrixError, NoCountsError, NoMatrixError
from dpss.formats.discovery import OpenFailure, iter_matrices
from dpss.summary.record import Summary
from tests.cases.made import (
    COUNTS,
    NAMES,
    RNG,
    agrees,
    as_lines,
    features,
    write_h5,
    write_triple,
)
from tests.summarise import source_of, summarise, summarise_matrix

CELLS = list(COUNTS.columns)
PLACES = pd.DataFrame(RNG.random((25, 5)), columns=list("abxyz"))


def read(path: Path) -> dict[str, Summary | MatrixError]:
    """Summarise all that is found."""
    found: dict[str, Summary | MatrixError] = {}
    for each in iter_matrices(source_of(path)):
        if isinstance(each, OpenFailure):
            assert isinstance(each.error, MatrixError)
            found[each.name] = each.error
            continue
        try:
            found[each.name] = summarise_matrix(each)
        except MatrixError as error:
            found[each.name] = error
    return found


def all_agree(path: Path, *names: str) -> None:
    """Expect so many matrices, all of the common counts, and nothing else."""
    found = read(path)
    assert sorted(found) == sorted(names)
    for summary in found.values():
        assert isinstance(summary, Summary), summary
        agrees(summary)
        assert summary.genes.gene_name.tolist() == NAMES


def write_table(path: Path, header: str, table: pd.DataFrame, sep: str = ",") -> None:
    """Write a table with other titles."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table.set_axis(header.split(","), axis=1).to_csv(path, sep=sep, index=False)


def test_cell_ranger_multi(tmp_path: Path) -> None:
    """Two samples and the pool; metrics, analysis and the configuration beside them."""
    genes = COUNTS.reset_index().iloc[:, :4]
    for sample in ("S1", "S2"):
        folder = tmp_path / "outs" / "per_sample_outs" / sample
        write_triple(folder / "count" / "sample_filtered_feature_bc_matrix")
        header = "Category,Library Type,Metric Name,Metric Value"
        write_table(folder / "metrics_summary.csv", header, genes)
        analysis = folder / "count" / "analysis"
        header = "Feature ID,Cluster 1 Mean Counts,Cluster 1 Log2 fold change,Cluster 1 p"
        name = "diffexp/gene_expression_graphclust/differential_expression.csv"
        write_table(analysis / name, header, genes)
        write_table(analysis / "pca/x/projection.csv", "Barcode,PC-1,PC-2,PC-3", genes)
    (tmp_path / "outs" / "config.csv").write_text("[gene-expression]\nreference,/x\n")
    write_triple(tmp_path / "outs" / "multi" / "count" / "raw_feature_bc_matrix")
    all_agree(
        tmp_path,
        "multi_raw_feature_bc_matrix",
        "per_sample_outs_S1_sample_filtered_feature_bc_matrix",
        "per_sample_outs_S2_sample_filtered_feature_bc_matrix",
    )


def test_space_ranger(tmp_path: Path) -> None:
    """An h5 with positions of spots, with a header and without, as the versions have it."""
    write_h5(tmp_path / "filtered_feature_bc_matrix.h5", "matrix", COUNTS, features())
    spots = pd.DataFrame({"barcode": CELLS, **{name: range(25) for name in "abcde"}})
    header = "barcode,in_tissue,array_row,array_col,pxl_row_in_fullres,pxl_col_in_fullres"
    write_table(tmp_path / "spatial" / "tissue_positions.csv", header, spots)
    spots.to_csv(tmp_path / "spatial" / "tissue_positions_list.csv", header=False, index=False)
    all_agree(tmp_path, "")


def test_visium_hd(tmp_path: Path) -> None:
    """Squares of two sizes, and segmented cells; none of them has a barcode."""
    for size in ("002", "008"):
        squares = [f"s_{size}um_{k:05d}_{k + 3:05d}-1" for k in range(25)]
        folder = tmp_path / "binned_outputs" / f"square_{size}um" / "filtered_feature_bc_matrix"
        write_triple(folder, cells=squares)
    cells = [f"cellid_{k:09d}-1" for k in range(25)]
    write_triple(tmp_path / "segmented_outputs" / "filtered_feature_cell_matrix", cells=cells)
    all_agree(
        tmp_path,
        "binned_outputs_square_002um_filtered_feature_bc_matrix",
        "binned_outputs_square_008um_filtered_feature_bc_matrix",
        "segmented_outputs_filtered_feature_cell_matrix",
    )


def test_xenium(tmp_path: Path) -> None:
    """Controls are no genes; cells and transcripts stand in tables of their own."""
    controls = {
        "NegControlProbe_00042": "Negative Control Probe", "BLANK_0006": "Unassigned Codeword",
        "antisense_PROKR2": "Negative Control Probe", "UnassignedCodeword_1": "Unassigned Codeword",
    }  # fmt: skip
    rows = [f"{i}\t{name}\tGene Expression" for i, name in zip(COUNTS.index, NAMES, strict=True)]
    rows[-4:] = [f"{name}\t{name}\t{kind}" for name, kind in controls.items()]
    cells = [f"aaaabb{chr(97 + k // 16)}{chr(97 + k % 16)}-1" for k in range(25)]
    write_triple(tmp_path / "cell_feature_matrix", rows=rows, cells=cells)
    header = "cell_id,x_centroid,y_centroid,transcript_counts,nucleus_area"
    write_table(tmp_path / "cells.csv.gz", header, PLACES.assign(a=cells))
    header = "transcript_id,feature_name,x_location,y_location,qv"
    write_table(tmp_path / "transcripts.csv.gz", header, PLACES.assign(b=NAMES[:25]))
    found = read(tmp_path)
    assert list(found) == [""]
    assert isinstance(found[""], Summary)
    agrees(found[""], COUNTS.iloc[:36])


def test_merscope(tmp_path: Path) -> None:
    """Cells go by numbers; blanks are no genes; facts about cells stand beside."""
    counts = COUNTS.set_axis([*NAMES[:36], *(f"Blank-{k}" for k in range(4))])
    counts.columns = pd.Index([f"11088342476461192440022163991631425{k:04d}" for k in range(25)])
    counts.T.to_csv(tmp_path / "cell_by_gene.csv", index_label="cell")
    write_table(tmp_path / "cell_metadata.csv", "EntityID,fov,volume,center_x,center_y", PLACES)
    names = "barcode_id,global_x,global_y,global_z,gene"
    write_table(tmp_path / "detected_transcripts.csv", names, PLACES.assign(z=NAMES[:25]))
    found = read(tmp_path)
    assert list(found) == [""]
    assert isinstance(found[""], Summary)
    agrees(found[""], counts.iloc[:36])


@pytest.mark.parametrize("with_cell", [False, True])
def test_cosmx(with_cell: bool, tmp_path: Path) -> None:
    """Fields of view and numbers of cells stand before the genes."""
    counts = COUNTS.set_axis([*NAMES[:36], *(f"NegPrb{k}" for k in range(4))])
    table = counts.T.reset_index(drop=True)
    table.insert(0, "fov", [1] * 12 + [2] * 13)
    table.insert(1, "cell_ID", [*range(12), *range(13)])
    if with_cell:
        table.insert(
            0, "cell", [f"c_1_{fov}_{k}" for fov, k in table[["fov", "cell_ID"]].to_numpy()]
        )
    table.to_csv(tmp_path / "S0_exprMat_file.csv", index=False)
    write_table(tmp_path / "S0_metadata_file.csv", "fov,cell_ID,Area,Width,Height", PLACES)
    found = read(tmp_path)
    assert list(found) == [""]
    assert isinstance(found[""], Summary)
    agrees(found[""], counts.iloc[:36])


def test_bd_rhapsody_csv(tmp_path: Path) -> None:
    """Comments, then cells × genes with numbers for cells."""
    counts = COUNTS.set_axis(NAMES).T
    counts.index = pd.Index(RNG.choice(9**6, 25, replace=False))
    bar = "####################"
    head = (
        f"{bar}\n## BD Targeted Multiplex Rhapsody Analysis Pipeline Version 1.9\n## S: x\n{bar}\n"
    )
    path = tmp_path / "s_RSEC_MolsPerCell.csv"
    path.write_text(head + counts.to_csv(index_label="Cell_Index"))
    all_agree(tmp_path, "")


def test_starsolo(tmp_path: Path) -> None:
    """Genes are read; junctions, whose table is STAR's SJ.out.tab, are no genes."""
    plain = ("matrix.mtx", "features.tsv", "barcodes.tsv")
    write_triple(tmp_path / "Solo.out" / "Gene" / "raw", plain)
    write_triple(tmp_path / "Solo.out" / "GeneFull" / "filtered", plain)
    junctions = [f"chr1\t{100 * k + 1}\t{100 * k + 60}\t1\t1\t1\t5\t0\t30" for k in range(40)]
    write_triple(tmp_path / "Solo.out" / "SJ" / "raw", plain, rows=junctions)
    (tmp_path / "Solo.out" / "Barcodes.stats").write_text("  nNoAdapter   0\n  nNoUMI   0\n")
    (tmp_path / "Solo.out" / "Gene" / "Summary.csv").write_text(
        "Number of Reads,100\nSaturation,1\n"
    )
    found = read(tmp_path)
    for name in ("Gene_raw", "GeneFull_filtered"):
        summary = found.pop(name)
        assert isinstance(summary, Summary)
        agrees(summary)
    assert list(found) == ["SJ_raw"]
    assert isinstance(found["SJ_raw"], NoCountsError)
    assert "its features are 40 Genomic Region" in str(found["SJ_raw"])


KB = ["cells_x_genes.genes.txt", "cells_x_genes.barcodes.txt"]


def write_kb(folder: Path, states: Sequence[str]) -> None:
    """Write what kb count makes: cells × genes, names in a table of their own."""
    ids = [f"{name}.1" for name in COUNTS.index]
    for state in states:
        names = (f"cells_x_genes{state}.mtx", *KB)
        write_triple(folder, names, rows=ids, cells=[c[:-2] for c in CELLS], cells_first=True)
    (folder / "cells_x_genes.genes.names.txt").write_bytes(as_lines(NAMES))
    (folder.parent / "transcripts.txt").write_bytes(as_lines([f"ENST{k:011d}.1" for k in range(9)]))
    (folder.parent / "matrix.ec").write_text("0\t0\n1\t1\n")
    for name in ("kb_info.json", "run_info.json", "inspect.json"):
        (folder.parent / name).write_text("{}")


def test_kb(tmp_path: Path) -> None:
    """Ids with versions, symbols beside, barcodes without suffix; other files are no failure."""
    write_kb(tmp_path / "counts_unfiltered", [""])
    all_agree(tmp_path, "")


def test_kb_of_nuclei(tmp_path: Path) -> None:
    """``--workflow nac``: three matrices share their tables."""
    states = [".mature", ".nascent", ".ambiguous"]
    write_kb(tmp_path / "counts_unfiltered", states)
    all_agree(tmp_path, *(f"cells_x_genes{state}" for state in states))


def test_dragen(tmp_path: Path) -> None:
    """Illumina's DRAGEN puts the sample and scRNA before each name."""
    kinds = ("matrix.mtx", "features.tsv", "barcodes.tsv")
    write_triple(tmp_path / "a", [f"s1.scRNA.{kind}.gz" for kind in kinds])
    all_agree(tmp_path, "")


def test_bd_rhapsody_mex(tmp_path: Path) -> None:
    """RSEC_MolsPerCell_MEX: as Cell Ranger, but cells go by numbers."""
    cells = [str(number) for number in RNG.choice(9**6, 25, replace=False)]
    write_triple(tmp_path / "a", cells=cells)
    all_agree(tmp_path, "")


def write_star(path: Path) -> None:
    """Write a table without header: unstranded, first and second strand."""
    path.write_bytes(as_lines([f"{name}\t500\t20\t31" for name in ("N_unmapped", *COUNTS.index)]))


LONG = COUNTS.set_axis(NAMES).stack().loc[lambda counts: counts > 0].reset_index()
TRANSCRIPTS = [f"ENST{k:011d}" for k in range(25)]
NO_MATRICES: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "umi_tools": (
        "counts.tsv.gz",
        lambda path: write_table(path, "gene,cell,count", LONG, "\t"),
        "a list of entries",
    ),
    "bd": (
        "s_Expression_Data.st",
        lambda path: write_table(
            path, "Gene,Cell_Index,Raw,RSEC_Adjusted_Molecules",
            LONG.assign(more=3).iloc[:, [0, 1, 3, 2]], "\t",
        ),
        "a list of entries",
    ),
    "stereo_seq": (
        "s.gem",
        lambda path: write_table(
            path, "geneID,x,y,MIDCount",
            LONG.assign(x=np.arange(len(LONG)), y=5).iloc[:, [0, 3, 4, 2]], "\t",
        ),
        "a (list|table) of",
    ),
    "kallisto": (
        "abundance.tsv",
        lambda path: write_table(
            path, "target_id,length,eff_length,est_counts,tpm", PLACES.assign(a=TRANSCRIPTS), "\t"
        ),
        "a table of 'target_id', 'length', 'eff_length'",
    ),
    "salmon": (
        "quant.sf",
        lambda path: write_table(
            path, "Name,Length,EffectiveLength,TPM,NumReads", PLACES.assign(a=TRANSCRIPTS), "\t"
        ),
        "a table of 'Name', 'Length'",
    ),
    "rsem": (
        "s.genes.results",
        lambda path: write_table(
            path, "gene_id,length,expected_count,TPM,FPKM",
            PLACES.assign(a=list(COUNTS.index[:25])), "\t",
        ),
        "a table of 'gene_id', 'length', 'expected_count'",
    ),
    "star": (
        "s_ReadsPerGene.out.tab",
        write_star,
        "what STAR counts for one sample",
    ),
}  # fmt: skip


@pytest.mark.parametrize("writer", NO_MATRICES)
def test_lists_and_single_samples_are_no_matrices(writer: str, tmp_path: Path) -> None:
    """A line for each entry, or a few estimates for one sample: refused in words."""
    name, write, message = NO_MATRICES[writer]
    write(tmp_path / name)
    with pytest.raises(NoMatrixError, match=message):
        summarise(tmp_path / name)
