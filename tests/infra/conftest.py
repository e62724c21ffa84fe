"""The one deployment that the tests of the infrastructure share: applied once, then destroyed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.infra.terraform import (
    ACCOUNT,
    DIGEST,
    JUDGED,
    NAME,
    Deployment,
    copy_of_infra,
    environment,
    loopback_aws,
    need_terraform,
    run,
)


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Apply everything, with all that is optional; destroy it in the end."""
    need_terraform()
    pytest.importorskip("moto.server")
    folder = tmp_path_factory.mktemp("apply")
    with loopback_aws(folder / "moto.log") as address:
        made = Deployment(
            infra=copy_of_infra(folder),
            env=environment(folder)
            | {
                "AWS_ENDPOINT_URL": address,
                "AWS_ACCESS_KEY_ID": "testing",
                "AWS_SECRET_ACCESS_KEY": "testing",
            },
            address=address,
            judged_file=folder / JUDGED,
            variables=[
                "-var=loopback=true",
                "-var=serve_pages=true",
                "-var=github_repository=example/portal",
                "-var=alarm_email=someone@example.org",
                f"-var=account_id={ACCOUNT}",
                f"-var=image_digest={DIGEST}",
            ],
        )
        made.init()
        made.terraform("apply", "-auto-approve")
        yield made
        said = made.terraform("destroy", "-auto-approve")
        assert "Destroy complete!" in said
        assert run("state", "list", cwd=made.infra, env=made.env).stdout == ""
        assert not made.client("s3").list_buckets(Prefix=NAME)["Buckets"]
