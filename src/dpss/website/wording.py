"""Numbers, verdicts and figures in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dpss.errors import plural
from dpss.summary.numerals import number, percent
from dpss.summary.record import Check
from dpss.summary.verdict import Verdict, judge
from dpss.website.records import ORGAN, SPECIES, TECHNOLOGY, MatrixRecord

_KIND = {
    "counts": "Raw counts",
    "expected counts": "Expected (fractional) counts",
    "normalised": "Normalised values, not raw counts",
    "log-normalised": "Log-normalised values, not raw counts",
}
_ADVICE = {
    "counts": "They can be used where whole-number counts are asked for.",
    "expected counts": "Methods that ask for whole numbers need them rounded.",
    "normalised": "Methods that ask for counts do not apply; shares and orders of genes hold.",
    "log-normalised": (
        "They were exponentiated before anything was computed; "
        "methods that ask for counts do not apply."
    ),
}
_LARGE = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
_MAX_PARTS = 4
"""Most parts that a phrase names; the last one stands for all others."""


def large(value: float | None) -> str:
    """Return a large number in short form: ``1.23 million``.

    >>> large(1_234_567), large(4_340), large(999_900_000)
    ('1.23 million', '4,340', '1 billion')
    """
    if value is not None and value >= 1e6:
        for size, name in _LARGE:
            if value >= 0.9995 * size:
                return f"{number(value / size)} {name}"
    return number(value)


def moment(iso: str) -> str:
    """Return a time in words, UTC.

    >>> moment("2026-03-04T05:06:07+00:00")
    '4 March 2026, 05:06 UTC'
    """
    try:
        time = datetime.fromisoformat(iso).astimezone(UTC)
    except ValueError:
        return iso
    return f"{time.day} {time:%B %Y, %H:%M} UTC"


def duration(seconds: float) -> str:
    """Return a duration with its unit.

    >>> duration(3.21), duration(200), duration(7300)
    ('3.2 s', '3 min', '2 h 2 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def counts(items: Iterable[tuple[str, int]]) -> str:
    """Return counts in words, without those that are 0.

    >>> counts([("published", 2), ("failed", 0)]), counts([])
    ('2 published', 'no matrix')
    """
    return ", ".join(f"{count:,} {name}" for name, count in items if count) or "no matrix"


def headline(kinds: Sequence[str]) -> str:
    """Return the number of entries of each kind in words.

    >>> headline(["new", "failed", "new"]), headline([])
    ('2 new, 1 failed', 'incomplete run')
    """
    order = ("new", "changed", "vanished", "failed", "skipped")
    there = [(kind, kinds.count(kind)) for kind in order if kind in kinds]
    return counts(there) if there else "incomplete run"


def xml_text(text: str) -> str:
    r"""Return a text without the characters that XML can't hold.

    >>> xml_text("a\x00b\n")
    'ab\n'
    """
    return "".join(
        c
        for c in text
        if c in "\t\n\r" or "\x20" <= c < "\ud800" or "\ue000" <= c < "\ufffe" or c > "\uffff"
    )


def listing(parts: Sequence[str]) -> str:
    """Return parts as a phrase.

    >>> listing(["a", "b", "c"]), listing(list("abcdef"))
    ('a, b and c', 'a, b, c and 3 more')
    """
    if len(parts) > _MAX_PARTS:
        parts = [*parts[: _MAX_PARTS - 1], f"{len(parts) - _MAX_PARTS + 1} more"]
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _counted(value: float | None, noun: str) -> str:
    """Return a number, whole or not, with its noun: ``1 gene``, ``1.5 genes``."""
    return f"{number(value)} {noun if value == 1 else noun + 's'}"


def describe_matrix(record: MatrixRecord) -> str:
    """Return one or two sentences that describe a matrix."""
    numbers = record.numbers
    text = (
        f"{_KIND[record.values]} of {plural(numbers['n_cells'], 'cell')} "
        f"and {plural(numbers['n_genes'], 'gene')}"
    )
    species, organ = record.terms(SPECIES), record.terms(ORGAN)
    technology = record.terms(TECHNOLOGY)
    if organ or species:
        text += " from " + " of ".join(listing(terms) for terms in (organ, species) if terms)
    if technology:
        text += ", made with " + listing(technology)
    layer = f" They were read from {record.layer}." if record.layer else ""
    simulated = " The data are simulated." if record.simulated else ""
    return f"{text}.{layer} {_ADVICE[record.values]}{simulated}"


def describe_median_cell(record: MatrixRecord) -> str:
    """Return a sentence on the medians of a cell, or on the lack of cells."""
    numbers = record.numbers
    kept, cells = numbers["n_cells_kept"], numbers["n_cells"]
    if not kept:
        return "No cell was kept, so that there is nothing to say of a typical one."
    genes, counts = numbers["median_genes_per_cell"], numbers["median_counts_per_cell"]
    text = f"The median cell has {_counted(genes, 'gene')} and {_counted(counts, 'count')}"
    if numbers["median_pct_counts_mt"] is not None:
        text += f", {percent(numbers['median_pct_counts_mt'])} of them mitochondrial"
    if kept != cells:
        text += f". All this is of the {number(kept)} of {plural(cells, 'cell')} that were kept"
    return text + "."


NUMBERS = {
    "n_cells": "cells",
    "n_genes": "genes",
    "median_genes_per_cell": "genes per cell",
    "median_counts_per_cell": "counts per cell",
    "median_pct_counts_mt": "mitochondrial",
    "n_warn": "cautions",
    "n_fail": "failed checks",
}
"""Words for the numbers of a run's report by which two publications are compared."""


def verdict(checks: Mapping[str, int]) -> tuple[str, str, str]:
    """Return the outcome of checks: name of the style, sort key, and words."""
    if checks["fail"]:
        return "bad", "failed", f"{checks['fail']} failed"
    if checks["warn"]:
        return "warning", "with cautions", plural(checks["warn"], "caution")
    unmeasured = checks.get("not measured", 0)
    return "good", "no cautions", f"{checks['pass']} passed" if unmeasured else "all passed"


def judgement(document: Mapping[str, Any]) -> Verdict:
    """Return the verdict on a matrix, which the page shows above all numbers."""
    return judge([Check(c["name"], c["status"], c["message"]) for c in document["checks"]])


def sentence(text: str) -> str:
    """Return a text with a capital and a full stop.

    >>> sentence("all are whole numbers")
    'All are whole numbers.'
    """
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "…")) else f"{text}."


