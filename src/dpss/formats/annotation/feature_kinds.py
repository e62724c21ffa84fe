"""Features other than genes: summary rows, tags, controls, regions, annotation of cells.

Counters append rows for reads they could not assign (`HTSeq
<https://htseq.readthedocs.io/en/latest/htseqcount.html>`_'s ``__no_feature``, STAR's
``N_unmapped``, CITE-seq-Count's ``unmapped``), imaging methods count probes that fit no
gene, and peaks and splice junctions are regions of a genome. A file with feature types may still
call them genes; in one without types only their names show it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dpss.formats.annotation.feature_forms import Begun, Held, NameForms
from dpss.model import GENE_EXPRESSION, GeneTable

SUMMARY_ROW = "Summary Row"
TAG = "Tag"
GUIDE = "CRISPR Guide"
SPIKE_IN = "Spike-in"
REGION = "Genomic Region"
CELL_ANNOTATION = "Cell Annotation"


def _in_any_case(starts: str, rest: str = "") -> Begun:
    return Begun(starts, rest, any_case=True)


FORMS = NameForms({
    SUMMARY_ROW: (
        Begun("__ X__", r"[a-z]\w*(?:\[.*\])?"),
        Begun("N_", r"unmapped|multimapping|noFeature|ambiguous"),
        Begun("Unassigned_", r"[A-Z]\w+"),
        Begun("no_feature too_low_aQual not_aligned alignment_not_unique no_match bad_struct *"),
        Begun("Total TOTAL Sum SUM", r"[sS]?"),
        Begun("Unassigned unassigned"),
        _in_any_case("ambiguous undetermined"),
        _in_any_case("grand", r"[_ ]?(?:totals?|sums?)"),
        _in_any_case("total", r"[_ ](?:umis?|reads)"),
        _in_any_case("row column", r"[_ ]sums?"),
        _in_any_case("no", r"[_ -]?features?"),
        _in_any_case("mapped unmapped", r"(?:[_ ]reads)?"),
        _in_any_case("not", r"[_ ]?mapped(?:[_ ]reads)?"),
        _in_any_case("multi", r"[_ -]?(?:mapped|mapping|mappers?)(?:[_ ]reads)?"),
    ),
    CELL_ANNOTATION: (
        Begun("nCount nFeature", r"s?_\w+"),
        Begun("nUMI nGene", r"s?"),
        Begun("orig.ident"),
        _in_any_case("n_", r"counts|umis?|genes(?:_by_counts)?|features|reads"),
        _in_any_case("total_ log1p_total_", r"(?:counts|umis?|reads)(?:_\w+)?"),
        _in_any_case("pct_counts_", r"\w+"),
        _in_any_case("percent pct perc", r"[._ ]?(?:mt|mito|ribo|rb|rp|hb)\w*"),
        _in_any_case("cell", r"[_ ]?(?:id|index|barcode|name|number|key)s?"),
        _in_any_case("library", r"[_ ]?size"),
        _in_any_case("size", r"[_ ]?factors?"),
        _in_any_case("batch donor patient sample replicate plate treatment in_tissue fov"),
        _in_any_case("seurat_clusters leiden louvain log1p_n_genes_by_counts"),
        _in_any_case("cluster", r"s?"),
        _in_any_case("array_", r"row|col"),
        _in_any_case("image", r"_?(?:row|col)"),
        _in_any_case("pxl_row pxl_col", r"_in_fullres"),
        _in_any_case("entity", r"_?id"),
        _in_any_case("x_centroid y_centroid z_centroid"),
        _in_any_case("center", r"_?[xyz](?:_\w+)?"),
        _in_any_case("doublet", r"_?scores?"),
        _in_any_case("unnamed:", r" ?\d+"),
    ),
    TAG: (
        Held(r"[-_.][ACGT]{8}", before=r".+", after=r"[ACGT]*"),
        Held(r"\|", before=r".+", after=r"pAbO|stAbO"),
        Held(
            r"total[-_ ]?seq",
            before=r"(?:.+[-_. ])?",
            after=r"[-_ ]?[a-d]?\d*(?:[-_. ].*)?",
            any_case=True,
        ),
        _in_any_case("adt hto cite", r"[-_.].+"),
        Held(r"[-_]PROT", before=r".+", after=r"(?:EIN)?"),
        _in_any_case("anti-human anti-mouse anti-rat anti_human anti_mouse", r"[-_ ].+"),
        Begun("CMO3", r"\d\d"),
        _in_any_case("hash", r"[-_ ]?tag[-_ ]?\w*"),
    ),
    GUIDE: (
        _in_any_case("sgRNA gRNA crRNA", r"[-_.].+"),
        Begun("sg", r"[A-Z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*[-_.]\d{1,3}"),
        Held(r"[-_.](?:sg|g|cr)rna", before=r".+", after=r"(?:[-_.]?\w+)?", any_case=True),
    ),
    SPIKE_IN: (
        Begun("ERCC", r"[-_.]\d{5}(?:_.*)?"),
        Begun("SIRV", r"\d{1,4}"),
        _in_any_case("phix", r"(?:174)?"),
    ),
    REGION: (
        Held(r"chr", before=r"(?:\w+_)?", after=r"[\w.]+[:_-]\d+[-_]\d+"),
        Held(r":", before=r"[\w.]+", after=r"\d+-\d+"),
    ),
    "Negative Control Probe": (
        Begun("NegControlProbe_", r"[\w.-]+"),
        Begun("antisense_ NegProbe- NegPrb-", r".+"),
        Begun("NegPrb Negative", r"\d+"),
        _in_any_case("neg", r"(?:ative)?[-_ ]?(?:ctrl|control)s?(?:[-_ ]?\d+)?"),
    ),
    "Negative Control Codeword": (
        Begun("NegControlCodeword_", r"[\w.-]+"),
        Begun("FalseCode SystemControl", r"\d+"),
    ),
    "Blank Codeword": (
        Begun("BLANK blank", r"[-_]\w+"),
        _in_any_case("blank", r"[-_]?\d+"),
    ),
    "Unassigned Codeword": (Begun("UnassignedCodeword_", r"[\w.-]+"),),
    "Deprecated Probe": (Begun("DEPRECATED_", r".+"),),
    "Deprecated Codeword": (Begun("DeprecatedCodeword_", r"[\w.-]+"),),
    "Genomic Control": (_in_any_case("intergenic_ intergenic-", r"\w+"),),
})  # fmt: skip
"""The forms of names by feature type."""
KINDS = FORMS.kinds
"""Feature types that follow from the form of a name."""


def kind_by_form(name: str) -> str | None:
    """Return the feature type that follows from a name's form; ``None`` for genes."""
    return FORMS.kind_of(name)


