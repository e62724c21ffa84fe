"""Metrics that pipelines write beside their matrices."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dpss.summary.pipeline import (
    PERCENTAGES,
    TITLES,
    PipelineReport,
    Unfiltered,
    parse_metrics,
    pipeline_document,
)

CELL_RANGER = (
    "Estimated Number of Cells,Mean Reads per Cell,Median Genes per Cell,Number of Reads,"
    "Sequencing Saturation,Reads Mapped to Genome,Fraction Reads in Cells,Total Genes Detected,"
    'Median UMI Counts per Cell\n"1,222","50,123",1500,"61,250,306",71.2%,96.2%,94.9%,"21,005",'
    '"4,100"\n'
)
MULTI = (
    "Category,Library Type,Grouped By,Group Name,Metric Name,Metric Value\n"
    "Cells,Gene Expression,,,Cells,990\n"
    'Cells,Gene Expression,,,Median UMI counts per cell,"2,100"\n'
    "Cells,Antibody Capture,,,Median UMI counts per cell,7\n"
    "Library,Gene Expression,Fastq ID,fq1,Number of reads,1\n"
    'Library,Gene Expression,Physical library ID,GEX_1,Number of reads,"88,000"\n'
    "Library,Gene Expression,Physical library ID,GEX_1,Sequencing saturation,0.50%\n"
)
SOLO = (
    "Number of Reads,1000\nSequencing Saturation,0.875\nReads Mapped to Genome: Unique+Multiple,"
    "0.9\nEstimated Number of Cells,12\nMean Reads per Cell,80\nMedian UMI per Cell,70\n"
    "Median Gene per Cell,50\nTotal Gene Detected,600\n"
)
DUMP = (
    "CB\tCorrectedReads\tMappedReads\tDeduplicatedReads\tMappingRate\n"
    "AC\t100\t80\t20\t0.8\nGT\t300\t240\t60\t0.8\n"
)
BD = (
    "####################\n## BD Rhapsody Analysis Pipeline\n####################\n\n"
    "#Sequencing Quality#\nTotal_Reads_in_FASTQ,Pct_Q30,Library\n100,90,a\n200,91,b\n"
    "300,90.5,Combined_stats\n\n"
    "#Reads and Molecules#\nMean_RSEC_Sequencing_Depth,Sequencing_Saturation,Target_Type\n"
    "2.5,0.9,mRNA\n9,99,AbSeq\n\n"
    "#Cells RSEC#\nPutative_Cell_Count,Pct_Reads_from_Putative_Cells,Mean_Reads_per_Cell,"
    "Median_Molecules_per_Cell,Median_Targets_per_Cell,Total_Targets_Detected,Target_Type\n"
    "40,1,99,98,97,96,AbSeq\n40,85.5,5000,1200,300,390,mRNA\n\n"
    "#Cells DBEC#\nPutative_Cell_Count,Median_Targets_per_Cell,Target_Type\n39,250,mRNA\n"
)
"""Sections of the file of BD's pipeline, with two libraries and antibodies."""
INSPECT = {
    "numRecords": 50, "numReads": 400, "numBarcodes": 9, "meanReadsPerBarcode": 44.4,
    "numUMIs": 60, "numBarcodeUMIs": 100, "percentageReadsOnOnlist": 95.6,
}  # fmt: skip
"""What bustools counts, of all barcodes."""
FILES = {
    "metrics_summary.csv": (CELL_RANGER, {"estimated_cells": 1222, "sequencing_saturation": 71.2,
                                          "mean_reads_per_cell": 50123, "n_genes_detected": 21005,
                                          "median_counts_per_cell": 4100, "n_reads": 61250306,
                                          "pct_reads_in_cells": 94.9, "pct_reads_mapped": 96.2,
                                          "median_genes_per_cell": 1500}),
    "multi/metrics_summary.csv": (MULTI, {"estimated_cells": 990, "median_counts_per_cell": 2100,
                                          "n_reads": 88000, "sequencing_saturation": 0.5}),
    "Summary.csv": (SOLO, {"n_reads": 1000, "sequencing_saturation": 87.5, "pct_reads_mapped": 90,
                           "estimated_cells": 12, "mean_reads_per_cell": 80,
                           "n_genes_detected": 600, "median_counts_per_cell": 70,
                           "median_genes_per_cell": 50}),
    "quant.json": (json.dumps({"num_quantified_cells": 77, "resolution_strategy": "trivial"}),
                   {"estimated_cells": 77}),
    "featureDump.txt": (DUMP, {"mean_reads_per_cell": 200, "sequencing_saturation": 75}),
    "run_info.json": (json.dumps({"n_processed": 5000, "p_pseudoaligned": 0.9, "call": "kb"}),
                      {"n_reads": 5000, "pct_reads_mapped": 0.9}),
    "inspect.json": (json.dumps(INSPECT), {"sequencing_saturation": 75,
                                           "pct_valid_barcodes": 95.6}),
    "old/inspect.json": ('{"percentageReadsOnOnlist": 0.95623992}',
                         {"pct_valid_barcodes": 95.623992}),
    "S1_Metrics_Summary.csv": (BD, {"n_reads": 300, "sequencing_saturation": 0.9,
                                    "estimated_cells": 40, "pct_reads_in_cells": 85.5,
                                    "mean_reads_per_cell": 5000, "median_counts_per_cell": 1200,
                                    "median_genes_per_cell": 300, "n_genes_detected": 390}),
    "analysis_summary.csv": ("statistic,x1\nnumber_of_cells,30\nsequencing_saturation,0.25\n",
                             {"estimated_cells": 30, "sequencing_saturation": 25}),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_metrics_of_each_pipeline(name: str) -> None:
    """Numbers with commas, percentages as such or as shares, and nothing else."""
    text, true = FILES[name]
    found = parse_metrics(name, text.encode())
    assert found == pytest.approx(true)
    assert found.keys() <= TITLES.keys()


@given(st.integers(0, 10**9), st.floats(0, 1).map(lambda share: round(share, 4)), st.booleans())
def test_cell_ranger_and_starsolo_mean_the_same(n: int, share: float, quoted: bool) -> None:
    """A saturation of 0.25 and one of 25 %; 1234 and "1,234"."""
    number = f'"{n:,}"' if quoted else str(n)
    table = (
        f"Number of Reads,Valid Barcodes,Sequencing Saturation\n{number},9%,{100 * share:.2f}%\n"
    )
    found = parse_metrics("metrics_summary.csv", table.encode())
    lines = f"Number of Reads,{n}\nReads With Valid Barcodes,0.09\n"
    lines += f"Sequencing Saturation,{share:.4f}\n"
    assert found == pytest.approx(parse_metrics("Summary.csv", lines.encode()))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("quant.json", b"{"),
        ("run_info.json", b"[1]"),
        ("featureDump.txt", b"CB\tx\nA\t1\n"),
        ("metrics_summary.csv", b""),
        ("S1_Metrics_Summary.csv", b"a,b\n1,2\n"),
        ("metrics_summary.csv", b"\xff\xfe\x00"),
    ],
)
def test_what_is_no_such_file_is_an_error(name: str, data: bytes) -> None:
    """Of the kind that the reader names in a check."""
    with pytest.raises(ValueError):
        parse_metrics(name, data)
    assert parse_metrics("metrics_summary.csv", b"a,b,c\nNaN,-1,x\n") == {}


