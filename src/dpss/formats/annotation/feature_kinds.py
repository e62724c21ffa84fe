"""Features other than genes: summary rows, tags, controls, regions, annotation of cells.

Counters append rows for reads they could not assign (`HTSeq
<https://htseq.readthedocs.io/en/latest/htseqcount.html>`_'s ``__no_feature``, STAR's
``N_unmapped``, CITE-seq-Count's ``unmapped``), imaging methods count probes that fit no
gene, and peaks and splice junctions are regions of a genome. A file with feature types may still
call them genes; in one without types only their names show it.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dpss.model import GENE_EXPRESSION, GeneTable

SUMMARY_ROW = "Summary Row"
TAG = "Tag"
SPIKE_IN = "Spike-in"
REGION = "Genomic Region"
CELL_ANNOTATION = "Cell Annotation"

_FORMS = {
    SUMMARY_ROW: (
        r"X?__[a-z]\w*|N_(?:unmapped|multimapping|noFeature|ambiguous)|Unassigned_[A-Z]\w+|"
        r"no_feature|too_low_aQual|not_aligned|alignment_not_unique|"
        r"no_match|bad_struct|\*|"
        r"T(?:otal|OTAL)[sS]?|S(?:um|UM)[sS]?|"
        r"(?i:grand[_ ]?(?:totals?|sums?)|total[_ ](?:umis?|reads)|(?:row|column)[_ ]sums?|"
        r"no[_ -]?features?|ambiguous|undetermined|(?:un|not[_ ]?)?mapped(?:[_ ]reads)?|"
        r"multi[_ -]?(?:mapped|mapping|mappers?)(?:[_ ]reads)?)|[Uu]nassigned"
    ),
    CELL_ANNOTATION: (
        r"nCounts?_\w+|nFeatures?_\w+|nUMIs?|nGenes?|orig\.ident|"
        r"(?i:n_(?:counts|umis?|genes(?:_by_counts)?|features|reads)|"
        r"(?:log1p_)?total_(?:counts|umis?|reads)(?:_\w+)?|log1p_n_genes_by_counts|"
        r"pct_counts_\w+|(?:percent|pct|perc)[._ ]?(?:mt|mito|ribo|rb|rp|hb)\w*|"
        r"cell[_ ]?(?:id|index|barcode|name|number|key)s?|library[_ ]?size|size[_ ]?factors?|"
        r"[Bb]atch|[Dd]onor|[Pp]atient|[Ss]ample|[Rr]eplicate|[Pp]late|[Cc]lusters?|[Tt]reatment|"
        r"in_tissue|array_(?:row|col)|image_?(?:row|col)|pxl_(?:row|col)_in_fullres|"
        r"fov|entity_?id|[xyz]_centroid|center_?[xyz](?:_\w+)?|"
        r"seurat_clusters|leiden|louvain|doublet_?scores?|unnamed: ?\d+)"
    ),
    TAG: (
        r".+[-_.][ACGT]{8,}|(?:ADT|HTO|CITE)[-_.].+|.+\|(?:pAbO|stAbO)|CMO3\d\d|"
        r"(?i:(?:.+[-_. ])?total[-_ ]?seq[-_ ]?[a-d]?\d*(?:[-_. ].*)?|hash[-_ ]?tag[-_ ]?\w*)"
    ),
    SPIKE_IN: r"ERCC[-_.]\d{5}(?:_.*)?|SIRV\d{1,4}",
    REGION: (
        r"(?:\w+_)?chr[\w.]+[:_-]\d+[-_]\d+|"
        r"[\w.]+:\d+-\d+"
    ),
    "Negative Control Probe": (
        r"NegControlProbe_\w+|antisense_.+|NegPrb\d+|NegProbe-.+|Negative\d+|NegPrb-.+|"
        r"(?i:neg(?:ative)?[-_ ]?(?:ctrl|control)s?(?:[-_ ]?\d+)?)"
    ),
    "Negative Control Codeword": r"NegControlCodeword_\w+|FalseCode\d+|SystemControl\d+",
    "Blank Codeword": r"BLANK[-_]\w+|(?i:blank[-_]?\d+)|blank[-_]\w+",
    "Unassigned Codeword": r"UnassignedCodeword_\w+",
    "Deprecated Probe": r"DEPRECATED_.+",
    "Deprecated Codeword": r"DeprecatedCodeword_\w+",
    "Genomic Control": r"Intergenic_Region_\w+",
}
KINDS = tuple(_FORMS)
"""Feature types that follow from the form of a name."""
_ANY = re.compile("|".join(f"({form})" for form in _FORMS.values()))


def kind_by_form(name: str) -> str | None:
    """Return the feature type that follows from a name's form; ``None`` for genes."""
    match = _ANY.fullmatch(name)
    return KINDS[match.lastindex - 1] if match and match.lastindex else None


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
    found = dict(_found(genes.ids))
    if genes.names is not genes.ids:
        found.update(_found(genes.names))
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


def _found(names: NDArray[np.object_]) -> list[tuple[int, str]]:
    """Return the index and the feature type of each name that is not that of a gene."""
    # Not by `kind_by_form`: a call for each name would take a third more time. No form begins as
    # Ensembl's ids do and has letters and digits only.
    matches = (
        (i, _ANY.fullmatch(name))
        for i, name in enumerate(names.tolist())
        if not (name.startswith("ENS") and name.isalnum())
    )
    return [(i, KINDS[match.lastindex - 1]) for i, match in matches if match and match.lastindex]
