"""What a folder, a file or a glob is taken for."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dpss.catalogs.local import GivenCatalog, LocalCatalog
from dpss.errors import UnreachableError


def make(folder: Path, *names: str) -> Path:
    """Make files with their name as content."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def seen(
    given: Path | str, exclude: Path | None = None, matrices: tuple[str, ...] = ()
) -> dict[str, list[str]]:
    """Return the matrix names by project; skipped entries in brackets."""
    catalog = LocalCatalog(str(given), lambda path: path.name in matrices, exclude)
    return {
        project.id: [
            *(ref.name for ref in project.refs),
            *(f"[{skipped.name}]" for skipped in project.skipped),
        ]
        for project in catalog.projects()
    }


def test_files_are_projects_and_folders_are_projects_of_several(tmp_path: Path) -> None:
    """A file is a project named after it; a folder one with each matrix below it."""
    make(tmp_path, "b.h5ad", "a.mtx.zip", "study/x.h5ad", "study/deep/y.loom")
    assert seen(tmp_path) == {"a": ["a"], "b": ["b"], "study": ["x", "deep_y"]}


def test_a_folder_that_is_a_matrix_is_one(tmp_path: Path) -> None:
    """Cell Ranger's three files and zarr are one matrix, at the top or below a project."""
    make(tmp_path, "pbmc/matrix.mtx.gz", "pbmc/barcodes.tsv.gz", "z.zarr/.zgroup", "z.zarr/X/0.0")
    make(tmp_path, "study/s1/matrix.mtx", "study/s1/genes.tsv", "study/s2/GSM1_matrix.mtx.gz")
    assert seen(tmp_path) == {"pbmc": ["pbmc"], "study": ["s1", "s2"], "z": ["z"]}
    assert seen(tmp_path / "pbmc") == {"pbmc": ["pbmc"]}


def test_what_is_no_matrix_is_skipped_by_name(tmp_path: Path) -> None:
    """Documents aren't even looked at; what has another ending is, by its content."""
    make(tmp_path, "README.md", "table.csv", "counts.dat", "plot.png", ".hidden.h5ad")
    found = seen(tmp_path, matrices=("counts.dat", "README.md"))
    assert found == {
        "README.md": ["[README.md]"],
        "counts.dat": ["counts.dat"],
        "plot.png": ["[plot.png]"],
        "table": ["[table]"],
    }


def test_a_file_that_looks_like_a_matrix_is_not_skipped(tmp_path: Path) -> None:
    """What is called .h5ad and isn't one must fail, not be passed over."""
    make(tmp_path, "broken.h5ad", "study/broken.h5")
    assert seen(tmp_path) == {"broken": ["broken"], "study": ["broken"]}


def test_an_output_within_the_input_is_passed_over(tmp_path: Path) -> None:
    """`--input . --output ./portal` does not take its own output for input."""
    make(tmp_path, "a.h5ad", "portal/a/genes.csv")
    assert seen(tmp_path, exclude=tmp_path / "portal") == {"a": ["a"]}


def test_globs_and_single_files(tmp_path: Path) -> None:
    """A pattern takes what fits; a file stands for itself; nothing is an error."""
    make(tmp_path, "a.h5ad", "b.loom", "deep/c.h5ad")
    assert seen(f"{tmp_path}/*.h5ad") == {"a": ["a"]}
    assert seen(f"{tmp_path}/**/*.h5ad") == {"a": ["a"], "c": ["c"]}
    assert seen(tmp_path / "b.loom") == {"b": ["b"]}
    with pytest.raises(UnreachableError, match=r"none\*"):
        seen(f"{tmp_path}/none*")


def test_names_are_safe_and_unique(tmp_path: Path) -> None:
    """No folder of the output's own is overwritten, and no two projects share one."""
    make(tmp_path, "runs.h5ad", "a.h5ad", "a.loom", "A b.h5ad", "index.html.h5ad")
    assert list(seen(tmp_path)) == ["A_b", "a.h5ad", "a.loom", "index.html-", "runs-"]


