"""A container engine for the tests, a stand-in for the base image, and the project's image.

Where an engine runs already, it is used; else, as root, one is started under a temporary folder
and stopped in the end. Where python:3.13-slim can't be pulled, a Debian with the same Python takes
its place: then the Dockerfile's steps are tested, not the official base image.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.infra.terraform import ROOT

STANDIN = "python-standin:3.13"
LOCKED = (
    "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges",
    "--memory=512m", "--memory-swap=512m", "--pids-limit=256",
)  # fmt: skip
"""As a careful person runs it: nothing but its volume is written, no capability, 512 MiB."""


@dataclass
class Docker:
    """An engine."""

    host: str | None
    """Its socket's address, or None for the default."""

    def __call__(
        self, *arguments: str, ok: tuple[int, ...] = (0,), timeout: int = 300, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a docker command."""
        # Debian's client can use BuildKit without a plugin.
        program = "/usr/bin/docker" if Path("/usr/bin/docker").exists() else "docker"
        done = subprocess.run(
            [program, *arguments],
            env={**os.environ, "DOCKER_BUILDKIT": "1"}
            | ({"DOCKER_HOST": self.host} if self.host else {}),
            timeout=timeout,
            text=True,
            capture_output=True,
            check=False,
            **options,
        )
        assert done.returncode in ok, (
            f"docker {arguments[0]}: {done.returncode}\n{(done.stdout + done.stderr)[-5000:]}"
        )
        return done

    def inspect(self, name: str) -> dict[str, Any]:
        """Return what is known of an image or container."""
        return json.loads(self("inspect", name).stdout)[0]


def answers(docker: Docker) -> bool:
    """Tell whether an engine answers."""
    try:
        return docker("version", ok=(0, 1), timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@contextmanager
def engine(folder: Path) -> Iterator[Docker]:
    """Give an engine, or skip where there can be none."""
    if not (shutil.which("docker") or Path("/usr/bin/docker").exists()):
        pytest.skip("docker is not installed here (Debian: apt-get install docker.io)")
    running = Docker(None)
    if answers(running):
        yield running
        return
    if os.geteuid() != 0 or not shutil.which("dockerd"):
        pytest.skip("no container engine runs here, and none can be started (root, docker.io)")
    own = Docker(f"unix://{folder}/docker.sock")
    with (folder / "dockerd.log").open("wb") as log:
        # No bridge, no firewall rules: containers have the host's network or none.
        server = subprocess.Popen(
            ["dockerd", "-H", str(own.host), "--data-root", f"{folder}/data",
             "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/dockerd.pid",
             "--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false",
             "--ip-masq=false"],
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        for _ in range(60):
            if answers(own):
                break
            if server.poll() is not None:
                pytest.skip(f"dockerd does not start here: {folder}/dockerd.log")
            time.sleep(0.5)
        yield own
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
        left = folder / "exec/netns/default"
        if left.exists():
            subprocess.run(["umount", str(left)], check=False)
        shutil.rmtree(folder / "data", ignore_errors=True)


def base_image(docker: Docker, folder: Path) -> str | None:
    """Return the base to build on: DPSS_BASE, a stand-in, or None for the official one."""
    if os.environ.get("DPSS_BASE"):
        return os.environ["DPSS_BASE"]
    try:
        if docker("pull", "--quiet", default_base(), ok=(0, 1), timeout=120).returncode == 0:
            return None
    except subprocess.TimeoutExpired:
        pass
    if docker("image", "inspect", STANDIN, ok=(0, 1)).returncode == 0:
        return STANDIN
    if os.geteuid() != 0 or not shutil.which("mmdebstrap"):
        pytest.skip("no base image can be pulled, and none be made (root, mmdebstrap)")
    make_standin(docker, folder)
    return STANDIN


def default_base() -> str:
    """Return the base image that the Dockerfile names."""
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("ARG BASE="):
            return line.removeprefix("ARG BASE=")
    raise AssertionError("the Dockerfile names no base image")


def make_standin(docker: Docker, folder: Path) -> None:
    """Make a Debian with Python 3.13 where the official image has it; it trusts whom we trust."""
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase",
         "--include=python3,python3-pip,python3-venv,ca-certificates",
         "trixie", str(folder / "base.tar")],
        check=True, timeout=500,
    )  # fmt: skip
    root = folder / "base"
    root.mkdir()
    subprocess.run(
        ["tar", "-C", str(root), "--exclude=./dev/*", "-xf", str(folder / "base.tar")], check=True
    )
    for marker in root.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        marker.unlink()
    for name, target in (("python", "python3"), ("python3", "python3"), ("pip", "pip3")):
        (root / "usr/local/bin" / name).symlink_to(f"/usr/bin/{target}")
    certificates = "etc/ssl/certs/ca-certificates.crt"
    if Path("/", certificates).exists():
        shutil.copyfile(Path("/", certificates), root / certificates)
        (root / "etc/pip.conf").write_text(f"[global]\ncert = /{certificates}\n")
    subprocess.run(
        ["tar", "-C", str(root), "-cf", str(folder / "base.tar"), "."], check=True, timeout=120
    )
    docker("import", str(folder / "base.tar"), STANDIN)
    shutil.rmtree(root)
    (folder / "base.tar").unlink()


@dataclass
class Image:
    """The image, and the engine that has it."""

    docker: Docker
    name: str
    base: str

    def run(
        self, *arguments: str, ok: tuple[int, ...] = (0,), options: tuple[str, ...] = ()
    ) -> str:
        """Run the image's program; return all it says."""
        done = self.docker("run", "--rm", *options, self.name, *arguments, ok=ok)
        return done.stdout + done.stderr
