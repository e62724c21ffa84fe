"""No case is lost: what is listed is there and tried, and what is there is listed."""

from __future__ import annotations

import json
from pathlib import Path

HERE = Path(__file__).parent
LISTED = {
    "columns-dropped-in-silence/deccomma_all.csv",
    "columns-dropped-in-silence/text_in_last.tsv",
    "counts-in-a-layer-of-another-name/layer_RNA_counts.h5ad",
    "formats-not-named/m.parquet",
    "formats-not-named/molecule_info.h5",
    "formats-not-named/obj.h5Seurat",
    "formats-not-named/sparse_counts.npz",
    "formats-not-named/utf16.txt",
    "log-base/log2_cp10k.h5ad",
    "mtx-field-float/star_em",
    "mtx-tables-against-role/fry",
    "nullable-string-index/nullidx_only.h5ad",
    "numeric-cell-ids/bd.csv",
    "probes-as-genes/flex_probe.h5",
    "reads-right/GSE1_RAW.tar",
    "reads-right/annot_cols.tsv",
    "reads-right/barnyard.h5",
    "reads-right/bom.csv",
    "reads-right/dtype_float16.h5ad",
    "reads-right/featurecounts.txt",
    "reads-right/layer_counts_is_log.h5ad",
    "reads-right/mtx_crlf",
    "reads-right/mtx_rownames_header",
    "reads-right/nullable.h5ad",
    "reads-right/parse",
    "reads-right/star_velo",
    "reads-right/xenium.h5",
    "rounding-noise/noise.csv",
    "species-of-placeholders/gene_numbers.tsv",
    "summary-rows/htseq.tsv",
    "tags-as-genes/citeseqcount",
    "zarr-chunk-beyond-shape/chunks_beyond_shape.zarr",
}
"""Every case after a public bug report, by kind and name."""
ELSEWHERE = {
    "counts-in-a-layer-of-another-name": "engine/test_layers.py",
    "log-base": "stats/values/test_logarithms.py",
    "rounding-noise": "stats/values/test_kinds.py",
}
"""Kinds that have a folder of their own, and which tests in ``tests/unit`` try it."""


def _present() -> set[str]:
    folders = [*(HERE / "data").iterdir(), *(HERE / kind for kind in ELSEWHERE)]
    return {
        f"{folder.name}/{path.name}"
        for folder in folders
        for path in folder.iterdir()
        if path.name != "expected.txt"
    }


def test_what_is_there_is_listed() -> None:
    assert _present() - LISTED == set()


def test_what_is_listed_is_there() -> None:
    assert LISTED - _present() == set()


def test_every_case_is_tried() -> None:
    expected = set(json.loads((HERE / "expected.json").read_text()))
    elsewhere = {case for case in _present() if case.partition("/")[0] in ELSEWHERE}
    assert _present() - elsewhere == expected
    for case in elsewhere:
        kind, _, name = case.partition("/")
        assert f'"{name}"' in (HERE.parent / "unit" / ELSEWHERE[kind]).read_text()
