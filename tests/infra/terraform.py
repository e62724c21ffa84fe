"""Terraform for the tests: where it is, and a deployment to an AWS on this machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
ACCOUNT = "123456789012"
NAME = "data-portal-summary-stats-dev"
BUCKET = f"{NAME}-{ACCOUNT}"
DIGEST = "sha256:" + "0" * 64
STATE_BUCKET = f"dpss-terraform-{ACCOUNT}"
JUDGED = "judged.jsonl"
"""What the loopback AWS judged by a role's rights, beside its log."""

HEAVY = pytest.mark.skipif(
    os.environ.get("DPSS_TEST_INFRA") != "1", reason="takes minutes: run by `make test-infra`"
)


def find_mirror() -> Path | None:
    """Return the folder of provider plugins on this machine, or None.

    DPSS_TF_MIRROR names one; else the usual places are searched.
    """
    given = os.environ.get("DPSS_TF_MIRROR")
    usual = (
        [Path(given)]
        if given
        else [
            *Path("/opt").glob("*"),
            Path("/usr/share/terraform/plugins"),
            Path("/usr/local/share/terraform/plugins"),
            Path.home() / ".terraform.d/plugins",
        ]
    )
    for folder in usual:
        if (folder / "registry.terraform.io/hashicorp/aws").is_dir():
            return folder
    return None


def need_terraform() -> None:
    """Skip where terraform or the AWS provider can't be had, and say which."""
    if not shutil.which("terraform"):
        pytest.skip("terraform is not installed here")
    if find_mirror() is None and os.environ.get("DPSS_TF_REGISTRY") != "1":
        pytest.skip(
            "no mirror of the AWS provider here (DPSS_TF_MIRROR), and the registry is only asked "
            "with DPSS_TF_REGISTRY=1"
        )


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which terraform takes the provider from the mirror, if there is one.

    No credentials of the person who runs the tests are handed on.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TF_"))}
    kept |= {
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    mirror = find_mirror()
    if mirror is not None:
        rc = folder / "terraform.rc"
        rc.write_text(
            f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n'
        )
        kept["TF_CLI_CONFIG_FILE"] = str(rc)
    return kept


def run(
    *arguments: str, cwd: Path, env: dict[str, str], timeout: int = 300, ok: tuple[int, ...] = (0,)
) -> subprocess.CompletedProcess[str]:
    """Run terraform; fail with what it said."""
    # A provider that waits for an answer that never comes must not wait for ever.
    done = subprocess.run(  # noqa: PLW1510 (the caller says which codes are right)
        ["terraform", *arguments], cwd=cwd, env=env, timeout=timeout, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode in ok, (
        f"terraform {arguments[0]}: {done.returncode}\n{done.stdout[-6000:]}"
    )
    return done


def copy_of_infra(folder: Path) -> Path:
    """Return a copy to work in: nothing is left in the work tree."""
    copy = folder / "infra"
    shutil.copytree(INFRA, copy, ignore=shutil.ignore_patterns(".terraform", "*.tfstate*"))
    return copy


@contextmanager
def loopback_aws(log: Path) -> Iterator[str]:
    """Run moto's server with its gaps filled; give its address."""
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.infra.moto_aws"],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=out, start_new_session=True,
            env=os.environ | {"DPSS_JUDGED": str(log.with_name(JUDGED))},
        )  # fmt: skip
        try:
            assert server.stdout
            told = server.stdout.readline()
            assert told, log.read_text()
            yield f"http://127.0.0.1:{int(told)}"
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.communicate()


@dataclass
class Deployment:
    """The infrastructure, on the way to a loopback AWS."""

    infra: Path
    env: dict[str, str]
    address: str
    judged_file: Path | None = None
    variables: list[str] = field(default_factory=list)

    def init(self) -> None:
        """Initialise with the state in S3, by the same file that a real deployment uses."""
        self.client("s3").create_bucket(Bucket=STATE_BUCKET)
        more = ("use_path_style", "skip_credentials_validation", "skip_requesting_account_id",
                "skip_metadata_api_check")  # fmt: skip
        run("init", "-input=false", "-no-color", "-lockfile=readonly",
            "-backend-config=backends/dev.s3.tfbackend", f"-backend-config=bucket={STATE_BUCKET}",
            *(f"-backend-config={name}=true" for name in more),
            cwd=self.infra, env=self.env, timeout=120)  # fmt: skip

    def terraform(self, command: str, *arguments: str, ok: tuple[int, ...] = (0,)) -> str:
        """Plan, apply or destroy."""
        return run(command, "-input=false", "-no-color", "-var-file=environments/dev.tfvars",
                   *self.variables, *arguments,
                   cwd=self.infra, env=self.env, timeout=400, ok=ok).stdout  # fmt: skip

    def outputs(self) -> dict[str, object]:
        """Return the outputs."""
        text = run("output", "-json", "-no-color", cwd=self.infra, env=self.env).stdout
        return {name: entry["value"] for name, entry in json.loads(text).items()}

    def client(self, service: str, **credentials: str):
        """Return a boto3 client of the loopback AWS."""
        import boto3

        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"} | credentials
        return boto3.client(service, region_name="us-east-1", endpoint_url=self.address, **keys)

    def judged(self, role: str) -> list[dict[str, Any]]:
        """Return what was asked in the name of a role while rights were enforced."""
        if self.judged_file is None or not self.judged_file.exists():
            return []
        lines = map(json.loads, self.judged_file.read_text().splitlines())
        return [line for line in lines if f":assumed-role/{role}/" in line["who"]]

    def policies(self, role: str) -> list[dict[str, Any]]:
        """Return all policies of a role, as IAM has them."""
        iam = self.client("iam")
        assert not iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        return [
            iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
        ]

    def assume(self, role: str) -> dict[str, str]:
        """Return temporary credentials of a role, as `client` takes them."""
        keys = self.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}", RoleSessionName="test"
        )["Credentials"]
        return {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"],
        }

    @contextmanager
    def enforced(self) -> Iterator[None]:
        """Let the loopback AWS judge each request by the rights of who makes it."""

        def judge_after(requests: int) -> None:
            request = urllib.request.Request(
                f"{self.address}/moto-api/reset-auth",
                str(requests).encode(),
                {"Content-Type": "text/plain"},
                method="POST",
            )
            urllib.request.urlopen(request).close()

        judge_after(0)
        try:
            yield
        finally:
            judge_after(1_000_000)
