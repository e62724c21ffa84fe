"""HTTP files as blobs, against servers on loopback that break in the ways servers break."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import pickle
import random
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from dpss.errors import CorruptMatrixError, FetchError, RequestError
from dpss.storage.http.client import Client, RetryPolicy, follow
from dpss.storage.http.file import HEAD_BYTES, HttpBlob
from tests.servers.base import Answer, Request, Server, json_answer
from tests.servers.files import File, FileServer
from tests.servers.raw import RawServer

DATA = random.Random(1).randbytes(300_000)
CLIENT = Client(RetryPolicy(attempts=4, initial_backoff=0.01, max_backoff=0.05))
"""Tries again soon. Its timeouts are those of a run: a busy machine is no silent server."""
HASTY = Client(replace(CLIENT.retries, attempts=50, read_timeout=0.3))
"""For servers that are silent: it asks again soon, and as often as a busy machine needs."""


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer(**{"a.h5ad": File(DATA)}) as server:
        yield server


def blob_of(server: FileServer, client: Client = CLIENT, **how: object) -> HttpBlob:
    return HttpBlob(f"{server.url}/a.h5ad", client, **how)  # type: ignore[arg-type]


def read_all(blob: HttpBlob) -> bytes:
    with blob.open() as file:
        return file.read()


def test_size_and_ranges_are_learnt_with_the_first_bytes(server: FileServer) -> None:
    """One request tells size, ranges and the head, which is not asked for a second time."""
    blob = blob_of(server)
    assert (blob.size_bytes, blob.random_access, blob.name) == (len(DATA), True, "a.h5ad")
    assert blob.read_range(0, 4096) == DATA[:4096]
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("start", "length"),
    [(0, 10), (100_000, 50_000), (len(DATA) - 5, 100), (len(DATA), 10), (5, 0), (HEAD_BYTES, 1)],
)
def test_ranges_are_what_the_file_holds(server: FileServer, start: int, length: int) -> None:
    """Any range gives the file's bytes, and fewer only at the end."""
    assert blob_of(server).read_range(start, length) == DATA[start : start + length]


def test_connections_are_used_again(server: FileServer) -> None:
    """Twenty ranges one after the other need one connection, not twenty."""
    blob = blob_of(server)
    for i in range(20):
        blob.read_range(70_000 + i, 1000)
    assert server.connections <= 2


def test_a_server_without_ranges_is_read_as_a_stream(server: FileServer) -> None:
    """Without ranges, size and bytes are right and nobody is told that ranges are cheap."""
    server.files["/a.h5ad"].ranges = False
    blob = blob_of(server)
    assert not blob.random_access
    assert blob.size_bytes == len(DATA)
    assert read_all(blob) == DATA
    assert blob.read_range(100, 50) == DATA[100:150]


def test_a_stream_of_unknown_size(server: FileServer) -> None:
    """A chunked answer without a length is read to its end."""
    server.files["/a.h5ad"].ranges = False
    server.files["/a.h5ad"].chunked = True
    blob = blob_of(server)
    assert blob.size_bytes is None
    assert read_all(blob) == DATA


@pytest.mark.slow
@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize(
    "fault",
    [
        Answer(cut_after=70_000),
        Answer(hang_after=70_000),
        Answer(503, headers={"Retry-After": "0"}),
        Answer(429),
        Answer(500),
    ],
    ids=["reset", "hangs", "503", "429", "500"],
)
def test_a_broken_download_goes_on(server: FileServer, fault: Answer, ranges: bool) -> None:
    """A download that breaks twice is whole in the end, and what came isn't asked for again."""
    blob = blob_of(server, HASTY if fault.hang_after else CLIENT)
    server.files["/a.h5ad"].ranges = ranges
    assert blob.size_bytes == len(DATA)
    server.files["/a.h5ad"].faults = [fault, fault]
    assert read_all(blob) == DATA
    if ranges and fault.cut_after:
        starts = [request.headers["range"] for request in server.requests]
        assert len(set(starts[1:])) == len(starts[1:]), "went on where it was"


