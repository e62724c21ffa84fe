"""Each command of the README of 2019, typed in one shell: it works, or says what is typed today.

The commands stand in typed_in_2019.toml. AWS is a loopback; the base image is the one of the tests;
programs of the machine (docker, terraform, aws) are the real ones.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cloud.portal import make_counts
from tests.infra.docker import STANDIN, Image
from tests.infra.terraform import ACCOUNT, HEAVY, ROOT, environment, loopback_aws, need_terraform

COMMANDS = tomllib.loads((Path(__file__).with_name("typed_in_2019.toml")).read_text())["command"]
BUCKET = "dev.project-assets.data.humancellatlas.org"
PROJECT = "4a95101c-9ffc-4f30-a809-f04518a23803"
OWNER = 4321
DOCKER = """#!/bin/sh
# What a machine with its registry and its network needs no word for.
case $1 in
    build) shift; exec {docker} build --network=host {base} "$@" ;;
    run) shift; exec {docker} run --rm --network=host -e AWS_ENDPOINT_URL -e AWS_ALLOW_HTTP "$@" ;;
    *) exec {docker} "$@" ;;
esac
"""


@dataclass(frozen=True)
class Said:
    """What came of a command: its exit code and all that it said, and of what was typed after."""

    code: int
    text: str
    after: int
    after_text: str


def write_program(path: Path, text: str) -> None:
    """Write an executable script."""
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def clone(folder: Path) -> Path:
    """Return a clone of the project as it is now, with a commit."""
    copy = folder / "data-portal-summary-stats"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    values = copy / "infra/environments/dev.tfvars"
    values.write_text(values.read_text().replace("min_gene_count = 0", "min_gene_count = 1200", 1))
    as_us = ("-c", "user.name=us", "-c", "user.email=us@example.org")
    for words in (("init", "-q"), ("add", "-A"), (*as_us, "commit", "-qm", "all")):
        subprocess.run(["git", *words], cwd=copy, check=True)
    return copy


def make_home(folder: Path) -> Path:
    """Return a home with a private ~/.aws of a person who is not root."""
    aws = folder / "home/.aws"
    aws.mkdir(parents=True)
    (aws / "credentials").write_text(
        "[portal]\naws_access_key_id = testing\naws_secret_access_key = testing\n"
    )
    (aws / "config").write_text("[profile portal]\nregion = us-east-1\n")
    for path in (*aws.iterdir(), aws):
        path.chmod(0o700 if path is aws else 0o600)
        os.chown(path, OWNER, OWNER)
    return folder / "home"


def fill_bucket(address: str, folder: Path) -> None:
    """Put one canned matrix into the bucket of 2019, and an empty blacklist."""
    boto3 = pytest.importorskip("boto3")
    from dpss.demo.files import write_mtx_zip

    s3 = boto3.client("s3", endpoint_url=address, region_name="us-east-1",
                      aws_access_key_id="testing", aws_secret_access_key="testing")  # fmt: skip
    s3.create_bucket(Bucket=BUCKET)
    write_mtx_zip(folder / "m.mtx.zip", make_counts(1, n_cells=40, n_genes=2500))
    key = f"project-assets/project-matrices/{PROJECT}.mtx.zip"
    s3.upload_file(str(folder / "m.mtx.zip"), BUCKET, key)
    s3.put_object(Bucket=BUCKET, Key="blacklist", Body=b"")


def remove_images(image: Image, copy: Path) -> None:
    """Take back the names that were given to images."""
    tag = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],
        cwd=copy, check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    name = f"data-portal-summary-stats:{tag}"
    remote = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/{name}"
    image.docker("image", "rm", "--force", name, remote, ok=(0, 1))


def script() -> str:
    """Return one shell session: every command, each with its exit code and words in files."""
    lines = []
    for i, command in enumerate(COMMANDS):
        after = command.get("works") or command.get("also") or "true"
        lines += [
            f"{{ {command['typed']}\n}} >$SAID/{i} 2>&1 </dev/null; echo $? >$SAID/{i}.code",
            f"{{ {after}\n}} >$SAID/{i}.after 2>&1 </dev/null; echo $? >$SAID/{i}.after-code",
        ]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def session(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Said]]:
    """Type them all."""
    need_terraform()
    pytest.importorskip("moto.server")
    if os.geteuid() or not shutil.which("aws") or not shutil.which("jq"):
        pytest.skip("needs root (for files of another user), aws and jq")
    folder = tmp_path_factory.mktemp("typed")
    copy, home, programs, said = clone(folder), make_home(folder), folder / "bin", folder / "said"
    programs.mkdir()
    said.mkdir()
    # The person's environment: a Python of its own, without what the tests need.
    subprocess.run([sys.executable, "-m", "venv", str(folder / ".venv")], check=True)
    docker = "/usr/bin/docker" if Path("/usr/bin/docker").exists() else shutil.which("docker")
    base = f"--build-arg=BASE={image.base}" if image.base == STANDIN else ""
    write_program(programs / "docker", DOCKER.format(docker=docker, base=base))
    (copy / "blacklist").write_text(f"{uuid.uuid4()}\n")
    with loopback_aws(folder / "moto.log") as address:
        fill_bucket(address, folder)
        env = environment(folder) | {
            "PATH": f"{folder}/.venv/bin:{programs}:{os.environ['PATH']}",
            "HOME": str(home),
            "SAID": str(said),
            "DOCKER_BUILDKIT": "1",
            "AWS_DEFAULT_PROFILE": "portal",
            "AWS_ENDPOINT_URL": address,
            "AWS_ALLOW_HTTP": "true",
            "DPSS_MATRIX_SOURCE": "canned",
            **({"DOCKER_HOST": image.docker.host} if image.docker.host else {}),
        }
        env = {k: v for k, v in env.items() if not k.startswith(("PYTHON", "PYTEST"))}
        try:
            subprocess.run(["bash", "-c", script()], cwd=copy, env=env, check=False, timeout=900)
        finally:
            remove_images(image, copy)
        read = [
            [(said / f"{i}{end}").read_text() for end in ("", ".code", ".after", ".after-code")]
            for i in range(len(COMMANDS))
        ]
        yield [Said(int(code), text, int(after), words) for text, code, words, after in read]


@HEAVY
@pytest.mark.parametrize("i", range(len(COMMANDS)), ids=[c["typed"][:40] for c in COMMANDS])
def test_it_works_or_says_what_is_typed_today(session: list[Said], i: int) -> None:
    """Nothing else: no question, no riddle."""
    command, said = COMMANDS[i], session[i]
    if "says" in command:
        assert re.search(command["says"], said.text), said.text[-2000:]
        assert "Traceback" not in said.text
    else:
        assert said.code == 0, said.text[-2000:]
    assert said.after == 0, said.after_text[-2000:]


def test_the_page_for_who_comes_from_2019_has_each_of_them() -> None:
    """Old and new stand side by side."""
    page = (ROOT / "docs/how-to/from-2019.md").read_text()
    for command in COMMANDS:
        words = command["typed"].split()
        known = {"aws": 3, "docker": 2, "pip": 4, "python": 3, "source": 3, "cd": 2}
        part = " ".join(words[: known.get(words[0], 2)])
        assert part in page or part == "cd ..", part
