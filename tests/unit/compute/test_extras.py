"""Libraries of the extras: where one is missing, the message says what to install."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import dpss
from dpss.compute.extras import EXTRAS, PACKAGE, require
from dpss.errors import (
    DpssError,
    MissingExtraError,
    SettingsError,
    UnknownFormatError,
    UnreachableError,
)
from dpss.formats.registry import open_matrices
from dpss.storage.local import LocalFile
from tests.conftest import ROOT

R_FILE = ROOT / "tests/unit/formats/r_files/matrix.rds"


def without(monkeypatch: pytest.MonkeyPatch, extra: str) -> None:
    """Let the modules of an extra be missing."""
    for name in EXTRAS[extra]:
        monkeypatch.setitem(sys.modules, name, None)


def test_the_extras_are_those_of_the_package() -> None:
    """pyproject.toml has the same names, and the first module of each is what it installs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    everything = extras.pop("all")
    assert set(extras) == set(EXTRAS)
    assert everything == [f"{PACKAGE}[{','.join(sorted(EXTRAS))}]"]


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_that_is_installed_is_silent(extra: str) -> None:
    """The test environment has all of them."""
    require(extra, "a test needs it")


@pytest.mark.parametrize("error", [MissingExtraError, SettingsError, UnknownFormatError])
@pytest.mark.parametrize("extra", EXTRAS)
def test_one_that_is_missing_is_named(
    extra: str, error: type[DpssError], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command that installs it."""
    without(monkeypatch, extra)
    with pytest.raises(error) as caught:
        require(extra, "a test needs it", error)
    assert str(caught.value) == f"a test needs it: pip install '{PACKAGE}[{extra}]'"


def an_r_file() -> None:
    """Open a file of R."""
    open_matrices(LocalFile(R_FILE))


def a_bucket() -> None:
    """Connect to a bucket."""
    from dpss.storage.s3.connection import connect

    connect("a-bucket-of-nobody")


def a_data_frame(tmp_path: Path) -> None:
    """Ask a summary for its genes."""
    table = tmp_path / "m.csv"
    rows = [["gene", *(f"c{cell}" for cell in range(12))]]
    rows += [[f"G{gene}", *(str((gene + cell) % 4) for cell in range(12))] for gene in range(30)]
    table.write_text("".join(",".join(row) + "\n" for row in rows))
    dpss.summarize(table, orientation="genes-by-cells").genes_table()


def a_figure(tmp_path: Path) -> None:
    """Import what draws figures as objects."""
    from dpss.figures.elements.style import preload

    preload.__wrapped__()


@pytest.mark.parametrize(
    ("extra", "use", "error"),
    [
        ("r", an_r_file, UnknownFormatError),
        ("aws", a_bucket, UnreachableError),
        ("notebook", a_figure, MissingExtraError),
        ("notebook", a_data_frame, MissingExtraError),
    ],
)
def test_what_needs_an_extra_says_so(
    extra: str,
    use: Callable[..., None],
    error: type[DpssError],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The error's class is that of the place: a file, an output, a notebook."""
    without(monkeypatch, extra)
    with pytest.raises(error, match=rf"pip install '{PACKAGE}\[{extra}\]'"):
        use(tmp_path) if use.__code__.co_argcount else use()
