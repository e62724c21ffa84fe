"""`source environment.sh dev`, with an aws that is played."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.infra.terraform import ACCOUNT, INFRA, ROOT
from tools.deployment import read_variables

AWS = f"""#!/bin/sh
case "$*" in
  "sts get-caller-identity"*) echo '{{"Account": "{ACCOUNT}", "Arn": "arn:aws:iam::1:user/x"}}' ;;
  "configure list-profiles") echo portal ;;
  *) exit 1 ;;
esac
"""
JQ = f"""#!/bin/sh
echo {ACCOUNT}
"""


def write_program(path: Path, text: str) -> None:
    """Write an executable script."""
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Return a folder with an aws, a jq and the few programs that any machine has."""
    folder = tmp_path / "bin"
    folder.mkdir()
    write_program(folder / "aws", AWS)
    write_program(folder / "jq", JQ)
    for name in ("sed", "tail", "tr", "dirname", "env"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return folder


def source(
    programs: Path, *arguments: str, root: Path = ROOT, **variables: str
) -> tuple[int, dict[str, str], str]:
    """Source it in a shell; return exit code, what is exported, and what it said."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed here")
    done = subprocess.run(
        [bash, "-c", 'source "$0" "$@" >/dev/null; code=$?; env -0; exit $code',
         str(root / "environment.sh"), *arguments],
        env={"PATH": str(programs), "HOME": str(programs), **variables},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    pairs = (entry.partition("=") for entry in done.stdout.split("\0") if entry)
    return done.returncode, {name: value for name, _, value in pairs}, done.stderr


@pytest.mark.parametrize("name", ["dev", "integration", "staging", "prod"])
def test_each_line_becomes_a_variable_of_terraform(programs: Path, name: str) -> None:
    """What it exports is what `make deploy` reads from the same file."""
    code, exported, said = source(programs, name)
    assert (code, said) == (0, "")
    found = {k.removeprefix("TF_VAR_"): v for k, v in exported.items() if k.startswith("TF_VAR_")}
    assert found == read_variables(INFRA / f"environments/{name}.tfvars", {})
    assert found["environment"] == name
    assert found["schedule"] == "cron(30 2 * * ? *)"
    assert exported["DPSS_ACCOUNT"] == ACCOUNT
    assert exported["AWS_REGION"] == "us-east-1"


def test_variables_of_2019_win(programs: Path) -> None:
    """Whoever has them in a shell or in environment.env goes on as before."""
    _, exported, said = source(
        programs, "dev", DPSS_TASK_CPU="4096", DPSS_TASK_MEMORY="16384", DPSS_VPC_ID="vpc-1",
        DPSS_MATRIX_SOURCE="canned", DPSS_BLACKLIST="1",
    )  # fmt: skip
    assert exported["TF_VAR_task_cpu"] == "4096"
    assert exported["TF_VAR_task_memory"] == "16384"
    assert exported["TF_VAR_vpc_id"] == "vpc-1"
    assert exported["TF_VAR_source_name"] == "canned"
    assert exported["TF_VAR_use_blacklist"] == "true"
    assert "subnet_ids" in said


@pytest.mark.parametrize("tool", ["aws", "jq"])
def test_it_says_what_is_missing(programs: Path, tool: str) -> None:
    """No aws or no jq: named, and exit code 1."""
    (programs / tool).unlink()
    code, _, said = source(programs, "dev")
    assert code == 1
    assert f"missing: {tool}" in said


def test_it_names_the_stages_and_the_profiles(programs: Path) -> None:
    """A stage that isn't there; credentials that aren't."""
    code, _, said = source(programs, "production")
    assert code == 1
    assert "no stage 'production'" in said
    write_program(programs / "aws", AWS.replace('"sts get', '"not'))
    code, _, said = source(programs, "dev")
    assert code == 1
    assert "AWS_DEFAULT_PROFILE" in said
    assert "portal" in said


def test_another_account_is_refused(programs: Path, tmp_path: Path) -> None:
    """An environment that names its account accepts no other."""
    root = tmp_path / "root"
    (root / "infra/environments").mkdir(parents=True)
    shutil.copyfile(ROOT / "environment.sh", root / "environment.sh")
    text = (INFRA / "environments/dev.tfvars").read_text()
    (root / "infra/environments/dev.tfvars").write_text(
        re.sub(r"^# account_id", "account_id", text, flags=re.MULTILINE).replace(ACCOUNT, "999")
    )
    code, _, said = source(programs, "dev", root=root)
    assert code == 1
    assert "belongs to 999" in said


def test_shell_scripts_have_no_findings() -> None:
    """shellcheck, where it is installed."""
    program = shutil.which("shellcheck")
    if program is None:
        pytest.skip("shellcheck is not installed here; `make test-infra` installs it")
    done = subprocess.run(
        [program, str(ROOT / "environment.sh"), str(ROOT / ".ci/run")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
