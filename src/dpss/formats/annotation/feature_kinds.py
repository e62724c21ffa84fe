"""Recognition of features that are no genes, by their names.

Counters append rows for reads they could not assign (`HTSeq
<https://htseq.readthedocs.io/en/latest/htseqcount.html>`_'s ``__no_feature``, STAR's
``N_unmapped``, CITE-seq-Count's ``unmapped``), imaging methods count probes that fit no
gene, and peaks and splice junctions are regions of a genome. A file with feature types may still
call them genes; in one without types only their names show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from dpss.errors import plural
from dpss.formats.annotation.name_patterns import InfixPattern, NamePatterns, PrefixPattern
from dpss.model import GENE_EXPRESSION, GeneTable

SUMMARY_ROW = "Summary Row"
TAG = "Tag"
GUIDE = "CRISPR Guide"
SPIKE_IN = "Spike-in"
REGION = "Genomic Region"
CELL_ANNOTATION = "Cell Annotation"


def _caseless(prefixes: str, rest: str = "") -> PrefixPattern:
    return PrefixPattern(prefixes, rest, ignore_case=True)


PATTERNS = NamePatterns({
    SUMMARY_ROW: (
        PrefixPattern("__ X__", r"[a-z]\w*(?:\[.*\])?"),
        PrefixPattern("N_", r"unmapped|multimapping|noFeature|ambiguous"),
        PrefixPattern("Unassigned_", r"[A-Z]\w+"),
        PrefixPattern(
            "no_feature too_low_aQual not_aligned alignment_not_unique no_match bad_struct *"
        ),
        PrefixPattern("Total TOTAL Sum SUM", r"[sS]?"),
        PrefixPattern("Unassigned unassigned"),
        _caseless("ambiguous undetermined"),
        _caseless("grand", r"[_ ]?(?:totals?|sums?)"),
        _caseless("total", r"[_ ](?:umis?|reads)"),
        _caseless("row column", r"[_ ]sums?"),
        _caseless("no", r"[_ -]?features?"),
        _caseless("mapped unmapped", r"(?:[_ ]reads)?"),
        _caseless("not", r"[_ ]?mapped(?:[_ ]reads)?"),
        _caseless("multi", r"[_ -]?(?:mapped|mapping|mappers?)(?:[_ ]reads)?"),
    ),
    CELL_ANNOTATION: (
        PrefixPattern("nCount nFeature", r"s?_\w+"),
        PrefixPattern("nUMI nGene", r"s?"),
        PrefixPattern("orig.ident"),
        _caseless("n_", r"counts|umis?|genes(?:_by_counts)?|features|reads"),
        _caseless("total_ log1p_total_", r"(?:counts|umis?|reads)(?:_\w+)?"),
        _caseless("pct_counts_", r"\w+"),
        _caseless("percent pct perc", r"[._ ]?(?:mt|mito|ribo|rb|rp|hb)\w*"),
        _caseless("cell", r"[_ ]?(?:id|index|barcode|name|number|key)s?"),
        _caseless("library", r"[_ ]?size"),
        _caseless("size", r"[_ ]?factors?"),
        _caseless("batch donor patient sample replicate plate treatment in_tissue fov"),
        _caseless("seurat_clusters leiden louvain log1p_n_genes_by_counts"),
        _caseless("cluster", r"s?"),
        _caseless("array_", r"row|col"),
        _caseless("image", r"_?(?:row|col)"),
        _caseless("pxl_row pxl_col", r"_in_fullres"),
        _caseless("entity", r"_?id"),
        _caseless("x_centroid y_centroid z_centroid"),
        _caseless("center", r"_?[xyz](?:_\w+)?"),
        _caseless("doublet", r"_?scores?"),
        _caseless("unnamed:", r" ?\d+"),
    ),
    TAG: (
        InfixPattern(r"[-_.][ACGT]{8}", before=r".+", after=r"[ACGT]*"),
        InfixPattern(r"\|", before=r".+", after=r"pAbO|stAbO"),
        InfixPattern(
            r"total[-_ ]?seq",
            before=r"(?:.+[-_. ])?",
            after=r"[-_ ]?[a-d]?\d*(?:[-_. ].*)?",
            ignore_case=True,
        ),
        _caseless("adt hto cite", r"[-_.].+"),
        InfixPattern(r"[-_]PROT", before=r".+", after=r"(?:EIN)?"),
        _caseless("anti-human anti-mouse anti-rat anti_human anti_mouse", r"[-_ ].+"),
        PrefixPattern("CMO3", r"\d\d"),
        _caseless("hash", r"[-_ ]?tag[-_ ]?\w*"),
    ),
    GUIDE: (
        _caseless("sgRNA gRNA crRNA", r"[-_.].+"),
        PrefixPattern("sg", r"[A-Z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*[-_.]\d{1,3}"),
        InfixPattern(
            r"[-_.](?:sg|g|cr)rna", before=r".+", after=r"(?:[-_.]?\w+)?", ignore_case=True
        ),
    ),
    SPIKE_IN: (
        PrefixPattern("ERCC", r"[-_.]\d{5}(?:_.*)?"),
        PrefixPattern("SIRV", r"\d{1,4}"),
        _caseless("phix", r"(?:174)?"),
    ),
    REGION: (
        InfixPattern(r"chr", before=r"(?:\w+_)?", after=r"[\w.]+[:_-]\d+[-_]\d+"),
        InfixPattern(r":", before=r"[\w.]+", after=r"\d+-\d+"),
    ),
    "Negative Control Probe": (
        PrefixPattern("NegControlProbe_", r"[\w.-]+"),
        PrefixPattern("antisense_ NegProbe- NegPrb-", r".+"),
        PrefixPattern("NegPrb Negative", r"\d+"),
        _caseless("neg", r"(?:ative)?[-_ ]?(?:ctrl|control)s?(?:[-_ ]?\d+)?"),
    ),
    "Negative Control Codeword": (
        PrefixPattern("NegControlCodeword_", r"[\w.-]+"),
        PrefixPattern("FalseCode SystemControl", r"\d+"),
    ),
    "Blank Codeword": (
        PrefixPattern("BLANK blank", r"[-_]\w+"),
        _caseless("blank", r"[-_]?\d+"),
    ),
    "Unassigned Codeword": (PrefixPattern("UnassignedCodeword_", r"[\w.-]+"),),
    "Deprecated Probe": (PrefixPattern("DEPRECATED_", r".+"),),
    "Deprecated Codeword": (PrefixPattern("DeprecatedCodeword_", r"[\w.-]+"),),
    "Genomic Control": (_caseless("intergenic_ intergenic-", r"\w+"),),
})  # fmt: skip
"""The patterns of names by feature type."""
KINDS = PATTERNS.kinds
"""Feature types that the pattern of a name tells."""


def is_cell_annotation(name: str) -> bool:
    """Return whether a name is that of an annotation of cells, such as ``nCount_RNA``."""
    return PATTERNS.kind_of(name) == CELL_ANNOTATION


def is_sum(name: str) -> bool:
    """Return whether a title is that of a sum or of unassigned counts."""
    return name.lower() in ("total", "sum") or PATTERNS.kind_of(name) == SUMMARY_ROW


def with_kinds(genes: GeneTable) -> GeneTable:
    """Set the feature type of features that are not genes by their names.

    A type in the file other than that of genes is kept. A feature is not a gene if its id or its
    name has a pattern of `PATTERNS`.

    Args:
        genes: Features, with or without feature types.

    Returns:
        The same table if all are genes.
    """
    ids, names = genes.ids.tolist(), genes.names.tolist()
    found = PATTERNS.find(ids)
    if names != ids:
        found |= PATTERNS.find(names)
    is_gene = genes.is_gene
    return set_types(genes, {i: kind for i, kind in found.items() if is_gene[i]})


def set_types(genes: GeneTable, kinds: Mapping[int, str]) -> GeneTable:
    """Return the table with other feature types; the same table if there are none.

    Args:
        genes: Features, with or without feature types.
        kinds: New types by the feature's index.
    """
    if not kinds:
        return genes
    types = genes.feature_types
    types = np.full(len(genes), GENE_EXPRESSION, dtype=object) if types is None else types.copy()
    types[list(kinds)] = list(kinds.values())
    return replace(genes, feature_types=types)


def describe_splice_states(genes: GeneTable) -> str | None:
    """Return a sentence if features are genes in several splice states.

    alevin-fry names them ``G``, ``G-U`` and ``G-A`` (spliced, unspliced, ambiguous), or
    ``G`` and ``G-I`` (intronic), each gene in each state.

    Returns:
        ``None`` for features that are genes.
    """
    ids = set(genes.ids.tolist())
    for suffixes, states in ((("-U", "-A"), "spliced, unspliced (-U) and ambiguous (-A)"),
                             (("-I",), "spliced and intronic (-I)")):  # fmt: skip
        bases = [name[:-2] for name in ids if name.endswith(suffixes[0])]
        if not bases or len(ids) != (1 + len(suffixes)) * len(bases):
            continue
        if all(base + suffix in ids for base in bases for suffix in ("", *suffixes)):
            return (
                "Features are splice states, not genes: "
                f"{plural(len(bases), 'gene')}, each {states}. "
                "They are counted apart."
            )
    return None
