"""Layouts of the folders that pipelines write, as patterns of paths.

Names are those of the pipelines' documentation: Cell Ranger (``count`` and ``multi``), STARsolo,
alevin-fry and simpleaf, kb, Parse's split-pipe and BD's Rhapsody pipeline.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FILTERED, UNFILTERED, METRICS = "filtered", "unfiltered", "metrics"
"""Roles of the files of a sample."""
_AT = r"(?P<at>(?:.*/)?)"


@dataclass(frozen=True)
class PipelineLayout:
    """Patterns of the paths of one pipeline's files.

    In each pattern the group ``at`` is the part of the path that all files of a sample share, and
    ``feature``, if there is one, the features that were counted.
    """

    pipeline: str
    patterns: tuple[tuple[str, re.Pattern[str]], ...]
    """Role and pattern of each kind of file."""
    folders: re.Pattern[str] | None = None
    """Pattern of paths below ``at`` that the pipeline uses."""


def _layout(pipeline: str, folders: str = "", at: str = _AT, **tails: str) -> PipelineLayout:
    patterns = tuple((role, re.compile(at + tail)) for role, tail in tails.items())
    return PipelineLayout(pipeline, patterns, re.compile(folders) if folders else None)


_CELL_RANGER = (
    r"(?:count/)?(?:sample_)?{}_(?:feature_bc_matrix(?:\.h5)?|gene_bc_matrices(?:/[^/]+|_h5\.h5))"
)
_SOLO = r"Solo\.out/(?P<feature>Gene|GeneFull\w*)/"
LAYOUTS = (
    _layout(
        "Cell Ranger",
        r".*",
        r"(?P<at>(?:.*/)?(?:outs|per_sample_outs/[^/]+)/)",
        filtered=_CELL_RANGER.format("filtered"),
        unfiltered=_CELL_RANGER.format("raw"),
        metrics=r"metrics_summary\.csv",
    ),
    _layout(
        "Cell Ranger",
        filtered=_CELL_RANGER.format("filtered"),
        unfiltered=_CELL_RANGER.format("raw"),
        metrics=r"metrics_summary\.csv",
    ),
    _layout(
        "STARsolo",
        r"Solo\.out/.*",
        r"(?P<at>(?:.*/)?(?:[^/]*?[._-])??)",
        filtered=_SOLO + r"filtered",
        unfiltered=_SOLO + r"raw",
        metrics=_SOLO + r"Summary\.csv",
    ),
    _layout(
        "alevin-fry",
        r"(?:af_quant|alevin)/.*",
        filtered=r"(?:af_quant/)?alevin/(?:quants_mat\.mtx(?:\.gz)?|quants\.h5ad)",
        metrics=r"(?:af_quant/)?(?:quant\.json|featureDump\.txt)",
    ),
    _layout(
        "kb",
        r"counts_(?:un)?filtered/.*",
        filtered=r"counts_filtered/(?:cells_x_(?:genes|tcc)(?:\.total)?\.mtx|adata\.h5ad)",
        unfiltered=r"counts_unfiltered/(?:cells_x_genes(?:\.total)?\.mtx|adata\.h5ad)",
        metrics=r"(?:run_info|inspect)\.json",
    ),
    _layout(
        "Parse",
        r"(?:DGE_(?:un)?filtered|report)/.*",
        filtered=r"DGE_filtered(?:/(?:DGE\.mtx|anndata\.h5ad))?",
        unfiltered=r"DGE_unfiltered(?:/(?:DGE\.mtx|anndata\.h5ad))?",
        metrics=r"report/(?:analysis_summary|sample_all_stats)\.csv",
    ),
    _layout(
        "BD",
        at=r"(?P<at>(?:.*/)?[^/]+?)",
        filtered=r"_RSEC_MolsPerCell_MEX\.zip",
        unfiltered=r"_RSEC_MolsPerCell_Unfiltered_MEX\.zip",
        metrics=r"_Metrics_Summary\.csv",
    ),
)
"""All layouts; a path belongs to the first layout that fits."""

GENERIC = frozenset(
    {
        *("", ".", "outs", "count", "counts", "multi", "per_sample_outs", "af_quant", "alevin"),
        *("quant", "quants", "solo", "star", "starsolo", "cellranger", "kb", "kallisto", "output"),
    }
)
"""Names of folders, in lower case, that name no sample."""
ENDINGS = re.compile(
    r"(?:[._-](?:count|alevin_results|alevin|starsolo|solo|kb))?[._-]*$", re.IGNORECASE
)
"""Ends of a folder's name that name the pipeline, not the sample."""
COMBINED = frozenset({"all-sample", "all-well"})
"""Names of Parse's folders that hold all samples together."""
INTERNAL = re.compile(r"(?:.*/)?(?:[A-Z][A-Z0-9_]*_CS|_[^/]*|multi|analysis|aggregate_barcodes)/.*")
"""Pattern of paths in a sample's folder for internal use of pipelines."""
