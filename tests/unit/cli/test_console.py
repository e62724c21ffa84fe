"""What a person sees, on a terminal and in a pipe."""

from __future__ import annotations

import io

from dpss.cli.console import describe_plan, open_console, outcome_table, plan_table, size
from dpss.job.plan.steps import Step
from dpss.job.report.outcomes import Outcome, RunReport, Status
from dpss.model import MatrixRef, Project

REF = MatrixRef("heart", "donor [1]", "a.h5ad", "f", size_bytes=12_345_678)
PROJECT = Project("heart", "Heart", (REF,))
STEPS = (
    Step(PROJECT, REF, "new"),
    Step(PROJECT, None, "no matrix", Outcome("heart", "x", Status.SKIPPED, "no matrix")),
    Step(PROJECT, REF, "unchanged", Outcome("heart", "y", Status.UNCHANGED)),
)
DONE = Outcome(
    "heart",
    "donor [1]",
    Status.PUBLISHED,
    n_cells=1_234_567,
    n_genes=33_694,
    input_bytes=5 << 30,
    seconds=61.26,
    peak_memory_bytes=200 << 20,
)


def shown(thing: object) -> str:
    """Return what a pipe gets."""
    out = io.StringIO()
    open_console(out).print(thing)
    return out.getvalue()


def test_the_table_has_a_row_for_each_matrix() -> None:
    """Numbers with separators and units; names as they are, brackets too."""
    text = shown(outcome_table(RunReport((DONE, Outcome("liver", "", Status.FAILED, "why")))))
    rows = text.splitlines()
    assert rows[0].split() == [
        "Matrix",
        "Outcome",
        "Cells",
        "Genes",
        "Size",
        "Time",
        "Peak",
        "memory",
    ]
    assert (
        "heart/donor [1]   published   1,234,567   33,694   5.0 GiB   61.3 s       200 MiB"
        in rows[2]
    )
    assert rows[3].split() == ["liver", "failed"]
    assert "\x1b" not in text


def test_the_list_says_what_a_run_would_do() -> None:
    """Processed, skipped, unchanged, each with its reason."""
    text = shown(plan_table(STEPS))
    assert "process: new" in text
    assert "skip: no matrix" in text
    assert "nothing: unchanged" in text
    assert describe_plan(STEPS) == "1 of 3 files to process"
    assert describe_plan(STEPS[1:]) == "nothing to do: 2 files, none of them new or changed"


def test_the_list_says_what_fails() -> None:
    """A file whose name another one has, or an entry of a source with an error, is named so."""
    failed = Step(PROJECT, REF, "has the name of b", Outcome("heart", "a", Status.FAILED, "x"))
    entry = Step(PROJECT, None, "no address", Outcome("heart", "z", Status.FAILED, "no address"))
    text = shown(plan_table((failed, entry, *STEPS)))
    assert "fail: has the name of b" in text
    assert "fail: no address" in text
    assert text.count("nothing: unchanged") == 1
    assert describe_plan((failed, *STEPS)) == "1 of 4 files to process; 1 can't be processed"
    assert describe_plan((failed, entry)) == "nothing to do: none of 2 files can be processed"
    assert describe_plan((failed, STEPS[2])).endswith("new or changed; 1 can't be processed")


def test_numbers_for_people() -> None:
    """Short, and never wrong by a unit."""
    assert [size(n) for n in (None, 0, 1023, 1024, 1 << 20, 300 << 20, 3 << 30)] == [
        "",
        "",
        "1023 B",
        "1.0 KiB",
        "1.0 MiB",
        "300 MiB",
        "3.0 GiB",
    ]
