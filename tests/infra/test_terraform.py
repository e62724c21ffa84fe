"""The infrastructure as text: format, variables, environments; and Terraform's own tests."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.terraform import (
    HEAVY,
    INFRA,
    ROOT,
    copy_of_infra,
    environment,
    need_terraform,
    run,
)

ENVIRONMENTS = ("dev", "integration", "staging", "prod")
FILES = sorted(p for p in INFRA.rglob("*.tf") if ".terraform" not in p.parts)


def test_each_environment_has_its_variables_and_its_state() -> None:
    """Four stages, each with one readable file of variables and one for Terraform's state."""
    for name in ENVIRONMENTS:
        text = (INFRA / f"environments/{name}.tfvars").read_text()
        assert re.search(rf'^environment = "{name}"$', text, re.MULTILINE)
        state = (INFRA / f"backends/{name}.s3.tfbackend").read_text()
        assert f'/{name}.tfstate"' in state
        assert re.search(r"^use_lockfile\s*= true\b", state, re.MULTILINE)
        assert re.search(r"^encrypt\s*= true$", state, re.MULTILINE)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_file_of_variables_has_one_value_a_line(name: str) -> None:
    """So that `environment.sh` can read it without Terraform; every name is a variable."""
    known = set(
        re.findall(r'^variable "(\w+)"', (INFRA / "variables.tf").read_text(), re.MULTILINE)
    )
    for line in (INFRA / f"environments/{name}.tfvars").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        match = re.fullmatch(r'(\w+)\s*= ("[^"]*"|[\w.]+|\[.*\]|\{.*\})(\s*#.*)?', line)
        assert match, line
        assert match[1] in known


def test_every_variable_and_output_says_what_it_is() -> None:
    """Variables have a type and a description, outputs a description."""
    for path in FILES:
        for kind, name, body in re.findall(
            r'^(variable|output) "(\w+)" \{\n(.*?)^\}', path.read_text(), re.MULTILINE | re.DOTALL
        ):
            assert re.search(r"^  description\s+= ", body, re.MULTILINE), f"{path.name}: {name}"
            if kind == "variable":
                assert re.search(r"^  type\s+= ", body, re.MULTILINE), f"{path.name}: {name}"


def test_every_exception_of_the_policy_check_has_a_reason() -> None:
    """`checkov:skip` is followed by why."""
    for path in FILES:
        for line in path.read_text().splitlines():
            if "checkov:skip" in line:
                assert re.search(r"#checkov:skip=CKV2?_[A-Z]+_\d+:\S.{10,}", line), line


def test_the_provider_is_locked_for_every_platform() -> None:
    """The lock file has the checksums of all platforms, not only of the one it was made on."""
    text = (INFRA / ".terraform.lock.hcl").read_text()
    assert 'version     = "5.100.0"' in text
    assert len(re.findall(r'"zh:[0-9a-f]{64}"', text)) == 15


def test_terraform_files_are_formatted() -> None:
    """`terraform fmt -check -recursive` finds nothing to change."""
    if not shutil.which("terraform"):
        pytest.skip("terraform is not installed here")
    env = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-recursive", "-diff", str(INFRA)],
        env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@HEAVY
def test_validate_and_terraforms_own_tests(tmp_path: Path) -> None:
    """`terraform validate`, and `terraform test` with a mocked provider: no AWS, no credentials."""
    need_terraform()
    infra, env = copy_of_infra(tmp_path), environment(tmp_path)
    run("init", "-backend=false", "-input=false", "-lockfile=readonly", cwd=infra, env=env)
    run("validate", "-no-color", cwd=infra, env=env)
    said = run("test", "-no-color", cwd=infra, env=env).stdout
    assert re.search(r"Success! \d+ passed, 0 failed", said), said


def test_the_workflows_have_no_findings() -> None:
    """zizmor: whole, least rights, no stored key, each action pinned to a commit."""
    folder = ROOT / ".github/workflows"
    for line in "\n".join(p.read_text() for p in folder.iterdir()).splitlines():
        if "uses:" in line:
            assert re.search(r"uses: [\w/-]+@[0-9a-f]{40} # v[\d.]+$", line), line
    if not shutil.which("zizmor"):
        pytest.skip("zizmor is not installed here; `make test-infra` installs it")
    done = subprocess.run(
        ["zizmor", "--offline", "--no-progress", "--strict-collection", str(folder)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@HEAVY
def test_checkov_finds_nothing_that_has_no_reason(tmp_path: Path) -> None:
    """checkov passes; what it finds is mended, or skipped in place with a reason."""
    checkov = Path(sys.executable).with_name("checkov")
    program = os.environ.get("DPSS_CHECKOV", str(checkov) if checkov.exists() else "checkov")
    if not shutil.which(program):
        pytest.skip("checkov is not installed here; `make test-infra` installs it")
    done = subprocess.run(
        [program, "-d", str(INFRA), "--framework", "terraform", "--compact", "--quiet",
         "--skip-download", "--output", "json"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    report = json.loads(done.stdout)
    failed = [
        f"{c['check_id']} {c['resource']}: {c['check_name']}"
        for c in report["results"]["failed_checks"]
    ]
    assert not failed, "\n".join(failed)
    assert report["summary"]["passed"] > 50
    assert ROOT.name not in done.stderr


@pytest.mark.parametrize("command", ["init", "plan", "apply"])
def test_terraform_by_hand_leads_to_make_deploy(tmp_path: Path, command: str) -> None:
    """As the README of 2019 says it: no question, but what is done today; nothing is reached."""
    need_terraform()
    said = run(
        command, "-no-color", cwd=copy_of_infra(tmp_path), env=environment(tmp_path), ok=(1,)
    )
    if command == "init":
        assert "make image push deploy ENV=dev" in said.stdout
        assert "Enter a value" not in said.stdout
    else:
        assert 'run "terraform init"' in said.stdout
    # What `make deploy` says takes the empty values' place.
    said = run("init", "-no-color", "-backend-config=backends/dev.s3.tfbackend",
               "-backend-config=bucket=some-bucket", cwd=tmp_path / "infra",
               env=environment(tmp_path), ok=(1,))  # fmt: skip
    assert "No valid credential sources found" in said.stdout
