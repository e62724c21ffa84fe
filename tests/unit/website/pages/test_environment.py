"""Compiled templates are kept where that is possible, and pages are made where it is not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from dpss.website.pages.environment import bytecode_cache


def _render(folder: Path) -> str:
    cache = bytecode_cache(folder)
    env = Environment(
        loader=DictLoader({"t": "{{ 1 + 1 }}"}), bytecode_cache=cache, autoescape=True
    )
    return env.get_template("t").render()


def test_a_compiled_template_is_kept_and_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second environment compiles nothing."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    assert _render(tmp_path / "new") == "2"
    assert len(list((tmp_path / "new").iterdir())) == 1
    monkeypatch.setattr(Environment, "_compile", None)
    assert _render(tmp_path / "new") == "2"


def test_a_damaged_file_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of another version of Python or Jinja, too."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    assert _render(tmp_path) == "2"
    kept = next(tmp_path.iterdir())
    whole = kept.read_bytes()
    kept.write_bytes(b"x" * 100)
    assert _render(tmp_path) == "2"
    assert kept.read_bytes() == whole


@pytest.mark.parametrize("hindrance", ["setting", "rights", "no folder", "a file in the way"])
def test_nothing_is_written_where_it_must_not_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hindrance: str
) -> None:
    """By the setting of Python, in a folder of another owner, and where there can't be one."""
    monkeypatch.setattr(sys, "dont_write_bytecode", hindrance == "setting")
    folder = tmp_path / "cache"
    if hindrance == "rights":
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    elif hindrance == "no folder":
        folder = tmp_path / "absent" / "cache"
    elif hindrance == "a file in the way":
        folder.write_text("")
    assert _render(folder) == "2"
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path != folder]
