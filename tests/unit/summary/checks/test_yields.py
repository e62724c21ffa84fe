"""The number of cells is held against the one that was expected."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.stats.knee import Knee
from dpss.summary.checks.yields import NAME, check_yield, with_yield
from dpss.summary.droplets import Droplets
from dpss.summary.tables import summary_document
from tests.summarise import summarise
from tests.unit.small import counts, write_h5ad_csr


@pytest.mark.parametrize(
    ("found", "expected", "status", "told"),
    [
        (4812, 5000, "pass", "4,812 cells were read; 5,000 were expected."),
        (2500, 5000, "pass", "2,500 cells were read; 5,000 were expected."),
        (480, 5000, "warn", "480 cells were read, 9.6 % of the 5,000 that were expected."),
        (12000, 5000, "warn", "12,000 cells were read, 2.4 times the 5,000 that were expected."),
        (2499, 5000, "warn", "2,499 cells were read, 49.98 % of the 5,000 that were expected."),
        (10001, 5000, "warn", "10,001 cells were read, 2.0002 times the 5,000 that were expected."),
        (1, 5000, "warn", "1 cell was read, 0.02 % of the 5,000 that were expected."),
        (1, 1, "pass", "1 cell was read; 1 was expected."),
        (1234, 1, "warn", "1,234 cells were read, 1,234 times the one that was expected."),
    ],
)
def test_the_sentence_has_both(found: int, expected: int, status: str, told: str) -> None:
    """The number that was found, and the expected one."""
    check = check_yield(found, expected)
    assert (check.name, check.status) == (NAME, status)
    assert check.message.replace("\u202f", " ") == told
    about = check_yield(found, expected, estimated=True).message
    assert about.startswith("About 1 barcode looks like a cell" if found == 1 else "About ")


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_factor_of_two_is_the_limit(found: int, expected: int) -> None:
    """On both sides, whatever the size."""
    far = found > 2 * expected or expected > 2 * found
    check = check_yield(found, expected)
    assert check.status == ("warn" if far else "pass")
    assert not any(each in check.message for each in ("e+", " 50.0", ", 2 times"))


def test_a_summary_says_what_was_expected(tmp_path: Path) -> None:
    """As a number and a check; of all droplets the barcodes above the knee are compared."""
    write_h5ad_csr(tmp_path / "a.h5ad", counts(n_cells=30))
    plain = summarise(tmp_path / "a.h5ad")
    assert "n_cells_expected" not in summary_document(plain, [])
    summary = with_yield(plain, 100)
    document = summary_document(summary, [])
    assert document["n_cells_expected"] == 100
    names = [check["name"] for check in document["checks"]]
    assert names[names.index("cell_count") + 1] == NAME
    (found,) = [check for check in document["checks"] if check["name"] == NAME]
    assert found["status"] == "warn"
    assert found["message"].startswith("30 cells were read, 30")
    knee = Knee(n_cells=90, n_background=9000, min_counts=500, median_counts=900,
                median_counts_background=3)  # fmt: skip
    droplets = replace(plain, droplets=Droplets(knee, 400.0, 3.0))
    (check,) = [each for each in with_yield(droplets, 100).checks if each.name == NAME]
    assert check.message.startswith("About 90 barcodes look like")
