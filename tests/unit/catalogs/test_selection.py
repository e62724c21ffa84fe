"""Lists of projects, and the choice of one file among several of a matrix."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.catalogs.selection import cheapest, is_named, parse_blacklist, read_blacklist
from dpss.errors import SettingsError
from dpss.storage.local import LocalFile

LETTERS = st.characters(
    codec="ascii", exclude_characters="#<> \t\r\n\0", categories=["L", "N", "P"]
)
IDS = st.text(LETTERS, min_size=1, max_size=40)


@given(st.lists(IDS), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", " # why", "#"]))
def test_a_written_list_is_read_again(ids: list[str], newline: str, remark: str) -> None:
    """Ids one a line, with remarks and either end of line, are the ids."""
    assert parse_blacklist(newline.join(f" {one}{remark}" for one in ids)) == frozenset(ids)


@pytest.mark.parametrize("text", ["two words", "<html>", "a\x00b"])
def test_another_document_is_no_list(text: str) -> None:
    """A page of an error or a table is refused, not taken for no ids."""
    with pytest.raises(ValueError, match="not ids"):
        parse_blacklist(text)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE])
def test_a_list_that_can_not_be_read_is_an_error_of_settings(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's error names no option; this one does."""
    (tmp_path / "list").write_text("a")

    def refuse(_: LocalFile) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(LocalFile, "open", refuse)
    with pytest.raises(SettingsError, match="--blacklist-file") as caught:
        read_blacklist(str(tmp_path / "list"))
    assert os.strerror(number) in str(caught.value)


def test_capitals_do_not_matter_and_a_part_is_not_the_whole() -> None:
    """Ids are compared without case; only a UUID may have a species after it."""
    uuid = "4a95101c-9ffc-4f30-a809-f04518a23803"
    assert is_named(uuid.upper(), {uuid})
    assert is_named(f"{uuid}.mus_musculus", {uuid})
    assert not is_named("heart.v2", {"heart"})


def test_the_cheapest_file_does_not_depend_on_order() -> None:
    """Binary before text; of two alike the first by name."""
    names = ["m.csv.zip", "m.loom", "m.h5ad", "b.h5ad"]
    assert cheapest(names) == cheapest(names[::-1]) == "b.h5ad"
