"""Redirects into networks that only this machine can reach."""

from __future__ import annotations

import ipaddress
import random
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.util import parse_url

from dpss.errors import RequestError
from dpss.storage.http.client import Client, follow
from dpss.storage.http.networks import redirect_refusal, resolve
from tests.examples import examples
from tests.servers.base import Answer, Server

PUBLIC = "http://8.8.8.8/a.h5ad"


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:8080/",
        "http://localhost/",
        "http://10.0.0.7/",
        "http://192.168.1.1/",
        "http://[::1]/",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://2130706433/",
        "http://0.0.0.0/",
    ],
)
def test_a_public_host_can_not_redirect_into_a_private_network(target: str) -> None:
    """Every spelling of a private, loopback or link-local address is refused."""
    with pytest.raises(RequestError, match="which is not followed"):
        follow(PUBLIC, target)


def test_random_addresses_are_followed_exactly_if_they_are_public() -> None:
    """The rule agrees with the registry of special addresses, for 300 random ones."""
    chance = random.Random(3)
    for _ in range(300):
        address = ipaddress.IPv4Address(chance.getrandbits(32))
        refused = bool(redirect_refusal(PUBLIC, f"http://{address}/"))
        assert refused == (not address.is_global)


def test_a_host_that_the_user_named_redirects_to_itself_but_not_to_the_metadata_service() -> None:
    """A server on loopback may redirect within loopback, never to a link-local address."""
    named = "http://127.0.0.1:9000/a"
    assert follow(named, "/b") == "http://127.0.0.1:9000/b"
    assert follow(named, "http://127.0.0.1:9001/b") == "http://127.0.0.1:9001/b"
    assert follow(named, "https://8.8.8.8/b") == "https://8.8.8.8/b"
    for other in ("http://169.254.169.254/", "http://10.0.0.1/"):
        with pytest.raises(RequestError, match="which is not followed"):
            follow(named, other)


def test_a_refused_redirect_fails_at_once() -> None:
    """The program asks once and does not try again."""
    location = {"Location": "http://169.254.169.254/latest/meta-data/"}
    with Server(lambda request: Answer(302, headers=location)) as server:
        with pytest.raises(RequestError, match="link-local"):
            Client().get_json(f"{server.url}/a")
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "target",
    [
        "http://[::1",
        "http://:80/",
        "http://8.8.8.8:-1/",
        "http://8.8.8.8:99999/",
        "http://①⑥⑨.254.169.254/",
        "http://127。0。0。1/",
        "http://127.0.0.1%00.example.com/",
    ],
)
def test_an_address_that_can_not_be_parsed_is_no_redirect(target: str) -> None:
    """A damaged Location ends in the program's own error, at once."""
    with pytest.raises(RequestError, match="no valid address"):
        follow(PUBLIC, target)
    with Server(
        lambda request: Answer(302, headers={"Location": quote(target, ":/[]%")})
    ) as server:
        if target.isascii():
            with pytest.raises(RequestError, match="no valid address"):
                Client().get_json(f"{server.url}/a")
            assert len(server.requests) == 1


@given(st.text(max_size=20), st.sampled_from(["http://", "https://", "//", ""]))
@settings(max_examples=examples(100), deadline=None)
def test_a_redirect_leads_to_a_host_or_nowhere(text: str, begin: str) -> None:
    """Whatever the target is: it has a host that can be connected to, or it is refused."""
    with pytest.MonkeyPatch.context() as patch:
        # No name is asked for in the network.
        patch.setattr("dpss.storage.http.networks.resolve", lambda host: [])
        try:
            target = follow("http://8.8.8.8/a", begin + text.replace("/", ":"))
        except RequestError:
            return
    assert parse_url(target).host


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("0.0.0.0", "loopback"),
        ("[::]", "loopback"),
        ("0.1.2.3", "loopback"),
        ("::ffff:0.0.0.0", "loopback"),
        ("64:ff9b::0.0.0.0", "loopback"),
        ("::ffff:0:127.0.0.1", "loopback"),
        ("64:ff9b:1::127.0.0.1", "loopback"),
        ("64:ff9b:1:abcd::10.1.2.3", "private"),
        ("64:ff9b:1::169.254.169.254", "link-local"),
        ("64:ff9b:1:0:7f:0:100:0", "private"),
        ("64:ff9b:1::93.184.216.34", "private"),
        ("64:ff9b:1:a9fe:a9:fe00:808:808", "private"),
        ("::ffff:0:93.184.216.34", "public"),
        ("192.0.0.192", "link-local"),
        ("fd00:c1::a9fe:a9fe", "link-local"),
        ("fd00:42::42", "link-local"),
        ("2130706433", "loopback"),
        ("0177.1", "loopback"),
        ("①②⑦.0.0.1", "loopback"),
    ],
)
def test_the_kind_of_an_address(host: str, kind: str) -> None:
    """What reaches this machine is loopback; an inner address of IPv4 tells where it leads."""
    assert [each.kind for each in resolve(host)] == [kind]


@given(st.integers(0, (1 << 32) - 1), st.sampled_from(["64:ff9b::", "::ffff:0:", "::ffff:"]))
@settings(max_examples=examples(100))
def test_a_mapped_address_is_of_the_kind_of_its_inner_one(number: int, prefix: str) -> None:
    """Of any address of IPv4, in each way to write it within one of IPv6."""
    inner = str(ipaddress.IPv4Address(number))
    assert [each.kind for each in resolve(f"{prefix}{inner}")] == [
        each.kind for each in resolve(inner)
    ]


@pytest.mark.parametrize("target", ["0.0.0.0", "[::]", "[64:ff9b:1::127.0.0.1]"])
@pytest.mark.parametrize("within", [None, frozenset({"private"})])
def test_a_private_host_can_not_redirect_to_this_machine(
    target: str, within: frozenset[str] | None
) -> None:
    """Whatever is another name for this machine: a host of a private network is not its equal."""
    assert "loopback" in redirect_refusal("http://10.1.2.3/a", f"http://{target}/b", within)
