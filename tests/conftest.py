"""Fixtures that all tests share."""

from __future__ import annotations

import gc
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from tests.examples import FULL, QUICK

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

    from tests.servers.moto_s3 import MotoS3

# How long an example takes depends on what else the machine does: that fails no test.
ANY_TIME = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("dpss", max_examples=FULL, **ANY_TIME)
hypothesis.settings.register_profile("quick", max_examples=QUICK, **ANY_TIME)
# The same examples each time, so that what is tested passes or fails with the code alone.
hypothesis.settings.register_profile("ci", max_examples=FULL, derandomize=True, **ANY_TIME)
hypothesis.settings.load_profile("dpss")

# What collection makes lives until the end: looking for garbage in it takes a second of seven.
gc.disable()

ROOT = Path(__file__).resolve().parent.parent


PORTALS = ("tests/browser", "tests/unit/website")
"""Files in such a folder look at the same portals, which are made once, but for `OWN_PORTAL`."""
OWN_PORTAL = "test_extremes.py"


def place_of(nodeid: str) -> str:
    """Return what is run in one process: the test's file, or the folder of `PORTALS`."""
    folder, _, file = nodeid.partition("::")[0].rpartition("/")
    for portal in PORTALS:
        if f"{folder}/".startswith(f"{portal}/") and file != OWN_PORTAL:
            return portal
    return f"{folder}/{file}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Keep the tests of a file in one process, so that servers, clusters and browsers start once.

    xdist's own groups are marks that it adds to names of tests, which pytest 9.2 ignores: it then
    deals tests out one by one, and all that a file shares is made in every process.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        """Deals out files, in the order of the tests."""

        def _split_scope(self, nodeid: str) -> str:
            return place_of(nodeid)

    return ByFile(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of several processes, let slow files come first, so that none waits at the end for one."""
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """Collect garbage from here on, in what tests make, but the oldest seldom.

    Imports of tests and what sessions keep, a million objects, were gone through twenty times.
    """
    gc.freeze()
    gc.set_threshold(5_000, 10, 50)
    gc.enable()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real matrices, which are not part of the project."""
    folder = Path(os.environ.get("DPSS_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real matrices in {folder}; set DPSS_REAL_DATA to a folder with them")
    return folder


@pytest.fixture(scope="session")
def s3() -> Iterator[MotoS3]:
    """Return an S3 server on loopback."""
    from tests.servers.moto_s3 import MotoS3

    with MotoS3() as server:
        yield server


@pytest.fixture
def bucket(s3: MotoS3, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return a new bucket's name; AWS's environment leads to it, and to nothing else."""
    from dpss.storage.s3 import connection as aws

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    aws.connect.cache_clear()
    yield s3.make_bucket(f"bucket-{uuid.uuid4()}")
    aws.connect.cache_clear()
