"""Everything applied to an AWS on this machine: read back, judged, planned again, destroyed."""

from __future__ import annotations

import json

import pytest

from dpss.engine.settings import parse_size
from tests.infra.policies import allows
from tests.infra.terraform import ACCOUNT, BUCKET, DIGEST, HEAVY, NAME, Deployment

pytestmark = HEAVY

S3 = f"arn:aws:s3:::{BUCKET}"


def test_a_second_plan_changes_nothing(deployment: Deployment) -> None:
    """No drift: what was applied is what is described."""
    said = deployment.terraform("plan", "-detailed-exitcode", ok=(0, 2))
    assert "No changes." in said, said[-3000:]


def test_the_state_is_locked(deployment: Deployment) -> None:
    """Somebody else's lock in the state's bucket is respected."""
    s3 = deployment.client("s3")
    bucket = f"dpss-terraform-{ACCOUNT}"
    key = "data-portal-summary-stats/dev.tfstate.tflock"
    lock = {"ID": "1", "Operation": "OperationTypeApply", "Who": "someone@elsewhere",
            "Version": "1.11.4", "Created": "2026-01-01T00:00:00Z", "Path": "",
            "Info": ""}  # fmt: skip
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(lock).encode())
    try:
        said = deployment.terraform("plan", ok=(1,))
        assert "someone@elsewhere" in said
    finally:
        s3.delete_object(Bucket=bucket, Key=key)


def test_the_bucket(deployment: Deployment) -> None:
    """Versioned, encrypted, closed to the public, TLS only, old versions go."""
    s3 = deployment.client("s3")
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    blocked = s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]
    assert len(blocked) == 4
    assert all(blocked.values())
    (life,) = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert life["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30
    policy = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])
    tls, pages = policy["Statement"]
    assert (tls["Effect"], tls["Action"]) == ("Deny", "s3:*")
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert set(tls["Resource"]) == {S3, f"{S3}/*"}
    assert pages["Resource"] == f"{S3}/project-assets/project-stats/*"
    assert pages["Condition"]["StringEquals"]["aws:SourceArn"].startswith(
        f"arn:aws:cloudfront::{ACCOUNT}:distribution/"
    )


def test_the_repository(deployment: Deployment) -> None:
    """Tags don't move, images are scanned, old ones go."""
    ecr = deployment.client("ecr")
    (repository,) = ecr.describe_repositories(repositoryNames=[NAME])["repositories"]
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"]["scanOnPush"]
    rules = json.loads(ecr.get_lifecycle_policy(repositoryName=NAME)["lifecyclePolicyText"])
    assert len(rules["rules"]) == 2


def test_the_task(deployment: Deployment) -> None:
    """arm64, by digest, read-only, not root, one volume, options as variables."""
    ecs = deployment.client("ecs")
    task = ecs.describe_task_definition(taskDefinition=NAME)["taskDefinition"]
    assert task["runtimePlatform"]["cpuArchitecture"] == "ARM64"
    assert (task["cpu"], task["memory"]) == ("2048", "4096")
    assert task["ephemeralStorage"]["sizeInGiB"] == 60
    (container,) = task["containerDefinitions"]
    assert container["image"].endswith(f"/{NAME}@{DIGEST}")
    assert container["readonlyRootFilesystem"]
    assert container["user"] == "10001:10001"
    assert container["linuxParameters"]["capabilities"]["drop"] == ["ALL"]
    (mount,) = container["mountPoints"]
    assert mount["containerPath"] == "/scratch"
    variables = {e["name"]: e["value"] for e in container["environment"]}
    assert variables["DPSS_ENVIRON"] == "dev"
    assert variables["DPSS_SOURCE"] == "azul"
    assert parse_size(variables["DPSS_MEMORY"]) * 2 == int(task["memory"]) * 1024**2
    assert variables["DPSS_OUTPUT"] == f"s3://{BUCKET}/project-assets/project-stats"
    assert container["logConfiguration"]["options"]["awslogs-group"] == f"/ecs/{NAME}"
    (group,) = deployment.client("logs").describe_log_groups(logGroupNamePrefix=f"/ecs/{NAME}")[
        "logGroups"
    ]
    assert group["retentionInDays"] == 365


