"""A file read once from a server without ranges: the same bytes, one request, bounded memory."""

from __future__ import annotations

import io
import pickle
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, BinaryIO

import pytest

from dpss.errors import FetchError, NeedsWholeError
from dpss.job.stop import Interrupted
from dpss.storage.base import Blob
from dpss.storage.http import one_pass
from dpss.storage.http.file import HttpBlob
from dpss.storage.http.one_pass import OnePassBlob
from tests.servers.base import Answer
from tests.servers.files import FileServer
from tests.unit.stores.blobs import MemoryBlob
from tests.unit.stores.test_http import QUICK

DATA = random.Random(1).randbytes(3_000_000)
HEAD_BYTES = 300_000
"""In the middle of a piece."""


@pytest.fixture(autouse=True)
def small_head(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a file of 3 MB be a large one."""
    monkeypatch.setattr(one_pass, "HEAD_BYTES", HEAD_BYTES)
    monkeypatch.setattr(one_pass, "AHEAD_BYTES", 1 << 19)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as server:
        yield server


def from_server(server: FileServer, data: bytes = DATA, **how: Any) -> OnePassBlob:
    """Return a file of a server without ranges."""
    url = server.add("/m.csv", data, **{"ranges": False, **how})
    return OnePassBlob(HttpBlob(url, QUICK, to_be_read=True))


class Slow(MemoryBlob):
    """A blob in memory that counts what was read of it, and may stop half way."""

    def open(self) -> BinaryIO:
        outer = vars(self)

        class Stream(io.BytesIO):
            def read1(self, size: int | None = -1) -> bytes:
                data = super().read1(size)
                outer["n_read"] = self.tell()
                if self.tell() > outer.get("stop", len(DATA)):
                    outer["gate"].wait(30)
                return data

        return Stream(self.data)


def slow(stop: int = len(DATA)) -> Slow:
    blob = Slow("m.csv", DATA, random_access=False)
    vars(blob).update(n_read=0, stop=stop, gate=threading.Event())
    return blob


def read_all(blob: Blob) -> bytes:
    with blob.open() as file:
        return file.read()


def settled(blob: Slow) -> int:
    """Return how much was read, once no more is."""
    n = -1
    while n != vars(blob)["n_read"]:
        n = vars(blob)["n_read"]
        time.sleep(0.1)
    return n


@pytest.mark.parametrize("chunked", [False, True])
def test_looks_and_one_reading_are_one_transfer(server: FileServer, chunked: bool) -> None:
    """What the looks at the beginning brought is not asked for again; ranges of it are right."""
    with closing(from_server(server, chunked=chunked)) as blob:
        assert not blob.random_access
        for length in (4, 4096, 250_000):
            assert blob.read_range(0, length) == DATA[:length]
            with blob.open() as file:
                assert file.read(length) == DATA[:length]
        assert blob.read_range(1000, 50) == DATA[1000:1050]
        assert read_all(blob) == DATA
    assert len(server.requests) == 1


def test_a_second_reading_is_refused(server: FileServer) -> None:
    """So is a look far behind the beginning: nobody may take it for the end of the file."""
    with closing(from_server(server)) as blob:
        with pytest.raises(NeedsWholeError, match="gives no parts"):
            blob.read_range(2_000_000, 10)
        first, second = blob.open(), blob.open()
        assert first.read(400_000) == DATA[:400_000]
        with pytest.raises(NeedsWholeError, match=r"m\.csv: the server gives no parts"):
            second.read(400_000)
        assert first.read() == DATA[400_000:]
        with pytest.raises(NeedsWholeError):
            read_all(blob)


@pytest.mark.parametrize("n", [0, 1, HEAD_BYTES - 1, HEAD_BYTES])
def test_a_small_file_can_be_read_at_any_place(server: FileServer, n: int) -> None:
    """Often, and by several threads, of one transfer."""
    with closing(from_server(server, DATA[:n])) as blob:
        assert blob.random_access
        places = [i * 20_000 for i in range(16)] * 2
        with ThreadPoolExecutor(4) as pool:
            for place, data in zip(
                places, pool.map(lambda i: blob.read_range(i, 20_000), places), strict=True
            ):
                assert data == DATA[:n][place : place + 20_000]
        assert read_all(blob) == read_all(blob) == DATA[:n]
    assert len(server.requests) == 1


def test_no_more_comes_than_is_wanted_soon() -> None:
    """A look brings little more than itself; then the server waits for the reader."""
    inner = slow()
    with closing(OnePassBlob(inner)) as blob:
        assert blob.read_range(0, 4) == DATA[:4]
        assert settled(inner) <= 1 << 18
        with blob.open() as file:
            for n in range(1, 6):
                file.read(100_000)
                assert settled(inner) <= 100_000 * n + (1 << 19) + (3 << 18)
    assert settled(inner) < len(DATA)


def test_who_waits_looks_whether_it_is_time_to_end() -> None:
    """A server that falls silent keeps nobody who was told to end."""
    inner = slow(stop=500_000)
    ends = threading.Event()

    def check() -> None:
        if ends.is_set():
            raise Interrupted(15)

    with closing(OnePassBlob(inner, check)) as blob, blob.open() as file:
        threading.Timer(0.3, ends.set).start()
        start = time.monotonic()
        with pytest.raises(Interrupted):
            file.read()
        assert time.monotonic() - start < 2
    vars(inner)["gate"].set()


def test_closing_wakes_who_waits() -> None:
    """And nothing is read from then on."""
    inner = slow(stop=500_000)
    blob = OnePassBlob(inner)
    threading.Timer(0.2, blob.close).start()
    with pytest.raises(FetchError, match="is closed"):
        read_all(blob)
    with pytest.raises(FetchError, match="is closed"):
        blob.read_range(0, 4)
    vars(inner)["gate"].set()


@pytest.mark.parametrize("fault", [Answer(cut_after=1_000_000), Answer(hang_after=1_000_000)])
def test_a_break_in_the_middle_is_mended(server: FileServer, fault: Answer) -> None:
    """It is sent anew; what was there already goes by, and the reader notices nothing."""
    with closing(from_server(server, faults=[fault, fault])) as blob:
        assert read_all(blob) == DATA
    assert len(server.requests) == 3


def test_a_break_that_stays_is_told(server: FileServer) -> None:
    """What came before is given; then it's said what is wrong."""
    faults = [Answer(cut_after=1_000_000)] * 100
    came = b""
    with closing(from_server(server, faults=faults)) as blob, blob.open() as file:
        with pytest.raises(FetchError, match=r"m\.csv: "):
            while data := file.read(1000):
                came += data
        # How much depends on when the reset is seen.
        assert DATA.startswith(came)


def test_what_came_is_left_behind_when_pickled(server: FileServer) -> None:
    """The copy asks for itself."""
    with closing(from_server(server)) as blob:
        assert read_all(blob) == DATA
        with closing(pickle.loads(pickle.dumps(blob))) as copy:
            assert read_all(copy) == DATA
