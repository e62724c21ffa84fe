"""The check of the number of cells against the planned number."""

from __future__ import annotations

from dataclasses import replace

from dpss.errors import plural
from dpss.summary.numerals import proportion
from dpss.summary.record import Check, Summary
from dpss.summary.status import PASS, WARN

NAME = "expected_cells"
QUESTION = "Are there about as many cells as were expected?"
_BEFORE = "cell_count"
FACTOR = 2
"""Factor between found and expected cells that is still no warning."""
RULE = (
    f"warn: fewer than 1/{FACTOR} of the expected cells, or more than {FACTOR} times as many; only "
    "made where a sample sheet states a number"
)
SOURCE = (
    "the column `expected_cells` of nf-core/scrnaseq; Cell Ranger reports the relative difference "
    "from the recovered cells that were expected, and calls 0.78 of a target of 30,000 normal "
    "(10x Genomics, knowledge base 360054594612); the factor: this program"
)


def check_yield(n_found: int, expected: int, *, estimated: bool = False) -> Check:
    """Return the check of a number of cells.

    >>> check_yield(480, 5000).status, check_yield(4800, 5000).status
    ('warn', 'pass')

    Args:
        n_found: Number of cells of the matrix.
        expected: Number of cells that was planned, at least 1.
        estimated: Whether ``n_found`` is an estimate, of barcodes above the knee.
    """
    one = n_found == 1
    if estimated:
        verb = "looks like a cell" if one else "look like cells"
        subject = f"About {plural(n_found, 'barcode')} {verb}"
    else:
        subject = f"{plural(n_found, 'cell')} {'was' if one else 'were'} read"
    ratio = n_found / expected
    if 1 / FACTOR <= ratio <= FACTOR:
        was = "was" if expected == 1 else "were"
        return Check(NAME, PASS, f"{subject}; {expected:,} {was} expected.")
    that = "one that was" if expected == 1 else f"{expected:,} that were"
    return Check(NAME, WARN, f"{subject}, {proportion(n_found, expected)} the {that} expected.")


def with_yield(summary: Summary, expected: int) -> Summary:
    """Return a summary with the number of cells that was expected, and its check.

    Args:
        summary: The summary of a matrix. Where its cells were not called, the barcodes above the
            knee are compared.
        expected: Number of cells that was planned, at least 1.
    """
    droplets = summary.droplets
    found = droplets.knee.n_cells if droplets else summary.n_cells
    check = check_yield(found, expected, estimated=droplets is not None)
    # Beside the check of the number that the source states, which comes first.
    at = next((i for i, each in enumerate(summary.checks, 1) if each.name == _BEFORE), 0)
    checks = (*summary.checks[:at], check, *summary.checks[at:])
    return replace(summary, n_cells_expected=expected, checks=checks)
