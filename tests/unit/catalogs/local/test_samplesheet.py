"""Sample sheets are read as they are written, and their faults are told by line and column."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.catalogs.local.samplesheet import MOST_FAULTS, parse_sheet, sheet_error
from dpss.errors import SettingsError

GOOD = b"sample,path,expected_cells,chemistry,group\nS01,S01/outs,5000,v3,control\nS02,b.h5ad,,,\n"


def fault_of(data: bytes | str) -> str:
    """Return the message of a sheet that has faults."""
    try:
        _, faults = parse_sheet(data.encode() if isinstance(data, str) else data, "samples.csv")
    except SettingsError as error:
        return str(error)
    assert faults
    return str(sheet_error("samples.csv", faults))


def test_a_sheet_as_nf_core_has_it() -> None:
    """Names, optional fields, an empty field; other columns are named, not used."""
    first, second = parse_sheet(GOOD, "samples.csv")[0].rows
    assert (first.sample, first.path, first.expected_cells) == ("S01", "S01/outs", 5000)
    assert (first.chemistry, first.group, first.line) == ("v3", "control", 2)
    assert (second.expected_cells, second.chemistry, second.group, second.line) == (None, "", "", 3)
    sheet, _ = parse_sheet(b"sample,fastq_1,fastq_2,path\nS01,a.fq.gz,b.fq.gz,S01\n", "samples.csv")
    assert sheet.ignored == ("fastq_1", "fastq_2")
    assert sheet.rows[0].path == "S01"


@pytest.mark.parametrize(
    "data",
    [
        GOOD.replace(b",", b"\t"),
        GOOD.replace(b",", b";"),
        b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"sample,path", b" Sample , PATH "),
        b"\n" + GOOD.replace(b"\n", b"\n\n").replace(b"S01/outs", b' "S01/outs" '),
        b";;;;\r\n" + GOOD,
        b"  \t \n,,,,\n" + GOOD.replace(b",", b";"),
        b"sep=;\r\n" + GOOD.replace(b",", b";"),
        b'"SEP=\t"\n' + GOOD.replace(b",", b"\t"),
        b"\n \nsep=,\n" + GOOD,
    ],
    ids=[
        "tabs",
        "semicolons",
        "Windows",
        "titles",
        "empty lines",
        "empty cells",
        "blanks",
        "Excel's separator",
        "a tab as Excel's separator",
        "Excel's separator below blanks",
    ],
)
def test_what_spreadsheets_make_of_it_is_the_same(data: bytes) -> None:
    """Tabs, semicolons, a byte order mark, blanks around titles, empty lines."""
    found = [(row.sample, row.expected_cells, row.group) for row in parse_sheet(data, "s")[0].rows]
    assert found == [("S01", 5000, "control"), ("S02", None, "")]


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z][a-z0-9]{1,8}[0-9]", fullmatch=True),
        st.tuples(
            st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1),
            st.none() | st.integers(1, 10**8),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_what_is_written_is_read(samples: dict[str, tuple[str, int | None]]) -> None:
    """Any names, paths and numbers, as Python's `csv` writes them."""
    rows = [(name, f"{i}/{path}", n or "") for i, (name, (path, n)) in enumerate(samples.items())]
    names = [name.casefold() for name in samples]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("sample", "path", "expected_cells"), *rows])
    if len(set(names)) < len(names):
        assert "each sample has one line" in fault_of(text.getvalue())
        return
    found = parse_sheet(text.getvalue().encode(), "samples.csv")[0].rows
    assert [(row.sample, row.path, row.expected_cells or "") for row in found] == rows


