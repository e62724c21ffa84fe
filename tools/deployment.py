"""The container and its deployment on AWS, behind `make image`, `make push`, `make deploy` ...

    python tools/deployment.py image|push|deploy|run-now|first-run|destroy|sbom --env dev

Needs docker, aws and terraform on the PATH, each only where it is used, and nothing but Python's
standard library. Before anything that costs or deletes it says what and in which account, and asks;
YES=1 answers yes. How it all goes together: docs/how-to/deploy.md.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tools.stage import as_options, declared, overrides, read_file  # noqa: E402

INFRA = ROOT / "infra"
ENVIRONMENTS = ("dev", "integration", "staging", "prod")
INSTALL = {
    "aws": "the AWS CLI 2, https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
    "docker": "Docker, https://docs.docker.com/engine/install/",
    "terraform": "Terraform 1.10 or newer, https://developer.hashicorp.com/terraform/install",
}
CLOSED = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
# Old states: the newest ten always stay, the others for three months.
STATE_LIFECYCLE = {
    "Rules": [
        {
            "ID": "old-states",
            "Status": "Enabled",
            "Filter": {},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 90, "NewerNoncurrentVersions": 10},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
        }
    ]
}
PLATFORMS = {"ARM64": "linux/arm64", "X86_64": "linux/amd64"}
MACHINES = {"aarch64": "ARM64", "arm64": "ARM64", "x86_64": "X86_64", "AMD64": "X86_64"}
FINISHED = {"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}


class Stop(Exception):
    """What is in the way, in one line."""


def say(text: str) -> None:
    """Print for the person at the terminal."""
    print(text, flush=True)


def call(*command: str, capture: bool = False, stdin: str | None = None) -> str:
    """Run a program in the project's root; show its output, or return it.

    Raises:
        Stop: It is not installed, or failed.
    """
    if not shutil.which(command[0]):
        raise Stop(f"{command[0]} is missing. Install {INSTALL.get(command[0], command[0])}")
    done = subprocess.run(
        command, cwd=ROOT, input=stdin, text=True, check=False,
        stdout=subprocess.PIPE if capture else None,
        stderr=subprocess.PIPE if capture else None,
    )  # fmt: skip
    if done.returncode:
        said = (done.stderr or "").strip().splitlines()
        raise Stop(
            " ".join(command[:3])
            + f" failed ({done.returncode})"
            + (f": {said[-1]}" if said else "")
        )
    return (done.stdout or "").strip()


def confirm(question: str) -> None:
    """Ask; YES=1 answers.

    Raises:
        Stop: The answer is no, or nobody is there to answer.
    """
    if os.environ.get("YES") == "1":
        return
    if not sys.stdin.isatty():
        raise Stop(f"{question} Nobody is at a terminal to say yes: YES=1 says it")
    if input(f"{question} [yes/no] ").strip().lower() not in {"y", "yes"}:
        raise Stop("stopped; nothing was done")


@dataclass
class Deployment:
    """One stage: its variables, and what is asked of docker, aws and terraform for it."""

    name: str
    variables: dict[str, str]
    """What holds, whoever said it."""
    given: dict[str, str] = field(default_factory=dict)
    """What the shell says of it, which wins over the stage's file."""

    @property
    def region(self) -> str:
        """The region."""
        return self.variables.get("aws_region", "us-east-1")

    @property
    def service(self) -> str:
        """The service's name, without the stage."""
        return self.variables.get("name", "data-portal-summary-stats")

    @property
    def full_name(self) -> str:
        """What everything of this deployment is called."""
        return f"{self.service}-{self.name}"

    @property
    def state_key(self) -> str:
        """Where Terraform keeps this deployment's state, and no other's, in the states' bucket."""
        return f"{self.service}/{self.name}.tfstate"

    @property
    def architecture(self) -> str:
        """ARM64 or X86_64."""
        return self.variables.get("cpu_architecture", "ARM64")

    def aws(self, *arguments: str) -> Any:
        """Return what the AWS CLI says."""
        said = call("aws", *arguments, "--region", self.region, "--output", "json", capture=True)
        return json.loads(said) if said else None

    def account(self, what: str) -> str:
        """Say what will be done, to which account and as whom; return the account's number."""
        me = self.aws("sts", "get-caller-identity")
        wanted = self.variables.get("account_id")
        if wanted and wanted != me["Account"]:
            raise Stop(
                f"the credentials are of account {me['Account']}, "
                f"but {self.name} belongs to {wanted}"
            )
        say(f"{what}\n  deployment {self.full_name}, region {self.region}")
        say(f"  account    {me['Account']}\n  as         {me['Arn']}")
        for option in self.with_variables()[1:]:
            say(f"  the shell  {option.removeprefix('-var=')}")
        return str(me["Account"])

    def digest(self, tag: str) -> str | None:
        """Return the digest of a pushed image, or None."""
        try:
            found = self.aws("ecr", "describe-images", "--repository-name", self.full_name,
                             "--image-ids", f"imageTag={tag}")  # fmt: skip
        except Stop as error:
            if "NotFound" in str(error):
                return None
            raise
        return str(found["imageDetails"][0]["imageDigest"])

    def terraform(self, *arguments: str, capture: bool = False) -> str:
        """Run terraform in infra/."""
        return call("terraform", f"-chdir={INFRA}", *arguments, capture=capture)

    def init(self, account: str) -> None:
        """Make the bucket of Terraform's state if it isn't there, and initialise."""
        version = json.loads(self.terraform("version", "-json", capture=True))["terraform_version"]
        if tuple(int(n) for n in version.split("-")[0].split(".")[:2]) < (1, 10):
            raise Stop(f"Terraform {version} can't lock the state in S3; install 1.10 or newer")
        bucket = f"dpss-terraform-{account}"
        self.find_state_bucket(bucket, account)
        self.terraform("init", "-input=false", "-reconfigure", "-lockfile=readonly",
                       f"-backend-config=backends/{self.name}.s3.tfbackend",
                       f"-backend-config=bucket={bucket}",
                       f"-backend-config=key={self.state_key}",
                       f"-backend-config=region={self.region}")  # fmt: skip

    def find_state_bucket(self, bucket: str, account: str) -> None:
        """See that the bucket of Terraform's states is there, is the account's, and is closed.

        Its name can be guessed, so that somebody else may have made it first: each call names the
        owner that is expected.

        Raises:
            Stop: It is somebody else's, or can't be made.
        """
        owned = ("--bucket", bucket, "--expected-bucket-owner", account)
        try:
            self.aws("s3api", "head-bucket", *owned)
        except Stop as error:
            if "403" in str(error) or "Forbidden" in str(error):
                raise Stop(
                    f"the bucket of Terraform's state, {bucket}, is not of account {account}, or "
                    "these credentials may not use it. Nothing was written to it"
                ) from error
            if "404" not in str(error) and "Not Found" not in str(error):
                raise Stop(f"the bucket of Terraform's state, {bucket}: {error}") from error
            confirm(f"Make the bucket {bucket} for Terraform's state (a few cents a year)?")
            where = () if self.region == "us-east-1" else (
                "--create-bucket-configuration", f"LocationConstraint={self.region}")  # fmt: skip
            self.aws("s3api", "create-bucket", "--bucket", bucket, *where)
        else:
            try:
                self.aws("s3api", "get-bucket-policy", *owned)
            except Stop as error:
                if "NoSuchBucketPolicy" not in str(error):
                    raise
                confirm(f"Close the bucket {bucket} of Terraform's state (TLS only, life cycle)?")
            else:
                return
        self.close_state_bucket(bucket, owned)

    def close_state_bucket(self, bucket: str, owned: Sequence[str]) -> None:
        """Version and encrypt the bucket of states, and close it; its policy, the sign, is last."""
        arn = f"arn:aws:s3:::{bucket}"
        encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
        tls_only = {
            "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
            "Resource": [arn, f"{arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }  # fmt: skip
        for what, option, value in (
            ("versioning", "versioning-configuration", {"Status": "Enabled"}),
            ("encryption", "server-side-encryption-configuration", encryption),
            ("ownership-controls", "ownership-controls",
             {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}),
        ):  # fmt: skip
            self.aws("s3api", f"put-bucket-{what}", *owned, f"--{option}", json.dumps(value))
        self.aws("s3api", "put-public-access-block", *owned,
                 "--public-access-block-configuration",
                 json.dumps(dict.fromkeys(CLOSED, True)))  # fmt: skip
        self.aws("s3api", "put-bucket-lifecycle-configuration", *owned,
                 "--lifecycle-configuration", json.dumps(STATE_LIFECYCLE))  # fmt: skip
        policy = {"Version": "2012-10-17", "Statement": [tls_only]}
        self.aws("s3api", "put-bucket-policy", *owned, "--policy", json.dumps(policy))

    def with_variables(self) -> tuple[str, ...]:
        """Return the options that hand terraform the stage's file, and then what wins over it."""
        options = as_options(self.given, declared(INFRA / "variables.tf"))
        return (f"-var-file=environments/{self.name}.tfvars", *options)

    def outputs(self) -> dict[str, Any]:
        """Return Terraform's outputs."""
        found = json.loads(self.terraform("output", "-json", capture=True))
        if not found:
            raise Stop(f"{self.name} is not deployed: make deploy ENV={self.name}")
        return {name: entry["value"] for name, entry in found.items()}


def commit() -> tuple[str, bool]:
    """Return the commit in the work tree, and whether it is all there is."""
    short = call("git", "rev-parse", "--short=12", "HEAD", capture=True)
    changed = call("git", "status", "--porcelain", "--untracked-files=no", capture=True)
    return short, not changed


def image_name(deployment: Deployment) -> str:
    """Return the local name of the image of the work tree."""
    short, clean = commit()
    return f"{deployment.full_name}:{short}{'' if clean else '-changed'}"


def build_image(deployment: Deployment) -> int:
    """Build the image of the work tree for the deployment's architecture."""
    name = image_name(deployment)
    machine = MACHINES.get(platform.machine())
    command = ["docker", "build"]
    if machine != deployment.architecture:
        if subprocess.run(
            ("docker", "buildx", "version"),  # noqa: S607
            capture_output=True,
            check=False,
        ).returncode:
            raise Stop(
                f"this machine is {machine}, and the task is {deployment.architecture}: that needs "
                "docker buildx and QEMU (docker run --privileged --rm tonistiigi/binfmt --install "
                f'all), or cpu_architecture = "{machine}" in '
                f"infra/environments/{deployment.name}.tfvars"
            )
        command = [
            "docker",
            "buildx",
            "build",
            "--load",
            "--platform",
            PLATFORMS[deployment.architecture],
        ]
    version = re.search(r'__version__ = "(.*)"', (ROOT / "src/dpss/_version.py").read_text())
    arguments = {
        "VERSION": version[1] if version else "0",
        "REVISION": call("git", "rev-parse", "HEAD", capture=True),
        "CREATED": call("git", "show", "-s", "--format=%cI", "HEAD", capture=True),
    }
    if os.environ.get("BASE"):
        arguments["BASE"] = os.environ["BASE"]
    say(f"Build {name} for {deployment.architecture}")
    call(
        *command,
        *(f"--build-arg={key}={value}" for key, value in arguments.items()),
        *os.environ.get("DOCKER_BUILD_OPTIONS", "").split(),
        f"--tag={name}",
        ".",
    )
    say(f"Built {name}")
    return 0


def push_image(deployment: Deployment) -> int:
    """Push the image of the commit to the deployment's repository, which is made if need be."""
    name = image_name(deployment)
    tag = name.rpartition(":")[2]
    if tag.endswith("-changed"):
        raise Stop(
            "the work tree differs from its commit: commit first, so that the image can be made "
            "again"
        )
    account = deployment.account(f"Push {name}")
    pushed = deployment.digest(tag)
    registry = f"{account}.dkr.ecr.{deployment.region}.amazonaws.com"
    remote = f"{registry}/{deployment.full_name}"
    if pushed is None:
        if not has_repository(deployment):
            confirm("There is no repository yet. Make it (about $0.10 a month per GB of images)?")
            deployment.init(account)
            deployment.terraform("apply", "-input=false", "-auto-approve",
                                 "-target=module.registry",
                                 *deployment.with_variables())  # fmt: skip
        confirm(f"Push to {remote}?")
        password = call(
            "aws", "ecr", "get-login-password", "--region", deployment.region, capture=True
        )
        call("docker", "login", "--username", "AWS", "--password-stdin", registry, stdin=password)
        call("docker", "tag", name, f"{remote}:{tag}")
        call("docker", "push", f"{remote}:{tag}")
        pushed = deployment.digest(tag)
    say(f"In the repository: {remote}@{pushed}")
    return 0


def has_repository(deployment: Deployment) -> bool:
    """Tell whether the deployment's repository is there."""
    try:
        deployment.aws("ecr", "describe-repositories", "--repository-names", deployment.full_name)
    except Stop as error:
        if "RepositoryNotFoundException" in str(error):
            return False
        raise
    return True


def deploy(deployment: Deployment) -> int:
    """Plan, ask and apply, with the image of the commit or of IMAGE_DIGEST."""
    short, _ = commit()
    account = deployment.account(
        f"Deploy {os.environ.get('IMAGE_DIGEST', f'the image of commit {short}')}"
    )
    digest = os.environ.get("IMAGE_DIGEST") or deployment.digest(short)
    if digest is None:
        raise Stop(
            f"no image of commit {short} in the repository: make image push ENV={deployment.name}"
        )
    deployment.init(account)
    plan = INFRA / f".{deployment.name}.tfplan"
    try:
        deployment.terraform("plan", "-input=false", f"-out={plan}", *deployment.with_variables(),
                             f"-var=image_digest={digest}")  # fmt: skip
        confirm(f"Apply this plan to account {account}?")
        deployment.terraform("apply", "-input=false", str(plan))
    finally:
        plan.unlink(missing_ok=True)
    say(f"Deployed. Start a run now: make run-now ENV={deployment.name}")
    return 0


def start_run(deployment: Deployment, tasks: int, concurrency: int) -> int:
    """Start a run of so many tasks, follow its log, and return 0 if it came to its end.

    Of more than one task each does a shard of the projects, and one more ends the run.
    """
    account = deployment.account(f"Run now, in {tasks} task(s), {concurrency} at a time")
    deployment.init(account)
    outputs = deployment.outputs()
    if call("aws", "--version", capture=True).startswith("aws-cli/1."):
        raise Stop(f"this AWS CLI is of version 1 and can't follow a log; install {INSTALL['aws']}")
    confirm("Start it? It costs what docs/how-to/cost.md says.")
    hours = float(deployment.variables.get("timeout_hours", "23"))
    given = {
        "shards": [f"{number}/{tasks}" for number in range(1, tasks + 1)],
        "ends": [f"end/{tasks}"] if tasks > 1 else [],
        "concurrency": concurrency,
        "timeout_seconds": int(hours * 3600),
    }
    started = deployment.aws("stepfunctions", "start-execution", "--state-machine-arn",
                             outputs["state_machine_arn"], "--input",
                             json.dumps(given))  # fmt: skip
    run = started["executionArn"]
    say(f"Started {run}\nIts log follows; Ctrl-C stops following, not the run.")
    log = subprocess.Popen(
        ("aws", "logs", "tail", outputs["log_group"], "--follow",  # noqa: S607
         "--since", "1m", "--format", "short", "--region", deployment.region),
    )  # fmt: skip
    try:
        while True:
            found = deployment.aws("stepfunctions", "describe-execution", "--execution-arn", run)
            if found["status"] in FINISHED:
                break
            time.sleep(float(os.environ.get("DPSS_POLL_SECONDS", "10")))
    except KeyboardInterrupt:
        say(f"\nIt goes on. To stop it: aws stepfunctions stop-execution --execution-arn {run}")
        return 0
    finally:
        log.terminate()
        log.wait()
    succeeded = found["status"] == "SUCCEEDED"
    why = found.get("cause") or found.get("error") or f"more in the log {outputs['log_group']}"
    say(f"{found['status']}: {outputs['figures_url'] if succeeded else why}")
    return 0 if succeeded else 1


def destroy(deployment: Deployment) -> int:
    """Destroy the deployment; buckets with figures stay, but for dev."""
    account = deployment.account("DESTROY everything of this deployment")
    me = deployment.aws("sts", "get-caller-identity")["Arn"]
    if f":assumed-role/{deployment.full_name}-deployer/" in me:
        raise Stop(
            "the deployer's role may not: it goes too, and then could neither write the state nor "
            "unlock it. Nothing was destroyed; a person with the rights of "
            "infra/policies/destroy.json can do it"
        )
    if deployment.name == "dev":
        say("  The figures in its bucket are deleted, too, and all images.")
    else:
        say("  A bucket that isn't empty is left, with an error that says so.")
    confirm(f"Destroy {deployment.full_name} in account {account}?")
    deployment.init(account)
    deployment.terraform("destroy", "-input=false", "-auto-approve", *deployment.with_variables())
    return 0


def write_sbom(deployment: Deployment) -> int:
    """Copy the bill of materials out of the image to build/sbom.cdx.json."""
    name = os.environ.get("IMAGE") or image_name(deployment)
    target = ROOT / "build" / "sbom.cdx.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(
        call("docker", "run", "--rm", "--network=none", "--entrypoint=cat", name,
             "/opt/dpss/sbom.cdx.json", capture=True) + "\n"
    )  # fmt: skip
    components = json.loads(target.read_text())["components"]
    say(f"{target.relative_to(ROOT)}: {len(components)} components of {name}")
    call(sys.executable, str(ROOT / "tools/licences.py"), str(target))
    say("docs/reference/licences.md: their licences")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code."""
    parser = argparse.ArgumentParser(description="The container and its deployment on AWS.")
    parser.add_argument(
        "command", choices=("image", "push", "deploy", "run-now", "first-run", "destroy", "sbom")
    )
    parser.add_argument("--env", choices=ENVIRONMENTS, default="dev")
    parser.add_argument("--shards", type=int, default=40, help="of a first run")
    parser.add_argument("--concurrency", type=int, default=10, help="shards at a time")
    given = parser.parse_args(arguments)
    shell = overrides(os.environ)
    variables = read_file(INFRA / f"environments/{given.env}.tfvars") | shell
    deployment = Deployment(given.env, variables, shell)
    try:
        if variables.get("environment", given.env) != given.env:
            raise Stop(
                f"TF_VAR_environment is {variables['environment']}, but ENV is {given.env}: "
                "unset TF_VAR_environment, or give that ENV"
            )
        match given.command:
            case "image":
                return build_image(deployment)
            case "push":
                return push_image(deployment)
            case "deploy":
                return deploy(deployment)
            case "run-now":
                tasks = int(variables.get("tasks", "1"))
                return start_run(deployment, tasks, tasks)
            case "first-run":
                return start_run(deployment, given.shards, given.concurrency)
            case "destroy":
                return destroy(deployment)
            case _:
                return write_sbom(deployment)
    except Stop as error:
        print(f"{given.command}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
