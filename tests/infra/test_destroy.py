"""`make destroy`: with the rights of infra/policies/destroy.json; never by the deployer's role.

Rights are enforced: the loopback AWS judges each request by the role's policy. These tests come
last of all (conftest.py), as they take down what the others share.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.infra.policies import allows
from tests.infra.terraform import (
    ACCOUNT,
    BUCKET,
    HEAVY,
    INFRA,
    NAME,
    ROOT,
    STATE_BUCKET,
    Deployment,
    run,
)
from tests.infra.test_environment import write_program
from tests.infra.workstation import take_role, workstation
from tools import deployment as tool

pytestmark = HEAVY

ROLE, DEPLOYER = "somebody-who-destroys", f"{NAME}-deployer"
STATE = tool.Deployment("dev", {}).state_key
# Asked of AWS where the check of credentials is skipped, as on a loopback.
NOT_NEEDED = {"iam:GetUser"}
READS = ("Describe", "Get", "List")
OF_THIS_STAGE = {
    "StringEquals": {
        "aws:ResourceTag/Project": "data-portal-summary-stats",
        "aws:ResourceTag/Environment": "dev",
    }
}
MAX_CHARACTERS = 10_240
"""Of all policies within a role; IAM does not count white space."""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


def policy_text(stage: str = "dev") -> str:
    """Return the policy of a stage, filled in as docs/how-to/deploy.md says."""
    deployment = tool.Deployment(stage, {})
    text = (INFRA / "policies/destroy.json").read_text()
    for name, value in {
        "account": ACCOUNT,
        "region": deployment.region,
        "service": deployment.service,
        "environment": stage,
        "name": deployment.full_name,
        "bucket": f"{deployment.full_name}-{ACCOUNT}",
        "state_key": deployment.state_key,
    }.items():
        text = text.replace(f"${{{name}}}", value)
    assert "${" not in text
    return text


@pytest.fixture(scope="module")
def person(
    deployment: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[pytest.MonkeyPatch]:
    """A person's machine: the tool on the loopback AWS, as somebody with the policy's rights."""
    iam = deployment.client("iam")
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName=ROLE, PolicyName="destroy", PolicyDocument=policy_text())
    with workstation(deployment, tmp_path_factory.mktemp("person"), {}) as patch:
        yield patch


def test_the_deployer_is_refused_before_anything_is_touched(
    deployment: Deployment, person: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The role may delete no role and no bucket, and says who may; nothing is half destroyed."""
    take_role(deployment, person, DEPLOYER)
    before = len(deployment.judged(DEPLOYER))
    with deployment.enforced():
        assert tool.main(["destroy"]) == 1
    said = capfd.readouterr().err
    assert "Nothing was destroyed" in said
    assert "infra/policies/destroy.json" in said
    asked = {one["action"] for one in deployment.judged(DEPLOYER)[before:]}
    assert asked <= {"sts:GetCallerIdentity"}
    assert deployment.client("ecs").describe_clusters(clusters=[NAME])["clusters"]


