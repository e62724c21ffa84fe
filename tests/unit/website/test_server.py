"""The server that shows the pages."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import threading
import time
from pathlib import Path
from socketserver import ThreadingMixIn

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpss.website.server import MAX_CONNECTIONS, make_server
from tests.examples import examples


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that no test changes, with what is given out and what is not."""
    outside = tmp_path_factory.mktemp("outside")
    root = outside / "out"
    (root / "a b").mkdir(parents=True)
    (root / "a b" / "index.html").write_text("hello")
    (root / "x.js").write_text("1")
    (root / "genes.csv").write_text("a")
    (root / "data").mkdir()
    (outside / "secret.txt").write_text("secret")
    (root / "way-out").symlink_to(outside / "secret.txt")
    (root / "linked").mkdir()
    (root / "linked" / "index.html").symlink_to(outside / "secret.txt")
    (root / "far").symlink_to(outside)
    (root / ".dpss-part").mkdir()
    (root / ".dpss-part" / "x.txt").write_text("secret")
    (root / "old").mkdir()
    (root / "old" / "index.htm").symlink_to(outside / "secret.txt")
    (root / "deep" / "index.html").mkdir(parents=True)
    (root / "deep" / "index.html" / "index.html").symlink_to(outside / "secret.txt")
    (root / "circle").symlink_to("circle")
    os.mkfifo(root / "pipe.txt")
    (root / "big.csv").write_bytes(b"0123456789abcde\n" * (1 << 20))
    return root


SECONDS = 120
"""Most seconds for an answer. A busy machine may take some; only a server that hangs takes all."""


@pytest.fixture
def address(root: Path):
    """The address of a server of its own for each test."""
    with make_server(root) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.server_address
        finally:
            server.shutdown()
            thread.join()


def get(address, path: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(*address, timeout=SECONDS)
    known = "Accept-Encoding" in headers
    connection.putrequest("GET", path, skip_host="Host" in headers, skip_accept_encoding=known)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    response.body = response.read()
    connection.close()
    return response


def test_it_listens_on_the_loopback_address_only(address):
    """Nobody else on the network sees the pages."""
    assert address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/a%20b/", "text/html; charset=utf-8"),
        ("/a%20b/index.html?q=1", "text/html; charset=utf-8"),
        ("/x.js?v=12", "text/javascript; charset=utf-8"),
        ("/genes.csv", "text/csv; charset=utf-8"),
    ],
)
def test_files_come_with_their_type(address, path, kind):
    """Browsers are told what they get."""
    response = get(address, path)
    assert response.status == 200
    assert response.headers["Content-Type"] == kind
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/a%20b/..%2f..%2fsecret.txt",
        "//../secret.txt",
        "/way-out",
        "/linked/",
        "/linked/?q=1",
        "/linked/index.html",
        "/far/secret.txt",
        "/data/",
        "/nothing",
        "/pipe.txt",
        "/.dpss-part/x.txt",
        "/%00",
        "/linked/#",
        "/linked/#part",
        "/linked/?#/",
        "/linked//#",
        "/linked/./#/",
        "//linked/#",
        "/old/#",
        "/deep/",
        "/deep/#",
        "/deep/index.html/",
        "/deep/index.html/#",
        "/circle",
        "/circle/",
        f"/{'a' * 300}",
        f"/{'a/' * 4000}",
        "#",
        "?/linked/",
        "http://localhost/linked/#",
    ],
)
def test_nothing_else_is_given_out(address, path):
    """No way leads out of the folder, and folders are not listed."""
    response = get(address, path)
    assert response.status in (400, 404)
    assert b"secret" not in response.body


_PARTS = (
    "/", "//", "linked", "old", "deep", "far", "circle", "a b", "index.html", "index.htm",
    "way-out", "secret.txt", ".", "..", "%2e%2e", "%2f", "%5c", "#", "?", ";", "%23", "%3f",
    "%00", "%ff", "http://localhost", "@", "\\",
)  # fmt: skip


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.sampled_from(_PARTS), min_size=1, max_size=7))
def test_whatever_is_asked_for(address, parts):
    """Any target of a request is answered, and never with what lies elsewhere."""
    with socket.create_connection(address[:2], timeout=SECONDS) as connection:
        target = "".join(parts).replace(" ", "%20")
        head = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        answer = connection.makefile("rb").read()
    assert answer.split()[1] in (b"200", b"301", b"404")
    assert b"secret" not in answer.partition(b"\r\n\r\n")[2]


def test_another_name_for_this_machine_is_refused(address):
    """A page from elsewhere can't read what is served here by pointing its name at us."""
    assert get(address, "/x.js", Host="evil.example").status == 403


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost.evil.example",
        "localhost:80:80",
        "evil.example:80",
        "127.0.0.1@evil",
        "[::1]x",
    ],
)
def test_odd_host_headers_are_refused(address, host):
    """Only the loopback names, with a port or without one, are answered."""
    assert get(address, "/x.js", Host=host).status == 403
    assert get(address, "/x.js", Host=f"LocalHost:{address[1]}").status == 200


