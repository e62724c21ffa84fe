"""The samples of a sheet are one project, looked up before anything is read."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.catalogs.local import SheetCatalog, references
from dpss.errors import SettingsError, UnreachableError
from tests.unit.catalogs.local.test_folder import make
from tests.unit.catalogs.local.test_given import OUTS

HEADER = "sample,path,expected_cells,chemistry,group\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with samples in several forms; the working folder is another one."""
    make(tmp_path, *(f"{name}/outs/{path}" for name in ("A", "B") for path in OUTS))
    make(tmp_path, "c.h5ad", "d/matrix.mtx", "both/E/outs/filtered_feature_bc_matrix.h5")
    make(tmp_path, "both/F/outs/filtered_feature_bc_matrix.h5")
    return tmp_path


def sheet(folder: Path, *lines: str) -> SheetCatalog:
    """Return the catalog of a sheet with these lines."""
    path = folder / "run 7.csv"
    path.write_text(HEADER + "".join(f"{line}\n" for line in lines))
    return SheetCatalog(str(path))


def test_samples_of_a_sheet(folder: Path) -> None:
    """Named as in the sheet, in its order, with what it says of them; paths are below it."""
    (project,) = sheet(
        folder,
        "S2,B/outs,5000,v3,treated",
        "S1,A,,,",
        "S3,c.h5ad,,v2,control",
        f"S4,{folder / 'd'},,,",
        "S5,A/../both/E/outs/filtered_feature_bc_matrix.h5,,,",
    ).projects()
    assert (project.id, project.title) == ("run_7", "run 7")
    assert [ref.name for ref in project.refs] == ["S2", "S1", "S3", "S4", "S5"]
    assert [ref.url for ref in project.refs][:4] == ["B/outs", "A", "c.h5ad", "d"]
    second, first, third, *_ = project.refs
    assert second.n_cells_expected == 5000
    assert second.peers == "treated"
    assert second.strata == {"chemistry": ("v3",), "group": ("treated",)}
    assert (first.n_cells_expected, first.peers, first.strata) == (None, "", {})
    assert second.companions
    assert second.companions.unfiltered.endswith("B/outs/raw_feature_bc_matrix.h5")
    assert third.companions is None
    assert {ref.project_id for ref in project.refs} == {"run_7"}


def test_faults_of_paths_are_told_by_line(folder: Path) -> None:
    """All of them, before anything is read."""
    catalog = sheet(folder, "S1,A,,,", "S2,nope.h5ad,,,", "S3,both,,,", "S4,gs://b/k.h5ad,,,")
    with pytest.raises(SettingsError) as found:
        next(catalog.projects())
    two, three, four = str(found.value).splitlines()
    assert "run 7.csv, line 3, column path: " in two
    assert two.endswith("nope.h5ad: there is no such file or folder")
    assert "line 4, column path: " in three
    assert "holds 2 samples (E, F); choose one of them" in three
    assert "line 5, column path: " in four


def told(catalog: SheetCatalog) -> list[str]:
    """Return the lines of the error of a sheet that has faults, without the sheet's name."""
    with pytest.raises(SettingsError) as found:
        next(catalog.projects())
    return [line.partition(", ")[2] for line in str(found.value).splitlines()]


@pytest.mark.parametrize(
    ("lines", "places"),
    [
        (["S1,nope.h5ad,many,,"], ["line 2, column expected_cells", "line 2, column path"]),
        (["S1,nope.h5ad,,,", "S 2,c.h5ad,,,"], ["line 2, column path", "line 3, column sample"]),
        (["S1,,,,", "S2,nope.h5ad,,,"], ["line 2, column path", "line 3, column path"]),
        (["S1,c.h5ad,,,", "S2,c.h5ad,,,"], ["line 3, column path"]),
        (["S1,c.h5ad,,", "../x,./c.h5ad,,,"], ["line 2", "line 3, column sample"]),
    ],
)
def test_faults_of_fields_and_of_paths_are_told_together(
    folder: Path, lines: list[str], places: list[str]
) -> None:
    """Each once, in the order of the lines; a path with a fault is not looked up."""
    assert [line.partition(": ")[0] for line in told(sheet(folder, *lines))] == places


