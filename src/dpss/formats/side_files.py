"""Files that pipelines write beside their matrices, and that are no matrices.

They are recognised by the names in the pipelines' documentation, with or without a sample's name
before. Some are tables of numbers, which would be read as small matrices: Cell Ranger's
``metrics_summary.csv`` as one of a single cell.
"""

from __future__ import annotations

import re

COMPRESSION = re.compile(r"\.(gz|bgz|bz2|xz|zst)$")
_NAMES = {
    "Cell Ranger": (
        r"metrics_summary(_json)?\.(csv|json)|molecule_info\.h5|web_summary\.html|(per_)?barcode_metrics\.csv|"
        r"(atac_)?fragments\.tsv|(atac_)?peak_annotation\.tsv|feature_reference\.csv|"
        r"aggregation(_csv)?\.csv|assignment_confidence_table\.csv|tag_calls_(per_cell|summary)\.csv|"
        r"protospacer_calls_(per_cell|summary)\.csv|sample_filtered_barcodes\.csv|probe_set\.csv|"
        r"(all|filtered)_contig_annotations\.csv|clonotypes\.csv|consensus_annotations\.csv|"
        r"airr_rearrangement\.tsv|tissue_positions(_list)?\.csv|spatial_enrichment\.csv"
    ),
    "Xenium": r"(cell|nucleus)_boundaries\.csv|gene_panel\.json",
    "MERSCOPE": r"detected_transcripts\.csv|cell_metadata\.csv",
    "CosMx": r"metadata_file\.csv|fov_positions_file\.csv|tx_file\.csv|polygons\.csv",
    "STARsolo": (
        r"(Barcodes|Features|CellReads)\.stats|UMIperCellSorted\.txt|Log(\.final|\.progress)?\.out|"
        r"SJ\.out\.tab"
    ),
    "alevin-fry": r"featureDump\.txt",
    "kb": r"matrix\.ec|kb_info\.json",
    "CITE-seq-Count": r"run_report\.yaml",
    "featureCounts": r"[^/]*\.summary",
    "Parse": r"agg_samp_ana_summary\.csv|analysis_summary\.csv|sample_all_stats\.csv",
    "BD": r"Sample_Tag_(Calls|Metrics)\.csv|Putative_Cells_Origin\.csv",
    "CellBender": r"cell_barcodes\.csv|cellbender_metrics\.csv",
    "Drop-seq tools": r"dge\.summary\.txt",
}
_EXACTLY = {
    "transcripts.txt": "kb",
    "transcripts.csv": "Xenium",
    "config.csv": "Cell Ranger",
    "unmapped.csv": "CITE-seq-Count",
}
"""Whole names of side files: with a prefix they may be matrices."""
_BY_HEADER = {"cells.csv": ("Xenium", b"x_centroid")}
"""Names that matrices have as well; a word of the first line tells side files."""
HEADER_BYTES = 512
_STARSOLO_SUMMARY = re.compile(r"(.*/)?(Gene|GeneFull\w*|SJ|Velocyto)/Summary\.csv")
_ANALYSIS = re.compile(
    r"(.*/)?analysis/(.*/)?(clusters|projection|components|dispersion|features_selected|variance|"
    r"differential_expression)\.csv"
)
_KINDS = re.compile(r".*\.(html?|json|ya?ml|log|md|pdf|png|jpe?g|svg|tiff?|bai|bed|tbi|md5|sha256)")
_READS = re.compile(r".*\.(fastq|fq|bam|cram|sam)")
_PATTERNS = {
    maker: re.compile(rf"(.*[/_.\-])?({names})", re.IGNORECASE) for maker, names in _NAMES.items()
}


def may_be_side_file(path: str) -> bool:
    """Return whether a file's first line is needed to tell if it is a side file."""
    return COMPRESSION.sub("", path).rpartition("/")[2] in _BY_HEADER


def side_file_by_header(path: str, head: bytes) -> str | None:
    """Return the description of a side file by name and first line, if it is one.

    Args:
        path: Path of the file.
        head: Its first `HEADER_BYTES` bytes, decompressed.
    """
    maker, word = _BY_HEADER.get(COMPRESSION.sub("", path).rpartition("/")[2], ("", b""))
    return f"a side file of {maker}" if maker and word in head else None


def side_file_of(path: str) -> str | None:
    """Return the description of a side file by its name; ``None`` for others.

    >>> side_file_of("s1/outs/metrics_summary.csv")
    'a side file of Cell Ranger'
    >>> side_file_of("s1/outs/matrix.mtx.gz") is None
    True

    Args:
        path: Path or name of the file; some are only recognised by their folder.
    """
    bare = COMPRESSION.sub("", path)
    for maker, pattern in _PATTERNS.items():
        if pattern.fullmatch(bare):
            return f"a side file of {maker}"
    name = bare.rpartition("/")[2]
    if name in _EXACTLY:
        return f"a side file of {_EXACTLY[name]}"
    if _STARSOLO_SUMMARY.fullmatch(bare):
        return "a side file of STARsolo"
    if _ANALYSIS.fullmatch(bare):
        return "a side file of Cell Ranger"
    if _READS.fullmatch(bare.lower()):
        return "sequencing reads (give the matrix that was counted from them)"
    return "a report or picture" if _KINDS.fullmatch(bare.lower()) else None
