"""An AWS on this machine: moto's server, with the gaps filled that Terraform falls into.

    python -m tests.infra.moto_aws

Each patch says what the server does without it. What is judged by a role's rights is written to the
file that DPSS_JUDGED names, a line of JSON for each action.
"""

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

from moto.budgets.responses import BudgetsResponse
from moto.cloudfront import models as cloudfront
from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.iam.access_control import IAMPolicyStatement, IAMRequestBase, PermissionResult
from moto.s3.models import FakeDeleteMarker
from moto.s3.responses import S3Response
from moto.stepfunctions.responses import StepFunctionResponse

from tests.infra.asked import of_other, of_s3, parameters
from tests.infra.policies import allows
from tests.servers.moto_s3 import serve

ACCOUNT = "123456789012"


def _conditions_hold(conditions, context):
    """Evaluate what this project's policies use; a condition on anything else does not hold."""
    for operator, keys in conditions.items():
        for key, expected in keys.items():
            wanted = expected if isinstance(expected, list) else [expected]
            found = context.get(key.lower())
            if found is None or operator not in {"Bool", "StringEquals"}:
                return False
            if str(found).lower() not in {str(w).lower() for w in wanted}:
                return False
    return True


_plain_is_action_permitted = IAMPolicyStatement.is_action_permitted


def _is_action_permitted(
    self, action, resource="*", principal=None, incoming_condition_values=None
):
    """Without it a Deny whose condition does not hold denies all the same: moto knows no Bool."""
    conditions = self._statement.get("Condition")
    if conditions is None or self._statement["Effect"] == "Allow":
        return _plain_is_action_permitted(
            self, action, resource, principal, incoming_condition_values
        )
    # The loopback stands for a connection with TLS.
    if not _conditions_hold(conditions, {"aws:securetransport": "true"}):
        return PermissionResult.NEUTRAL
    bare = IAMPolicyStatement({k: v for k, v in self._statement.items() if k != "Condition"})
    return _plain_is_action_permitted(bare, action, resource, principal, None)


def _tags_of(service, arn, body, region):
    """Return the tags of what a request is about, for the services whose policies here ask."""
    tags = {}
    if service == "cloudfront":
        backend = cloudfront.cloudfront_backends[ACCOUNT]["aws"]
        tags = {t["Key"]: t["Value"] for t in backend.list_tags_for_resource(arn)["Tags"]}
    if service == "ec2":
        backend = ec2_backends[ACCOUNT][region]
        for name, value in parameters("", body).items():
            owner = value
            if name == "AssociationId":
                tables = backend.route_tables.values()
                owner = next((t.id for t in tables if value in t.all_associations_ids), value)
            if re.match(r"[a-z]+-[0-9a-f]+$", str(owner)):
                tags |= backend.tags.get(owner, {})
    return {f"aws:ResourceTag/{key}": value for key, value in tags.items()}


def _check_action_permitted(self, resource):
    """Without it rights other than S3's are judged without their resources and conditions."""
    if self._action == "sts:GetCallerIdentity":  # nobody can be refused it
        return
    if self._service == "s3":
        asked = of_s3(self._method, self._path, self._body or b"")
    else:
        body = self._body or urlencode(self._data or {}, doseq=True).encode()
        asked = of_other(self._action, self._path, body, self._region, ACCOUNT)
        tags = _tags_of(self._service, asked[0].resource, body, self._region)
        asked = [replace(one, context={**one.context, **tags}) for one in asked]
    documents = [
        json.loads(p["policy_document"] if isinstance(p, dict) else p)
        for p in self._access_key.collect_policies()
    ]
    right = True
    for one in asked:
        granted = allows(documents, one.action, one.resource, **dict(one.context))
        right = right and granted
        note = {"who": self._access_key.arn, "action": one.action, "resource": one.resource,
                "context": dict(one.context), "granted": granted}  # fmt: skip
        if "DPSS_JUDGED" in os.environ:
            with Path(os.environ["DPSS_JUDGED"]).open("a") as out:
                out.write(json.dumps(note) + "\n")
    if not right:
        self._raise_access_denied()


_plain_check_signature = IAMRequestBase.check_signature


def _check_signature(self):
    """Without it signatures of these services seem wrong: moto signs another form of the path."""
    if self._service not in {"scheduler", "cloudfront"}:
        _plain_check_signature(self)


