"""What a run does first, what it takes for vanished, and what it tells of itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.engine.run_settings import RunSettings
from dpss.job.concurrency import do_side_by_side
from dpss.job.plan.steps import OutputState, Step, largest_first, plan_run, vanished
from dpss.job.publication import Recipe
from dpss.job.report.metrics import emf_line
from dpss.job.report.outcomes import Outcome, RunReport, Status
from dpss.job.stop import Interrupted, NeverStop
from dpss.model import MatrixRef, Project, Skipped


def step(name: str, size: int | None, *, decided: bool = False) -> Step:
    ref = MatrixRef("p", name, f"https://host/{name}", "1", size_bytes=size)
    outcome = Outcome("p", name, Status.UNCHANGED) if decided else None
    return Step(Project("p", "P", (ref,)), ref, "new", outcome)


def test_the_largest_comes_first() -> None:
    """What is decided first, then by size; what has no known size last."""
    steps = [step("a", 1), step("b", None), step("c", 9), step("d", 5, decided=True)]
    assert [s.ref.name for s in largest_first(steps) if s.ref] == ["d", "c", "a", "b"]


@given(st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=6))
def test_no_two_files_have_the_same_folder(names: list[str]) -> None:
    """All after the first one fail, whatever the order, and the reason names both."""
    refs = tuple(MatrixRef("p", name, f"{i}.h5ad", str(i)) for i, name in enumerate(names))
    steps = plan_run([Project("p", "P", refs)], OutputState(), Recipe("1", {}))
    todo = [each.ref.name for each in steps if each.ref and each.outcome is None]
    assert todo == list(dict.fromkeys(names))
    refused = [each.outcome for each in steps if each.outcome]
    assert len(refused) == len(names) - len(todo)
    for outcome in refused:
        assert outcome.status is Status.FAILED
        assert f"which is of {names.index(outcome.matrix)}.h5ad" in outcome.reason


def test_only_what_the_source_no_longer_has_is_vanished() -> None:
    """What is left out by a rule or a fault is still there, and so are a file's several parts."""
    refs = (MatrixRef("p", "both", "u", "1"), MatrixRef("p", "one", "u", "1"))
    projects = [
        Project("p", "P", refs, (Skipped("listed", "on the blacklist"),)),
        Project("q", "Q", skipped=(Skipped("", "can't be understood", failed=True),)),
        Project("single", "S", (MatrixRef("single", "", "u", "1"),)),
    ]
    there = ["p/both.mm10", "p/one", "p/listed", "q/anything", "single"]
    assert vanished([*there, "p/gone", "away"], projects) == ["p/gone", "away"]


def test_side_by_side_all_is_done_and_a_signal_ends_it() -> None:
    """Every outcome comes; when a signal comes, what was finished is still told."""
    steps = [step(str(i), i) for i in range(20)]

    def do(one: Step) -> list[Outcome]:
        assert one.ref
        if one.ref.name == "10" and interrupted:
            raise Interrupted(15)
        return [Outcome("p", one.ref.name, Status.PUBLISHED)]

    interrupted = False
    found = {outcome.matrix for outcome in do_side_by_side(do, steps, NeverStop(), 3)}
    assert found == {str(i) for i in range(20)}
    interrupted = True
    told = []
    with pytest.raises(Interrupted):
        told.extend(do_side_by_side(do, steps, NeverStop(), 1))
    told = []
    with pytest.raises(Interrupted):
        for outcome in do_side_by_side(do, steps, NeverStop(), 1):
            told.append(outcome.matrix)
    assert told == [str(i) for i in range(10)]


def test_metrics_have_cloudwatchs_form() -> None:
    """Every metric is named with its unit and has its value beside it."""
    failed = [Outcome("p", name, Status.FAILED, input_bytes=7) for name in "abc"]
    report = RunReport(tuple(failed), known_failures=frozenset({"p/a", "p/c"}))
    settings = RunSettings(source="azul", output="out", environ="dev")
    document = json.loads(emf_line(report, settings, datetime(2026, 1, 1, tzinfo=UTC), 1.5))
    (metrics,) = document["_aws"]["CloudWatchMetrics"]
    assert document["_aws"]["Timestamp"] == 1767225600000
    values = {metric["Name"]: document[metric["Name"]] for metric in metrics["Metrics"]}
    assert values == {
        "published": 0, "unchanged": 0, "skipped": 0, "failed": 3, "NewFailures": 1,
        "KnownFailures": 2, "seconds": 1.5, "bytes": 21,
    }  # fmt: skip
    assert (document["Environment"], document["Source"]) == ("dev", "azul")
