"""What is given one by one, as pipelines leave it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpss.catalogs.local import GivenCatalog
from tests.unit.catalogs.local.test_folder import make

OUTS = (
    "filtered_feature_bc_matrix/matrix.mtx.gz",
    "filtered_feature_bc_matrix.h5",
    "raw_feature_bc_matrix.h5",
    "raw_feature_bc_matrix/matrix.mtx.gz",
    "metrics_summary.csv",
)


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two folders of Cell Ranger, in the working folder."""
    make(tmp_path, *(f"{name}/outs/{path}" for name in ("S01", "S02") for path in OUTS))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names_of(*addresses: str) -> list[tuple[str, list[str]]]:
    """Return the projects of addresses, each with the names of its matrices."""
    found = GivenCatalog(addresses).projects()
    return [(project.id, [ref.name for ref in project.refs]) for project in found]


def test_matrices_of_the_same_name_are_named_by_their_samples(samples: Path) -> None:
    """Not ``filtered_feature_bc_matrix`` and ``filtered_feature_bc_matrix-2``."""
    for last in ("filtered_feature_bc_matrix", "filtered_feature_bc_matrix.h5"):
        given = [f"{name}/outs/{last}" for name in ("S01", "S02")]
        assert names_of(*given) == [("S01", [""]), ("S02", [""])]
        assert names_of(f"S01/outs/{last}") == [("S01", [""])]
    (project,) = GivenCatalog(["S01/outs/filtered_feature_bc_matrix"]).projects()
    (ref,) = project.refs
    assert ref.url == "filtered_feature_bc_matrix"
    assert ref.companions
    assert ref.companions.unfiltered.endswith("raw_feature_bc_matrix.h5")
    assert [url.rpartition("/")[2] for url, _ in ref.companions.metrics] == ["metrics_summary.csv"]


def test_a_sample_given_in_all_its_forms_is_one(samples: Path) -> None:
    """As a shell gives it: both formats, filtered and raw."""
    whole = sorted(path.name for path in (samples / "S01/outs").glob("*feature_bc_matrix*"))
    assert len(whole) == 4
    all_forms = [f"{name}/outs/{last}" for name in ("S01", "S02") for last in whole]
    assert names_of(*all_forms) == [("S01", [""]), ("S02", [""])]
    assert names_of(*reversed(all_forms)) == [("S02", [""]), ("S01", [""])]
    assert names_of("S01/outs/raw_feature_bc_matrix") == [("S01", [""])]
    given = [f"{name}/outs/{path}" for name in ("S01", "S02") for path in (
        "filtered_feature_bc_matrix", "filtered_feature_bc_matrix.h5", "raw_feature_bc_matrix.h5"
    )]  # fmt: skip
    assert names_of(*given) == [("S01", [""]), ("S02", [""])]
    assert names_of("S01/outs/raw_feature_bc_matrix.h5") == [("S01", [""])]


def test_folders_of_samples(samples: Path) -> None:
    """A sample's folder is its matrix; a folder of several is a project of them."""
    assert names_of("S01", "S02/outs") == [("S01", [""]), ("S02", [""])]
    assert names_of(".") == [(samples.name, ["S01", "S02"])]


@pytest.mark.parametrize(
    ("addresses", "names"),
    [
        (("ra/S01/outs", "rb/S01/outs"), ["S01", "S01-2"]),
        (("ra/S01/outs", "S01.h5ad"), ["S01", "S01.h5ad"]),
        (("S01.h5ad", "rb/S01/outs", "ra/S01"), ["S01", "S01-2", "S01-3"]),
        (("ra/S01", "rb/S01"), ["S01", "S01-2"]),
        (("ra/S01/outs", "rb/s01/outs"), ["S01", "s01-2"]),
        (("ra/S01/outs", "ra/S01/outs/filtered_feature_bc_matrix.h5"), ["S01", "S01-2"]),
    ],
)
def test_samples_of_the_same_name_have_folders_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...], names: list[str]
) -> None:
    """In whatever form they are given: the second one replaced the first."""
    make(tmp_path, *(f"{run}/outs/{path}" for run in ("ra/S01", "rb/S01", "rb/s01")
                     for path in OUTS), "S01.h5ad")  # fmt: skip
    monkeypatch.chdir(tmp_path)
    found = names_of(*addresses)
    assert len({name.casefold() for name, _ in found}) == len(addresses)
    assert found == [(name, [""]) for name in names]


def test_a_matrix_without_a_pipelines_folder_keeps_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy somewhere is named after itself, as any file."""
    make(tmp_path, "data/filtered_feature_bc_matrix/matrix.mtx", "data/a.h5ad")
    monkeypatch.chdir(tmp_path)
    assert names_of("data/filtered_feature_bc_matrix") == [("filtered_feature_bc_matrix", [""])]
    assert names_of("data/a.h5ad") == [("a", [""])]


def test_matrices_given_together_are_compared(samples: Path) -> None:
    """One alone is not, nor is a folder of samples, which compares its own."""
    make(samples, "a.h5ad", "more/T1/outs/filtered_feature_bc_matrix.h5",
         "more/T2/outs/filtered_feature_bc_matrix.h5")  # fmt: skip

    def peers(*addresses: str) -> list[str]:
        return [r.peers for project in GivenCatalog(addresses).projects() for r in project.refs]

    assert peers("S01/outs", "S02/outs", "a.h5ad") == ["given"] * 3
    assert peers("a.h5ad") == peers("S01/outs") == [""]
    assert peers("more") == ["", ""]
    assert peers("more", "S01") == ["", "", ""]
    assert peers("more", "S01", "S02") == ["", "", "given", "given"]
