"""A server that sends something for ever holds no reader for ever."""

from __future__ import annotations

import io

import pytest

from dpss.errors import FetchError, RequestError, TransientRequestError
from dpss.storage.http.client import Client, RetryPolicy
from dpss.storage.http.deadlines import TimedRaw, time_limit
from dpss.storage.http.file import HEAD_BYTES, HttpBlob
from tests.servers.raw import RawServer

QUICK = Client(
    RetryPolicy(attempts=2, deadline=0.6, connect=5, read_timeout=30, initial_backoff=0.01,
                max_backoff=0.02, slow=0.3)
)  # fmt: skip
CLIENT = Client(RetryPolicy(attempts=2, initial_backoff=0.01, max_backoff=0.02))
"""For what ends by itself, however busy the machine is."""
OK = b"HTTP/1.1 200 OK\r\n"
PART = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-65535/10000000\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


ENDLESS_HEADS = {
    "interim responses": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a status": (b"", b"H"),
    "a header": (OK + b"X: ", b"a"),
    "bytes that are no line": (b"", b"\0"),
}


@pytest.mark.parametrize("name", ENDLESS_HEADS)
def test_a_head_without_end_is_given_up(name: str) -> None:
    """A byte from time to time is within the timeout of a socket, and yet not an answer."""
    with RawServer(*ENDLESS_HEADS[name]) as server:
        with pytest.raises(RequestError, match="no answer in time"):
            QUICK.get_json(f"{server.url}/a")
        with pytest.raises(FetchError, match="no answer in time"):
            _ = HttpBlob(f"{server.url}/a", QUICK).metadata


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (OK + b"Content-Length: 1000000\r\n\r\n[", b" "),
        (OK + CHUNKED + b"1\r\n[\r\n", b"1\r\n \r\n"),
        (OK + CHUNKED + b"2\r\n[]\r\n0\r\n", b"X: y\r\n"),
    ],
)
def test_a_document_without_end_is_given_up(begin: bytes, piece: bytes) -> None:
    """The deadline holds for the body, and for the trailers behind it."""
    with RawServer(begin, piece) as server, pytest.raises(TransientRequestError):
        QUICK.get_json(f"{server.url}/a")


def test_trailers_without_end_are_given_up() -> None:
    """A file whose last chunk is followed by lines for ever."""
    begin = OK + CHUNKED + b"5\r\nabcde\r\n0\r\n"
    with RawServer(begin, b"X: y\r\n") as server:
        blob = HttpBlob(f"{server.url}/a", QUICK)
        with pytest.raises(FetchError), blob.open() as file:
            file.read()


@pytest.mark.parametrize("more", [b"Content-Length: 1125899906842624\r\n\r\n", CHUNKED])
def test_no_more_is_read_than_was_asked_for(more: bytes) -> None:
    """A server that sends a whole file, or an endless one, as its first part."""
    piece = b"10000\r\n" + b"a" * 0x10000 + b"\r\n" if more is CHUNKED else b"a" * 0x10000
    with RawServer(PART + more, piece, pause=0) as server:
        metadata = HttpBlob(f"{server.url}/a", CLIENT).metadata
        assert (len(metadata.head), metadata.size_bytes) == (HEAD_BYTES, 10_000_000)


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}abc",
        OK + CHUNKED + b"-5\r\nabcde\r\n",
    ],
)
def test_what_contradicts_itself_fails_at_once(answer: bytes) -> None:
    """Two lengths, and a chunk of a negative one: a second attempt changes nothing."""
    with RawServer(answer, b" ") as server:
        with pytest.raises(RequestError, match="does not answer in HTTP"):
            CLIENT.get_json(f"{server.url}/a")
        assert server.n_connections == 1


def test_a_limit_within_a_limit() -> None:
    """The nearer one holds; each ends with its block."""

    stream = TimedRaw(io.FileIO("/dev/zero"))
    with time_limit(60):
        with time_limit(-1), pytest.raises(TimeoutError):
            stream.read(3)
        assert stream.read(3) == bytes(3)
        with time_limit(600):
            assert stream.read(3) == bytes(3)
    with time_limit(-1), time_limit(60), pytest.raises(TimeoutError):
        stream.read(3)
    stream.close()
    assert stream.closed
