"""`make image push deploy run-now destroy`, with docker, aws and terraform played by a script."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import pytest

from tests.infra.terraform import ACCOUNT, DIGEST
from tests.infra.test_environment import write_program
from tools import deployment as tool

FULL_NAME = "data-portal-summary-stats-dev"
PLAYED = f"""#!{sys.executable} -IS
import json, os, sys
program, said = os.path.basename(sys.argv[0]), " ".join(sys.argv[1:])
with open(os.environ["CALLS"], "a") as calls:
    calls.write(program + " " + said + "\\n")
answers = json.loads(open(os.environ["ANSWERS"]).read())
for part, (code, text) in answers.items():
    if part in program + " " + said:
        print(text, file=sys.stderr if code else sys.stdout)
        sys.exit(code)
"""
ANSWERS: dict[str, tuple[int, str]] = {
    "get-caller-identity": (0, json.dumps({"Account": ACCOUNT, "Arn": "arn:aws:iam::1:user/me"})),
    "git rev-parse --short": (0, "0123456789ab"),
    "git rev-parse HEAD": (0, "0123456789abcdef"),
    "git show": (0, "2026-01-01T00:00:00+00:00"),
    "describe-images": (0, json.dumps({"imageDetails": [{"imageDigest": DIGEST}]})),
    "version -json": (0, json.dumps({"terraform_version": "1.11.4"})),
    "output -json": (
        0,
        json.dumps(
            {name: {"value": name} for name in ("state_machine_arn", "log_group", "figures_url")}
        ),
    ),
    "start-execution": (0, json.dumps({"executionArn": "run"})),
    "describe-execution": (0, json.dumps({"status": "SUCCEEDED"})),
    "get-login-password": (0, "secret"),
}


class Stage:
    """The played programs: what they answer, and how they were called."""

    def __init__(self, folder: Path) -> None:
        """In a folder."""
        self.calls_file, self.answers_file = folder / "calls", folder / "answers"
        self.calls_file.touch()
        self.play()

    def play(self, **answers: tuple[int, str]) -> None:
        """Set answers, beside the usual ones; ``__`` is a space."""
        changed = {name.replace("__", " ").replace("_", "-"): a for name, a in answers.items()}
        self.answers_file.write_text(json.dumps({**changed, **ANSWERS} | changed))

    @property
    def calls(self) -> list[str]:
        """How the programs were called."""
        return self.calls_file.read_text().splitlines()

    def called(self, part: str) -> list[str]:
        """Return the calls with a part."""
        return [call for call in self.calls if part in call]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Play docker, aws, terraform and git; nobody is asked."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("docker", "aws", "terraform", "git"):
        write_program(programs / name, PLAYED)
    for name in list(os.environ):
        if name.startswith(("TF_VAR_", "AWS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("ANSWERS", str(tmp_path / "answers"))
    monkeypatch.setenv("YES", "1")
    monkeypatch.setenv("TF_VAR_cpu_architecture", "X86_64")
    monkeypatch.setattr(tool.platform, "machine", lambda: "x86_64")
    return Stage(tmp_path)


def test_image_is_tagged_by_commit(stage: Stage) -> None:
    """Name, commit, version and date; a changed work tree says so."""
    assert tool.main(["image"]) == 0
    (call,) = stage.called("docker build")
    assert call.endswith(f"--tag={FULL_NAME}:0123456789ab .")
    assert "--build-arg=REVISION=0123456789abcdef" in call
    stage.play(git__status=(0, " M README.md"))
    assert tool.main(["image"]) == 0
    assert stage.calls[-1].endswith(f"--tag={FULL_NAME}:0123456789ab-changed .")


def test_image_for_another_architecture_needs_buildx(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """arm64 on x86-64: buildx with a platform, or a clear word on what is missing."""
    monkeypatch.setenv("TF_VAR_cpu_architecture", "ARM64")
    assert tool.main(["image"]) == 0
    assert stage.called("buildx build --load --platform linux/arm64")
    stage.play(buildx__version=(1, "no"))
    assert tool.main(["image"]) == 1
    assert "QEMU" in capsys.readouterr().err


def test_push_logs_in_and_pushes_once(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """A commit that is there already isn't pushed again; a new one is, and named by digest."""
    assert tool.main(["push"]) == 0
    assert not stage.called("docker")
    assert DIGEST in capsys.readouterr().out
    stage.play(describe_images=(1, "An error occurred (ImageNotFoundException)"))
    assert tool.main(["push"]) == 0
    registry = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
    assert stage.called(f"docker login --username AWS --password-stdin {registry}")
    assert stage.called(f"docker push {registry}/{FULL_NAME}:0123456789ab")
    assert not stage.called("secret")
    assert not stage.called("terraform")


