"""Remote files in pages: the same bytes, few requests, bounded memory, nothing in vain."""

from __future__ import annotations

import pickle
import random
import threading
from pathlib import Path

import pytest

from benchmarks import inputs
from dpss.compute.thread_executor import ThreadExecutor
from dpss.engine.folds import CellFold, Reading
from dpss.errors import FetchError
from dpss.formats.registry import open_matrices
from dpss.job.stop import Interrupted
from dpss.stats.accumulator import Features
from dpss.storage.access import in_place
from dpss.storage.base import Blob, Spans
from dpss.storage.http.client import Client, RetryPolicy
from dpss.storage.http.file import HttpBlob
from dpss.storage.local import LocalFile
from dpss.storage.paging import cache as page_cache
from dpss.storage.paging.cache import PAGE_BYTES, PageCache
from dpss.storage.paging.file import PagedBlob
from tests.laws.test_accumulator_laws import equal
from tests.servers.base import Answer
from tests.servers.files import FileServer
from tests.unit.storage.blobs import MemoryBlob

DATA = random.Random(1).randbytes(3_000_000)


class Watched(MemoryBlob):
    """A blob in memory that counts what is asked of it, and may fail or hang."""

    def prepare(self) -> Watched:
        vars(self).update(spans=[], faults=[], gate=threading.Event(), lock=threading.Lock())
        vars(self)["gate"].set()
        return self

    def read_range(self, start: int, length: int) -> bytes:
        state = vars(self)
        with state["lock"]:
            state["spans"].append((start, min(length, len(self.data) - start)))
            fault = state["faults"].pop() if state["faults"] else None
        state["gate"].wait(300)
        if fault:
            raise fault
        return super().read_range(start, length)


def watched(data: bytes = DATA) -> tuple[Watched, PagedBlob]:
    """Return a blob and the same in pages."""
    inner = Watched("a.h5ad", data).prepare()
    return inner, PagedBlob(inner, PageCache())


