"""What a request to AWS asks of IAM: actions, the ARNs they are about, and condition keys.

Written after the service authorization reference, for the calls of this project's program, of its
deployment tool, and of Terraform's AWS provider. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

# S3 tells its operations apart by the query.
_OF_BUCKET = {
    "versioning": "BucketVersioning", "policy": "BucketPolicy", "acl": "BucketAcl",
    "tagging": "BucketTagging", "logging": "BucketLogging", "cors": "BucketCORS",
    "website": "BucketWebsite", "lifecycle": "LifecycleConfiguration",
    "encryption": "EncryptionConfiguration", "replication": "ReplicationConfiguration",
    "accelerate": "AccelerateConfiguration", "requestPayment": "BucketRequestPayment",
    "publicAccessBlock": "BucketPublicAccessBlock", "notification": "BucketNotification",
    "ownershipControls": "BucketOwnershipControls", "policyStatus": "BucketPolicyStatus",
    "object-lock": "BucketObjectLockConfiguration", "location": "BucketLocation",
}  # fmt: skip
_OF_KEY = {
    ("GET", "uploadId"): "ListMultipartUploadParts", ("GET", "acl"): "GetObjectAcl",
    ("GET", "tagging"): "GetObjectTagging", ("GET", "versionId"): "GetObjectVersion",
    ("PUT", "acl"): "PutObjectAcl", ("PUT", "tagging"): "PutObjectTagging",
    ("DELETE", "uploadId"): "AbortMultipartUpload", ("DELETE", "versionId"): "DeleteObjectVersion",
}  # fmt: skip
_BY_METHOD = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "POST": "PutObject",
              "DELETE": "DeleteObject"}  # fmt: skip

# Calls whose right has another name.
_NAMED_OTHERWISE = {
    "budgets:DescribeBudget": "budgets:ViewBudget",
    "budgets:DescribeNotificationsForBudget": "budgets:ViewBudget",
    "budgets:DescribeSubscribersForNotification": "budgets:ViewBudget",
    "budgets:UpdateBudget": "budgets:ModifyBudget",
    "budgets:CreateBudget": "budgets:ModifyBudget",
    "budgets:DeleteBudget": "budgets:ModifyBudget",
    "budgets:CreateNotification": "budgets:ModifyBudget",
    "budgets:DeleteNotification": "budgets:ModifyBudget",
    "budgets:UpdateNotification": "budgets:ModifyBudget",
    "budgets:CreateSubscriber": "budgets:ModifyBudget",
    "budgets:DeleteSubscriber": "budgets:ModifyBudget",
}

# Calls that name a resource and whose right can't.
_OF_NOTHING = {"sns:Unsubscribe", "sns:GetSubscriptionAttributes"}


@dataclass(frozen=True)
class Asked:
    """One action on one resource."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)
    """Condition keys, such as ``s3:prefix``."""


def of_s3(method: str, path: str, body: bytes) -> list[Asked]:
    """Return what a request to S3 asks, by a path-style address."""
    parts = urlsplit(path)
    query = {k: v[0] for k, v in parse_qs(parts.query, keep_blank_values=True).items()}
    bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
    if not bucket:
        return [Asked("s3:ListAllMyBuckets", "*")]
    arn = f"arn:aws:s3:::{bucket}"
    if key:
        names = [name for (verb, part), name in _OF_KEY.items() if verb == method and part in query]
        return [Asked(f"s3:{(names or [_BY_METHOD[method]])[0]}", f"{arn}/{key}")]
    if method == "POST" and "delete" in query:
        objects = re.findall(r"<Object>(.*?)</Object>", body.decode(), re.DOTALL)
        keys = [(re.findall(r"<Key>(.*?)</Key>", one)[0], "<VersionId>" in one) for one in objects]
        return [
            Asked(f"s3:DeleteObject{'Version' if versioned else ''}", f"{arn}/{unescape(key)}")
            for key, versioned in keys
        ]
    for part, name in _OF_BUCKET.items():
        if part in query:
            verb = "Get" if method == "GET" else "Put"
            if method == "DELETE" and part in {"policy", "website"}:
                verb = "Delete"
            return [Asked(f"s3:{verb}{name}", arn)]
    context = {"s3:prefix": query["prefix"]} if "prefix" in query else {}
    name = {"PUT": "CreateBucket", "DELETE": "DeleteBucket"}.get(method, "ListBucket")
    if "versions" in query:
        name = "ListBucketVersions"
    return [Asked(f"s3:{name}", arn, context)]


def parameters(path: str, body: bytes) -> dict[str, Any]:
    """Return the parameters of a request of any other service: JSON, form or query."""
    query = parse_qs(urlsplit(path).query, keep_blank_values=True)
    found: dict[str, Any] = {k: v[0] for k, v in query.items()}
    text = body.decode(errors="replace")
    if text.startswith("{"):
        return found | json.loads(text)
    return found | {k: v[0] for k, v in parse_qs(text).items()}