def test_the_first_push_makes_the_repository(stage: Stage) -> None:
    """Only the repository, by the same Terraform; the state's bucket, if it isn't there."""
    stage.play(
        describe_images=(1, "RepositoryNotFoundException"),
        describe_repositories=(1, "RepositoryNotFoundException"),
        head_bucket=(1, "An error occurred (404): Not Found"),
    )
    assert tool.main(["push"]) == 0
    assert stage.called(f"create-bucket --bucket dpss-terraform-{ACCOUNT}")
    assert stage.called("put-bucket-versioning")
    assert stage.called("put-public-access-block")
    (apply,) = stage.called(" apply ")
    assert "-target=module.registry" in apply
    (init,) = stage.called(" init ")
    assert "-backend-config=backends/dev.s3.tfbackend" in init
    assert f"-backend-config=bucket=dpss-terraform-{ACCOUNT}" in init


def test_push_wants_a_commit(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """What can't be made again is not pushed."""
    stage.play(git__status=(0, " M README.md"))
    assert tool.main(["push"]) == 1
    assert "commit first" in capsys.readouterr().err


def test_deploy_applies_the_plan_with_that_digest(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """init, plan, apply of that plan; the account is said; IMAGE_DIGEST rolls back."""
    assert tool.main(["deploy"]) == 0
    order = [call.split()[2] for call in stage.calls if call.startswith("terraform")]
    assert order == ["version", "init", "plan", "apply"]
    assert f"-var=image_digest={DIGEST}" in stage.called(" plan ")[0]
    assert "-var-file=environments/dev.tfvars" in stage.called(" plan ")[0]
    assert ACCOUNT in capsys.readouterr().out
    older = "sha256:" + "1" * 64
    monkeypatch.setenv("IMAGE_DIGEST", older)
    assert tool.main(["deploy"]) == 0
    assert f"-var=image_digest={older}" in stage.called(" plan ")[1]


@pytest.mark.parametrize(
    ("command", "part"), [("deploy", " plan "), ("destroy", " destroy "), ("push", " apply ")]
)
def test_what_the_shell_says_wins_over_the_file(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, command: str, part: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """As options after the file; the image is of the same architecture as the task; it is said."""
    stage.play(describe_repositories=(1, "RepositoryNotFoundException"))
    if command == "push":
        stage.play(
            describe_repositories=(1, "RepositoryNotFoundException"),
            describe_images=(1, "ImageNotFoundException"),
        )
    monkeypatch.setenv("TF_VAR_task_cpu", "512")
    monkeypatch.setenv("DPSS_TASK_CPU", "4096")
    monkeypatch.setenv("TF_VAR_image_tag", "of 2019, and no variable any more")
    assert tool.main([command]) == 0
    words = stage.called(part)[0].split()
    after = words[words.index("-var-file=environments/dev.tfvars") :]
    assert after[1:3] == ["-var=cpu_architecture=X86_64", "-var=task_cpu=4096"]
    assert not stage.called("image_tag=")
    assert "the shell  task_cpu=4096" in capsys.readouterr().out
    monkeypatch.setattr(tool.platform, "machine", lambda: "aarch64")
    assert tool.main(["image"]) == 0
    assert "--platform linux/amd64" in stage.calls[-1]


def test_a_shell_of_another_stage_is_refused(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """TF_VAR_environment that is not ENV; but what environment.sh set of a file gives way."""
    monkeypatch.setenv("TF_VAR_environment", "prod")
    assert tool.main(["deploy"]) == 1
    assert "unset TF_VAR_environment" in capsys.readouterr().err
    assert stage.calls == []
    monkeypatch.setenv("DPSS_FROM_FILE", "TF_VAR_a=b\nTF_VAR_environment=prod")
    assert tool.main(["deploy"]) == 0


def test_deploy_without_an_image(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """It says which command is missing, and touches nothing."""
    stage.play(describe_images=(1, "ImageNotFoundException"))
    assert tool.main(["deploy"]) == 1
    assert "make image push ENV=dev" in capsys.readouterr().err
    assert not stage.called("terraform")


@pytest.mark.parametrize("command", ["deploy", "run-now", "destroy"])
def test_nobody_said_yes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, command: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Without YES=1 and without a terminal nothing is done."""
    monkeypatch.delenv("YES")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert tool.main([command]) == 1
    assert "YES=1" in capsys.readouterr().err
    assert not stage.called(" apply ")
    assert not stage.called(" destroy ")
    assert not stage.called("start-execution")


def test_another_account_is_refused(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An environment that names its account accepts no other."""
    monkeypatch.setenv("TF_VAR_account_id", "999")
    assert tool.main(["deploy"]) == 1
    assert "belongs to 999" in capsys.readouterr().err
    assert not stage.called("terraform")


def test_run_now_follows_the_log_to_the_end(stage: Stage) -> None:
    """One shard; its end is the exit code."""
    assert tool.main(["run-now"]) == 0
    (start,) = stage.called("start-execution")
    assert '{"shards": ["1/1"], "ends": [], "concurrency": 1, "timeout_seconds": 82800}' in start
    stage.play(describe_execution=(0, json.dumps({"status": "FAILED", "error": "AlreadyRunning"})))
    assert tool.main(["run-now"]) == 1


def test_a_run_that_was_stopped_is_not_praised(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """No address of figures after a run that did not end well, but where to look."""
    stage.play(describe_execution=(0, json.dumps({"status": "ABORTED"})))
    assert tool.main(["run-now"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "ABORTED: more in the log log_group"


def test_an_old_aws_is_refused_before_it_starts_a_run(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """Version 1 can't follow a log."""
    stage.play(**{"aws --version": (0, "aws-cli/1.46.3 Python/3.11.7")})
    assert tool.main(["run-now"]) == 1
    assert "AWS CLI 2" in capsys.readouterr().err
    assert not stage.called("start-execution")


def test_first_run_has_many_shards(stage: Stage) -> None:
    """1/3, 2/3, 3/3, two at a time."""
    assert tool.main(["first-run", "--shards", "3", "--concurrency", "2"]) == 0
    (start,) = stage.called("start-execution")
    assert '"shards": ["1/3", "2/3", "3/3"], "ends": ["end/3"], "concurrency": 2' in start


def test_run_now_has_the_tasks_of_a_daily_run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the same setting as the schedule."""
    monkeypatch.setenv("TF_VAR_tasks", "2")
    assert tool.main(["run-now"]) == 0
    (start,) = stage.called("start-execution")
    assert '"shards": ["1/2", "2/2"], "ends": ["end/2"], "concurrency": 2' in start


def test_destroy_destroys_that_environment(stage: Stage) -> None:
    """With that environment's variables."""
    assert tool.main(["destroy"]) == 0
    (call,) = stage.called(" destroy ")
    assert "-var-file=environments/dev.tfvars" in call


def test_the_deployers_role_destroys_nothing(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """It lacks the rights to end what it would begin: refused before anything is touched."""
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{FULL_NAME}-deployer/GitHubActions"
    stage.play(get_caller_identity=(0, json.dumps({"Account": ACCOUNT, "Arn": arn})))
    assert tool.main(["destroy"]) == 1
    assert "Nothing was destroyed" in capsys.readouterr().err
    assert not stage.called("terraform")


def test_a_missing_program_is_named(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With where to get it."""
    assert stage.calls == []
    (Path(os.environ["PATH"]) / "aws").unlink()
    assert tool.main(["deploy"]) == 1
    said = capsys.readouterr().err
    assert "aws is missing" in said
    assert "https://" in said


def test_an_old_terraform_is_refused(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """One that can't lock the state in S3."""
    answers = json.loads(stage.answers_file.read_text())
    answers["version -json"] = (0, json.dumps({"terraform_version": "1.9.8"}))
    stage.answers_file.write_text(json.dumps(answers))
    assert tool.main(["deploy"]) == 1
    assert "1.10" in capsys.readouterr().err