@pytest.mark.parametrize("cut_after", [1, 70_000, 1_100_000])
def test_a_range_that_breaks_off_goes_on(server: FileServer, cut_after: int) -> None:
    """A range of several pieces is whole, wherever the connection breaks in it."""
    data = DATA * (3_000_000 // len(DATA) + 1)
    blob = HttpBlob(server.add("/large.h5ad", data), CLIENT)
    assert blob.size_bytes == len(data)
    server.files["/large.h5ad"].faults = [Answer(cut_after=cut_after)]
    assert blob.read_range(100_000, 2_500_000) == data[100_000:2_600_000]


def test_a_range_that_breaks_off_each_time_goes_on(server: FileServer) -> None:
    """What came before is kept, though the connection is always reset within a piece."""
    data = DATA * (3_000_000 // len(DATA) + 1)
    blob = HttpBlob(server.add("/large.h5ad", data), CLIENT)
    assert blob.size_bytes == len(data)
    server.files["/large.h5ad"].faults = [Answer(cut_after=400_000)] * 12
    assert blob.read_range(100_000, 2_500_000) == data[100_000:2_600_000]


def test_patience_ends(server: FileServer) -> None:
    """A server that never recovers is given up, with the address and the reason."""
    blob = blob_of(server)
    server.faults = [Answer(503)] * 100
    with pytest.raises(FetchError, match=r"a\.h5ad: answers 503"):
        _ = blob.size_bytes
    assert len(server.requests) == CLIENT.retries.attempts


@pytest.mark.slow
def test_retry_after_is_honoured(server: FileServer) -> None:
    """A server that asks for a second is given it."""
    server.faults = [Answer(503, headers={"Retry-After": "1"})]
    start = time.monotonic()
    assert blob_of(server).size_bytes == len(DATA)
    assert time.monotonic() - start >= 1


def test_too_long_a_wait_is_not_waited(server: FileServer) -> None:
    """A server that asks for an hour is told of at once."""
    server.faults = [Answer(503, headers={"Retry-After": "3600"})]
    with pytest.raises(FetchError, match="503"):
        _ = blob_of(server).size_bytes
    assert len(server.requests) == 1


def test_a_trickle_counts_as_broken(server: FileServer) -> None:
    """A body that comes too slowly to ever end is given up."""
    blob = blob_of(server, Client(replace(CLIENT.retries, slow=2)))
    assert blob.size_bytes == len(DATA)
    server.files["/a.h5ad"].faults = [Answer(bytes_per_second=500)]
    with pytest.raises(FetchError, match="too slow"):
        read_all(blob)


def test_a_wrong_checksum_is_found(server: FileServer) -> None:
    """A file whose bytes aren't those that the source promised is not taken for it."""
    assert read_all(blob_of(server, sha256=hashlib.sha256(DATA).hexdigest())) == DATA
    with pytest.raises(CorruptMatrixError, match="sha256"):
        read_all(blob_of(server, sha256="0" * 64))


def test_a_file_that_changes_meanwhile_is_noticed(server: FileServer) -> None:
    """Two halves of two files are never taken for one."""
    blob = blob_of(server)
    assert blob.read_range(0, 10) == DATA[:10]
    server.files["/a.h5ad"].data = DATA[::-1]
    with pytest.raises(CorruptMatrixError, match="was changed"):
        blob.read_range(100_000, 10)


@pytest.mark.parametrize("empty_part", [True, False])
def test_an_empty_file(server: FileServer, empty_part: bool) -> None:
    """An empty file has size 0 and ends at once, whether that is a 416 or an empty 206."""
    server.files["/a.h5ad"] = File(b"", empty_part_at_end=empty_part)
    blob = blob_of(server)
    assert read_all(blob) == b""
    assert blob.read_range(0, 10) == b""


@pytest.mark.parametrize(
    ("status", "words"),
    [(404, "is not there"), (403, "may not be read"), (401, "login"), (418, "answers 418")],
)
def test_a_refusal_is_explained(server: FileServer, status: int, words: str) -> None:
    """What won't pass is not tried again, and is said in words."""
    server.faults = [Answer(status)] * 2
    with pytest.raises(FetchError, match=words):
        _ = blob_of(server).size_bytes
    assert len(server.requests) == 1


def test_nobody_there_is_explained() -> None:
    """A port that nobody listens on is named, with what it does."""
    with Server() as gone:
        url = gone.url
    with pytest.raises(FetchError, match=r"127\.0\.0\.1:\d+: refuses the connection"):
        _ = HttpBlob(f"{url}/a", CLIENT).size_bytes


def test_secrets_are_never_shown(server: FileServer) -> None:
    """Signatures and passwords are in no message and no shown address, but are sent."""
    secret = f"{server.url}/b.h5ad?X-Amz-Signature=hush&catalog=dcp1"
    blob = HttpBlob(secret, CLIENT)
    assert blob.url == f"{server.url}/b.h5ad?catalog=dcp1"
    with pytest.raises(FetchError) as caught:
        _ = blob.size_bytes
    assert "hush" not in f"{caught.value} {caught.value.__cause__}"
    assert server.requests[0].query["X-Amz-Signature"] == "hush"


def test_a_blob_can_be_pickled(server: FileServer) -> None:
    """Another process gets the same file."""
    blob = blob_of(server)
    _ = blob.size_bytes
    assert pickle.loads(pickle.dumps(blob)).read_range(70_000, 9) == DATA[70_000:70_009]


def test_json_is_asked_for_again_and_explained() -> None:
    """Documents outlive passing faults; what is no JSON, or an error, is said."""
    with Server(lambda request: json_answer({"path": request.path})) as server:
        server.faults = [Answer(502), Answer(200, b'{"path', cut_after=3)]
        assert CLIENT.get_json(f"{server.url}/x") == {"path": "/x"}
        server.faults = [Answer(200, b"<html>")]
        with pytest.raises(RequestError, match="does not answer in JSON"):
            CLIENT.get_json(f"{server.url}/x")
        server.faults = [json_answer({"message": "no such catalog"}, 404)]
        with pytest.raises(RequestError, match=r"answers 404 \(no such catalog\)"):
            CLIENT.get_json(f"{server.url}/x")


def test_redirects_leave_neither_http_nor_encryption() -> None:
    """A redirect to a file or from HTTPS to HTTP is refused."""
    for location in ("file:///etc/passwd", "http://host/a"):
        with pytest.raises(RequestError, match="not followed"):
            follow("https://host/a", location)


def test_what_is_on_its_way_is_not_asked_for_again(server: FileServer) -> None:
    """Who says that a file will be read gets it with the first answer, where that is all of it."""
    server.files["/a.h5ad"].ranges = False
    blob = blob_of(server, to_be_read=True)
    assert blob.size_bytes == len(DATA)
    assert read_all(pickle.loads(pickle.dumps(blob))) == DATA
    assert len(server.requests) == 2
    assert read_all(blob) == DATA
    assert len(server.requests) == 2
    assert read_all(blob) == DATA
    assert len(server.requests) == 3


@pytest.mark.parametrize("etag", [True, False])
def test_two_versions_are_never_taken_for_one(server: FileServer, etag: bool) -> None:
    """Where the beginning has to be sent again it's compared, also where no tag tells versions."""
    file = File(DATA, ranges=False, etag=etag, faults=[Answer(cut_after=200_000)])
    server.files["/a.h5ad"] = file
    with blob_of(server, to_be_read=True).open() as stream:
        start = stream.read(100_000)
        assert start == DATA[:100_000]
        file.data = b"x" + DATA[1:]
        with pytest.raises(CorruptMatrixError, match="was changed"):
            stream.read()


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        random.Random(7).randbytes(500) + b"\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: 1\r\n" % i for i in range(200)) + b"\r\n",
    ],
)
def test_what_is_no_http_fails_at_once(garbage: bytes) -> None:
    """An answer that breaks HTTP's grammar or bounds is not asked for a second time."""
    with RawServer(garbage) as server:
        with pytest.raises(RequestError, match="does not answer in HTTP"):
            CLIENT.get_json(f"{server.url}/a")
        assert server.n_connections == 1


