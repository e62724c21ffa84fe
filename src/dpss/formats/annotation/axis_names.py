"""Recognition of the names along an axis: genes or cells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from dpss.formats.annotation.gene_table import ENSEMBL

_BARCODE = re.compile(
    r"(.*[^A-Za-z])?[ACGTN]{8,}([-_.:+x][A-Za-z0-9_.\-:]*)?|"
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}.*"
)
"""Cell barcodes with any prefix and suffix, and UUIDs."""
_CELL = re.compile(
    r"([A-Za-z]*[_.\- ]?)?(cell|sample|well|barcode|plate|[SED]RR|GSM)[_.\- ]?[0-9a-z]*\d.*|"
    r".*[_.\-][A-P]\d{1,2}|.*_(S|L00)\d+.*",
    re.I,
)
GENE_FAMILIES = re.compile(
    r"mt-[a-z0-9]+|m?rp[ls]\d+[a-z0-9]*|actb|gapdh|malat1|b2m|ubc|eef1a1|fth1|ftl1?|tmsb4x|"
    r"hla-[a-z0-9]+|gm\d{3,}|linc\d+|rp\d+-\d+[a-z]\d+\.\d+|.*rik|mir\d+[a-z0-9-]*|znf\d+[a-z]*|"
    r"slc\d+a\d+|cd\d+[a-z]?|olfr\d+|loc\d+|kcn[a-z]\d+|col\d+a\d+|tmem\d+[a-z]?|krt\d+|"
    r"ccdc\d+[a-z]?|fam\d+[a-z]\d*",
    re.I,
)
"""Families of genes, which nearly every list of genes has, and hardly any list of cells."""
_GENE_ID = re.compile(
    r"(\d+_([a-z]{1,2}_)?at|AFFX-.+|ILMN_\d+|A_\d{2}_P\d+|TC\d{8,}\.[a-z]+\.\d)|"
    r"Y[A-P][LR]\d{3}[WC](-[A-Z])?|[NX][MR]_\d{6,}(\.\d+)?|(hsa|mmu)-(miR|let)-.+|"
    r"SP[ABC][A-Z]*\d+[A-Z]?[0-9.]*\.\d+c?|LOC\d{6,}|uc\d{3}[a-z]{3}\.\d+",
    re.I,
)
"""Ids of probe sets on arrays (Affymetrix, Illumina, Agilent), of genes of yeasts, of RefSeq, UCSC
and miRBase."""
_DIGIT = re.compile(r"\d")
_SYMBOL = re.compile(r"[A-Za-z][A-Za-z0-9]+([-.@][A-Za-z0-9]+)*")
_GENE_TITLE = re.compile(
    r"gene(_?(id|name|symbol|short_name))?s?|geneid|symbols?|ensembl.*|accession|feature.*|hgnc.*|"
    r"entrez.*|ncbi.*|refseq.*|probe_?(set)?s?(_?id)?s?|orf|locus_?tag|transcript.*|target_id",
    re.I,
)
_CELL_TITLE = re.compile(
    r"(cell|barcode|sample)s?([_ ]?(id|name|key|barcode|index|number|label)s?)?|cellkey", re.I
)
_N_SAMPLED = 5_000
_FEW = 20
_MIN_FAMILIES = 2
"""Least number of families that a list of genes has."""


class AxisKind(Enum):
    """Kind of the names along an axis."""

    GENES = "genes"
    CELLS = "cells"
    LIKE_GENES = "like genes"
    """Weak evidence of genes: different letters, as in symbols, or few names of one family."""
    UNKNOWN = "unknown"


def find_kind(names: Sequence[str], title: str = "") -> AxisKind:
    """Return the kind of names along an axis: genes, cells, like genes, or unknown.

    Args:
        names: Some names, in the file's order.
        title: Title of their column; empty without one.
    """
    some = names[:: max(1, len(names) // _N_SAMPLED)]
    if not some:
        return AxisKind.UNKNOWN
    if _fraction(ENSEMBL, some) > 0.5 or _fraction(_GENE_ID, some) > 0.5:
        return AxisKind.GENES
    if _fraction(_BARCODE, some) > 0.5:
        return AxisKind.CELLS
    n_families = _count_families(some)
    if _GENE_TITLE.fullmatch(title) or n_families >= _MIN_FAMILIES:
        return AxisKind.GENES
    if _CELL_TITLE.fullmatch(title) or _fraction(_CELL, some) > 0.5:
        return AxisKind.CELLS
    return AxisKind.LIKE_GENES if n_families or _looks_like_symbols(some) else AxisKind.UNKNOWN


def _fraction(pattern: re.Pattern[str], names: Sequence[str]) -> float:
    """Return the fraction of the names that match a pattern."""
    return (len(names) - list(map(pattern.fullmatch, names)).count(None)) / len(names)


def _count_families(names: Sequence[str]) -> int:
    """Return the number of families of genes; 0 where hardly any name belongs to one.

    The letters before the first digit or hyphen stand for a family: names of sorted cells (CD4,
    CD8, CD19) all belong to one family.
    """
    found = [name for name in names if GENE_FAMILIES.fullmatch(name)]
    if len(found) < 0.01 * len(names):
        return 0
    return len({re.split(r"[\d-]", name, maxsplit=1)[0].lower() for name in found})


def _looks_like_symbols(names: Sequence[str]) -> bool:
    """Return whether names differ in letters, as symbols of genes do."""
    symbols = [name for name in names if _SYMBOL.fullmatch(name)]
    prefixes = {_DIGIT.split(name, maxsplit=1)[0].lower() for name in symbols}
    if len(names) < 5:
        return False
    return 10 * len(symbols) > 8 * len(names) and 3 * len(prefixes) > len(names)


_MEASURE = re.compile(
    r"n_?(counts?|genes?|umis?|features?|reads)(_.*)?|ncount_.*|nfeature_.*|(total|log1p)_.*|"
    r"(percent|pct|perc)[._]?.*|.*cluster.*|louvain.*|leiden.*|.*cell_?type.*|"
    r"(umap|t-?sne|pca?|phate|diffmap)[_.\- ]?\d*|[xyz]|coord.*|age|donor.*|batch.*|sex|"
    r"res\.[\d.]+|.*snn_res.*|(avg_)?log2?_?f(old)?_?c(hange)?|p_?val(ue)?s?(_adj)?|p_?adj|"
    r"q_?val(ue)?|fdr|pct\.[12]|base_?mean|lfcse|stat|scores?|auc|means?|variance.*|"
    r"[xy]_centroid|(transcript|control_\w+|\w*codeword|genomic_control|total)_counts?|"
    r"(cell|nucleus)_area|nucleus_count|segmentation_method|"
    r"dispersions?(_norm)?|doublet.*|pseudotime|s\.score|g2m\.score|"
    r"eff(ective)?_?length|est_counts|expected_count|numreads|tpm|[fr]pkm|isopct|"
    r"fov|cell_?id|entityid|area|volume|width|height|perimeter.*|solidity|anisotropy|"
    r"aspect_?ratio|center_?[xyz].*|[xyz]_centroid|(min|max)_[xyz]|(mean|max)\.[a-z0-9]+",
    re.I,
)
"""Titles in tables about cells (quality, clusters, positions, shapes), in tests of genes, and in
estimates for a single sample (kallisto, Salmon, RSEM)."""


def are_measures(names: Sequence[str]) -> bool:
    """Return whether most titles are those of cell annotation or of results of a test."""
    known = sum(_MEASURE.fullmatch(name) is not None for name in names)
    return len(names) <= 200 and 2 * known > len(names)


def are_lists(columns: Sequence[Sequence[str]]) -> bool:
    """Return whether lines are entries of a list, such as gene, cell and count.

    Lines of a matrix have distinct names; in a list names repeat.

    Args:
        columns: Fields before the data, by column.
    """
    named = [column for column in columns if any(column)]
    return len(named) > 0 and all(
        len(column) >= _FEW and 2 * len(set(column)) < len(column) for column in named
    )
