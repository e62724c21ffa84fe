"""Connections go to the addresses that were checked, whatever a name server says later."""

from __future__ import annotations

import datetime
import ipaddress
import pickle
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.catalogs.addresses import check_addresses
from dpss.errors import FetchError, RequestError
from dpss.model import MatrixRef, Project
from dpss.storage.download import open_unchanged
from dpss.storage.http import connections, networks
from dpss.storage.http.client import Client, RetryPolicy
from dpss.storage.http.file import HttpBlob
from tests.examples import examples
from tests.servers.base import Answer, Request, Server, json_answer

PUBLIC = "8.8.8.8"
LOOPBACK = "127.0.0.1"
METADATA = "169.254.169.254"
CLIENT = Client(RetryPolicy(attempts=3, initial_backoff=0.01, max_backoff=0.02))


def forget_names() -> None:
    """Discard the stored networks of all hosts, as in a process that has just begun."""
    networks._first_networks.clear()


def close_connections() -> None:
    """Close all connections that are not in use."""
    for manager in connections._managers.values():
        manager.clear()
    connections._managers.clear()


class NameServer:
    """Answers each look-up of a name with the next of its answers; the last one stays."""

    def __init__(self, **answers: Sequence[str | list[str]]) -> None:
        self.answers = {f"{name}.example": list(given) for name, given in answers.items()}
        self.asked: list[str] = []
        self.connected: list[str] = []

    def lookup(self, host: str, port: Any, *rest: Any, **more: Any) -> list[Any]:
        """Stand in for `socket.getaddrinfo`."""
        if host not in self.answers:
            return _lookup(host, port, *rest, **more)
        self.asked.append(host)
        left = self.answers[host]
        found = left.pop(0) if len(left) > 1 else left[0]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        each = [found] if isinstance(found, str) else found
        return [entry for address in each for entry in _lookup(address, port, *rest, **more)]


_lookup = socket.getaddrinfo


@contextmanager
def named(**answers: Sequence[str | list[str]]) -> Iterator[NameServer]:
    """Let names ending in ``.example`` be resolved as given; watch which addresses are used."""
    server = NameServer(**answers)
    connect = socket.socket.connect

    def watched(self: socket.socket, address: Any) -> None:
        server.connected.append(address[0])
        if address[0] not in (LOOPBACK, "::1"):
            raise ConnectionRefusedError("no test connects to another machine")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", server.lookup)
        patch.setattr(socket.socket, "connect", watched)
        forget_names()
        yield server
        forget_names()


def port_of(server: Server) -> str:
    return server.url.rpartition(":")[2]


def test_a_name_is_looked_up_once_for_a_connection_and_the_host_is_kept() -> None:
    """The address that was checked is the one that is used; the server sees the name."""
    with Server(lambda request: json_answer({})) as server, named(a=[LOOPBACK, METADATA]) as names:
        assert CLIENT.get_json(f"http://a.example:{port_of(server)}/x") == {}
        assert names.asked == ["a.example"]
        assert names.connected == [LOOPBACK]
        assert server.requests[0].headers["host"] == f"a.example:{port_of(server)}"


@pytest.mark.parametrize(
    "inner", [METADATA, LOOPBACK, "10.0.0.7", "::1", "fe80::1", "fd00:ec2::254"]
)
def test_a_redirect_to_a_name_that_changes_is_not_followed(inner: str) -> None:
    """Public where the redirect is checked, private at the connection: refused at once."""
    with (
        Server() as server,
        named(start=[LOOPBACK], evil=[PUBLIC, inner, inner]) as names,
    ):
        location = {"Location": f"http://evil.example:{port_of(server)}/secret"}
        server.answer = lambda request: Answer(302, headers=location)  # type: ignore[method-assign]
        # The host that redirects is a public one, as far as the program knows.
        client = replace(CLIENT, networks=frozenset({"public", "loopback"}))
        networks.first_networks("start.example", frozenset({"public"}))
        with pytest.raises(RequestError, match=r"evil\.example: no connection is made"):
            client.get_json(f"http://start.example:{port_of(server)}/a")
        assert [request.path for request in server.requests] == ["/a"]
        assert names.connected == [LOOPBACK]


