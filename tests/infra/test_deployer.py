"""`make push deploy run-now first-run` with the deployer's own temporary credentials.

The tool is the real one, and so is Terraform; the loopback AWS judges each request by the role's
policy and writes down what was asked. A test fails if something is used that the role lacks, or
granted that nothing uses. It may not destroy: test_destroy.py.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator

import pytest

from tests.infra.policies import allows
from tests.infra.terraform import (
    HEAVY,
    INFRA,
    NAME,
    ROOT,
    Deployment,
)
from tests.infra.workstation import take_role, workstation
from tools import deployment as tool

pytestmark = HEAVY

ROLE = f"{NAME}-deployer"
TAG = "0123456789ab"
# What a deployment changes in its daily life: each touches another kind of resource.
CHANGES = {
    "schedule": "cron(0 4 * * ? *)",
    "timeout_hours": "22",
    "log_retention_days": "400",
    "monthly_budget_usd": "30",
    "min_gene_count": "500",
    "scratch_gib": "70",
}
# What another version of these files may change about what is there.
NEXT_VERSION = (
    ("main.tf", "dead_letter_retain_days = 14", "dead_letter_retain_days = 13"),
    ("modules/registry/main.tf", "countNumber = 30 }", "countNumber = 31 }"),
    ("modules/storage/main.tf", "noncurrent_days = 30", "noncurrent_days = 31"),
    ("modules/storage/main.tf", '"Pages of ${var.name}"\n  enabled', '"Its pages"\n  enabled'),
    ("modules/monitoring/main.tf", "an error", "some error"),
    ("modules/monitoring/main.tf", "Seconds per day", "Seconds a day"),
)
# Granted, though nothing here asks for it.
UNSEEN = {
    **dict.fromkeys(
        (
            "logs:CreateLogDelivery",
            "logs:GetLogDelivery",
            "logs:UpdateLogDelivery",
            "logs:ListLogDeliveries",
            "logs:DescribeResourcePolicies",
        ),
        "Step Functions asks for it in the caller's name where a state machine has a log",
    ),
}
PUSH = f"""#!{sys.executable}
import json, sys
sys.path.insert(0, {str(ROOT)!r})
if sys.argv[1] == "push":
    import boto3
    from botocore.exceptions import ClientError
    ecr = boto3.client("ecr", region_name="us-east-1")
    name, _, tag = sys.argv[2].rpartition("/")[2].partition(":")
    digest = "sha256:" + "2" * 64
    for call, given in (
        (ecr.batch_check_layer_availability, {{"layerDigests": [digest]}}),
        (ecr.initiate_layer_upload, {{}}),
        (ecr.upload_layer_part, {{"uploadId": "1", "partFirstByte": 0, "partLastByte": 1,
                                  "layerPartBlob": b"x"}}),
        (ecr.complete_layer_upload, {{"uploadId": "1", "layerDigests": [digest]}}),
        (ecr.batch_get_image, {{"imageIds": [{{"imageTag": tag}}]}}),
    ):
        try:
            call(repositoryName=name, **given)
        except ClientError as error:  # moto has no layers; whether it is granted is judged before
            if "AccessDenied" in str(error):
                raise
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    one = {{"mediaType": kind, "size": 1, "digest": "sha256:" + "2" * 64}}
    manifest = {{"schemaVersion": 2, "mediaType": kind, "config": one, "layers": [one]}}
    ecr.put_image(repositoryName=name, imageTag=tag, imageManifest=json.dumps(manifest))
"""


@pytest.fixture(scope="module")
def workflow(
    deployment: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[pytest.MonkeyPatch]:
    """The workflow's machine: the tool on the loopback AWS, with the deployer's credentials."""
    folder = tmp_path_factory.mktemp("workflow")
    with workstation(deployment, folder, {"docker": PUSH}) as patch:
        patch.setenv("DPSS_POLL_SECONDS", "0")
        patch.setattr(tool, "commit", lambda: (TAG, True))
        take_role(deployment, patch, ROLE)
        yield patch
    for name in {name for name, _, _ in NEXT_VERSION}:
        shutil.copy(INFRA / name, deployment.infra / name)
    deployment.terraform("apply", "-auto-approve")


def refused(deployment: Deployment) -> list[str]:
    """Return what the deployer asked for and was refused, once each."""
    judged = deployment.judged(ROLE)
    return sorted(
        {
            f"{one['action']} {one['resource']}"
            for one in judged
            # Asked only where the check of credentials is skipped, as on a loopback.
            if not one["granted"] and one["action"] != "iam:GetUser"
        }
    )


def test_push_deploy_and_run(
    deployment: Deployment, workflow: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A new image, a deployment of it, a deployment of other settings, a run, a first run."""
    with deployment.enforced():
        codes = [tool.main(["push"]), tool.main(["deploy"])]
        for name, value in CHANGES.items():
            workflow.setenv(f"TF_VAR_{name}", value)
        for name, old, new in NEXT_VERSION:
            path = deployment.infra / name
            assert old in path.read_text(), name
            path.write_text(path.read_text().replace(old, new))
        codes += [tool.main(["deploy"]), tool.main(["run-now"])]
        codes.append(tool.main(["first-run", "--shards", "3", "--concurrency", "2"]))
    said = capfd.readouterr()
    assert not refused(deployment), "\n".join(refused(deployment))
    assert codes == [0] * 5, (said.out + said.err)[-4000:]


def test_no_right_is_idle(deployment: Deployment, workflow: pytest.MonkeyPatch) -> None:
    """Each action of the role's policy was used above; each statement let something pass."""
    judged = [one for one in deployment.judged(ROLE) if one["granted"]]
    used = {one["action"] for one in judged}
    granted: set[str] = set()
    for document in deployment.policies(ROLE):
        for statement in document["Statement"]:
            actions = statement["Action"]
            granted |= {actions} if isinstance(actions, str) else set(actions)
            alone = [{"Statement": [statement]}]
            assert any(
                allows(alone, one["action"], one["resource"], **one["context"]) for one in judged
            ), statement
    assert not {action for action in granted if "*" in action}
    assert granted - used == set(UNSEEN)
    assert used <= granted
