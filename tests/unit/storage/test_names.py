"""Names that become folders are safe and unique, whatever they were."""

from __future__ import annotations

from pathlib import PurePosixPath

from hypothesis import example, given
from hypothesis import strategies as st

from dpss.storage.names import RESERVED, is_clutter, safe_name, unique_names

PORTS = [f"{port}{n}" for port in ("COM", "LPT") for n in range(10)]
DEVICES = {"CON", "PRN", "AUX", "NUL", *PORTS}
"""Names that Windows keeps for devices."""


@given(st.text())
@example("nul")
@example("Com1.tar.gz")
@example("LPT9.")
def test_a_safe_name_is_one_part_of_a_path(text: str) -> None:
    """No separator, no way up, nothing hidden, not too long, and none of the output's own."""
    name = safe_name(text)
    assert PurePosixPath(name).parts == (name,)
    assert name not in (".", "..")
    assert not name.startswith((".", "_", "-"))
    assert not set(name) & set("/\\:*?\"<>|\0\n %#&'")
    assert 0 < len(name.encode()) <= 121
    assert name.casefold() not in RESERVED
    assert name.partition(".")[0].upper() not in DEVICES


@given(st.lists(st.text(max_size=8)))
def test_unique_names_differ_even_without_capitals(texts: list[str]) -> None:
    """One name for each text, and no two that a case-insensitive disk takes for one."""
    names = unique_names(texts)
    assert len(names) == len(texts)
    assert len({name.casefold() for name in names}) == len(texts)


def test_a_safe_name_stays_as_it_is() -> None:
    """What is safe already is not touched: ids of projects are folders as they are."""
    for name in ("4a95101c-9ffc-4f30-a809-f04518a23803", "heart", "heart_v2.1", "Größe", "心臓"):
        assert safe_name(name) == name


def test_what_macos_adds_is_clutter() -> None:
    """By its names, in any folder; names that only look like them are not."""
    for path in ("a/.DS_Store", "__MACOSX/a/._b", "a/._b"):
        assert is_clutter(path)
    for path in ("a/DS_Store", "MACOSX/b", "a/_b", "a.DS_Store"):
        assert not is_clutter(path)
