"""The Matrix Service's catalog against one on loopback: every way a request can end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dpss.catalogs.matrix_service import FreshCatalog, Polling
from dpss.errors import RequestError, UnreachableError
from dpss.model import Project
from dpss.storage.http.client import Client, RetryPolicy
from tests.servers.base import Answer, Server
from tests.servers.matrix_service import FIELD, Matrix, MatrixServer

CLIENT = Client(RetryPolicy(attempts=3, initial_backoff=0.01, max_backoff=0.02))


class Clock:
    """Waits without waiting, and remembers for how long."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def projects_of(
    server: MatrixServer, clock: Clock | None = None, **how: object
) -> dict[str, Project]:
    polling = Polling(first=2, longest=30, limit=300, sleep=(clock or Clock()).sleep)
    catalog = FreshCatalog(server.service, client=CLIENT, polling=polling, **how)  # type: ignore[arg-type]
    return {project.id: project for project in catalog.projects()}


def test_every_project_has_its_matrix() -> None:
    """Ids come from the filter's counts, the matrix from a request; nothing is downloaded."""
    matrices = {"b": Matrix(b"x" * 100_000), "a": Matrix(b"y")}
    with MatrixServer(matrices) as server:
        found = projects_of(server, title_of={"a": "Title A", "b": "Title B"}.__getitem__)
        assert list(found) == ["a", "b"]
        (ref,) = found["b"].refs
        assert (ref.name, ref.size_bytes) == ("", 100_000)
        assert ref.fingerprint == "request:2020-01-01/0123456789abcdef"
        assert found["a"].title == "Title A"
        assert server.bodies[0] == {
            "feature": "gene",
            "format": "mtx",
            "filter": {"op": "=", "field": FIELD, "value": "a"},
        }


def test_few_genes_are_filtered_by_the_service() -> None:
    """`--min_gene_count` becomes a second condition."""
    with MatrixServer({"a": Matrix(b"y")}) as server:
        projects_of(server, min_gene_count=1200)
        assert server.bodies[0]["filter"] == {
            "op": "and",
            "value": [
                {"op": "=", "field": FIELD, "value": "a"},
                {"op": ">=", "field": "genes_detected", "value": 1200},
            ],
        }


def test_waits_grow_and_end() -> None:
    """Questions come at growing distances; a matrix that never is ready fails after the limit."""
    clock = Clock()
    with MatrixServer({"a": Matrix(b"y", polls=6), "b": Matrix(b"y", polls=10_000)}) as server:
        found = projects_of(server, clock)
    assert found["a"].refs
    assert clock.waits[:6] == [2, 3, 4.5, 6.75, 10.125, 15.1875]
    assert max(clock.waits) == 30
    assert found["b"].skipped[0].failed
    assert "not ready after" in found["b"].skipped[0].reason


@pytest.mark.parametrize(
    ("matrix", "failed", "words"),
    [
        (Matrix(b"", ends=["Complete"]), False, "no cells"),
        (Matrix(b"y", n_cells=0), False, "no cells"),
        (Matrix(b"y", ends=["Failed"]), True, "Failed"),
        (Matrix(b"y", ends=["Expired"]), True, "Expired"),
        (Matrix(b"y", ends=["lost"]), True, "Unable to find job"),
        (Matrix(b"y", refuse=413), True, "too large"),
        (Matrix(b"y", refuse=400), True, "answers 400"),
        (Matrix(b"y", refuse=500), True, "answers 500"),
    ],
)
def test_each_end_is_told(matrix: Matrix, failed: bool, words: str) -> None:
    """Every way to end without a matrix has its reason, and the next project still comes."""
    with MatrixServer({"a": matrix, "b": Matrix(b"y")}) as server:
        found = projects_of(server)
    (entry,) = found["a"].skipped
    assert (entry.failed, words in entry.reason) == (failed, True), entry.reason
    assert found["b"].refs


@pytest.mark.parametrize("first", ["Expired", "lost"])
def test_what_is_gone_is_asked_for_once_more(first: str) -> None:
    """A matrix that was removed meanwhile is made again."""
    with MatrixServer({"a": Matrix(b"y", ends=[first, "Complete"])}) as server:
        assert projects_of(server)["a"].refs
        assert len(server.bodies) == 2


def test_left_out_projects_are_not_made() -> None:
    """For what is on the blacklist or not asked for the service has no work."""
    matrices = {key: Matrix(b"y") for key in "abc"}
    with MatrixServer(matrices) as server:
        found = projects_of(server, only=frozenset("ab"), excluded=frozenset("a"))
        assert list(found) == ["a", "b"]
        assert len(server.bodies) == 1


def raising(error: Exception) -> Callable[[str], str]:
    def title_of(key: str) -> str:
        raise error

    return title_of


def test_titles_are_no_reason_to_fail() -> None:
    """Without Azul a project is called by its id."""
    with MatrixServer({"a": Matrix(b"y")}) as server:
        assert projects_of(server, title_of=raising(RequestError("down")))["a"].title == "a"


def test_a_service_that_is_retired_is_told() -> None:
    """Without a list of projects nothing can start, and the address is named."""
    with (
        Server(lambda request: Answer(404)) as server,
        pytest.raises(UnreachableError, match=r"127\.0\.0\.1.*answers 404"),
    ):
        list(FreshCatalog(f"{server.url}/v1", client=CLIENT).projects())