def assumed(document: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the decisions that were assumed and change numbers, each with its reason."""
    return [
        {"reason": sentence(each["evidence"]), **each}
        for each in document["reading"]
        if each["certainty"] == "assumed" and each["changes_numbers"]
    ]


def cautions(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the checks that warn or fail, failures first.

    The check of assumptions is left out, as these are shown above the numbers.
    """
    order = {"fail": 0, "warn": 1}
    found = [
        check
        for check in document["checks"]
        if check["status"] in order and check["name"] != "assumptions"
    ]
    return sorted(found, key=lambda check: order[check["status"]])


def gene_label(entry: Mapping[str, Any]) -> str:
    """Return the label of a gene."""
    return str(entry["gene_name"] or entry["gene_id"])


def alt_text(slug: str, document: Mapping[str, Any]) -> str:
    """Return the text alternative of a figure: its content in words.

    Args:
        slug: Slug of the figure.
        document: The matrix's summary.
    """
    cells = plural(document["n_cells_kept"], "cell")
    genes, counts = document["median_genes_per_cell"], document["median_counts_per_cell"]
    share = document["median_pct_counts_mt"]
    if slug == "strata":
        return _describe_strata(document["strata"], cells)
    best = document.get(slug)
    if best:
        return _describe_genes(slug, best, cells)
    if slug == "violin":
        middle = f"{_counted(genes, 'gene')} and {_counted(counts, 'count')}"
        text = f"Over {cells}: median {middle} per cell"
        return text + (f", {percent(share)} of counts mitochondrial." if share is not None else ".")
    if slug == "scatter_genes_vs_counts":
        return f"Genes against counts of {cells}; medians {number(genes)} and {number(counts)}."
    if slug == "scatter_percentMitoGenes_vs_count":
        return f"Mitochondrial percentage against counts of {cells}; median {percent(share)}."
    if slug == "knee":
        return f"Counts of {cells} in descending order; half of them have {number(counts)} or more."
    return f"Figure {slug} of {cells}."


def _describe_strata(strata: Mapping[str, Any], cells: str) -> str:
    odd = [each["name"] for each in strata["strata"] if each["odd"]]
    apart = f"; apart from the others: {', '.join(odd)}" if odd else ""
    shown = plural(len(strata["strata"]), "part")
    return f"{cells[:1].upper()}{cells[1:]} in {shown} by {strata['by']}{apart}."


def _describe_genes(slug: str, best: Sequence[Mapping[str, Any]], cells: str) -> str:
    first = best[0]
    others = listing([gene_label(entry) for entry in best[1:4]])
    then = f" Next come {others}." if others else ""
    name = gene_label(first)
    if slug == "highest_expr_genes":
        share = percent(first["mean_pct_of_cell_counts"])
        return f"{name} has the highest mean share of a cell's counts, {share}.{then}"
    if slug == "genes_by_cell_count":
        return f"{name} is found in {number(first['n_cells_by_counts'])} of {cells}.{then}"
    norm = number(first["dispersions_norm"])
    return f"{name} varies the most, with a normalised dispersion of {norm}.{then}"
