"""The verdict on a matrix: each thing that was looked at, in one plain sentence.

``pass`` is as it should be, ``warn`` asks for care, ``fail`` says that numbers can't be
believed as they are. `CHECKS` says what each check is about and where its threshold is
from; ``docs/reference/checks.md`` is made of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpss.model import Certainty
from dpss.stats.kernels import layout
from dpss.stats.values.kinds import Values
from dpss.stats.values.logarithms import LOG_CEILING
from dpss.summary.assumptions import assumptions, describe_assumption
from dpss.summary.evidence import Evidence
from dpss.summary.record import Check
from dpss.summary.spreadsheet_names import names_of_spreadsheets

PASS, WARN, FAIL = "pass", "warn", "fail"

FEW_CELLS = 100
FEW_GENES_PER_CELL = 200
MUCH_MITOCHONDRIAL = {"mouse": 5.0, "human": 10.0}
"""Median percentage of mitochondrial counts beyond which a species' cells look damaged."""
EMPTY_DROPLETS = 0.5
N_NAMED = 5
"""Examples that a sentence names at most."""

_MEANING = {
    Values.COUNTS: "whole numbers of at least 0: counts",
    Values.EXPECTED_COUNTS: "fractional and at least 0: expected counts",
    Values.NORMALISED: "normalised to the same total in each cell",
    Values.LOG_NORMALISED: "log-normalised",
    Values.SCALED: "scaled: some are negative",
    Values.TOO_LARGE: "larger than any count",
    Values.NOT_FINITE: "not all finite: some are NaN or infinite",
}


@dataclass(frozen=True)
class CheckKind:
    """A check: its question, its rule with the source, and its function."""

    name: str
    question: str
    """Question about a matrix."""
    rule: str
    """When it does not pass."""
    source: str
    """Where the rule is from."""
    look: Callable[[Evidence], tuple[str, str]]
    """Returns status and sentence."""


def check_matrix(evidence: Evidence) -> tuple[Check, ...]:
    """Make every check."""
    return tuple(Check(kind.name, *kind.look(evidence)) for kind in CHECKS)


def _look_at_values(evidence: Evidence) -> tuple[str, str]:
    values = _values_used(evidence)
    message = f"The values of {evidence.used} are {_MEANING[values]}."
    if values is Values.COUNTS and evidence.n_rounded:
        return WARN, (
            f"{message} Rounding noise was found in at least {evidence.n_rounded:,} of them; "
            "they were rounded to whole numbers."
        )
    if values is Values.COUNTS and evidence.sums.facts.largest == 1:
        return WARN, (
            f"{message} All are 0 or 1: they tell whether something was seen, not how often, "
            "unless cells were sequenced very little."
        )
    if values is Values.COUNTS:
        return PASS, message
    passed_over = [
        f"{layer.name} ({layer.values})"
        for layer in evidence.layers
        if layer.name in evidence.looked_for and layer.name != evidence.used and layer.values
    ]
    if passed_over:
        message += f" Better was not found in {_listed(passed_over)}."
    if values is Values.LOG_NORMALISED:
        message += f" {_say_base(evidence)}"
    return WARN, message


def _say_base(evidence: Evidence) -> str:
    """Say how logarithms were undone, and what told their base."""
    told = next(each for each in evidence.decisions if each.topic == "log_base")
    undone = "expm1" if told.value == "e" else f"{told.value}^x - 1"
    if told.certainty is Certainty.ASSUMED:
        return (
            f"The base of the logarithm is not known ({told.evidence}); {told.value} was assumed, "
            f"and the values were exponentiated ({undone}) before anything else: all numbers "
            "depend on it."
        )
    return (
        f"They were exponentiated ({undone}) before anything else; the base of the logarithm is "
        f"{told.value}: {told.evidence}."
    )