@pytest.mark.parametrize("length", [str(1 << 50), "-5", "9" * 5000, "12 34", "\u0663"])
def test_a_wrong_length_ends_soon(length: str) -> None:
    """A length that no document or file has is no reason to wait or to read for ever."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"
    patient = Client(RetryPolicy(attempts=8, deadline=60, initial_backoff=0.01, max_backoff=0.05))
    with RawServer(head.encode("latin-1", "replace") + b"{}") as server:
        with contextlib.suppress(RequestError):
            assert patient.get_json(f"{server.url}/a") == {}
        with contextlib.suppress(FetchError):
            assert read_all(HttpBlob(f"{server.url}/a", patient)) == b"{}"
        assert server.n_connections <= 12


@pytest.mark.slow
def test_a_document_is_bounded_while_it_is_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small compressed body that inflates beyond the limit is given up."""
    monkeypatch.setattr("dpss.storage.http.client.MAX_JSON_BYTES", 1 << 22)
    body = gzip.compress(b'["' + b" " * (1 << 26) + b'"]')
    answer = Answer(body=body, headers={"Content-Encoding": "gzip"})
    with Server(lambda request: answer) as server:
        with pytest.raises(RequestError, match="more than 4 MiB"):
            CLIENT.get_json(f"{server.url}/a")
        assert len(server.requests) == 1


def test_a_404_behind_a_redirect_fails_at_once() -> None:
    """A file that is not there is not asked for again, even where a redirect leads to it."""

    def answer(request: Request) -> Answer:
        return Answer(302, headers={"Location": "/b"}) if request.path == "/a" else Answer(404)

    with Server(answer) as server:
        with pytest.raises(FetchError, match="is not there"):
            _ = HttpBlob(f"{server.url}/a", CLIENT).metadata
        assert len(server.requests) == 2