def test_everything_goes_with_the_rights_of_the_policy(
    deployment: Deployment, person: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """All that was made, figures and their old versions too; the state says so, unlocked."""
    s3 = deployment.client("s3")
    for body in (b"an old version", b"a new one"):
        s3.put_object(Bucket=BUCKET, Key="project-assets/project-stats/a/knee.png", Body=body)
    take_role(deployment, person, ROLE)
    with deployment.enforced():
        code = tool.main(["destroy"])
    said = capfd.readouterr()
    assert not refused(deployment), refused(deployment)
    assert code == 0, (said.out + said.err)[-4000:]
    assert run("state", "list", cwd=deployment.infra, env=deployment.env).stdout == ""
    assert not s3.list_buckets(Prefix=NAME)["Buckets"]
    keys = [o["Key"] for o in s3.list_objects_v2(Bucket=STATE_BUCKET)["Contents"]]
    assert keys == [STATE]
    roles = deployment.client("iam").list_roles()["Roles"]
    assert not [role["RoleName"] for role in roles if role["RoleName"].startswith(NAME)]


def refused(deployment: Deployment) -> list[tuple[str, str]]:
    """Return what was asked for and refused, once each."""
    judged = deployment.judged(ROLE)
    found = {(one["action"], one["resource"]) for one in judged if not one["granted"]}
    return sorted(one for one in found if one[0] not in NOT_NEEDED)


def statements(text: str) -> list[dict[str, Any]]:
    """Return the statements of a policy."""
    found = json.loads(text)["Statement"]
    assert isinstance(found, list)
    return found


def test_no_right_is_idle(deployment: Deployment, person: pytest.MonkeyPatch) -> None:
    """Each action of each statement of the policy was used in that statement."""
    judged = [one for one in deployment.judged(ROLE) if one["granted"]]
    assert judged
    idle = [
        f"{statement['Sid']}: {action}"
        for statement in statements(policy_text())
        for action in statement["Action"]
        if not any(
            one["action"] == action
            and allows([{"Statement": [statement]}], action, one["resource"], **one["context"])
            for one in judged
        )
    ]
    assert idle == []


def test_a_role_of_the_deployment_could_not_destroy_it(
    deployment: Deployment, person: pytest.MonkeyPatch
) -> None:
    """Why it is none: whatever the deployer's role may, that ends with its own policy.

    It has to be deleted like everything else, and the state to be written and unlocked after that.
    """
    judged = deployment.judged(ROLE)
    own = f"arn:aws:iam::{ACCOUNT}:role/{DEPLOYER}"
    lost = next(
        i for i, one in enumerate(judged)
        if (one["action"], one["resource"]) == ("iam:DeleteRolePolicy", own)
    )  # fmt: skip
    after = {(one["action"], one["resource"].rpartition("/")[2]) for one in judged[lost + 1 :]}
    assert {("s3:PutObject", "dev.tfstate"), ("s3:DeleteObject", "dev.tfstate.tflock")} <= after
    assert ("iam:DeleteRole", DEPLOYER) in after


def test_the_page_fills_the_policy_in(tmp_path: Path) -> None:
    """The commands of docs/how-to/deploy.md make the same policy; it is not too long for IAM."""
    page = (ROOT / "docs/how-to/deploy.md").read_text()
    (block,) = (b for b in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if "destroy.json" in b)
    write_program(tmp_path / "aws", f"#!/bin/sh\necho {ACCOUNT}\n")
    shutil.copytree(INFRA / "policies", tmp_path / "infra/policies")
    subprocess.run(
        ["bash", "-euc", block], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )  # fmt: skip
    assert (tmp_path / "destroy-dev.json").read_text() == policy_text()
    assert len(re.sub(r"\s", "", policy_text("integration"))) < MAX_CHARACTERS


def test_what_stands_on_everything_only_reads() -> None:
    """But for the network, by its tags, and for ending a subscription, which knows no resource."""
    for statement in statements(policy_text()):
        if statement["Resource"] != "*" or statement.get("Condition") == OF_THIS_STAGE:
            continue
        writing = [a for a in statement["Action"] if not a.partition(":")[2].startswith(READS)]
        assert writing == ["sns:Unsubscribe"], statement


@pytest.mark.parametrize("other", ["integration", "staging", "prod", "dev2"])
def test_it_deletes_nothing_of_another_stage(other: str) -> None:
    """The policy of one stage evaluated on what others have: names, states, tags."""
    mine, theirs = json.loads(policy_text()), statements(policy_text(other))
    tags = {"aws__ResourceTag/Project": "data-portal-summary-stats"}
    shared = ("NoNarrowerResource", "GitHub", "PagesAccess", "StateBucket", "FindState")
    allowed = [
        f"{action} {resource}"
        for statement in theirs
        if statement["Sid"] not in shared
        for action in statement["Action"]
        for resource in (
            [statement["Resource"]]
            if isinstance(statement["Resource"], str)
            else statement["Resource"]
        )
        if allows([mine], action, resource, **tags, **{"aws__ResourceTag/Environment": other})
    ]
    assert allowed == []