def test_every_range_is_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is asked for in whatever order, by one or several threads, with little memory."""
    monkeypatch.setattr(page_cache, "KEPT_BYTES", 10 * PAGE_BYTES)
    monkeypatch.setattr(page_cache, "WINDOW_BYTES", 6 * PAGE_BYTES)
    _, blob = watched()
    wrong = []

    def read(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(300):
            start = chance.randrange(len(DATA) + 10)
            length = chance.choice([1, 100, PAGE_BYTES, 200_000])
            if chance.random() < 0.3:
                place = chance.randrange(len(DATA)), 300_000
                blob.prefetch(Spans([place], soon=chance.random() < 0.5))
            if blob.read_range(start, length) != DATA[start : start + length]:
                wrong.append((start, length))

    threads = [threading.Thread(target=read, args=(seed,), daemon=True) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_stream_is_read_ahead_of_and_once() -> None:
    """Reading on from front to back brings each byte once, in few requests."""
    inner, blob = watched()
    with blob.open() as file:
        assert file.read() == DATA
    spans = vars(inner)["spans"]
    assert sum(length for _, length in spans) == len(DATA)
    assert len(spans) < 30


def test_what_is_announced_stays_within_the_window() -> None:
    """However much is announced, no more is sent for than fits the window, until it is read."""
    inner, blob = watched(bytes(80 << 20))
    blob.prefetch(Spans([(0, 80 << 20)]))
    deadline = threading.Event()
    while sum(n for _, n in list(vars(inner)["spans"])) < page_cache.WINDOW_BYTES:
        assert not deadline.wait(0.01)
    deadline.wait(0.2)
    most = page_cache.WINDOW_BYTES + page_cache.MAX_RANGE_PAGES * PAGE_BYTES
    assert sum(n for _, n in vars(inner)["spans"]) <= most


def test_a_failed_request_is_the_readers_alone() -> None:
    """What failed is told to who reads it, and asked for anew by the next; others have theirs."""
    inner, blob = watched()
    vars(inner)["faults"].append(FetchError("a.h5ad: broke off"))
    with pytest.raises(FetchError, match="broke off"):
        blob.read_range(1_000_000, 10)
    assert blob.read_range(2_000_000, 10) == DATA[2_000_000:2_000_010]
    assert blob.read_range(1_000_000, 10) == DATA[1_000_000:1_000_010]


def test_who_waits_looks_whether_it_is_time_to_end() -> None:
    """A reader whose server has fallen silent ends with the signal, not with the server."""
    inner = Watched("a.h5ad", DATA).prepare()
    vars(inner)["gate"].clear()

    def check() -> None:
        raise Interrupted(15)

    opened = in_place(inner, check)
    assert isinstance(opened, Blob)
    with pytest.raises(Interrupted):
        opened.read_range(0, 10)
    vars(inner)["gate"].set()


def test_local_files_and_streams_stay_as_they_are(tmp_path: Path) -> None:
    """Only what is far away and can be read by ranges is read in pages."""
    (tmp_path / "a").write_bytes(b"1")
    local = LocalFile(tmp_path / "a")
    stream = MemoryBlob("a", DATA, random_access=False)
    assert in_place(local) is local
    assert in_place(stream) is stream


def bytes_sent(server: FileServer) -> int:
    """Add up the ranges that a server was asked for."""
    total = 0
    for request in server.requests:
        start, _, stop = request.headers["range"].removeprefix("bytes=").partition("-")
        size = len(server.files[request.path].data)
        total += min(int(stop or size) + 1, size) - int(start)
    return total


@pytest.mark.slow
@pytest.mark.parametrize(("threads", "times"), [(1, 1.05), (2, 1.3)])
def test_a_cell_major_matrix_costs_its_bytes_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int, times: float
) -> None:
    """An h5ad behind HTTP, larger than what is kept: the same sums as of the local file, and no
    more than 1.05 times its bytes; some requests fail. Of two threads with parts side by side one
    may be held up while the other reads more than is kept: it then asks for a run of 2 MiB, an
    eighth of this file, again."""
    path = tmp_path / "m.h5ad"
    inputs.write_h5ad(path, 3_000)
    monkeypatch.setattr(page_cache, "KEPT_BYTES", 6 << 20)
    monkeypatch.setattr(page_cache, "WINDOW_BYTES", 4 << 20)
    size = path.stat().st_size
    assert size > 12 << 20

    def sums(blob: Blob) -> tuple[object, int]:
        layer = next(iter(open_matrices(blob))).layers[0]
        is_gene = layer.genes.is_gene
        features = Features(is_gene, is_gene & False, is_gene[:100].nonzero()[0])
        fold = CellFold(Reading(layer, 1 << 20), features, 0)
        return ThreadExecutor(threads).fold(
            fold, layer.partitions(4 << 20), lambda _: None
        ).result(), size

    with FileServer() as server:
        client = Client(RetryPolicy(initial_backoff=0.01, max_backoff=0.01))
        far = in_place(HttpBlob(server.add("/m.h5ad", path.read_bytes()), client))
        assert isinstance(far, Blob)
        server.files["/m.h5ad"].faults = [Answer(503), Answer(503)]
        found, _ = sums(far)
        assert bytes_sent(server) <= times * size
        assert len(server.requests) < 80
    expected, _ = sums(LocalFile(path))
    assert equal(found, expected)  # type: ignore[arg-type]


def test_pages_are_left_behind_when_pickled() -> None:
    """Another process gets the same file, and begins with nothing."""
    blob = PagedBlob(MemoryBlob("a", DATA), PageCache())
    blob.read_range(0, 1_000_000)
    assert len(pickle.dumps(blob)) < len(DATA) + 1_000
    assert pickle.loads(pickle.dumps(blob)).read_range(5, 5) == DATA[5:10]
