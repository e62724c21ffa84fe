"""The AWS CLI, as far as `tools/deployment.py` uses it, on botocore: for a loopback AWS.

    python -m tests.infra.aws_cli SERVICE OPERATION --option value ...

Operations and options are those of botocore's own description of the service, so that a wrong name
is an error here, too. Says that it is version 2; `logs tail` waits to be ended.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import time
from typing import Any

import boto3
from botocore import xform_name
from botocore.exceptions import ClientError


def value_of(shape: Any, words: list[str]) -> Any:
    """Return an option's words as its shape wants them."""
    if words and words[0][:1] in "{[" and shape.type_name in {"structure", "list", "map"}:
        return json.loads(words[0])
    match shape.type_name:
        case "list":
            return [value_of(shape.member, [word]) for word in words]
        case "structure" | "map":
            pairs = dict(pair.split("=", 1) for pair in words[0].split(","))
            return {k: {"true": True, "false": False}.get(v, v) for k, v in pairs.items()}
        case "integer" | "long":
            return int(words[0])
        case _:
            return words[0]


def options_of(arguments: list[str]) -> dict[str, list[str]]:
    """Return the words after each option."""
    options: dict[str, list[str]] = {}
    for argument in arguments:
        if argument.startswith("--"):
            options[argument[2:]] = []
        else:
            options[list(options)[-1]].append(argument)
    return options


def call(arguments: list[str]) -> int:
    """Make a call and print its answer; return the exit code."""
    service, operation, *rest = arguments
    options = options_of(rest)
    region = options.pop("region", ["us-east-1"])[0]
    options.pop("output", None)
    client = boto3.client("s3" if service == "s3api" else service, region_name=region)
    if (service, operation) == ("ecr", "get-login-password"):
        token = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        print(base64.b64decode(token).decode().partition(":")[2])
        return 0
    methods = {
        xform_name(n).replace("_", "-"): n for n in client.meta.service_model.operation_names
    }
    model = client.meta.service_model.operation_model(methods[operation])
    members = model.input_shape.members if model.input_shape else {}
    names = {xform_name(name).replace("_", "-"): name for name in members}
    given = {names[o]: value_of(members[names[o]], words) for o, words in options.items()}
    answer = getattr(client, xform_name(methods[operation]))(**given)
    answer.pop("ResponseMetadata", None)
    if answer:
        print(json.dumps(answer, default=str))
    return 0


def main(arguments: list[str]) -> int:
    """Do what the AWS CLI would."""
    if arguments == ["--version"]:
        print("aws-cli/2.0.0 (on botocore, for tests)")
        return 0
    try:
        if arguments[:2] == ["logs", "tail"]:
            options = options_of(arguments[3:])
            client = boto3.client("logs", region_name=options["region"][0])
            client.filter_log_events(logGroupName=arguments[2])
            time.sleep(600)
        return call(arguments)
    except ClientError as error:
        print(f"\n{error}", file=sys.stderr)
        return 254
    except KeyError as error:
        print(f"unknown option or operation {re.sub(chr(10), ' ', str(error))}", file=sys.stderr)
        return 252


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
