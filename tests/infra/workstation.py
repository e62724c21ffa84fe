"""A machine from which the tool of the deployment is run, against the loopback AWS."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.infra.terraform import ACCOUNT, ROOT, STATE_BUCKET, Deployment
from tests.infra.test_environment import write_program
from tools import deployment as tool

AWS = (
    f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
    "from tests.infra.aws_cli import main\nsys.exit(main(sys.argv[1:]))\n"
)
ON_LOOPBACK = (
    "use_path_style",
    "skip_credentials_validation",
    "skip_requesting_account_id",
    "skip_metadata_api_check",
)
"""Options of Terraform's S3 backend."""


@contextmanager
def workstation(
    deployment: Deployment, folder: Path, programs: Mapping[str, str]
) -> Iterator[pytest.MonkeyPatch]:
    """Give a machine with Terraform, AWS's command and other programs, and nothing else.

    The bucket of states is found or made with the deployment's own credentials: by a person, once.

    Args:
        deployment: The deployment on the loopback AWS.
        folder: An empty folder, the machine's PATH.
        programs: Text of further programs by name.
    """
    for name, text in {"aws": AWS, **programs}.items():
        write_program(folder / name, text)
    found = shutil.which("terraform")
    assert found
    (folder / "terraform").symlink_to(found)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            **deployment.env,
            "PATH": str(folder),
            "YES": "1",
            "TF_CLI_ARGS_init": " ".join(f"-backend-config={name}=true" for name in ON_LOOPBACK),
            "TF_VAR_loopback": "true",
            "TF_VAR_serve_pages": "true",
            "TF_VAR_github_repository": "example/portal",
            "TF_VAR_alarm_email": "someone@example.org",
            "TF_VAR_account_id": ACCOUNT,
        }.items():
            patch.setenv(name, value)
        patch.setattr(tool, "INFRA", deployment.infra)
        tool.Deployment("dev", {}).find_state_bucket(STATE_BUCKET, ACCOUNT)
        yield patch


def take_role(deployment: Deployment, patch: pytest.MonkeyPatch, role: str) -> None:
    """Take a role's temporary credentials."""
    for name, value in deployment.assume(role).items():
        patch.setenv(name.upper(), value)
