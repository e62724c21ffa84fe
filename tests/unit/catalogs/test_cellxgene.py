"""The CELLxGENE catalog against a loopback API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dpss.catalogs.cellxgene import CellxgeneCatalog
from dpss.errors import UnreachableError
from dpss.storage.http.client import Client, RetryPolicy
from tests.servers.base import Answer
from tests.servers.cellxgene import CellxgeneServer

CLIENT = Client(RetryPolicy(attempts=3, initial_backoff=0.01, max_backoff=0.02))


@pytest.fixture
def server() -> Iterator[CellxgeneServer]:
    with CellxgeneServer() as server:
        server.add("c1", "d1", "v1", b"one")
        server.add("c2", "d3", "v3", b"three")
        server.add("c1", "d2", "v2", b"two2", cell_count=7)
        yield server


@pytest.mark.parametrize("only", [frozenset(), frozenset({"c1", "c2", "nowhere"})])
def test_collections_are_projects(server: CellxgeneServer, only: frozenset[str]) -> None:
    """All datasets come, by collection, whether all are asked for or some by their ids."""
    projects = list(CellxgeneCatalog(server.api, only, CLIENT).projects())
    assert [project.id for project in projects] == ["c1", "c2"]
    assert projects[0].title == "Collection c1"
    first, second = projects[0].refs
    assert (first.name, first.fingerprint) == ("d1", "dataset_version_id:v1")
    assert first.url == f"{server.url}/v1.h5ad"
    assert (second.size_bytes, second.n_cells) == (4, 7)
    assert first.strata["organism"] == ("Homo sapiens",)
    assert first.strata["title"] == ("Dataset d1",)


def test_a_broken_dataset_stops_no_other(server: CellxgeneServer) -> None:
    """One without a file is skipped, one without an id fails; the others come."""
    server.add("c1", "d4", "v4", b"", assets=[], processing_status="PENDING")
    del server.add("c1", "d5", "v5", b"")["dataset_id"]
    server.datasets.append("?")  # type: ignore[arg-type]
    projects = {p.id: p for p in CellxgeneCatalog(server.api, client=CLIENT).projects()}
    assert [ref.name for ref in projects["c1"].refs] == ["d1", "d2"]
    pending, broken = projects["c1"].skipped
    assert (pending.failed, "PENDING" in pending.reason) == (False, True)
    assert (broken.failed, "dataset_id" in broken.reason) == (True, True)
    assert projects["entry-6"].skipped[0].failed


def test_an_api_that_is_down_is_told(server: CellxgeneServer) -> None:
    """Without a list nothing can start."""
    server.faults = [Answer(503)] * 10
    with pytest.raises(UnreachableError, match="503"):
        list(CellxgeneCatalog(server.api, client=CLIENT).projects())
