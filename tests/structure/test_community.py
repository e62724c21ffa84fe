"""What a stranger and GitHub look for: citation, forms, workflows; each is well formed."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from dpss import __version__
from tests.conftest import ROOT

FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def read(path: str) -> Any:
    """Return what a YAML file says."""
    return yaml.safe_load((ROOT / path).read_text("utf-8"))


def test_the_citation_is_of_this_version() -> None:
    """`CITATION.cff` has the fields that its format requires, and the program's version."""
    told = read("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= told.keys()
    assert told["version"] == __version__


@pytest.mark.parametrize("form", [path for path in FORMS if path.name != "config.yml"], ids=str)
def test_a_form_asks_for_what_inspect_says(form: Any) -> None:
    """Each issue form has a name, a description and fields of their own ids, and asks for it."""
    told = read(form)
    ids = [part["id"] for part in told["body"]]
    assert told["name"]
    assert told["description"]
    assert len(ids) == len(set(ids))
    assert "inspect" in ids
    assert all(part["attributes"]["label"] for part in told["body"])


def test_updates_are_of_what_is_there() -> None:
    """Each kind of dependency that dependabot looks for has its file."""
    files = {"pip": "pyproject.toml", "github-actions": ".github/workflows", "docker": "Dockerfile"}
    kinds = [update["package-ecosystem"] for update in read(".github/dependabot.yml")["updates"]]
    assert sorted(kinds) == sorted(files)
    assert all((ROOT / files[kind]).exists() for kind in kinds)


def test_the_changelog_knows_the_version() -> None:
    """The version is the newest one of the changelog."""
    headings = re.findall(
        r"^## ([^,\n]+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert headings[0] == __version__


def test_each_job_of_a_workflow_is_limited() -> None:
    """Each workflow says its rights, and each job that runs for longer its time."""
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        told = read(path)
        assert told["permissions"] == {"contents": "read"}, path.name
        for name, job in told["jobs"].items():
            assert len(job["steps"]) == 1 or 0 < job["timeout-minutes"] <= 60, (path.name, name)
