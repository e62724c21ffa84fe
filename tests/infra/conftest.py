"""What is built once for several files of tests: the image, and the applied infrastructure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.docker import Image, base_image, default_base, engine
from tests.infra.terraform import (
    ACCOUNT,
    DIGEST,
    JUDGED,
    NAME,
    ROOT,
    Deployment,
    copy_of_infra,
    environment,
    loopback_aws,
    need_terraform,
    run,
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Destroy last what the tests of several files share."""
    items.sort(key=lambda item: item.path.name == "test_destroy.py")


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


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    """Build the image, or take the one that IMAGE names."""
    folder = tmp_path_factory.mktemp("docker")
    with engine(folder) as docker:
        if os.environ.get("IMAGE"):
            yield Image(docker, os.environ["IMAGE"], os.environ.get("DPSS_BASE", default_base()))
            return
        base = base_image(docker, folder)
        more = () if base is None else (f"--build-arg=BASE={base}",)
        docker("build", "--network=host", *more, "--build-arg=REVISION=test", "--tag=dpss:test",
               str(ROOT), timeout=900)  # fmt: skip
        yield Image(docker, "dpss:test", base or default_base())


@pytest.fixture(scope="session")
def matrix() -> Path:
    """Return a real matrix."""
    data = Path(os.environ.get("DPSS_REAL_DATA", ROOT.parent / "shared/data"))
    path = data / "pbmc4k_csr_gzip.h5ad"
    if not path.exists():
        pytest.skip(f"no real matrices at {data} (DPSS_REAL_DATA)")
    return path


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Return a folder that the container's user may write."""
    folder = tmp_path / "out"
    folder.mkdir()
    folder.chmod(0o777)
    return folder