def _look_at_layers(evidence: Evidence) -> tuple[str, str]:
    if len(evidence.layers) == 1:
        return PASS, f"There is one layer, {evidence.used}."
    told = []
    for layer in evidence.layers:
        text = f"{layer.name}: {layer.values or 'unreadable'}"
        if layer.same_as:
            text += f", the same as {layer.same_as}"
        told.append(text)
    message = f"Used was {evidence.used}. Layers: {'; '.join(told)}."
    tied = [each for each in evidence.decisions if each.topic == "layer" and each.changes_numbers]
    for each in tied:
        message += f" {each.value} was assumed to be the right one: {each.evidence}; "
        message += f"{each.option} names another."
    broken = any(layer.values in (None, Values.NOT_FINITE) for layer in evidence.layers)
    return WARN if broken or tied else PASS, message


def _look_at_raw(evidence: Evidence) -> tuple[str, str]:
    found = {layer.name: layer for layer in evidence.layers}
    if not {"X", "raw.X"} <= found.keys():
        return PASS, "There is no raw.X beside X to compare it with."
    x, raw = found["X"], found["raw.X"]
    if (x.same_as or "X") == (raw.same_as or "raw.X"):
        return WARN, "X and raw.X hold the same values: X was not normalised, or raw.X is not raw."
    if raw.values is not Values.COUNTS:
        return WARN, f"raw.X does not hold counts, but {raw.values or 'unreadable'} values."
    return PASS, "raw.X holds counts, X something else."


def _look_at_total(evidence: Evidence) -> tuple[str, str]:
    n_cells, expected = evidence.sums.cells.n_cells, evidence.expected_cells
    if expected is None:
        return PASS, f"{n_cells:,} cells were read; the source states no number."
    if n_cells != expected:
        return WARN, f"{n_cells:,} cells were read, but the source states {expected:,}."
    return PASS, f"{n_cells:,} cells were read, as the source states."


def _look_at_cells(evidence: Evidence) -> tuple[str, str]:
    cells = evidence.sums.cells
    empty = int(cells.total_counts.counts[cells.total_counts.values == 0].sum())
    if cells.n_cells_kept == 0:
        return FAIL, f"None of the {cells.n_cells:,} cells was kept."
    if empty:
        return WARN, f"{empty:,} of {cells.n_cells_kept:,} cells have no counts."
    if cells.n_cells_kept < FEW_CELLS:
        return WARN, f"There are only {cells.n_cells_kept:,} cells."
    return PASS, f"All {cells.n_cells_kept:,} cells have counts."


def _look_at_depth(evidence: Evidence) -> tuple[str, str]:
    cells = evidence.sums.cells
    if not cells.n_cells_kept:
        return FAIL, "There are no cells to look at."
    genes = cells.n_genes_by_counts
    few = int(genes.counts[genes.values < FEW_GENES_PER_CELL].sum())
    n_genes = int(evidence.features.is_gene.sum())
    message = f"A cell in the middle has {genes.median:,.0f} genes detected; "
    message += f"{few:,} of {cells.n_cells_kept:,} cells have fewer than {FEW_GENES_PER_CELL}."
    if few > EMPTY_DROPLETS * cells.n_cells_kept and n_genes > 10 * FEW_GENES_PER_CELL:
        return WARN, message + " This looks like droplets before empty ones were left out."
    return PASS, message


def _look_at_genes(evidence: Evidence) -> tuple[str, str]:
    found = evidence.sums.genes.table[evidence.features.is_gene, layout.N_CELLS]
    n_found = int(np.count_nonzero(found))
    message = f"{n_found:,} of {len(found):,} genes are found in some cell."
    return PASS if n_found else WARN, message


def _look_at_names(evidence: Evidence) -> tuple[str, str]:
    genes = evidence.features.select(evidence.features.is_gene)
    names, ids = _repeated(genes.names), _repeated(genes.ids)
    if not names and not ids:
        return PASS, "Every gene has a name and an id of its own."
    examples = _listed(names[:N_NAMED])
    return WARN, (
        f"{len(names):,} gene names and {len(ids):,} gene ids occur more than once"
        f"{f' ({examples})' if examples else ''}; figures tell such genes apart by their id."
    )


