"""`source environment.sh dev`, with an aws that is played."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.infra.terraform import ACCOUNT, INFRA, ROOT
from tools import deployment as tool
from tools import stage as stages

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
    for name in ("tail", "tr", "dirname", "env"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return folder


def source(
    programs: Path, *arguments: str, root: Path = ROOT, **variables: str
) -> tuple[int, dict[str, str], str]:
    """Source it for each stage; return exit code, what is exported, and what it said."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed here")
    done = subprocess.run(
        [bash, "-euc", 'code=0; for stage; do source "$0" $stage >/dev/null || code=$?; done\n'
         '${AFTER:-:}; env -0; exit $code',
         str(root / "environment.sh"), *(arguments or [""])],
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
    of_2019 = {"image_tag", "acc_number", "dev", "source"}
    assert {k: v for k, v in found.items() if k not in of_2019} == stages.read_file(
        INFRA / f"environments/{name}.tfvars"
    )
    assert (found["dev"], found["source"], found["acc_number"]) == (name, "azul", ACCOUNT)
    assert found["image_tag"] == "local"
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


def changed_by(before: dict[str, str], exported: dict[str, str]) -> dict[str, str | None]:
    """Return what sourcing changed, but for what any shell sets of itself."""
    own = {"PWD", "SHLVL", "_", "OLDPWD"}
    return {
        name: exported.get(name)
        for name in {*before, *exported} - own
        if before.get(name) != exported.get(name)
    }


def break_identity(programs: Path, root: Path) -> str:
    """No credentials."""
    write_program(programs / "aws", AWS.replace('"sts get', '"not'))
    return "dev"


def remove_jq(programs: Path, root: Path) -> str:
    """No jq."""
    (programs / "jq").unlink()
    return "dev"


def misspell(programs: Path, root: Path) -> str:
    """No such stage."""
    return "production"


def name_another_account(programs: Path, root: Path) -> str:
    """The stage belongs to another account."""
    path = root / "infra/environments/dev.tfvars"
    path.write_text(path.read_text() + '\naccount_id = "999"\n')
    return "dev"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a copy of what environment.sh reads."""
    root = tmp_path / "root"
    (root / "infra/environments").mkdir(parents=True)
    shutil.copyfile(ROOT / "environment.sh", root / "environment.sh")
    for path in (INFRA / "environments").glob("*.tfvars"):
        shutil.copyfile(path, root / "infra/environments" / path.name)
    return root


@pytest.mark.parametrize("fault", [break_identity, remove_jq, misspell, name_another_account])
def test_it_fails_as_a_whole(
    programs: Path, root: Path, fault: Callable[[Path, Path], str]
) -> None:
    """After a failure the shell has what it had, also after another stage was sourced."""
    name = fault(programs, root)
    code, exported, said = source(programs, name, root=root)
    assert code == 1
    assert said.startswith("environment.sh: ")
    before = {"PATH": str(programs), "HOME": str(programs)}
    assert changed_by(before, exported) == {}
    code, after, _ = source(programs, "prod", name, root=root)
    if fault is not break_identity and fault is not remove_jq:
        code, alone, _ = source(programs, "prod", root=root)
        assert changed_by(alone, after) == {}


def test_another_stage_takes_the_first_ones_variables_back(programs: Path, root: Path) -> None:
    """What only the first stage's file has, and what it has otherwise, is gone."""
    path = root / "infra/environments/prod.tfvars"
    path.write_text(
        path.read_text() + '\nbucket_name = "of-prod"\nsubnet_ids = ["a", "b"] # two\n'
        f'account_id = "{ACCOUNT}"\n'
    )
    _, prod, _ = source(programs, "prod", root=root)
    assert prod["TF_VAR_bucket_name"] == "of-prod"
    assert prod["TF_VAR_subnet_ids"] == '["a", "b"]'
    _, alone, _ = source(programs, "dev", root=root, TF_VAR_task_cpu="512")
    code, after, _ = source(programs, "prod", "dev", root=root, TF_VAR_task_cpu="512")
    assert code == 0
    assert changed_by(alone, after) == {}
    assert after["TF_VAR_task_cpu"] == "512"


def test_the_image_has_the_commits_tag(programs: Path) -> None:
    """As `make image` tags it; DPSS_IMAGE_TAG, which 2019 had, wins."""
    (programs / "git").symlink_to(str(shutil.which("git")))
    _, exported, _ = source(programs, "dev")
    name = tool.image_name(tool.Deployment("dev", {}))
    assert exported["TF_VAR_image_tag"] == name.rpartition(":")[2]
    _, exported, _ = source(programs, "dev", DPSS_IMAGE_TAG="0.9.3")
    assert exported["TF_VAR_image_tag"] == "0.9.3"


VALUES = {
    "task_cpu": ("DPSS_TASK_CPU", ["256", "512", "1024", "4096"]),
    "task_memory": ("DPSS_TASK_MEMORY", ["512", "2048", "16384"]),
    "vpc_id": ("DPSS_VPC_ID", ["vpc-1", "vpc-2"]),
    "source_name": ("DPSS_MATRIX_SOURCE", ["canned", "fresh", "cellxgene"]),
    "use_blacklist": ("DPSS_BLACKLIST", ["0", "1"]),
    "cpu_architecture": (None, ["X86_64", "ARM64"]),
    "min_gene_count": (None, ["300", "1200"]),
}


@pytest.mark.parametrize("seed", range(12))
def test_one_precedence_of_overrides(programs: Path, root: Path, seed: int) -> None:
    """DPSS_…, TF_VAR_…, the file: in `environment.sh`, in `make`, and in one after the other."""
    random = Random(seed)
    file, shell, wanted = {}, {}, {}
    for name, (old, values) in VALUES.items():
        for level in random.sample(["file", "shell", "2019"], random.randint(0, 3)):
            value = random.choice(values)
            if level == "file":
                file[name] = {"0": "false", "1": "true"}.get(value, value)
            elif level == "shell":
                shell[f"TF_VAR_{name}"] = {"0": "false", "1": "true"}.get(value, value)
            elif old:
                shell[old] = value
        said = [shell.get(old or ""), shell.get(f"TF_VAR_{name}"), file.get(name)]
        found = next((value for value in said if value is not None), None)
        if found is not None:
            wanted[name] = {"0": "false", "1": "true"}.get(found, found)
    path = root / "infra/environments/dev.tfvars"
    path.write_text(
        'environment = "dev"\n' + "".join(f'{k} = "{v}" # a word\n' for k, v in file.items())
    )

    def by_make(environ: dict[str, str]) -> dict[str, str]:
        """What terraform is told: the file, and the options after it."""
        options = stages.as_options(
            stages.overrides(environ), stages.declared(INFRA / "variables.tf")
        )
        pairs = (option.removeprefix("-var=").partition("=") for option in options)
        told = stages.read_file(path) | {name: value for name, _, value in pairs}
        return {name: told[name] for name in VALUES if name in told}

    _, exported, _ = source(programs, "dev", root=root, **shell)
    by_hand = {n: exported[f"TF_VAR_{n}"] for n in VALUES if f"TF_VAR_{n}" in exported}
    assert by_hand == wanted
    assert by_make(shell) == wanted
    assert by_make(exported) == wanted
    # The file is changed after it was sourced: what the shell itself said still wins.
    path.write_text('environment = "dev"\ntask_cpu = 8192\n')
    said = shell.get("DPSS_TASK_CPU", shell.get("TF_VAR_task_cpu", "8192"))
    assert by_make(exported)["task_cpu"] == said


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
