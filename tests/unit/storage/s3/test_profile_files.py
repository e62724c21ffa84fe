"""Why ~/.aws says nothing: another user's, private, or mounted elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from dpss.errors import UnreachableError
from dpss.storage.s3 import connection as aws
from dpss.storage.s3.profile_files import explain_files

NOBODY, OWNER = 65534, 4321


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a home with a profile, which any user can get to."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / ".aws").mkdir()
    (folder / ".aws/config").write_text("[profile portal]\nregion = us-east-1\n")
    (folder / ".aws/credentials").write_text(
        "[portal]\naws_access_key_id = a\naws_secret_access_key = b\n"
    )
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    aws.connect.cache_clear()
    # All that is imported at the first connection is imported by who may read it.
    monkeypatch.setenv("AWS_PROFILE", "portal")
    aws.connect("b")
    monkeypatch.delenv("AWS_PROFILE")
    aws.connect.cache_clear()
    yield folder
    aws.connect.cache_clear()
    shutil.rmtree(folder)


@contextmanager
def as_user(user: int) -> Iterator[None]:
    """Be another user, which only root can."""
    if os.geteuid():
        pytest.skip("only root can be another user")
    os.setresuid(user, user, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def give_away(folder: Path) -> None:
    """Make a folder another user's, with all in it, which only root can."""
    if os.geteuid():
        pytest.skip("only root can give a file away")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, OWNER, OWNER)


def test_a_private_folder_of_another_user(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-v $HOME/.aws:…` without `--user`: who may not read what, and as whom to run."""
    (home / ".aws").chmod(0o700)
    give_away(home / ".aws")
    monkeypatch.setenv("AWS_DEFAULT_PROFILE", "portal")
    with as_user(NOBODY), pytest.raises(UnreachableError) as raised:
        aws.connect("b")
    said = str(raised.value)
    assert f"user {NOBODY} may not read {home}/.aws, which is of user {OWNER} (mode 0700)" in said
    assert f"--user {OWNER}:{OWNER}" in said
    assert "\n" not in said
    monkeypatch.delenv("AWS_DEFAULT_PROFILE")
    with as_user(NOBODY), pytest.raises(UnreachableError, match=f"--user {OWNER}:{OWNER}"):
        aws.connect("b")
    with as_user(OWNER):
        assert explain_files(os.environ) is None


def test_a_folder_that_is_mounted_elsewhere(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`/root/.aws` of 2019 where the home is another: both are named."""
    shutil.rmtree(home / ".aws")
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "36 22 8:1 /home/me/.aws /root/.aws rw,relatime - ext4 /dev/sda1 rw\n"
    )
    said = explain_files({}, mounts)
    assert said == f"~/.aws is {home}/.aws here, but /root/.aws is mounted: mount it to {home}/.aws"
    (home / ".aws").symlink_to("/root/.aws")
    assert explain_files({}, mounts) is None
    assert explain_files({}, tmp_path / "none") is None


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_what_is_said_is_what_the_system_says(home: Path, tmp_path: Path, seed: int) -> None:
    """Whatever the modes and owners: a refusal is told if `cat` as that user is refused."""
    random = Random(seed)
    paths = [home / ".aws", home / ".aws/config", home / ".aws/credentials"]
    for path in random.sample(paths[1:], random.randint(0, 1)):
        path.unlink()
    for path in filter(Path.exists, reversed(paths) if os.geteuid() == 0 else []):
        path.chmod(random.choice([0o700, 0o755, 0o711, 0o600, 0o644]))
        os.chown(path, random.choice([NOBODY, OWNER]), 0)

    def is_refused(path: Path) -> bool:
        """What another program says; not one of this environment, which that user can't start."""
        done = subprocess.run(["/bin/cat", path], user=NOBODY, capture_output=True, check=False)
        return b"Permission denied" in done.stderr

    if os.geteuid():
        pytest.skip("only root can be another user")
    refused = [path for path in paths[1:] if is_refused(path)]
    with as_user(NOBODY):
        said = explain_files(os.environ, tmp_path / "none")
    assert (said is not None) == bool(refused)
    if said:
        named = paths[0] if is_refused(paths[0] / "none") else refused[0]
        assert f"may not read {named}, which is of user {named.stat().st_uid} " in said
        assert ("chmod" in said) == (named.stat().st_uid == NOBODY)


def test_files_that_are_named_elsewhere(home: Path) -> None:
    """AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE are looked at where they are."""
    other = home / "other"
    other.write_text("[portal]\n")
    other.chmod(0o600)
    give_away(other)
    with as_user(NOBODY):
        said = explain_files({"AWS_SHARED_CREDENTIALS_FILE": str(other)})
    assert said
    assert f"may not read {other}" in said