@given(kinds=st.lists(st.sampled_from(["good", "name", "number", "path"]), min_size=1, max_size=6))
def test_each_line_with_a_fault_is_told(
    kinds: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """However good and bad lines follow each other."""
    if set(kinds) == {"good"}:
        return
    folder = tmp_path_factory.mktemp("sheet")
    lines = []
    for i, kind in enumerate(kinds):
        (folder / f"{i}.h5ad").touch()
        name, path, n = f"S{i}", f"{i}.h5ad", "5"
        lines.append({
            "good": f"{name},{path},{n},,", "name": f"{name} x,{path},{n},,",
            "number": f"{name},{path},x,,", "path": f"{name},no{path},{n},,",
        }[kind])  # fmt: skip
    found = [int(line.split()[1].strip(",:")) for line in told(sheet(folder, *lines))]
    assert found == [i + 2 for i, kind in enumerate(kinds) if kind != "good"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("c.h5ad", "./c.h5ad"),
        ("c.h5ad", "A/../c.h5ad"),
        ("c.h5ad", "link.h5ad"),
        ("A", "A/outs"),
        ("A/outs", "A/outs/filtered_feature_bc_matrix"),
        ("A/outs/filtered_feature_bc_matrix", "A/outs/filtered_feature_bc_matrix.h5"),
    ],
)
def test_a_matrix_under_several_names_is_told(folder: Path, one: str, other: str) -> None:
    """However its path is written, and in whatever format it is named."""
    (folder / "link.h5ad").symlink_to("c.h5ad")
    for first, second in ((one, other), (other, one)):
        with pytest.raises(SettingsError) as found:
            next(sheet(folder, f"S1,{first},,,", "S2,B,,,", f"S3,{second},,,").projects())
        words = f"line 4, column path: {second!r} is the matrix of line 2, too; each sample has"
        assert words in str(found.value)


def test_the_unfiltered_matrix_is_another_one(folder: Path) -> None:
    """Both may be looked at."""
    (project,) = sheet(folder, "S1,A,,,", "S2,A/outs/raw_feature_bc_matrix.h5,,,").projects()
    assert len(project.refs) == 2


def test_a_folder_that_is_no_samples_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before all of it is walked: the sheet's own folder, the one above, any large one."""
    monkeypatch.setattr(references, "MOST_ENTRIES", 9)
    for path in (".", "..", str(folder)):
        with pytest.raises(SettingsError, match="more than 9 files; give the folder of one sample"):
            next(sheet(folder, f"S1,{path},,,").projects())
    next(sheet(folder, "S1,A,,,").projects())


def test_a_file_that_is_missing_below_a_path_is_named(folder: Path) -> None:
    """Not the path alone, which is there: a link in it leads nowhere."""
    (folder / "loose").mkdir()
    make(folder, "loose/x.h5ad")
    (folder / "loose" / "away").symlink_to("nowhere")
    with pytest.raises(SettingsError, match=r"loose/away: No such file or directory"):
        next(sheet(folder, "S1,loose,,,").projects())


def test_columns_without_use_are_named(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """In one line of the log."""
    caplog.set_level(logging.WARNING)
    path = folder / "reads.csv"
    path.write_text("sample,fastq_1,fastq_2,path\nS1,a.fastq.gz,b.fastq.gz,A\n")
    (project,) = SheetCatalog(str(path)).projects()
    assert len(project.refs) == 1
    (record,) = caplog.records
    assert record.message == f"{path}: not used: columns fastq_1, fastq_2"


def test_a_sheet_that_cannot_be_read(tmp_path: Path) -> None:
    """It is missing, a folder, an address, or far too large."""
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate((1 << 24) + 1)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for address, words in (
        ("nope.csv", "nope.csv: No such file"),
        (str(tmp_path), "Is a directory"),
        ("https://example.org/samples.csv", "only a local file"),
        (str(pipe), "is a pipe or a device; give a file"),
        (os.devnull, "is a pipe or a device; give a file"),
        (str(large), "has more than 16 MiB"),
    ):
        with pytest.raises(UnreachableError, match="--samplesheet") as found:
            next(SheetCatalog(address).projects())
        assert words in str(found.value)
