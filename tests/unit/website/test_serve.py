"""The server that shows the pages."""

from __future__ import annotations

import http.client
import socket
import threading
from pathlib import Path

import pytest

from dpss.website import make_server
from dpss.website.server import MAX_CONNECTIONS


@pytest.fixture
def address(tmp_path: Path):
    root = tmp_path / "out"
    (root / "a b").mkdir(parents=True)
    (root / "a b" / "index.html").write_text("hello")
    (root / "x.js").write_text("1")
    (root / "genes.csv").write_text("a")
    (root / "data").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (root / "way-out").symlink_to(tmp_path / "secret.txt")
    (root / "linked").mkdir()
    (root / "linked" / "index.html").symlink_to(tmp_path / "secret.txt")
    (root / "far").symlink_to(tmp_path)
    with make_server(root) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address
        server.shutdown()
        thread.join()


def get(address, path: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(*address, timeout=5)
    connection.putrequest("GET", path, skip_host="Host" in headers)
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
        "/%00",
    ],
)
def test_nothing_else_is_given_out(address, path):
    """No way leads out of the folder, and folders are not listed."""
    response = get(address, path)
    assert response.status in (400, 404)
    assert b"secret" not in response.body


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


def test_connections_are_bounded_and_slow_ones_are_closed(address, monkeypatch):
    """Many connections that say nothing are closed after the time limit, then others are served."""
    monkeypatch.setattr("dpss.website.server._Handler.timeout", 0.5)
    slow = [socket.create_connection(address[:2], timeout=5) for _ in range(MAX_CONNECTIONS + 20)]
    for connection in slow:
        assert connection.recv(1) == b""
        connection.close()
    assert get(address, "/x.js").status == 200
