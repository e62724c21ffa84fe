"""The whole job: a portal of 31 projects with planted faults, into S3, again and again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.cloud.portal import GOOD, entry_of, fill, project_id
from tests.servers.azul import AzulServer
from tests.servers.moto_s3 import MotoS3

HEALED = ("storm", "reset", "hanging", "expired", "waiting")
TOLD = {
    "corrupt": "truncated",
    "damaged": "repository/files",
    "down": "answers 503",
    "vanished": "is not there",
    "sha256": "sha256",
}
SKIPPED = {"phantom": "no download", "table": "repository/files", "managed": "managed access"}


@dataclass
class Portal:
    """Where the job runs from and to."""

    azul: AzulServer
    s3: MotoS3
    bucket: str
    numbers: dict[str, int]
    runs: list[subprocess.CompletedProcess[str]] = field(default_factory=list)
    before: int = 0
    """Matrices that the killed run had published."""

    @property
    def command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "dpss", "run", "--source", "azul", "--jobs", "2"),
            *("--source-url", self.azul.url, "--output", f"s3://{self.bucket}/portal"),
            *("--timeout", "1", "--log-format", "json", "--metrics", "emf"),
        ]

    @property
    def environment(self) -> dict[str, str]:
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "DPSS_"))}
        return {**keep, **self.s3.environment}

    def run(self, *more: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*self.command, *more],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        self.runs.append(done)
        return done

    def objects(self) -> list[str]:
        pages = self.s3.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def read(self, key: str) -> bytes:
        body = self.s3.client.get_object(Bucket=self.bucket, Key=f"portal/{key}")["Body"]
        return bytes(body.read())

    def report(self) -> dict[str, Any]:
        key = max(
            key
            for key in self.objects()
            if key.startswith("portal/runs/") and key.endswith("Z.json")
        )
        return json.loads(self.read(key.removeprefix("portal/")))  # type: ignore[no-any-return]

    def outcome(self, fault: str) -> Mapping[str, Any]:
        wanted = project_id(self.numbers[fault])
        return next(m for m in self.report()["matrices"] if m["project_id"] == wanted)


def summaries(portal: Portal) -> list[str]:
    return [key for key in portal.objects() if key.endswith("/summary.json")]


def kill_in_the_middle(portal: Portal) -> None:
    """Start a run, and kill it once something is published."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(portal.command, env=portal.environment, stdout=quiet, stderr=quiet)
    deadline = time.monotonic() + 300
    while len(summaries(portal)) < 3 and time.monotonic() < deadline:
        time.sleep(0.1)
    process.kill()
    process.wait()
    portal.before = len(summaries(portal))


@pytest.fixture(scope="module")
def portal(s3: MotoS3) -> Iterator[Portal]:
    """A portal on which the job has run once, after an earlier run was killed in the middle."""
    with AzulServer(page_size=10) as azul:
        portal = Portal(azul, s3, s3.make_bucket("portal-bucket"), {})
        portal.numbers = fill(azul)
        kill_in_the_middle(portal)
        portal.run()
        yield portal


@pytest.mark.slow
def test_a_killed_run_is_completed_by_the_next(portal: Portal) -> None:
    """What the killed run had published is not made again, all else is."""
    counts = portal.report()["counts"]
    assert portal.before >= 3
    assert counts["unchanged"] == portal.before
    assert counts["published"] == GOOD + len(HEALED) - portal.before > 0


def test_the_portal_is_large_and_mixed(portal: Portal) -> None:
    """At least 30 projects are in it."""
    assert len(portal.azul.projects) == GOOD + len(portal.numbers) >= 30


def test_everything_good_is_published(portal: Portal) -> None:
    """All without a fault, and all whose fault passes, are there; exit code 1."""
    done = portal.runs[0]
    assert done.returncode == 1, done.stderr[-3000:]
    published = {
        m["project_id"]
        for m in portal.report()["matrices"]
        if m["status"] in ("published", "unchanged")
    }
    healed = {project_id(portal.numbers[name]) for name in HEALED}
    assert published == {project_id(number) for number in range(GOOD)} | healed


@pytest.mark.parametrize(("fault", "words"), TOLD.items())
def test_everything_bad_is_named_with_its_reason(portal: Portal, fault: str, words: str) -> None:
    """Each failure is in the report and on stderr, and names its address."""
    outcome = portal.outcome(fault)
    assert outcome["status"] == "failed"
    assert words in outcome["reason"]
    assert "/repository/files/" in outcome["reason"]
    assert outcome["project_id"] in portal.runs[0].stderr


@pytest.mark.parametrize(("fault", "words"), SKIPPED.items())
def test_what_is_left_out_is_named_with_its_reason(portal: Portal, fault: str, words: str) -> None:
    """What a rule leaves out is no failure."""
    outcome = portal.outcome(fault)
    assert (outcome["status"], words in outcome["reason"]) == ("skipped", True), outcome


