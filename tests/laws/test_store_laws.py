"""Every store keeps the same promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpss.storage.local import LocalStore
from dpss.storage.s3.store import S3Store
from tests.laws.store_laws import StoreLaws


class TestLocalStore(StoreLaws):
    """A folder."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> LocalStore:
        return LocalStore(tmp_path / "new")


class TestS3Store(StoreLaws):
    """A prefix of a bucket, which also holds what is none of its business."""

    @pytest.fixture
    def store(self, bucket: str) -> S3Store:
        S3Store(bucket).write("some/prefixed/other.json", b"0")
        return S3Store(bucket, "some/prefix")
