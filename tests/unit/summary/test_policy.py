"""Policies: limits from a file, unknown measures refused, exit code 3, the same everywhere."""

from __future__ import annotations

import json
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from dpss.cli.commands import commands
from dpss.errors import SettingsError
from dpss.job.report.outcomes import Outcome, RunReport, Status
from dpss.summary.policy import (
    MEASURES,
    Judgement,
    apply_policy,
    describe_policy,
    parse_policy,
    read_policy,
    worst_status,
)
from dpss.website.multiqc import multiqc_documents
from dpss.website.records import record_of
from dpss.website.schemas import schema
from tests.unit.summary.checks.test_cells import counts, dying, write

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "policy.md"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[median_mito]\nfail_above = 2", "unknown measure median_mito"),
        ("[n_cells]\nfail = 2", "n_cells.fail is unknown"),
        ("[n_cells]\nfail_below = 'x'", "must be a number"),
        ("[n_cells]\nfail_below = true", "must be a number"),
        ("[n_cells]\nfail_below = nan", "n_cells.fail_below is nan; it must be a number"),
        ("[n_cells]\nwarn_above = inf", "n_cells.warn_above is inf; it must be a number"),
        ("[n_cells]", "n_cells has no limits"),
        ("n_cells = 3", "n_cells has no limits"),
        ("", "has no measure"),
        ("[n_cells", "is no TOML"),
    ],
)
def test_faults_are_named(text: str, said: str) -> None:
    """Each with what it could be instead."""
    with pytest.raises(SettingsError, match=said):
        parse_policy(text)


@given(st.integers(10**301, 10**400) | st.integers(-(10**400), -(10**301)))
def test_a_limit_that_no_double_holds_is_refused(limit: int) -> None:
    """TOML has integers of any size."""
    with pytest.raises(SettingsError, match=r"n_cells.fail_below is -?\d{,40}; it must be"):
        parse_policy(f"[n_cells]\nfail_below = {limit}")


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_limits_themselves_pass(value: float, first: float, second: float) -> None:
    """A failure goes before a warning; what is not measured neither passes nor fails."""
    warn, fail = max(first, second), min(first, second)
    policy = parse_policy(f"[median_complexity]\nwarn_below = {warn!r}\nfail_below = {fail!r}")
    (found,) = apply_policy(policy, {"median_complexity": value})
    expected = "fail" if value < fail else "warn" if value < warn else "pass"
    assert found.status == expected
    (unknown,) = apply_policy(policy, {"median_complexity": None})
    assert unknown.status == worst_status([unknown, Judgement("x", 1, "pass", None)])
    assert unknown.status == "not measured"


def test_the_default_is_documented() -> None:
    """Every limit and every measure stands in the reference."""
    page = PAGE.read_text()
    text = resources.files("dpss.summary").joinpath("policy.toml").read_text()
    for measure, limits in tomllib.loads(text).items():
        (line,) = (li for li in page.splitlines() if li.startswith(f"| `{measure}` | ") and (
            "above" in li or "below" in li) and "20 %" not in li)  # fmt: skip
        for name, limit in limits.items():
            assert f"{name.partition('_')[2]} {limit}" in line
    for measure, meaning in MEASURES.items():
        assert f"| `{measure}` | {meaning} |" in page
    assert read_policy("default") == parse_policy(text)


def _summarize(folder: Path, matrix: Path, policy: str) -> tuple[int, str, dict[str, Any]]:
    arguments = ["summarize", str(matrix), "--output", str(folder), "--policy", policy]
    result = CliRunner().invoke(commands, arguments, standalone_mode=False)
    found = list(folder.rglob("summary.json"))
    document = json.loads(found[0].read_text()) if found else {}
    code = result.return_value if result.exception is None else 2
    return code, result.output + str(result.exception or ""), document


@pytest.fixture
def stopless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give commands a stop, which their entry gives them otherwise."""
    from dpss.job.stop import NeverStop

    monkeypatch.setitem(commands.context_settings, "obj", NeverStop())


@pytest.mark.slow
@pytest.mark.usefixtures("stopless")
@pytest.mark.parametrize(("part", "code", "status"), [(0.0, 0, "pass"), (0.4, 3, "fail")])
def test_a_matrix_that_fails(tmp_path: Path, part: float, code: int, status: str) -> None:
    """Everything is published, told at the end and in MultiQC's section; the exit code is 3."""
    matrix = write(tmp_path / "x.h5ad", dying(part) if part else counts())
    found, output, document = _summarize(tmp_path / "out", matrix, "default")
    assert found == code, output
    jsonschema.validate(document, schema("summary"))
    assert worst_status([Judgement(**each) for each in document["policy"]]) == status
    assert ("policy fail: pct_cells_above_20_pct_mt is 40" in output) is (code == 3)
    record = record_of("x", document, b"")
    columns = multiqc_documents([record])["multiqc/matrices_mqc.json"]
    assert columns["data"]["x"]["policy"] == status
    assert columns["headers"]["policy"]["cond_formatting_rules"]["fail"] == [{"s_eq": "fail"}]


@pytest.mark.usefixtures("stopless")
def test_a_policy_that_is_none(tmp_path: Path) -> None:
    """Nothing is read or written; the option, the file and the fault are named."""
    (tmp_path / "p.toml").write_text("[mito]\nfail_above = 1\n")
    found, output, document = _summarize(
        tmp_path / "out", write(tmp_path / "x.h5ad", counts(50)), str(tmp_path / "p.toml")
    )
    assert (found, document) == (2, {})
    assert "--policy (DPSS_POLICY): " in output
    assert "p.toml: unknown measure mito" in output


def test_exit_codes() -> None:
    """A failed matrix goes before a failed policy; an unchanged one that fails it still fails."""
    bad = Outcome("p", "", Status.UNCHANGED, policy="fail")
    assert RunReport((bad,)).exit_code == 3
    assert RunReport((bad, Outcome("q", "", Status.FAILED))).exit_code == 1
    assert RunReport((bad, Outcome("q", "", Status.SKIPPED))).strict_exit_code == 1
    assert RunReport((bad,)).strict_exit_code == 3
    assert RunReport((bad,), interrupted_by=2).exit_code == 130
    assert RunReport((Outcome("p", "", Status.PUBLISHED, policy="warn"),)).exit_code == 0
    assert describe_policy([]) == ("", ())
