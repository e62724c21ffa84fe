"""Gene names that a spreadsheet program turned into dates or numbers.

Excel reads ``SEPT2`` as the second of September and shows ``2-Sep``, and the RIKEN clone
``2310009E13`` as ``2.31E+19`` (M. Ziemann, Y. Eren, A. El-Osta, Genome Biology 17 (2016),
doi:10.1186/s13059-016-1044-7). HGNC renamed the genes in 2020; older tables have the dates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

_MONTHS = (
    "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|"
    # Abbreviations in German, French, Dutch, Spanish, Italian and Portuguese sheets.
    "mär|mrz|mars|märz|march|mrt|marzo|mai|maj|mei|mag|okt|dez|avr|abr|juin|juil|août|sept|déc|"
    "ago|set|out|ott|dic|fev|févr|ene"
)
_WRITTEN = re.compile(
    rf"X?\d{{1,2}}(?i:(?:[-/ ]|\. ?)(?:{_MONTHS})\.?)(?:[-/. ]\d{{2,4}})?|"
    # With a capital letter only: jun-1 and sep-1 are genes of worms.
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[-/. ]\d{1,4}|"
    r"X?(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])(?:[ T.]00[:.]00[:.]00)?|"
    r"(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\1(?:19|20)?\d\d|"
    r"\d(?:[.,]\d+)?[eE]\+\d{1,2}"
)
"""Dates, and numbers in scientific notation: all hold a sign besides letters and digits."""
_SERIAL = re.compile(r"[34]\d{4}")
_EPOCH = date(1899, 12, 30)
_MONTHS_OF_GENES = (3, 9, 12)
"""MARCH1 to MARCH11, SEPT1 to SEPT14 and DEC1."""
_MOST_DAYS = 16
_FEW_NUMBERS = 0.01


def names_of_spreadsheets(names: Sequence[str]) -> list[str]:
    """Return the names that are dates or scientific numbers, in their order.

    Whole numbers count as days only where few other names are numbers: where many names are
    numbers, they are ids.

    >>> names_of_spreadsheets(["TP53", "2-Sep", "Mar-01", "sep-1", "SEPT2"])
    ['2-Sep', 'Mar-01']

    Args:
        names: Names of genes.
    """
    n_numbers = list(map(str.isdecimal, names)).count(True)
    serials = n_numbers <= max(_MOST_DAYS, _FEW_NUMBERS * len(names)) and 2 * n_numbers < len(names)
    return [
        name
        for name in names
        if (
            serials and _SERIAL.fullmatch(name) and _is_day_of_gene(int(name))
            if name.isalnum()
            else _WRITTEN.fullmatch(name)
        )
    ]


def _is_day_of_gene(serial: int) -> bool:
    """Return whether a spreadsheet makes this day number of a gene's name."""
    day = _EPOCH + timedelta(days=serial)
    return day.month in _MONTHS_OF_GENES and day.day <= _MOST_DAYS
