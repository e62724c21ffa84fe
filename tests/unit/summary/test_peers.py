"""Medians that stand apart from those of other matrices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.summary.peers import Peer, describe_all, describe_outliers, peer_key, peer_sets


def run_of(n: int, **changed: dict[str, float | None]) -> dict[str, dict[str, float | None]]:
    """Return the numbers of a run of similar samples, but for some."""
    usual: dict[str, dict[str, float | None]] = {
        f"S{i:02d}": {
            "median_genes_per_cell": 1000.0 + 10 * (i % 7),
            "median_counts_per_cell": 3000.0 + 50 * (i % 5),
            "median_pct_counts_mt": 5.0 + 0.1 * (i % 6),
        }
        for i in range(n)
    }
    return {name: row | changed.get(name, {}) for name, row in usual.items()}


@pytest.mark.parametrize("n", [4, 24, 200])
@given(st.integers(0, 3))
def test_bad_samples_are_named_and_no_other(n: int, which: int) -> None:
    """A twentieth of the depth, or eight times the mitochondrial share."""
    bad = f"S{which:02d}"
    (found,) = describe_outliers(run_of(n, **{bad: {"median_counts_per_cell": 150.0}})).items()
    assert found[0] == bad
    assert "Counts per cell are apart: 150, " in found[1][0]
    if n > 4:
        (found,) = describe_outliers(run_of(n, **{bad: {"median_pct_counts_mt": 40.0}})).items()
        assert found[0] == bad
        assert f"times the median of all {n}" in found[1][0]
    assert describe_outliers(run_of(n)) == {}


def test_what_is_not_measured_is_not_compared() -> None:
    """No mitochondrial genes; fewer than four matrices."""
    assert describe_outliers(run_of(24, S03={"median_pct_counts_mt": None})) == {}
    assert describe_outliers(run_of(3, S00={"median_counts_per_cell": 1.0})) == {}
    assert describe_outliers({}) == {}
    found = describe_outliers(run_of(24, S03={"median_counts_per_cell": 0.0}))
    assert found == {
        "S03": ("Counts per cell are apart: 0, against the median of all 24 (3,100).",)
    }


def test_samples_of_a_group_are_compared_within_it() -> None:
    """Two groups of different depth: what is usual in one stands apart in the other."""
    shallow = {f"S{i:02d}": {"median_counts_per_cell": 900.0 + 10 * i} for i in range(12)}
    run = run_of(24, **shallow, S20={"median_counts_per_cell": 900.0})
    groups = {name: "a" if i < 12 else "b" for i, name in enumerate(run)}
    (name,) = describe_outliers(run, groups)
    assert name == "S20"
    (sentence,) = describe_outliers(run, groups)[name]
    assert "the median of all 12 of the group b (" in sentence
    # Too few for a comparison of their own: compared with all.
    few = dict.fromkeys(run, "a") | {"S20": "b", "S21": "b", "S22": ""}
    assert "S20" not in describe_outliers(run, few)
    (sentence,) = describe_outliers(run_of(24, S20={"median_counts_per_cell": 90.0}), few)["S20"]
    assert "the median of all 24 (" in sentence


@given(st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=30))
def test_each_matrix_is_judged_once(groups: list[str]) -> None:
    """In a set that has it, of at least four or of all."""
    sets = list(peer_sets(groups))
    judged = [i for each in sets for i in each.judged]
    assert sorted(judged) == list(range(len(groups)))
    for each in sets:
        assert each.judged <= set(each.members)
        assert len(each.members) == len(groups) if not each.group else len(each.members) >= 4
        assert all(not each.group or groups[i] == each.group for i in each.members)


def test_matrices_given_one_by_one_are_side_by_side() -> None:
    """Although each is a project of its own; others are within their project."""
    assert peer_key("S01", "", "given") == peer_key("S02", "", "given")
    assert peer_key("heart", "", "") != peer_key("liver", "", "")
    assert peer_key("samples", "S01", "a") == peer_key("samples", "S02", "b") == "samples"


def test_large_ratios_are_whole_numbers() -> None:
    """Not ``1.2e+03 times``."""
    usual = {name: {"median_counts_per_cell": 2.0 + i / 100} for i, name in enumerate("abcd")}
    (said,) = describe_outliers(usual | {"far": {"median_counts_per_cell": 24680.0}})["far"]
    assert said.startswith("Counts per cell are apart: 24,680, 12,218 times the median of all 5")


@given(st.integers(0, 23), st.integers(0, 23), st.booleans())
def test_projects_are_compared_each_with_itself(first: int, second: int, alone: bool) -> None:
    """A matrix is apart in its own project; those given one by one are a set of their own."""
    low = {"median_counts_per_cell": 150.0}
    bad, other = (f"S{i:02d}" for i in (first, second))
    matrices = {
        f"a/{key}": Peer("a", key, "", numbers) for key, numbers in run_of(24, **{bad: low}).items()
    }
    for key, numbers in run_of(24, **{other: low}).items():
        peer = Peer(key, "", "given", numbers) if alone else Peer("b", key, "", numbers)
        matrices[f"b/{key}"] = peer
    assert describe_all(matrices).keys() == {f"a/{bad}", f"b/{other}"}
    assert describe_all({}) == {}