def is_cell_annotation(name: str) -> bool:
    """Return whether a name is that of an annotation of cells, such as ``nCount_RNA``."""
    return kind_by_form(name) == CELL_ANNOTATION


def is_sum(name: str) -> bool:
    """Return whether a title is that of a sum, or of counts that could not be assigned."""
    return name.lower() in ("total", "sum") or kind_by_form(name) == SUMMARY_ROW


def with_kinds(genes: GeneTable) -> GeneTable:
    """Set the feature type of features that are not genes by the form of their names.

    A type in the file other than that of genes is kept. A feature is
    judged by its id and by its name; either is enough.

    Args:
        genes: Features, with or without feature types.

    Returns:
        The same table if all are genes by their form.
    """
    ids, names = genes.ids.tolist(), genes.names.tolist()
    found = FORMS.find(ids)
    if names != ids:
        found |= FORMS.find(names)
    if genes.feature_types is None:
        types = np.full(len(genes), GENE_EXPRESSION, dtype=object)
    else:
        types = genes.feature_types.copy()
    changed = [i for i in found if types[i] == GENE_EXPRESSION]
    if not changed:
        return genes
    types[changed] = [found[i] for i in changed]
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
                f"Features are splice states, not genes: {len(bases):,} genes, each {states}. "
                "They are counted apart."
            )
    return None
