"""Values of R's objects: factors, dates, whole numbers of bit64, what is not available."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.errors import NoMatrixError
from dpss.formats.r.objects import parse_objects
from dpss.formats.r.values import labels_of, numbers_of
from tests.summarise import summarise
from tests.unit.formats.r.test_reductions import r_object, strings

_FACTOR = (
    "781\n4\n1\nNA\n2\n1\n1026\n1\n262153\n6\nlevels\n16\n2\n262153\n1\na\n262153\n1\nb\n"
    "1026\n1\n262153\n5\nclass\n16\n1\n262153\n6\nfactor\n254\n"
)


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        (_FACTOR, ["a", None, "b", "a"]),
        ("10\n3\n1\nNA\n0\n", ["TRUE", None, "FALSE"]),
        ("14\n2\n0.5\nNA\n", ["0.5", None]),
        ("13\n2\n7\nNA\n", ["7", None]),
        ("16\n2\n262153\n1\nx\n9\n-1\n", ["x", None]),
    ],
)
def test_labels(thing: str, expected: list[str | None]) -> None:
    """A vector of any kind as text, NA as None."""
    parsed = parse_objects(f"A\n2\n197636\n131840\n{thing}".encode(), "a.rds", 1000)
    assert labels_of(parsed).tolist() == expected


@given(st.lists(st.one_of(st.none(), st.integers(-(2**40), 2**40)), min_size=1, max_size=9))
def test_whole_numbers_of_bit64(values: list[int | None]) -> None:
    """They are stored as the bits of fractions; NA is the least of them."""
    bits = np.array([-(2**63) if each is None else each for each in values]).view(np.float64)
    found = numbers_of(r_object("REAL", bits, **{"class": strings("integer64")}))
    assert found is not None
    assert [None if each != each else int(each) for each in found.tolist()] == values  # noqa: PLR0124


@pytest.mark.parametrize("kind", ["factor", "Date", "POSIXct", "difftime"])
def test_codes_and_dates_are_no_numbers(kind: str) -> None:
    """What they stand for counts nothing; their labels stay."""
    thing = r_object("INT", np.array([2, 1]), **{"class": strings("odd", kind)})
    assert numbers_of(thing) is None
    assert labels_of(thing).tolist() == ["2", "1"]


def ascii_frame(columns: list[str], classes: str) -> str:
    """Return a data frame of three genes in R's format for text; a column per cell."""

    def words(*texts: str) -> str:
        return f"16\n{len(texts)}\n" + "".join(f"262153\n{len(t)}\n{t}\n" for t in texts)

    def attribute(name: str, value: str) -> str:
        return f"1026\n1\n262153\n{len(name)}\n{name}\n{value}"

    names = [f"{cell}-1" for cell in ("AAACCCGGGTTTACGT", "CCCAAAGGGTTTACGT")[: len(columns)]]
    return (
        f"787\n{len(columns)}\n{''.join(columns)}"
        + attribute("names", words(*names))
        + attribute("row.names", words("ACTB", "GAPDH", "CD3E"))
        + attribute("class", words(*classes.split()))
        + "254\n"
    )


_INTEGERS = "13\n3\n5\n0\n7\n"
_FACTOR_OF_3 = _FACTOR.replace("781\n4\n1\nNA\n2\n1\n", "781\n3\n1\n2\n1\n")


@pytest.mark.parametrize("n_factors", [0, 1, 2])
@pytest.mark.parametrize("classes", ["data.frame", "data.table data.frame"])
def test_a_column_of_codes_is_no_cell(n_factors: int, classes: str, tmp_path: Path) -> None:
    """One odd field makes R read a column as a factor: its codes are never counts."""
    columns = [_INTEGERS, _INTEGERS]
    columns[:n_factors] = [_FACTOR_OF_3] * n_factors
    path = tmp_path / "m.rds"
    path.write_text(f"A\n2\n197636\n131840\n{ascii_frame(columns, classes)}")
    if n_factors:
        with pytest.raises(NoMatrixError, match="a data frame that is not all numbers"):
            summarise(path)
    else:
        assert summarise(path).total_counts == 24