def test_the_program_can_do_its_work_and_nothing_else(deployment: Deployment) -> None:
    """The task role, evaluated: read matrices and blacklist, read and write figures."""
    documents = deployment.policies(f"{NAME}-task")
    figures, matrices = "project-assets/project-stats/", "project-assets/project-matrices/"
    allowed = [
        ("s3:GetObject", f"{S3}/{matrices}a.mtx.zip", {}),
        ("s3:GetObject", f"{S3}/blacklist", {}),
        ("s3:GetObject", f"{S3}/{figures}a/summary.json", {}),
        ("s3:PutObject", f"{S3}/{figures}a/knee.png", {}),
        ("s3:ListBucket", S3, {"s3__prefix": figures}),
        ("s3:ListBucket", S3, {"s3__prefix": matrices}),
        ("s3:ListBucket", S3, {}),  # asked by S3 when a key to be read is not there: 404, not 403
    ]
    refused = [
        ("s3:PutObject", f"{S3}/{matrices}a.mtx.zip", {}),
        ("s3:PutObject", f"{S3}/blacklist", {}),
        ("s3:PutObject", f"{S3}/project-assets/other", {}),
        ("s3:PutObject", "arn:aws:s3:::another-bucket/project-assets/project-stats/x", {}),
        # Parts of a file that came to no end go by the bucket's life cycle.
        ("s3:AbortMultipartUpload", f"{S3}/{figures}a/cells.csv.gz", {}),
        ("s3:PutObjectAcl", f"{S3}/{figures}a/knee.png", {}),
        ("s3:DeleteObject", f"{S3}/{figures}a/knee.png", {}),
        ("s3:DeleteObjectVersion", f"{S3}/{figures}a/knee.png", {}),
        ("s3:GetObject", f"{S3}/secret", {}),
        ("s3:GetObject", "arn:aws:s3:::dpss-terraform-123456789012/state", {}),
        ("s3:ListBucket", S3, {"s3__prefix": ""}),
        ("s3:ListBucket", S3, {"s3__prefix": "project-assets/"}),
        ("s3:ListBucket", "arn:aws:s3:::another-bucket", {"s3__prefix": figures}),
        ("s3:PutBucketPolicy", S3, {}),
        ("s3:DeleteBucket", S3, {}),
        ("ecs:RunTask", "*", {}),
        ("ecr:GetAuthorizationToken", "*", {}),
        ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/{NAME}-task", {}),
        ("logs:PutLogEvents", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/ecs/{NAME}:x", {}),
        ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/admin", {}),
        ("cloudwatch:PutMetricData", "*", {}),
    ]
    assert [a for a in allowed if not allows(documents, a[0], a[1], **a[2])] == []
    assert [r for r in refused if allows(documents, r[0], r[1], **r[2])] == []


def test_ecs_can_pull_that_image_and_write_that_log(deployment: Deployment) -> None:
    """The execution role."""
    documents = deployment.policies(f"{NAME}-execution")
    here = f"us-east-1:{ACCOUNT}"
    log = f"arn:aws:logs:{here}:log-group:/ecs/{NAME}"
    for action in (
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "ecr:BatchCheckLayerAvailability",
    ):
        assert allows(documents, action, f"arn:aws:ecr:{here}:repository/{NAME}")
        assert not allows(documents, action, f"arn:aws:ecr:{here}:repository/another")
    assert allows(documents, "ecr:GetAuthorizationToken", "*")
    assert not allows(documents, "ecr:PutImage", f"arn:aws:ecr:{here}:repository/{NAME}")
    assert allows(documents, "logs:PutLogEvents", f"{log}:log-stream:run/dpss/1")
    assert not allows(
        documents, "logs:PutLogEvents", f"arn:aws:logs:{here}:log-group:/ecs/another:log-stream:1"
    )
    assert not allows(documents, "logs:CreateLogGroup", f"{log}:*")
    assert not allows(documents, "s3:GetObject", f"{S3}/blacklist")


def test_the_state_machine_starts_that_task_in_that_cluster(deployment: Deployment) -> None:
    """Its role: that task, that cluster, those roles."""
    documents = deployment.policies(f"{NAME}-run")
    here = f"us-east-1:{ACCOUNT}"
    cluster = f"arn:aws:ecs:{here}:cluster/{NAME}"
    task = f"arn:aws:ecs:{here}:task-definition/{NAME}:1"
    assert allows(documents, "ecs:RunTask", task, ecs__cluster=cluster)
    assert not allows(
        documents, "ecs:RunTask", task, ecs__cluster=f"arn:aws:ecs:{here}:cluster/another"
    )
    assert not allows(documents, "ecs:RunTask", task.replace(NAME, "another"), ecs__cluster=cluster)
    log = f"arn:aws:logs:{here}:log-group:/ecs"
    assert allows(documents, "logs:FilterLogEvents", f"{log}/{NAME}:log-stream:run")
    assert not allows(documents, "logs:FilterLogEvents", f"{log}/another:log-stream:run")
    assert allows(documents, "sns:Publish", f"arn:aws:sns:{here}:{NAME}-alarms")
    assert not allows(documents, "sns:Publish", f"arn:aws:sns:{here}:another")
    for role, right in (("task", True), ("execution", True), ("run", False), ("deployer", False)):
        arn = f"arn:aws:iam::{ACCOUNT}:role/{NAME}-{role}"
        service = {"iam__PassedToService": "ecs-tasks.amazonaws.com"}
        assert allows(documents, "iam:PassRole", arn, **service) is right
        assert not allows(documents, "iam:PassRole", arn, iam__PassedToService="ec2.amazonaws.com")


def test_who_may_take_the_roles(deployment: Deployment) -> None:
    """Services of this account only; the deployer's role only that repository's environment."""
    iam = deployment.client("iam")
    services = {
        "task": "ecs-tasks",
        "execution": "ecs-tasks",
        "run": "states",
        "schedule": "scheduler",
    }
    for role, service in services.items():
        (statement,) = iam.get_role(RoleName=f"{NAME}-{role}")["Role"]["AssumeRolePolicyDocument"][
            "Statement"
        ]
        assert statement["Principal"] == {"Service": f"{service}.amazonaws.com"}
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    (statement,) = iam.get_role(RoleName=f"{NAME}-deployer")["Role"]["AssumeRolePolicyDocument"][
        "Statement"
    ]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Condition"]["StringEquals"] == {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": "repo:example/portal:environment:dev",
    }