def test_urls_do_not_depend_on_the_place(tmp_path: Path) -> None:
    """What gets published as the address is the path within the input."""
    make(tmp_path, "a.h5ad", "study/deep/x.h5ad")
    projects = list(LocalCatalog(str(tmp_path), lambda _: False).projects())
    refs = [ref for project in projects for ref in project.refs]
    assert [ref.url for ref in refs] == ["a.h5ad", "study/deep/x.h5ad"]
    assert [ref.address for ref in refs] == [
        str(tmp_path / "a.h5ad"),
        str(tmp_path / "study/deep/x.h5ad"),
    ]
    assert [ref.size_bytes for ref in refs] == [6, 17]


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_an_unreadable_folder_is_named(tmp_path: Path) -> None:
    """It stops no other."""
    make(tmp_path, "a.h5ad", "secret/x.h5ad")
    (tmp_path / "secret").chmod(0)
    try:
        assert seen(tmp_path) == {"a": ["a"], "secret": ["[secret]"]}
    finally:
        (tmp_path / "secret").chmod(0o755)


@pytest.mark.parametrize("place", ["", "study/", "study/deep/"])
@pytest.mark.parametrize("n_links", [1, 2, 3])
def test_links_in_a_circle_stop_no_other(tmp_path: Path, place: str, n_links: int) -> None:
    """Nothing is at the end of a link that leads to itself; the output is still left out."""
    make(tmp_path / "in", "a.h5ad", f"{place}b.h5ad", "out/c.h5ad")
    for i in range(n_links):
        link = tmp_path / "in" / place / f"link{i}.h5ad"
        link.symlink_to(link.with_name(f"link{(i + 1) % n_links}.h5ad"))
    found = seen(tmp_path / "in", tmp_path / "in" / "out")
    assert found["a"] == ["a"]
    assert sum(each.endswith("b") for names in found.values() for each in names) == 1
    assert sum("link" in each for names in found.values() for each in names) == n_links
    assert "out" not in found


@pytest.mark.parametrize("place", ["secret", "study/secret", "study/deep/secret"])
def test_a_folder_whose_files_can_not_be_listed_stops_no_other(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any depth, as for a user without rights; it is a skipped entry."""
    make(tmp_path, "a.h5ad", "study/b.h5ad", f"{place}/x.h5ad")
    plain_list, plain_scan = Path.iterdir, os.scandir

    def refuse(path: object) -> None:
        if Path(str(path)).name == "secret":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))

    def listed(path: Path) -> Iterator[Path]:
        refuse(path)
        return plain_list(path)

    def scanned(path: str) -> Any:
        refuse(path)
        return plain_scan(path)

    monkeypatch.setattr(Path, "iterdir", listed)
    monkeypatch.setattr(os, "scandir", scanned)
    found = seen(tmp_path)
    assert found["a"] == ["a"]
    assert "b" in found["study"]
    assert [each for names in found.values() for each in names if "secret" in each] == ["[secret]"]


def test_given_matrices_are_projects_without_a_matrix_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each MATRIX of ``summarize`` is a project of its own, wherever it lies."""
    make(tmp_path, "one/m.h5ad", "two/m.h5ad", "pbmc/matrix.mtx")
    paths = [str(tmp_path / name) for name in ("one/m.h5ad", "two/m.h5ad", "pbmc/")]
    projects = list(GivenCatalog(paths).projects())
    assert [project.id for project in projects] == ["m", "m-2", "pbmc"]
    assert [ref.name for project in projects for ref in project.refs] == ["", "", ""]
    monkeypatch.chdir(tmp_path / "pbmc")
    assert [project.id for project in GivenCatalog(["."]).projects()] == ["pbmc"]
    with pytest.raises(UnreachableError, match=r"nope\.h5ad"):
        list(GivenCatalog(["nope.h5ad"]).projects())


def test_samples_of_pipelines_are_a_project_named_after_the_input(tmp_path: Path) -> None:
    """Each is named by its folder; samples in a sub-folder are that folder's project."""
    outs = ("filtered_feature_bc_matrix.h5", "raw_feature_bc_matrix.h5", "metrics_summary.csv")
    folder = make(tmp_path / "run", *(f"S{n}/outs/{path}" for n in (1, 2) for path in outs))
    make(folder, "other.h5ad", "more/T1/outs/filtered_feature_bc_matrix.h5", "S1/_log")
    assert seen(folder) == {"run": ["S1", "S2"], "more": ["T1"], "other": ["other"]}
    assert seen(folder / "S1") == {"S1": ["S1"]}
    assert seen(folder / "S1/outs") == {"S1": ["S1"]}
    assert seen(f"{folder}/*/outs") == {"run": ["S1", "S2"]}
    (project, *_) = LocalCatalog(str(folder), lambda _: False).projects()
    assert [ref.url for ref in project.refs] == [
        f"S{n}/outs/filtered_feature_bc_matrix.h5" for n in (1, 2)
    ]
