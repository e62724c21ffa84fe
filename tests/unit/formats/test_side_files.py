"""What pipelines write beside their matrices is no matrix, and its presence no failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpss.errors import NoMatrixError
from dpss.formats.discovery import holds_matrix, iter_matrices
from dpss.formats.side_files import side_file_of
from dpss.storage.local import LocalFile, LocalFolder
from tests.unit.formats.packing import table, tenx_h5, triple

METRICS = b'Estimated Number of Cells,Mean Reads per Cell,Valid Barcodes\n"1,222","100,000",97.2%\n'
SIDE_FILES = {
    "outs/metrics_summary.csv": METRICS,
    "s1_metrics_summary.csv": METRICS,
    "outs/web_summary.html": b"<html></html>",
    "outs/analysis/clustering/graphclust/clusters.csv": b"Barcode,Cluster\nAAAC-1,1\nAAAG-1,2\n",
    "outs/analysis/pca/10_components/variance.csv": b"PC,Proportion\n1,0.2\n2,0.1\n",
    "outs/spatial/tissue_positions_list.csv": b"AAAC-1,1,0,0,10,12\nAAAG-1,1,0,1,11,12\n",
    "outs/spatial/scalefactors_json.json": b'{"a": 1}',
    "Solo.out/Gene/Summary.csv": b"Number of Reads,123\nReads With Valid Barcodes,0.97\n",
    "Solo.out/Gene/Features.stats": b"noUnmapped 12\nnoMulti 13\n",
    "Solo.out/Gene/UMIperCellSorted.txt": b"100\n90\n80\n",
    "Solo.out/Barcodes.stats": b"nNoAdapter 0\n",
    "fry/quant.json": b'{"usa_mode": true}',
    "fry/featureDump.txt": b"CB\tCorrectedReads\nACGT\t5\nACGG\t7\n",
    "kb/run_info.json": b"{}",
    "cite/run_report.yaml": b"Date: today\n",
    "cite/unmapped.csv": b"tag,count\nACGT,7\nACGG,9\n",
    "counts.txt.summary": b"Status\ta.bam\tb.bam\nAssigned\t5\t7\nUnassigned_NoFeatures\t1\t2\n",
    "dge.summary.txt": b"CELL_BARCODE\tNUM_GENES\nACGT\t5\nACGG\t9\n",
}


@pytest.mark.parametrize("name", SIDE_FILES)
def test_a_side_file_is_no_matrix(name: str, tmp_path: Path) -> None:
    """Found beside a matrix it is left out without a failure; alone it is refused by name."""
    files = {**triple("outs/filtered/", 1), "b/data.h5": tenx_h5(2), name: SIDE_FILES[name]}
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    found = list(iter_matrices(LocalFolder(tmp_path)))
    assert [each.name for each in found] == ["b_data", "outs_filtered"]
    assert not holds_matrix(LocalFile(tmp_path / name))


def test_a_table_of_metrics_that_was_asked_for_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "metrics_summary.csv"
    path.write_bytes(METRICS)
    with pytest.raises(NoMatrixError, match="a side file of Cell Ranger, not a matrix"):
        list(iter_matrices(LocalFile(path)))


@pytest.mark.parametrize(
    "name",
    [
        "matrix.mtx.gz", "GSE1_counts.csv.gz", "summary.csv", "clusters.csv", "s1.dge.txt.gz",
        "raw_feature_bc_matrix.h5", "UMI_count.tsv", "transcripts.tsv", "unmapped_counts.tsv",
        "cells_x_genes.genes.txt", "quants_mat.mtx", "counts.txt", "ReadsPerGene.out.tab",
    ],
)  # fmt: skip
def test_what_may_be_a_matrix_is_looked_at(name: str, tmp_path: Path) -> None:
    assert side_file_of(name) is None
    (tmp_path / name).write_bytes(table(1))
    assert len(list(iter_matrices(LocalFile(tmp_path / name)))) == 1