_plain_bucket_response = S3Response._bucket_response


def _bucket_response(self, request, full_url):
    """Without it the owner that a request expects is not looked at."""
    if request.headers.get("x-amz-expected-bucket-owner", ACCOUNT) != ACCOUNT:
        return 403, {}, ""
    return _plain_bucket_response(self, request, full_url)


def _validate(self):
    """Without it: 500, and the provider tries again for minutes."""
    return ActionResult({"result": "OK", "diagnostics": [], "truncated": False})


_plain_describe_execution = StepFunctionResponse.describe_execution
_looked_at = set()


def _describe_execution(self):
    """Without it an execution that nothing executes runs for ever."""
    arn = self._get_param("executionArn")
    if arn in _looked_at:
        self.stepfunction_backend.describe_execution(arn).status = "SUCCEEDED"
    _looked_at.add(arn)
    return _plain_describe_execution(self)


def _list_versions(self):
    """As above."""
    return ActionResult({"stateMachineVersions": []})


def _subscribers(self):
    """As above."""
    wanted = self._get_param("Notification")
    budgets = self.backend.budgets[self._get_param("AccountId")]
    for notification in budgets[self._get_param("BudgetName")].notifications:
        if all(wanted.get(k) == v for k, v in notification.details.items()):
            return json.dumps({"Subscribers": notification.subscribers})
    return json.dumps({"Subscribers": []})


_plain_create_budget = BudgetsResponse.create_budget
_budget_tags = {}


def _create_budget(self):
    """Without it a budget forgets its tags."""
    budget = f"{self._get_param('AccountId')}:budget/{self._get_param('Budget')['BudgetName']}"
    _budget_tags[budget] = self._get_param("ResourceTags") or []
    return _plain_create_budget(self)


def _update_budget(self):
    """Without it: 500, and the provider tries again for minutes."""
    wanted = self._get_param("NewBudget")
    kept = self.backend.budgets[self._get_param("AccountId")][wanted["BudgetName"]].budget
    kept |= {key: value for key, value in wanted.items() if value is not None}
    return json.dumps({})


def _budget_tags_of(self):
    budget = self._get_param("ResourceARN").split("::", 1)[1]
    return json.dumps({"ResourceTags": _budget_tags.get(budget, [])})


_plain_behaviour = cloudfront.DefaultCacheBehaviour.__init__


def _behaviour(self, config):
    """Without it a distribution with a cache policy seems to have `forwarded_values` too."""
    _plain_behaviour(self, config)
    if config.get("CachePolicyId"):
        self.forwarded_values = None


_plain_origin = cloudfront.Origin.__init__


def _origin(self, origin):
    """Without it an origin forgets its origin access control."""
    _plain_origin(self, origin)
    self.origin_access_control_id = origin.get("OriginAccessControlId") or ""


_plain_certificate = cloudfront.ViewerCertificate.__init__


def _certificate(self, config):
    """Without it CloudFront's own certificate seems to be one of the owner's (sni-only)."""
    _plain_certificate(self, config)
    if str(self.cloud_front_default_certificate).lower() == "true":
        self.ssl_support_method = None


def fill_gaps():
    """Patch moto in this process."""
    IAMPolicyStatement.is_action_permitted = _is_action_permitted
    IAMRequestBase.check_signature = _check_signature
    IAMRequestBase.check_action_permitted = _check_action_permitted
    S3Response._bucket_response = _bucket_response
    # Without it: deleting a bucket with delete markers in it fails for ever.
    FakeDeleteMarker.dispose = lambda self, garbage=False: None
    StepFunctionResponse.validate_state_machine_definition = _validate
    StepFunctionResponse.describe_execution = _describe_execution
    StepFunctionResponse.list_state_machine_versions = _list_versions
    BudgetsResponse.describe_subscribers_for_notification = _subscribers
    BudgetsResponse.create_budget = _create_budget
    BudgetsResponse.update_budget = _update_budget
    BudgetsResponse.list_tags_for_resource = _budget_tags_of
    cloudfront.DefaultCacheBehaviour.__init__ = _behaviour
    cloudfront.Origin.__init__ = _origin
    cloudfront.ViewerCertificate.__init__ = _certificate


if __name__ == "__main__":
    fill_gaps()
    serve()