def _look_at_dates(evidence: Evidence) -> tuple[str, str]:
    genes = evidence.features.select(evidence.features.is_gene)
    found = names_of_spreadsheets(genes.names.tolist())
    if not found:
        return PASS, "No gene name is a date or a number in scientific notation."
    examples = _listed(list(dict.fromkeys(found))[:N_NAMED])
    return WARN, (
        f"{len(found):,} gene names are dates or numbers ({examples}), as spreadsheets make of "
        "SEPT2, MARCH1 or 2310009E13: which genes they are, the names do not tell."
    )


def _look_at_identity(evidence: Evidence) -> tuple[str, str]:
    found = evidence.nomenclature
    message = f"Genes go by {found.id_type}{' with versions' if found.versioned else ''}"
    if not found.species:
        return WARN, f"{message}; whose genes they are was not recognised."
    message += f", of {_listed(found.species)} (judged by {found.by})."
    return PASS if len(found.species) == 1 and found.are_genes else WARN, message


def _look_at_mitochondrial_genes(evidence: Evidence) -> tuple[str, str]:
    n = int(np.count_nonzero(evidence.mitochondrial))
    if n == 0:
        return WARN, (
            "No mitochondrial gene was recognised by chromosome, name or id; "
            "figures of mitochondrial counts are left out."
        )
    return PASS, f"{n:,} mitochondrial genes were recognised."


def _look_at_mitochondrial_share(evidence: Evidence) -> tuple[str, str]:
    percents = evidence.sums.cells.pct_counts_mt
    if percents is None or not percents.n:
        return PASS, "There are no mitochondrial counts to look at."
    species = evidence.nomenclature.species[:1]
    limit = MUCH_MITOCHONDRIAL.get(species[0] if species else "", 10.0)
    message = f"A cell in the middle has {percents.median:.1f} % mitochondrial counts"
    if percents.median > limit:
        return WARN, f"{message}, more than the {limit:.0f} % expected of intact cells."
    return PASS, f"{message}."


def _look_at_features(evidence: Evidence) -> tuple[str, str]:
    kinds = evidence.features.feature_types
    if kinds is None:
        return PASS, "The file names no feature types: all are genes."
    others = evidence.features.describe_others()
    if not others:
        return PASS, f"All {len(kinds):,} features are genes."
    return WARN, f"Left out, as they are not genes: {others}."


def _look_at_zeros(evidence: Evidence) -> tuple[str, str]:
    n = evidence.sums.facts.n_explicit_zeros
    if n:
        return WARN, f"{n:,} zeros are stored as if they were counts; they count as absent."
    return PASS, "No zero is stored as if it were a count."


def _look_at_ceiling(evidence: Evidence) -> tuple[str, str]:
    largest = evidence.sums.facts.largest
    if _values_used(evidence) is not Values.LOG_NORMALISED:
        return PASS, "The values are not logarithms."
    stored = np.log1p(largest) / np.log(evidence.log_base or np.e)
    if stored > LOG_CEILING:
        return FAIL, f"The largest value, {stored:,.1f}, is no logarithm of a count."
    return PASS, f"The largest value is {stored:,.1f}, as logarithms of counts are."


def _look_at_assumptions(evidence: Evidence) -> tuple[str, str]:
    found = assumptions(evidence.decisions)
    if not found:
        return PASS, "Nothing that changes numbers was assumed: the file states or shows it."
    return WARN, " ".join(_capital(describe_assumption(each)) for each in found)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _values_used(evidence: Evidence) -> Values:
    """Return what the used layer holds."""
    kinds: Mapping[str, Values | None] = {layer.name: layer.values for layer in evidence.layers}
    return kinds[evidence.used] or Values.COUNTS


