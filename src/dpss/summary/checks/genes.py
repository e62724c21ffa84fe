"""Checks of the genes: detection, names, spreadsheet dates, species, features."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from dpss.errors import agreeing, plural
from dpss.stats.kernels import layout
from dpss.stats.moments import total_counts
from dpss.summary.checks.kind import N_NAMED, listed
from dpss.summary.findings import Findings
from dpss.summary.spreadsheet_names import names_of_spreadsheets
from dpss.summary.status import PASS, WARN

MIN_GENES = 10
"""Least genes with counts among which one with half of all counts is odd."""


def check_genes(findings: Findings) -> tuple[str, str]:
    """Count the detected genes; look for a gene with most of the counts."""
    is_gene = findings.features.is_gene
    found = findings.sums.genes.table[is_gene, layout.N_CELLS]
    n_found = int(np.count_nonzero(found))
    verb = agreeing(n_found, "is")
    message = f"{n_found:,} of {plural(len(found), 'gene')} {verb} found in at least one cell."
    totals = total_counts(findings.sums.genes)[is_gene]
    if n_found < MIN_GENES or 2 * totals.max() < totals.sum():
        return PASS if n_found else WARN, message
    most = int(totals.argmax())
    share = totals[most] / totals.sum()
    name = findings.genes.names[most]
    if np.isclose(2 * totals[most], totals.sum(), rtol=1e-9, atol=0):
        return WARN, f"{message} {name} has as many counts as all others together, as a sum has."
    return WARN, f"{message} {name} has {share:.0%} of all counts: it may be no gene."


def check_names(findings: Findings) -> tuple[str, str]:
    """Look for names and ids that occur more than once."""
    genes = findings.genes
    names, ids = _repeated(genes.names), _repeated(genes.ids)
    if not names and not ids:
        return PASS, "All names and ids of genes are unique."
    examples = listed(names[:N_NAMED])
    return WARN, (
        f"{plural(len(names), 'gene name')} and {plural(len(ids), 'gene id')} occur more than once"
        f"{f' ({examples})' if examples else ''}; figures tell such genes apart by their id."
    )


def check_dates(findings: Findings) -> tuple[str, str]:
    """Look for names that a spreadsheet program has changed."""
    genes = findings.genes
    found = names_of_spreadsheets(genes.names.tolist())
    if not found:
        return PASS, "No gene name is a date or a number in scientific notation."
    examples = listed(list(dict.fromkeys(found))[:N_NAMED])
    what = "a date or a number" if len(found) == 1 else "dates or numbers"
    names = f"{plural(len(found), 'gene name', 'is')} {what}"
    return WARN, (
        f"{names} ({examples}), as spreadsheets make of "
        "SEPT2, MARCH1 or 2310009E13: which genes they are, the names do not tell."
    )


def check_identity(findings: Findings) -> tuple[str, str]:
    """Look at the kind of ids and the species."""
    found = findings.nomenclature
    message = f"The genes are named by {found.id_type}{' with versions' if found.versioned else ''}"
    if not found.species:
        return WARN, f"{message}; their species was not recognised."
    message += f", of {listed(found.species)} (judged by {found.by})."
    return PASS if len(found.species) == 1 and found.are_genes else WARN, message


def check_features(findings: Findings) -> tuple[str, str]:
    """Look for features that are no genes."""
    kinds = findings.features.feature_types
    if kinds is None:
        return PASS, "The file names no feature types: all are genes."
    others = findings.features.describe_others()
    if not others:
        all_features = f"All {plural(len(kinds), 'feature')} are genes."
        return PASS, "The only feature is a gene." if len(kinds) == 1 else all_features
    return WARN, f"Left out, as they are not genes: {others}."


def _repeated(column: NDArray[np.object_]) -> list[str]:
    """Return the values that occur more than once, the most frequent first."""
    counts = {each: n for each, n in Counter(column.tolist()).items() if n > 1}
    return sorted(counts, key=counts.__getitem__, reverse=True)