FAULTS = {
    "empty": ("", "line 1: the sheet is empty"),
    "no sample": ("sample,path\n", "line 2: there is no sample below the header"),
    "no path": ("sample,fastq_1\nS01,a\n", "line 1, column path: the column is missing"),
    "reads": ("sample,fastq_1\nS01,a\n", "reads are no matrices"),
    "titles twice": ("sample,path,path\na,b,c\n", "line 1, column path: there are several"),
    "a field less": ("sample,path\nS01,a\nS02\n", "line 3: has 1 field, but the header has 2"),
    "no name": ("sample,path\n,a\n", "line 2, column sample: the name is missing"),
    "a blank": ("sample,path\nS 1,a\n", "line 2, column sample: 'S 1' can't be the name of a"),
    "a way out": ("sample,path\n../x,a\n", "line 2, column sample: '../x' can't be"),
    "reserved": ("sample,path\nruns,a\n", "line 2, column sample: 'runs' can't be"),
    "nowhere": ("sample,path\nS01,\n", "line 2, column path: the path is missing"),
    "no number": ("sample,path,expected_cells\nS01,a,many\n", "column expected_cells: 'many' is"),
    "no cells": ("sample,path,expected_cells\nS01,a,0\n", "column expected_cells: '0' is no whole"),
    "repeated": ("sample,path\nS01,a\nS02,b\nS01,c\n", "line 4, column sample: 'S01' is in line 2"),
    "other case": ("sample,path\nS01,a\ns01,b\n", "line 3, column sample: 's01' is in line 2"),
    "same path": ("sample,path\nS01,a\nS02,a\n", "line 3, column path: 'a' is in line 2, too"),
    "a fault below Excel's separator": ("sep=;\nsample;path\nS 1;a\n", "line 3, column sample"),
    "lines in a group": ('sample,path,group\nS,a,"x\nERROR y"\n', r"column group: 'x\nERROR y' is"),
    "colour": ("sample,path,chemistry\nS,a,v\x1b[31m3\n", "column chemistry: 'v\\x1b[31m3' is not"),
    "a long group": (f"sample,path,group\nS,a,{'g' * 101}\n", "at most 100 printable"),
    "direction": ("sample,path,group\nS,a,v\u202e3\n", "column group: 'v\\u202e3' is not one line"),
    "lines in a path": ('sample,path\nS,"a\nb"\n', "column path: 'a\\nb' has a line break"),
    "a long path": (f"sample,path\nS,{'p' * 5000}\n", "has more than 4,096 characters"),
    "open quote": ('sample,path\nS01,"a\n', "line 2: is no line of a table"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_by_line_and_column(name: str) -> None:
    """And by the field that is at fault."""
    data, told = FAULTS[name]
    message = fault_of(data)
    assert told in message
    assert message.startswith("samples.csv, line ")


def test_all_faults_are_told_at_once() -> None:
    """In the order of the lines, the first ones; a secret in an address is not."""
    message = fault_of("sample,path,expected_cells\nS 1,a,x\nS02,,5\n").splitlines()
    assert [line.partition(": ")[0] for line in message] == [
        "samples.csv, line 2, column sample",
        "samples.csv, line 2, column expected_cells",
        "samples.csv, line 3, column path",
    ]
    many = fault_of("sample,path\n" + "".join(f"S{i}\n" for i in range(50))).splitlines()
    assert len(many) == MOST_FAULTS + 1
    assert many[-1] == "samples.csv has 40 more such faults"
    address = "https://example.org/a.h5ad?X-Amz-Signature=secret"
    assert "secret" not in fault_of(f"sample,path\nS01,{address}\nS02,{address}\n")
    assert fault_of(b"sample,path\nS\xff,a\n") == (
        "samples.csv, line 2: is not UTF-8 text; save it as CSV UTF-8"
    )


@pytest.mark.parametrize("code", ["utf-16", "utf-16-le", "utf-16-be", "utf-32-le"])
def test_what_is_no_utf_8_is_told_how_to_be_saved(code: str) -> None:
    """As Excel's "Unicode text", with and without a byte order mark."""
    assert fault_of(GOOD.decode().encode(code)).endswith("text; save it as CSV UTF-8")


@given(st.text(min_size=1, max_size=120))
def test_a_group_is_one_printable_line(text: str) -> None:
    """Whatever it is made of; otherwise the message is one line."""
    data = io.StringIO()
    csv.writer(data).writerows([("sample", "path", "group"), ("S", "a", text)])
    try:
        sheet, faults = parse_sheet(data.getvalue().encode(errors="replace"), "s")
        if faults:
            raise sheet_error("s", faults)
        (row,) = sheet.rows
    except SettingsError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert len(row.group) <= 100
        assert len(row.group.splitlines()) <= 1
        assert not any(each < " " for each in row.group)


def test_long_fields_are_cut_in_messages() -> None:
    """Names, numbers, columns: no message has more than some hundred characters."""
    long = "x y" * 100_000
    for data in (
        f"sample,path\n{long[:100_000]},a\n",
        f"sample,path,expected_cells\nS,a,{long[:100_000]}\n",
        f"sample,{','.join(f'c{i}' for i in range(20_000))}\n",
        f"sample,path,{long[:100_000]},{long[:100_000]}\nS,a,,\n",
        f"sample,path\nS1,{long[:4000]}\nS2,{long[:4000]}\n",
    ):
        assert len(fault_of(data)) < 400