def test_the_deployer_can_not_raise_itself(deployment: Deployment) -> None:
    """The role of the workflow: changes no role's rights, its own or those it hands on."""
    documents = deployment.policies(f"{NAME}-deployer")
    services = {"task": "ecs-tasks", "execution": "ecs-tasks", "run": "states",
                "schedule": "scheduler", "deployer": "ecs-tasks"}  # fmt: skip
    for role, service in services.items():
        arn = f"arn:aws:iam::{ACCOUNT}:role/{NAME}-{role}"
        assert allows(documents, "iam:GetRolePolicy", arn)
        for action in ("PutRolePolicy", "AttachRolePolicy", "UpdateAssumeRolePolicy", "CreateRole"):
            assert not allows(documents, f"iam:{action}", arn)
        taker = {"iam__PassedToService": f"{service}.amazonaws.com"}
        assert allows(documents, "iam:PassRole", arn, **taker) is (role != "deployer")
        assert not allows(documents, "iam:PassRole", arn, iam__PassedToService="ec2.amazonaws.com")
    assert not allows(documents, "iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/x")
    assert not allows(documents, "s3:DeleteBucket", S3)
    assert not allows(documents, "s3:GetObject", "arn:aws:s3:::another/x")
    assert allows(
        documents, "ecs:DescribeClusters", f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/{NAME}"
    )


def test_it_runs_every_day_and_never_twice_at_a_time(deployment: Deployment) -> None:
    """Schedule with zone, window, retries and dead letters; a guard before the task."""
    schedule = deployment.client("scheduler").get_schedule(Name="daily", GroupName=NAME)
    assert schedule["ScheduleExpression"] == "cron(30 2 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    target = schedule["Target"]
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 10}
    assert target["DeadLetterConfig"]["Arn"].endswith(f":{NAME}-not-started")
    start = json.loads(target["Input"])
    assert start == {
        "shards": ["1/1"],
        "ends": [],
        "concurrency": 1,
        "timeout_seconds": 82800,
    }
    machine = deployment.client("stepfunctions").describe_state_machine(
        stateMachineArn=target["Arn"]
    )
    definition = json.loads(machine["definition"])
    assert definition["States"][definition["StartAt"]]["Parameters"]["Family"] == NAME
    shard = definition["States"]["Shards"]["ItemProcessor"]
    task = shard["States"]["RunTask"]["Parameters"]
    assert task["CapacityProviderStrategy"][0]["CapacityProvider"] == "FARGATE_SPOT"
    assert len(task["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"]) == 2
    (override,) = task["Overrides"]["ContainerOverrides"]
    assert override["Environment"] == [{"Name": "DPSS_SHARD", "Value.$": "$.shard"}]
    for states in (definition, shard):  # every step that is named is there
        for state in states["States"].values():
            for follower in (
                state.get("Next"),
                state.get("Default"),
                *(c["Next"] for c in state.get("Choices", [])),
            ):
                assert follower is None or follower in states["States"]


