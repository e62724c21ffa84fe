"""The store in memory keeps the promises of every store."""

from __future__ import annotations

import pytest

from tests.laws.store_laws import StoreLaws
from tests.memory_store import MemoryStore


class TestMemoryStore(StoreLaws):
    """A dictionary."""

    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()
