"""The verdict on a matrix: each thing that was looked at, in one plain sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dpss.model import GENE_EXPRESSION, GeneTable
from dpss.stats import layout
from dpss.stats.accumulator import Sums
from dpss.stats.values import Values
from dpss.summary import Check, describe_duplicates

PASS, WARN, FAIL = "pass", "warn", "fail"

_MEANING = {
    Values.COUNTS: "whole numbers of at least 0, taken as counts",
    Values.EXPECTED_COUNTS: "fractional and at least 0, taken as expected counts",
    Values.NORMALISED: "already normalised to the same total in each cell",
    Values.LOG_NORMALISED: "log-normalised; they were exponentiated (expm1) before anything else",
    Values.SCALED: "scaled: some are negative",
    Values.NOT_FINITE: "not all finite: some are NaN or infinite",
}


def describe_layers(layers: Mapping[str, Values]) -> str:
    """Return what each layer that was looked at holds, in words."""
    return "; ".join(f"{name}: {values}" for name, values in layers.items())


def check_matrix(
    sums: Sums,
    features: GeneTable,
    mitochondrial: NDArray[np.bool_],
    used: str,
    layers: Mapping[str, Values],
) -> tuple[Check, ...]:
    """Look at everything that a finished pass tells of a matrix.

    Args:
        sums: What the pass left behind.
        features: All features of the matrix.
        mitochondrial: Which features are mitochondrial genes, shape ``(n_features,)``.
        used: Name of the layer that was summarised.
        layers: What each layer that was looked at holds, the used one included.
    """
    return (
        _check_values(used, layers),
        _check_cells(sums),
        _check_genes(sums, features),
        _check_names(features),
        _check_mitochondrial(mitochondrial),
        _check_features(features),
        _check_zeros(sums),
    )


def _check_values(used: str, layers: Mapping[str, Values]) -> Check:
    values = layers[used]
    message = f"The values of {used} are {_MEANING[values]}."
    others = {name: kind for name, kind in layers.items() if name != used}
    if others:
        message += f" Also looked at: {describe_layers(others)}."
    return Check("values", PASS if values is Values.COUNTS else WARN, message)


def _check_cells(sums: Sums) -> Check:
    cells = sums.cells
    empty = int(cells.total_counts.counts[cells.total_counts.values == 0].sum())
    if cells.n_cells_kept == 0:
        return Check("cells", FAIL, f"None of the {cells.n_cells:,} cells was kept.")
    if empty:
        return Check("cells", WARN, f"{empty:,} of {cells.n_cells_kept:,} cells have no counts.")
    return Check("cells", PASS, f"All {cells.n_cells_kept:,} cells have counts.")


def _check_genes(sums: Sums, features: GeneTable) -> Check:
    found = sums.genes.table[features.is_gene, layout.N_CELLS]
    empty = int(np.count_nonzero(found == 0))
    status = WARN if len(found) and empty == len(found) else PASS
    return Check(
        "genes", status, f"{len(found) - empty:,} of {len(found):,} genes are found in some cell."
    )


def _check_names(features: GeneTable) -> Check:
    names, ids = describe_duplicates(features.select(features.is_gene))
    if names or ids:
        return Check(
            "unique_gene_names",
            WARN,
            f"{names:,} gene names and {ids:,} gene ids occur more than once; "
            "figures tell such genes apart by their id.",
        )
    return Check("unique_gene_names", PASS, "Every gene has a name and an id of its own.")


def _check_mitochondrial(mitochondrial: NDArray[np.bool_]) -> Check:
    n = int(np.count_nonzero(mitochondrial))
    if n == 0:
        return Check(
            "mitochondrial_genes",
            WARN,
            "No mitochondrial gene was recognised by chromosome, name or id; "
            "figures of mitochondrial counts are left out.",
        )
    return Check("mitochondrial_genes", PASS, f"{n:,} mitochondrial genes were recognised.")


def _check_features(features: GeneTable) -> Check:
    if features.feature_types is None:
        return Check("feature_types", PASS, "The file names no feature types: all are genes.")
    types = Counter(str(kind) for kind in features.feature_types)
    others = {kind: n for kind, n in sorted(types.items()) if kind != GENE_EXPRESSION}
    if not others:
        return Check("feature_types", PASS, f"All {len(features):,} features are genes.")
    named = ", ".join(f"{n:,} {kind}" for kind, n in others.items())
    return Check("feature_types", WARN, f"Left out, as they are not genes: {named}.")


def _check_zeros(sums: Sums) -> Check:
    n = sums.facts.n_explicit_zeros
    if n:
        return Check("explicit_zeros", WARN, f"{n:,} zeros are stored; they count as absent.")
    return Check("explicit_zeros", PASS, "No zero is stored.")