def test_what_is_watched(deployment: Deployment) -> None:
    """Four alarms and the stopped task tell one topic; a dashboard; a budget."""
    (topic,) = [
        t["TopicArn"]
        for t in deployment.client("sns").list_topics()["Topics"]
        if t["TopicArn"].endswith(f":{NAME}-alarms")
    ]
    watch = deployment.client("cloudwatch")
    alarms = {
        a["AlarmName"].removeprefix(f"{NAME}-"): a for a in watch.describe_alarms()["MetricAlarms"]
    }
    assert set(alarms) == {"failed-matrices", "no-run-in-26-hours", "run-failed", "not-started"}
    assert all(a["AlarmActions"] == [topic] for a in alarms.values())
    assert alarms["failed-matrices"]["MetricName"] == "NewFailures"
    late = alarms["no-run-in-26-hours"]
    assert late["Period"] * late["EvaluationPeriods"] == 26 * 3600
    assert late["TreatMissingData"] == "breaching"
    events = deployment.client("events")
    pattern = json.loads(events.describe_rule(Name=f"{NAME}-task-stopped")["EventPattern"])
    assert pattern["detail"]["group"] == [f"family:{NAME}"]
    (target,) = events.list_targets_by_rule(Rule=f"{NAME}-task-stopped")["Targets"]
    assert target["Arn"] == topic
    (mail,) = deployment.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert mail["Endpoint"] == "someone@example.org"
    board = json.loads(watch.get_dashboard(DashboardName=NAME)["DashboardBody"])
    assert len(board["widgets"]) == 5
    (budget,) = deployment.client("budgets").describe_budgets(AccountId=ACCOUNT)["Budgets"]
    assert float(budget["BudgetLimit"]["Amount"]) == 20


def test_the_network_lets_nothing_in(deployment: Deployment) -> None:
    """Own VPC: two subnets, an S3 endpoint, no NAT, HTTPS out, nothing in."""
    ec2 = deployment.client("ec2")
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": [NAME]}])["Vpcs"]
    here = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    assert len(ec2.describe_subnets(Filters=here)["Subnets"]) == 2
    assert not ec2.describe_nat_gateways(Filters=here)["NatGateways"]
    (endpoint,) = ec2.describe_vpc_endpoints(Filters=here)["VpcEndpoints"]
    assert endpoint["ServiceName"] == "com.amazonaws.us-east-1.s3"
    for group in ec2.describe_security_groups(Filters=here)["SecurityGroups"]:
        assert group["IpPermissions"] == []
        ports = {(rule["FromPort"], rule["ToPort"]) for rule in group["IpPermissionsEgress"]}
        assert ports == ({(443, 443)} if group["GroupName"] == f"{NAME}-task" else set())


def test_drift_by_hand_is_seen(deployment: Deployment) -> None:
    """What somebody changes by hand shows in a plan."""
    logs = deployment.client("logs")
    logs.put_retention_policy(logGroupName=f"/ecs/{NAME}", retentionInDays=1)
    try:
        said = deployment.terraform("plan", "-detailed-exitcode", ok=(2,))
        assert "retention_in_days" in said
    finally:
        logs.put_retention_policy(logGroupName=f"/ecs/{NAME}", retentionInDays=365)


def test_the_loopback_refuses_what_the_task_may_not(deployment: Deployment) -> None:
    """The role's credentials, used: figures can be put, everything else is denied."""
    mine = deployment.assume(f"{NAME}-task")
    s3, ecs = deployment.client("s3", **mine), deployment.client("ecs", **mine)
    deployment.client("s3").put_object(Bucket=BUCKET, Key="blacklist", Body=b"")

    with deployment.enforced():
        s3.put_object(Bucket=BUCKET, Key="project-assets/project-stats/a/summary.json", Body=b"{}")
        s3.get_object(Bucket=BUCKET, Key="blacklist")
        for refused in (
            lambda: s3.put_object(Bucket=BUCKET, Key="project-assets/other", Body=b""),
            lambda: s3.put_object(Bucket=BUCKET, Key="blacklist", Body=b""),
            lambda: s3.delete_object(
                Bucket=BUCKET, Key="project-assets/project-stats/a/summary.json"
            ),
            s3.list_buckets,
            ecs.list_clusters,
        ):
            with pytest.raises(Exception, match="AccessDenied"):
                refused()


def test_a_new_image_is_a_new_revision(deployment: Deployment) -> None:
    """Another digest changes the task and what the state machine starts: no right, nothing else."""
    digest = "sha256:" + "1" * 64
    said = deployment.terraform("plan", f"-var=image_digest={digest}")
    touched = {line.split()[1] for line in said.splitlines() if line.startswith("  # module.")}
    assert touched == {
        "module.job.aws_ecs_task_definition.this",
        "module.schedule.aws_sfn_state_machine.run",
    }