def test_what_is_published_is_whole(portal: Portal) -> None:
    """Beside each summary there is every figure that it names, and the table of genes."""
    keys = set(portal.objects())
    summaries = [key for key in keys if key.endswith("/summary.json")]
    assert len(summaries) == GOOD + len(HEALED)
    for key in summaries:
        folder = key.removesuffix("summary.json")
        summary = json.loads(portal.read(key.removeprefix("portal/")))
        drawn = [figure["slug"] for figure in summary["figures"] if not figure["left_out"]]
        assert drawn
        wanted = {f"{folder}{slug}.{kind}" for slug in drawn for kind in ("png", "svg")}
        assert wanted | {f"{folder}genes.csv"} <= keys
    assert "portal/index.html" in keys
    assert len(json.loads(portal.read("index.json"))["projects"]) >= len(summaries)


def test_no_secret_is_anywhere(portal: Portal) -> None:
    """Signatures and credentials are in no log line, no table, no published document."""
    texts = [portal.runs[0].stderr, portal.runs[0].stdout]
    texts += [
        portal.read(key.removeprefix("portal/")).decode()
        for key in portal.objects()
        if key.endswith((".json", ".html"))
    ]
    # Pictures within a report are base64, in which any short word may come up.
    texts = [re.sub(r"data:[^\"']+", "", text) for text in texts]
    assert not [text for text in texts if "hush" in text or "Goog-Signature" in text]
    assert not [text for text in texts if '"testing"' in text]


def test_log_lines_say_what_they_are_about(portal: Portal) -> None:
    """Each JSON line of a matrix carries run, project and matrix."""
    lines = [json.loads(line) for line in portal.runs[0].stderr.splitlines() if line[0] == "{"]
    about = [line for line in lines if "begun" in line["message"]]
    assert len(about) >= portal.report()["counts"]["published"]
    assert all(line["run"] and line["project"] and line["matrix"] for line in about)


def test_metrics_are_told(portal: Portal) -> None:
    """One line of stdout is CloudWatch's embedded metric format, with the report's numbers."""
    (line,) = [line for line in portal.runs[0].stdout.splitlines() if '"_aws"' in line]
    document = json.loads(line)
    counts = portal.report()["counts"]
    for name in ("published", "unchanged", "skipped", "failed"):
        assert document[name] == counts[name]
    (metrics,) = document["_aws"]["CloudWatchMetrics"]
    assert metrics["Namespace"] == "dpss"
    assert {metric["Name"] for metric in metrics["Metrics"]} >= {"seconds", "bytes", "failed"}
    assert metrics["Dimensions"] == [["Environment", "Source"]]
    assert document["bytes"] > 0


@pytest.mark.slow
def test_the_next_runs_do_only_what_is_left(portal: Portal) -> None:
    """A second run downloads only what failed; once all is mended, a third downloads nothing."""
    azul = portal.azul
    for name in ("down", "vanished", "sha256"):
        file = entry_of(azul, portal.numbers[name])
        file.faults, file.missing = [], False
    good = entry_of(azul, portal.numbers["down"]).entry["sha256"]
    hit = azul.projects[portal.numbers["sha256"]]
    text = json.dumps(hit).replace("0" * 64, good)
    azul.projects[portal.numbers["sha256"]] = json.loads(text)
    for name in ("corrupt", "damaged"):
        del azul.projects[portal.numbers[name]]["projects"][0]["matrices"]["genusSpecies"]
    azul.requests.clear()
    assert portal.run().returncode == 0
    counts = portal.report()["counts"]
    assert counts["published"] == 3
    assert counts["unchanged"] == GOOD + len(HEALED)
    asked = {request.path for request in azul.asked("^/repository/files/")}
    assert len(asked) == 3

    azul.requests.clear()
    before = {key for key in portal.objects() if "/runs/" not in key}
    done = portal.run()
    assert done.returncode == 0
    assert portal.report()["counts"]["unchanged"] == GOOD + len(HEALED) + 3
    assert not azul.asked("^/(repository|storage)/")
    assert {key for key in portal.objects() if "/runs/" not in key} == before


@pytest.mark.slow
def test_what_vanished_stays_until_it_is_pruned(portal: Portal) -> None:
    """A project that the source no longer has is marked, and deleted only when asked for."""
    gone = project_id(0)
    portal.azul.projects = [hit for hit in portal.azul.projects if hit["entryId"] != gone]
    assert portal.run().returncode == 0
    assert [key for key in portal.objects() if f"/{gone}/" in key and key.endswith("summary.json")]
    (entry,) = [p for p in json.loads(portal.read("index.json"))["projects"] if p["id"] == gone]
    assert [matrix["current"] for matrix in entry["matrices"]] == [False]
    assert portal.run("--prune").returncode == 0
    assert not [key for key in portal.objects() if f"/{gone}/" in key]