def _repeated(column: NDArray[np.object_]) -> list[str]:
    """Return what occurs more than once, the most frequent first."""
    counts = {each: n for each, n in Counter(column.tolist()).items() if n > 1}
    return sorted(counts, key=counts.__getitem__, reverse=True)


def _listed(items: Sequence[str]) -> str:
    """Join words as a sentence does: a, b and c."""
    return " and ".join(part for part in (", ".join(items[:-1]), *items[-1:]) if part)


_CONTRACT = "HCA expression matrix contract"
_OURS = "this program"

CHECKS = (
    CheckKind("values", "Are the values counts?",
              "warn: anything but whole numbers ≥ 0, or such with rounding noise, "
              "or nothing but 0 and 1",
              _CONTRACT, _look_at_values),
    CheckKind("assumptions", "Was anything assumed that changes numbers?",
              "warn: the file neither states nor shows it, and another choice gives other numbers",
              _OURS, _look_at_assumptions),
    CheckKind("layers", "What does each layer hold?",
              "warn: a layer can't be read, holds NaN or infinite values, or holds counts as well "
              "as the used one, but others",
              _CONTRACT, _look_at_layers),
    CheckKind("x_identical_to_raw", "Does raw.X hold what X was made from?",
              "warn: X and raw.X are the same where they were sampled, or raw.X is not counts",
              _CONTRACT, _look_at_raw),
    CheckKind("log1p_ceiling", "Could the values be logarithms of counts?",
              f"fail: log-normalised values above {LOG_CEILING:.0f}", _CONTRACT, _look_at_ceiling),
    CheckKind("cell_count", "Are there as many cells as the source states?",
              "warn: another number", "CELLxGENE Discover states cell_count, Azul matrixCellCount",
              _look_at_total),
    CheckKind("cells", "Do all cells have counts?",
              f"fail: no cell is kept; warn: empty cells, or fewer than {FEW_CELLS} cells",
              "CELLxGENE schema 7.1.0 (every cell has a non-zero value); Cell Ranger's summary "
              "(ideal: more than 100 cells)", _look_at_cells),
    CheckKind("depth", "Are these cells, or all droplets?",
              f"warn: more than half of the cells have fewer than {FEW_GENES_PER_CELL} genes",
              "scanpy and Seurat tutorials (min_genes = 200)", _look_at_depth),
    CheckKind("genes", "Are genes detected?", "warn: none is", _OURS, _look_at_genes),
    CheckKind("unique_gene_names", "Has every gene its own name and id?",
              "warn: a name or an id occurs more than once", "CELLxGENE schema 7.1.0",
              _look_at_names),
    CheckKind("names_as_dates", "Did a spreadsheet make dates of gene names?",
              "warn: a name is a date, a day's number or a number in scientific notation",
              "M. Ziemann, Y. Eren, A. El-Osta, Genome Biology 17 (2016), "
              "doi:10.1186/s13059-016-1044-7", _look_at_dates),
    CheckKind("gene_ids", "What are genes called, and whose are they?",
              "warn: species not recognised, or several of them; transcripts, numbers, other names",
              "Ensembl, stable id prefixes", _look_at_identity),
    CheckKind("mitochondrial_genes", "Are there mitochondrial genes?", "warn: none is recognised",
              _OURS, _look_at_mitochondrial_genes),
    CheckKind("mitochondrial_share", "Do the cells look intact?",
              "warn: a median above 10 % (human and others) or 5 % (mouse)",
              "D. Osorio, J. J. Cai, Bioinformatics 37 (2021), doi:10.1093/bioinformatics/btaa751",
              _look_at_mitochondrial_share),
    CheckKind("feature_types", "Are all features genes?",
              "warn: others are there; they are left out",
              "Cell Ranger's feature_types; names by their form",
              _look_at_features),
    CheckKind("explicit_zeros", "Are zeros stored?", "warn: some are", "CELLxGENE schema 7.1.0",
              _look_at_zeros),
)  # fmt: skip
"""All checks, in the order in which they are told."""
