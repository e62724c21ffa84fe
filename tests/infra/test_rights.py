"""The whole job as the program, with the applied task role's own temporary credentials.

The loopback AWS judges each request by the role's policy and writes down what was asked. A test
fails if the program needs what the role lacks, or the role may do what nothing needs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dpss.demo.files import write_mtx_zip
from dpss.job.report.outcomes import is_run_key
from tests.cloud.portal import make_counts
from tests.infra.policies import allows
from tests.infra.terraform import BUCKET, HEAVY, NAME, Deployment

pytestmark = HEAVY

MATRICES, FIGURES = "project-assets/project-matrices/", "project-assets/project-stats/"
ROLE = f"{NAME}-task"
PROJECTS = [f"4a95101c-9ffc-4f30-a809-f04518a2380{i}" for i in range(4)]


class Portal:
    """A few canned matrices in the deployment's bucket, and the job run on them."""

    def __init__(self, deployment: Deployment, folder: Path) -> None:
        """Upload the matrices."""
        self.deployment, self.folder = deployment, folder
        self.s3 = deployment.client("s3")
        for number, project in enumerate(PROJECTS):
            self.put(project, number)

    def put(self, project: str, seed: int) -> None:
        """Upload a matrix, or another one in its place."""
        path = self.folder / "m.mtx.zip"
        write_mtx_zip(path, make_counts(seed, n_cells=30, n_genes=200))
        self.s3.put_object(
            Bucket=BUCKET, Key=f"{MATRICES}{project}.mtx.zip", Body=path.read_bytes()
        )

    def environment(self) -> dict[str, str]:
        """Return what the task has: the task definition's variables, and its role's keys."""
        task = self.deployment.client("ecs").describe_task_definition(taskDefinition=NAME)
        (container,) = task["taskDefinition"]["containerDefinitions"]
        told = {e["name"]: e["value"] for e in container["environment"]}
        keys = self.deployment.assume(ROLE)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "DPSS_"))}
        return (
            kept
            | told
            | {name.upper(): value for name, value in keys.items()}
            | {
                "AWS_ENDPOINT_URL": self.deployment.address,
                "AWS_REGION": "us-east-1",
                "AWS_EC2_METADATA_DISABLED": "true",
                "DPSS_SOURCE": "canned",
                "DPSS_SOURCE_URL": f"s3://{BUCKET}/{MATRICES}",
                "HOME": str(self.folder),
            }
        )

    def run(self, *arguments: str, ok: int = 0, **told: str) -> str:
        """Run a command of the program under its role; return what it said."""
        done = self.attempt(*arguments, **told)
        assert done.returncode == ok, done.stdout + done.stderr
        return done.stdout + done.stderr

    def attempt(self, *arguments: str, **told: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the program under its role, whatever comes of it."""
        return self.python("-m", "dpss", *(arguments or ("run",)), **told)

    def python(self, *arguments: str, **told: str) -> subprocess.CompletedProcess[str]:
        """Run Python under the task's role, whatever comes of it."""
        environment = self.environment() | told
        with self.deployment.enforced():
            return subprocess.run(
                [sys.executable, *arguments],
                env=environment, text=True, capture_output=True, timeout=300, check=False,
            )  # fmt: skip

    def published(self) -> set[str]:
        """Return the keys below the figures' prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=FIGURES)
        return {
            item["Key"].removeprefix(FIGURES) for page in pages for item in page.get("Contents", [])
        }

    def report(self) -> dict[str, Any]:
        """Return the newest run's report."""
        newest = max(filter(is_run_key, self.published()))
        body = self.s3.get_object(Bucket=BUCKET, Key=FIGURES + newest)["Body"].read()
        report = json.loads(body)
        assert isinstance(report, dict)
        return report


@pytest.fixture(scope="module")
def portal(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The portal; its objects go in the end, with all versions, as the bucket's others do."""
    yield Portal(deployment, tmp_path_factory.mktemp("portal"))


def denied(deployment: Deployment) -> list[tuple[str, str]]:
    """Return what the program asked for and was refused, once each."""
    return sorted(
        {(one["action"], one["resource"]) for one in deployment.judged(ROLE) if not one["granted"]}
    )


def granted_actions(deployment: Deployment) -> set[str]:
    """Return all actions that the role has."""
    found: set[str] = set()
    for document in deployment.policies(ROLE):
        for statement in document["Statement"]:
            actions = statement["Action"]
            found |= {actions} if isinstance(actions, str) else set(actions)
    return found


def test_the_whole_job_with_the_rights_of_its_role(deployment: Deployment, portal: Portal) -> None:
    """First run, unchanged, changed, blacklist, vanished, website: all without a delete."""
    before = len(denied(deployment))
    assert "4 published, 0 unchanged" in portal.run()
    assert {"index.html", "index.json"} <= portal.published()
    assert "0 published, 4 unchanged" in portal.run()
    portal.put(PROJECTS[0], 77)
    assert "1 published, 3 unchanged" in portal.run()
    portal.s3.put_object(Bucket=BUCKET, Key="blacklist", Body=f"{PROJECTS[1]}\n".encode())
    listed = f"s3://{BUCKET}/blacklist"
    said = portal.run(DPSS_BLACKLIST="1", DPSS_BLACKLIST_FILE=listed)
    assert "0 published, 3 unchanged, 1 skipped" in said
    portal.s3.delete_object(Bucket=BUCKET, Key=f"{MATRICES}{PROJECTS[2]}.mtx.zip")
    assert "0 published, 3 unchanged" in portal.run()
    assert f"{PROJECTS[2]}/summary.json" in portal.published()
    portal.run("website", f"s3://{BUCKET}/{FIGURES}")
    portal.run("list")
    assert denied(deployment)[before:] == []


def test_a_run_of_several_tasks_with_the_rights_of_its_role(
    deployment: Deployment, portal: Portal
) -> None:
    """Three shards and their end, each a task of its own: one report of all, and the pages."""
    before = len(denied(deployment))
    portal.put(PROJECTS[0], 55)
    portal.put(PROJECTS[1], 56)
    for shard in ("1/3", "2/3", "3/3"):
        portal.run(DPSS_SHARD=shard)
    assert "2 published, 1 unchanged" in portal.run(DPSS_SHARD="end/3")
    report = portal.report()
    assert (len(report["parts"]), report["problems"]) == (3, [])
    assert denied(deployment)[before:] == []


def test_tables_of_cells_with_the_rights_of_its_role(
    deployment: Deployment, portal: Portal, tmp_path: Path
) -> None:
    """A table of cells is published; a large one goes in parts, which need no other right."""
    before = len(denied(deployment))
    portal.put(PROJECTS[0], 44)
    portal.run(DPSS_CELLS="1")
    assert f"{PROJECTS[0]}/cells.csv.gz" in portal.published()
    large = tmp_path / "cells.csv.gz"
    large.write_bytes(bytes(20 << 20))
    store = f"S3Store({BUCKET!r}, {FIGURES!r})"
    done = portal.python(
        "-c", "from pathlib import Path; from dpss.storage.s3.store import S3Store; "
        f"{store}.write_file('large/cells.csv.gz', Path({str(large)!r}))",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    key = f"{FIGURES}large/cells.csv.gz"
    found = portal.s3.head_object(Bucket=BUCKET, Key=key)
    portal.s3.delete_object(Bucket=BUCKET, Key=key)
    assert found["ContentLength"] == 20 << 20
    assert found["ETag"].strip('"').endswith("-3")  # three parts
    assert denied(deployment)[before:] == []
    rules = portal.s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert [r for r in rules if r["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] <= 7]


def test_no_right_is_idle(deployment: Deployment, portal: Portal) -> None:
    """Each action of the role's policy is used by the job, in that statement, and no other is."""
    portal.run()
    judged = [one for one in deployment.judged(ROLE) if one["granted"]]
    used = {one["action"] for one in judged}
    assert used == granted_actions(deployment)
    for document in deployment.policies(ROLE):
        for statement in document["Statement"]:
            alone = [{"Statement": [statement]}]
            assert any(
                allows(alone, one["action"], one["resource"], **one["context"]) for one in judged
            ), statement


def test_what_the_job_needs_it_lacks_when_a_right_goes(
    deployment: Deployment, portal: Portal
) -> None:
    """The other way round: without any one of its actions the job fails, so the test can fail."""
    iam = deployment.client("iam")
    (name,) = iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    whole = iam.get_role_policy(RoleName=ROLE, PolicyName=name)["PolicyDocument"]
    try:
        for number, action in enumerate(sorted(granted_actions(deployment))):
            fewer = json.loads(json.dumps(whole))
            for statement in fewer["Statement"]:
                listed = statement["Action"]
                listed = [listed] if isinstance(listed, str) else listed
                statement["Action"] = [a for a in listed if a != action] or ["s3:GetObjectTorrent"]
            iam.put_role_policy(RoleName=ROLE, PolicyName=name, PolicyDocument=json.dumps(fewer))
            portal.put(PROJECTS[0], 100 + number)
            assert portal.attempt().returncode != 0, action
    finally:
        iam.put_role_policy(RoleName=ROLE, PolicyName=name, PolicyDocument=json.dumps(whole))


def test_pruning_needs_the_right_to_prune(deployment: Deployment, portal: Portal) -> None:
    """--prune without allow_prune deletes nothing and says so; with it, what vanished goes."""
    gone = PROJECTS[3]
    portal.run()
    assert f"{gone}/summary.json" in portal.published()
    portal.s3.delete_object(Bucket=BUCKET, Key=f"{MATRICES}{gone}.mtx.zip")
    done = portal.attempt(DPSS_PRUNE="1")
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert f"{gone}/summary.json" in portal.published()
    refused = {one[0] for one in denied(deployment)}
    assert "s3:DeleteObject" in refused

    target = "-target=module.job.module.task_role"
    deployment.terraform("apply", "-auto-approve", "-var=allow_prune=true", target)
    try:
        assert "s3:DeleteObject" in granted_actions(deployment)
        portal.run(DPSS_PRUNE="1")
        left = portal.published()
        assert not [key for key in left if key.startswith(f"{gone}/")]
        assert f"{PROJECTS[0]}/summary.json" in left
        assert "index.html" in left
        deletes = [o for o in deployment.judged(ROLE) if o["action"] == "s3:DeleteObject"]
        assert any(o["granted"] for o in deletes)
        s3 = f"arn:aws:s3:::{BUCKET}/{FIGURES}"
        assert all(o["resource"].startswith(s3) for o in deletes)
    finally:
        deployment.terraform("apply", "-auto-approve", target)