def test_a_host_that_redirects_to_itself_stays_where_it_was() -> None:
    """The same name with another address is no way into a private network."""
    with Server() as server, named(evil=[LOOPBACK, METADATA]) as names:
        answer = Answer(302, headers={"Location": "/latest/meta-data/", "Connection": "close"})
        server.answer = lambda request: answer  # type: ignore[method-assign]
        with pytest.raises(RequestError, match=r"link-local address \(169\.254\.169\.254\)"):
            CLIENT.get_json(f"http://evil.example:{port_of(server)}/a")
        assert METADATA not in names.connected


def test_a_named_host_stays_in_its_kind_of_network() -> None:
    """A public name that becomes private between two requests is not asked again."""
    with Server(lambda request: json_answer({})) as server, named(a=[PUBLIC, LOOPBACK]) as names:
        with pytest.raises(RequestError):
            replace(CLIENT, retries=RetryPolicy(attempts=1)).get_json(
                f"http://a.example:{port_of(server)}/x"
            )
        with pytest.raises(RequestError, match="no connection is made to a loopback address"):
            CLIENT.get_json(f"http://a.example:{port_of(server)}/x")
        assert names.connected == [PUBLIC]
        assert not server.requests


def test_one_private_address_among_public_ones_is_enough() -> None:
    """A name with several addresses is refused if one of them may not be reached."""
    outside = replace(CLIENT, networks=networks.PUBLIC)
    with named(a=[[PUBLIC, LOOPBACK]]) as names:
        with pytest.raises(RequestError, match="loopback"):
            outside.get_json("http://a.example/x")
        assert not names.connected


def test_a_lie_about_the_redirecting_host_opens_no_door() -> None:
    """A host that claims a loopback address while its redirect is checked stays public."""
    with Server() as server, named(evil=[LOOPBACK, [PUBLIC, LOOPBACK]]) as names:
        port = port_of(server)
        location = {"Location": f"http://127.0.0.1:{port}/secret", "Connection": "close"}
        server.answer = lambda request: Answer(302, headers=location)  # type: ignore[method-assign]
        networks.first_networks("evil.example", networks.PUBLIC)
        client = replace(CLIENT, networks=frozenset({"public", "loopback"}))
        with pytest.raises(RequestError, match="loopback"):
            client.get_json(f"http://evil.example:{port}/a")
        assert [request.path for request in server.requests] == ["/a"]
        assert names.connected == [LOOPBACK]


def test_the_second_address_is_used_where_the_first_refuses() -> None:
    """All addresses of a name are tried, in their order."""
    with (
        Server(lambda request: json_answer({})) as server,
        named(a=[["127.0.0.2", LOOPBACK]]) as names,
    ):
        assert CLIENT.get_json(f"http://a.example:{port_of(server)}/x") == {}
        assert names.connected == ["127.0.0.2", LOOPBACK]
        assert names.asked == ["a.example"]


def test_a_name_that_is_not_known_fails_in_words() -> None:
    """No address and no network are said as before."""
    with named(a=[""]), pytest.raises(RequestError, match="there is no such host"):
        replace(CLIENT, retries=RetryPolicy(attempts=1)).get_json("http://a.example/x")


def test_a_catalogue_gives_a_name_that_changes() -> None:
    """An address of a service stays public until its matrix is read, in another process too."""
    ref = MatrixRef("p", "m", "", "f", location="http://evil.example/a.h5ad")
    with named(service=[PUBLIC], evil=[PUBLIC, METADATA, LOOPBACK]) as names:
        project = Project("p", "P", (ref,))
        (kept,) = check_addresses(project, "https://service.example/api").refs
        assert kept.networks == networks.PUBLIC
        forget_names()  # as in a process that has just begun
        with open_unchanged(pickle.loads(pickle.dumps(kept))) as source:
            assert isinstance(source, HttpBlob)
            with pytest.raises(FetchError, match="no connection is made"):
                _ = source.metadata
        assert not names.connected