def of_other(action: str, path: str, body: bytes, region: str, account: str) -> list[Asked]:
    """Return what a request to another service than S3 asks.

    Args:
        action: Such as ``ecs:DescribeClusters``.
        path: Path and query.
        body: The body.
        region: Where.
        account: Whose.
    """
    action = _NAMED_OTHERWISE.get(action, action).replace("monitoring:", "cloudwatch:")
    service = action.partition(":")[0]
    given = parameters(path, body)
    context: dict[str, str] = {}
    with_tags: list[Asked] = []
    tags = given.get("tags")
    if action == "ecs:RegisterTaskDefinition" and isinstance(tags, list):
        context = {f"aws:RequestTag/{t['key']}": t["value"] for t in tags}
        family = f"arn:aws:ecs:{region}:{account}:task-definition/{given['family']}:*"
        with_tags = [Asked("ecs:TagResource", family, context)] if tags else []
    arns = ["*"] if action in _OF_NOTHING else _arns(action, given, path, region, account)
    asked = [Asked(action, arn, context) for arn in arns] + with_tags
    roles = [
        given[k] for k in ("executionRoleArn", "taskRoleArn", "roleArn", "RoleArn") if given.get(k)
    ]
    if isinstance(given.get("Target"), dict):
        roles.append(given["Target"]["RoleArn"])
    if not action.partition(":")[2].startswith(("Get", "Describe", "List", "Validate")):
        taker = {"ecs": "ecs-tasks", "states": "states", "scheduler": "scheduler"}.get(service)
        asked += [
            Asked("iam:PassRole", role, {"iam:PassedToService": f"{taker}.amazonaws.com"})
            for role in roles if taker
        ]  # fmt: skip
    return asked


def _arns(  # noqa: PLR0911, PLR0912 (a table of services)
    action: str, given: dict[str, Any], path: str, region: str, account: str
) -> list[str]:
    """Return the ARNs that a request is about; ``*`` where IAM knows none."""
    service, name = action.split(":")
    here = f"arn:aws:{service}:{region}:{account}"
    plain = urlsplit(path).path
    for key in ("resourceArn", "ResourceArn", "ResourceARN", "stateMachineArn", "executionArn",
                "TopicArn", "SubscriptionArn", "OpenIDConnectProviderArn", "Resource"):  # fmt: skip
        if isinstance(given.get(key), str) and given[key].startswith("arn:"):
            return [given[key].removesuffix(":*") if service == "logs" else given[key]]
    match service:
        case "ecr" if name != "GetAuthorizationToken":
            named = given.get("repositoryName") or (given.get("repositoryNames") or ["*"])[0]
            return [f"{here}:repository/{named}"]
        case "ecs" if "TaskDefinition" not in name:
            cluster = given.get("cluster") or given.get("clusterName")
            cluster = cluster or (given.get("clusters") or ["*"])[0]
            return [f"{here}:cluster/{cluster.rpartition('/')[2]}"]
        case "logs" if given.get("logGroupName"):
            return [f"{here}:log-group:{given['logGroupName']}"]
        case "events":
            return [f"{here}:rule/{given.get('Name') or given.get('Rule') or '*'}"]
        case "scheduler":
            return [_of_scheduler(here, unquote(plain), given)]
        case "states" if name == "CreateStateMachine":
            return [f"{here}:stateMachine:{given['name']}"]
        case "sqs":
            queue = given.get("QueueName") or str(given.get("QueueUrl", "*")).rpartition("/")[2]
            return [f"{here}:{queue}"]
        case "sns":
            return [f"{here}:{given.get('Name', '*')}"]
        case "cloudwatch":
            return [_of_cloudwatch(here, given, account)]
        case "budgets":
            budget = given.get("Budget") or given.get("NewBudget") or given
            named = budget.get("BudgetName")
            return [f"arn:aws:budgets::{account}:budget/{named}"]
        case "cloudfront":
            found = re.search(r"/(distribution|origin-access-control)/([^/?]+)", plain)
            return [f"arn:aws:cloudfront::{account}:{found[1]}/{found[2]}" if found else "*"]
        case "iam":
            return [f"arn:aws:iam::{account}:role/{given.get('RoleName', '*')}"]
    return ["*"]


def _of_scheduler(here: str, path: str, given: dict[str, Any]) -> str:
    """Return the ARN of a schedule, or of a group of them."""
    if found := re.search(r"/tags/(arn:.*)", path):
        return found[1]
    if found := re.search(r"/schedule-groups/([^/]+)", path):
        return f"{here}:schedule-group/{found[1]}"
    found = re.search(r"/schedules/([^/]+)", path)
    group = given.get("groupName") or given.get("GroupName")
    return f"{here}:schedule/{group}/{found[1]}" if found else "*"


def _of_cloudwatch(here: str, given: dict[str, Any], account: str) -> str:
    """Return the ARN of an alarm or a dashboard."""
    board = given.get("DashboardName") or given.get("DashboardNames.member.1")
    board = board or (given.get("DashboardNames") or [None])[0]
    if board:
        return f"arn:aws:cloudwatch::{account}:dashboard/{board}"
    alarm = given.get("AlarmName") or given.get("AlarmNames.member.1")
    alarm = alarm or (given.get("AlarmNames") or ["*"])[0]
    return f"{here}:alarm:{alarm}"