_FIELDS = st.floats().map(str) | st.integers(-9, 9).map(str) | st.just("")


@given(st.lists(st.tuples(_FIELDS, _FIELDS, _FIELDS), min_size=1, max_size=5))
@example([("nan", "1", "1")])
@example([("1", "inf", "1")])
@example([("1", "1", "5")])
def test_no_metric_is_infinite_or_below_0(cells: list[tuple[str, str, str]]) -> None:
    """Of a damaged table of cells, too: JSON has no NaN, and the matrix would not be published."""
    lines = ["CorrectedReads\tMappedReads\tDeduplicatedReads", *map("\t".join, cells)]
    found = parse_metrics("featureDump.txt", "\n".join(lines).encode())
    assert all(0 <= value < math.inf for value in found.values())


def test_the_object_of_a_summary() -> None:
    """Metrics in the order of their titles."""
    metrics = {"n_reads": 5.0, "estimated_cells": 2.0}
    barcodes = Unfiltered("S/raw.h5", 10, None, 0.0, None)
    document = pipeline_document(PipelineReport("kb", ("S/run_info.json",), metrics, barcodes))
    assert list(document["metrics"]) == ["estimated_cells", "n_reads"]
    assert document["unfiltered"]["n_barcodes"] == 10
    assert TITLES.keys() >= PERCENTAGES