def test_an_address_that_was_led_to_stays_checked_in_another_process() -> None:
    """A blob remembers its redirect's target with the networks that it may be in."""
    data = bytes(range(256)) * 1024

    def answer(request: Request) -> Answer:
        if request.path == "/a":
            location = f"http://b.example:{request.headers['host'].rpartition(':')[2]}/b"
            return Answer(302, headers={"Location": location})
        first, last = map(int, request.headers["range"].removeprefix("bytes=").split("-"))
        part = data[first : last + 1]
        there = {"Content-Range": f"bytes {first}-{first + len(part) - 1}/{len(data)}"}
        return Answer(206, part, there)

    with Server(answer) as server, named(a=[LOOPBACK], b=[LOOPBACK, LOOPBACK, METADATA]) as names:
        blob = HttpBlob(f"http://a.example:{port_of(server)}/a", CLIENT)
        assert blob.read_range(0, 10) == data[:10]
        other = pickle.loads(pickle.dumps(blob))
        forget_names()
        close_connections()
        with pytest.raises(FetchError, match="link-local"):
            other.read_range(100_000, 10)
        assert METADATA not in names.connected


WRAPPED = ["::{}", "::ffff:{}", "64:ff9b::{}"]


@given(st.integers(0, (1 << 32) - 1), st.sampled_from(WRAPPED))
@settings(max_examples=examples(200), deadline=None)
def test_an_address_within_another_is_told(number: int, form: str) -> None:
    """IPv6 spellings of an IPv4 address are in the network of that address."""
    inner = ipaddress.IPv4Address(number)
    if form == "::{}" and number < 1 << 16:
        return  # ``::1`` and the like are addresses of their own.
    url = f"http://[{form.format(inner)}]/"
    assert bool(networks.redirect_refusal("http://8.8.8.8/", url)) == (not inner.is_global)


@pytest.mark.parametrize(
    "host", ["[2002:a9fe:a9fe::1]", "[fec0::1]", "[fd00:ec2::254]", "100.100.100.200"]
)
def test_other_addresses_that_are_not_public(host: str) -> None:
    """6to4 and site-local addresses and clouds' metadata services are refused."""
    assert networks.redirect_refusal("http://8.8.8.8/", f"http://{host}/")


def test_a_metadata_service_in_a_private_network_is_never_led_to() -> None:
    """A private host does not lead to addresses where clouds keep credentials."""
    for host in ("[fd00:ec2::254]", "100.100.100.200", "169.254.170.2"):
        assert networks.redirect_refusal("http://10.0.0.1/", f"http://{host}/")


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Write a self-signed certificate and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


def test_tls_is_for_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is told the name (SNI), and its certificate must be of the name."""
    certificate, key = _certificate(tmp_path, "a.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    told: list[str | None] = []
    context.sni_callback = lambda connection, name, _: told.append(name)
    close_connections()
    with Server(lambda request: json_answer([1])) as server, named(a=[LOOPBACK], b=[LOOPBACK]):
        inner = server._server
        inner.socket = context.wrap_socket(inner.socket, server_side=True)
        assert CLIENT.get_json(f"https://a.example:{port_of(server)}/x") == [1]
        assert told == ["a.example"]
        with pytest.raises(RequestError, match="certificate can't be verified"):
            replace(CLIENT, retries=RetryPolicy(attempts=1)).get_json(
                f"https://b.example:{port_of(server)}/x"
            )
        assert server.requests[0].headers["host"] == f"a.example:{port_of(server)}"


def test_threads_share_connections() -> None:
    """Connections that were checked are used again: one look-up for many requests."""
    with Server(lambda request: json_answer(1)) as server, named(a=[LOOPBACK]) as names:
        url = f"http://a.example:{port_of(server)}/x"
        assert [CLIENT.get_json(url) for _ in range(20)] == [1] * 20
        assert names.asked == ["a.example"]
        threads = [
            threading.Thread(target=CLIENT.get_json, args=(url,), daemon=True) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(names.asked) <= 9