@pytest.mark.slow
def test_connections_are_bounded_and_slow_ones_are_closed(address, monkeypatch):
    """Many connections that say nothing are closed after the time limit, then others are served."""
    monkeypatch.setattr("dpss.website.server._Handler.timeout", 0.5)
    slow = [
        socket.create_connection(address[:2], timeout=SECONDS) for _ in range(MAX_CONNECTIONS + 20)
    ]
    for connection in slow:
        assert connection.recv(1) == b""
        connection.close()
    assert get(address, "/x.js").status == 200


def test_a_request_without_a_host_is_refused(address):
    """Who is asked for must be said: once, in any version of HTTP."""
    for version in ("1.0", "1.1"):
        with socket.create_connection(address[:2], timeout=SECONDS) as connection:
            connection.sendall(f"GET /x.js HTTP/{version}\r\n\r\n".encode())
            assert b" 403 " in connection.recv(100)
    with socket.create_connection(address[:2], timeout=SECONDS) as connection:
        connection.sendall(b"GET /x.js HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert b" 403 " in connection.recv(100)


def is_closed_within(connection: socket.socket, data: bytes, pause: float) -> bool:
    """Send bytes one at a time; tell whether the server ends the connection before the last."""
    connection.settimeout(pause)
    for byte in data:
        try:
            connection.sendall(bytes([byte]))
            if connection.recv(1) == b"":
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("begin", [b"GET /x.js HTTP/1.1\r\nX: ", b"G", b""])
def test_a_request_that_trickles_in_is_ended(address, monkeypatch, begin):
    """The limit is for the whole request: a byte now and then does not prolong it."""
    monkeypatch.setattr("dpss.website.server.REQUEST_SECONDS", 0.5)
    with socket.create_connection(address[:2], timeout=SECONDS) as connection:
        connection.sendall(begin)
        assert is_closed_within(connection, b"a" * 2000, 0.05)


@contextlib.contextmanager
def slow_clients(address):
    """Ask for a large file on all connections that the server takes, and take nothing of it."""
    with contextlib.ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(address[:2], timeout=SECONDS))
            for _ in range(MAX_CONNECTIONS)
        ]
        for connection in slow:
            connection.sendall(b"GET /big.csv HTTP/1.1\r\nHost: localhost\r\n\r\n")
        yield slow


def test_as_many_as_are_served_may_come_at_once(root: Path):
    """None is told to come again later, which takes a second, before the server looks."""
    with make_server(root) as server, contextlib.ExitStack() as stack:
        for _ in range(MAX_CONNECTIONS):
            stack.enter_context(
                socket.create_connection(server.server_address[:2], timeout=SECONDS)
            )


@pytest.mark.slow
def test_connections_are_bounded(address):
    """A further client is turned away."""
    with slow_clients(address), pytest.raises((OSError, http.client.HTTPException)):
        get(address, "/x.js")


@pytest.mark.slow
def test_answers_that_are_taken_slowly_are_ended(address, monkeypatch, capfd):
    """Clients that ask for a large file and take little of it hold no place for ever."""
    monkeypatch.setattr("dpss.website.server.RESPONSE_SECONDS", 1.0)
    with slow_clients(address) as slow:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            for connection in slow:
                connection.recv(100)
            try:
                assert get(address, "/x.js").status == 200
                break
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
        else:
            pytest.fail("slow clients hold all places")
    assert "Traceback" not in capfd.readouterr().err


def test_a_large_text_is_sent_as_it_is(address):
    """Small texts are compressed in memory; large ones are not taken into memory at all."""
    asked = {"Accept-Encoding": "gzip"}
    assert get(address, "/big.csv", **asked).headers["Content-Encoding"] is None
    assert get(address, "/genes.csv", **asked).headers["Content-Encoding"] == "gzip"


def test_a_client_that_goes_away_leaves_no_traceback(address, capfd):
    """What a browser breaks off is no error of the program."""
    for _ in range(5):
        with socket.create_connection(address[:2], timeout=SECONDS) as connection:
            connection.sendall(b"GET /big.csv HTTP/1.1\r\nHost: localhost\r\n\r\n")
            connection.recv(10)
    time.sleep(0.3)
    assert get(address, "/x.js").status == 200
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("error", [RuntimeError(), MemoryError(), OSError()])
def test_a_connection_without_a_thread_takes_no_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """However often no thread can be started, later connections are served."""

    def fail(*_: object) -> None:
        raise error

    with make_server(tmp_path) as server:
        served: list[object] = []
        monkeypatch.setattr(ThreadingMixIn, "process_request", fail)
        for _ in range(MAX_CONNECTIONS + 1):
            with pytest.raises(type(error)):
                server.process_request(None, None)
        monkeypatch.setattr(ThreadingMixIn, "process_request", lambda *_: served.append(1))
        server.process_request(None, None)
    assert served == [1]
