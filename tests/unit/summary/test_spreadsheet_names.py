"""Genes that a spreadsheet made dates of are named with a warning."""

from __future__ import annotations

import random
from datetime import date

import numpy as np
import pandas as pd
import pytest

from dpss.formats.discovery import iter_matrices
from dpss.summary.spreadsheet_names import names_of_spreadsheets
from tests.summarise import source_of, summarise_matrix


@pytest.mark.parametrize(
    "name",
    ["1-Mar", "2-Sep", "1-Dec", "10-MAR", "1-mar", "Sep-02", "Mar-01", "2-Sep-20", "02-Sep-2020",
     "1-Mrz", "1. Mrz", "1-Dez", "2-sept", "2/Sep", "X1.Mar", "2021-09-02", "2021-09-02 00:00:00",
     "9/2/2021", "02.09.2021", "2.31E+19", "2,31E+19", "44621", "44441"],
)  # fmt: skip
def test_a_date_is_no_name(name):
    """As spreadsheets of several languages, R and pandas write them; 44621 is 2022-03-01."""
    assert names_of_spreadsheets(["TP53", "GAPDH", name]) == [name]


@pytest.mark.parametrize(
    "name",
    ["SEPT2", "SEPTIN2", "MARCH1", "MARCHF1", "MARC1", "DEC1", "sep-1", "jun-1", "apr-1", "dec-1",
     "SEP-1", "oct-1", "mar-1", "JUN", "Jund", "Sept2", "Mar", "1700001C19Rik", "2310009E13Rik",
     "RP11-34P13.7", "AC000403.4", "7SK", "5S_rRNA", "44622.1", "44800", "NKX2-1", "H2-K1",
     "HLA-A", "1-8D", "2-Cys", "3.8-1", "AL592182.2", "5-HT2A", "MT-ND1", "Y_RNA"],
)  # fmt: skip
def test_a_name_is_no_date(name):
    """Symbols of people, mice and worms; 44800 is a day in August."""
    assert names_of_spreadsheets(["TP53", "GAPDH", name]) == []


def test_ids_that_are_numbers_are_no_days():
    """Among Entrez ids or row numbers a number tells nothing."""
    numbers = [str(44441 + i) for i in range(400)]
    assert names_of_spreadsheets(numbers) == []
    assert names_of_spreadsheets([f"GENE{i}" for i in range(300)] + numbers) == []


def test_every_gene_that_became_a_date_is_found():
    """Generated: each gene in each year, format by the standard library's calendar."""
    random_ = random.Random(3)
    genes = [(3, day) for day in range(1, 12)] + [(9, day) for day in range(1, 15)] + [(12, 1)]
    forms = ["%d-%b", "%b-%d", "%d-%b-%y", "%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y", "serial"]
    for _ in range(300):
        form, year = random_.choice(forms), random_.randint(1995, 2030)
        days = [date(year, month, day) for month, day in random_.sample(genes, 8)]
        dates = [
            str((day - date(1899, 12, 30)).days) if form == "serial" else day.strftime(form)
            for day in days
        ]
        names = [*dates, *(f"GENE{i}" for i in range(100))]
        random_.shuffle(names)
        assert sorted(names_of_spreadsheets(names)) == sorted(dates)


@pytest.mark.parametrize("cells_first", [False, True])
def test_a_summary_warns(tmp_path, cells_first):
    """Whichever way the table lies, dates are named; how they are counted does not change."""
    names = ["GAPDH", "ACTB", "CD4", "CD8A", "MS4A1", "LYZ", "2-Sep", "1-Mar", "1-Mar", "NKG7"]
    values = np.random.default_rng(0).poisson(2, (10, 12))
    cells = [f"AAACCTGAGAAAC{x}{y}C-1" for x in "ACGT" for y in "ACG"]
    frame = pd.DataFrame(values, index=names, columns=cells)
    (frame.T if cells_first else frame).to_csv(tmp_path / "a.csv")
    (matrix,) = iter_matrices(source_of(tmp_path / "a.csv"))
    summary = summarise_matrix(matrix)
    (check,) = [each for each in summary.checks if each.name == "names_as_dates"]
    assert check.status == "warn"
    assert check.message.startswith("3 gene names are dates or numbers (2-Sep and 1-Mar)")
    assert summary.total_counts == values.sum()


def test_names_that_are_none_pass(tmp_path):
    """Most matrices have no date for a name."""
    values = np.random.default_rng(0).poisson(2, (4, 6))
    frame = pd.DataFrame(values, index=["GAPDH", "SEPTIN2", "SEPT2", "CD8A"])
    frame.columns = [f"AAACCTGAGAAAC{x}C-1" for x in ("A", "C", "G", "T", "AA", "CC")]
    frame.to_csv(tmp_path / "a.csv")
    (matrix,) = iter_matrices(source_of(tmp_path / "a.csv"))
    (check,) = [c for c in summarise_matrix(matrix).checks if c.name == "names_as_dates"]
    assert check.status == "pass"
