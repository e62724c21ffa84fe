"""Kinds of network that hosts are in, and that a redirect may lead to.

A name is resolved more than once: where an address is checked, and for each connection.
A name server may answer differently each time (DNS rebinding), so a check alone protects
nothing. Each function here therefore returns the kinds of network that are allowed, and
`dpss.storage.http.connections` compares them with the very address that it connects to.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url
from urllib3.util.connection import allowed_gai_family

from dpss.storage.redaction import redact_line, redact_url

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

Networks = frozenset[str]
"""Kinds of network: ``public``, ``private``, ``loopback`` and ``link-local``."""

PUBLIC: Networks = frozenset({"public"})

_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:c1::a9fe:a9fe",
        "fd00:42::42",
    )
)
"""Addresses of cloud metadata services outside of link-local networks, counted as link-local.

They give out credentials: AWS, Google Cloud, Alibaba Cloud, Azure, Oracle and Scaleway.
"""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")
"""Prefixes of a network's own translators (RFC 8215)."""
_COMPATIBLE = ipaddress.ip_network("::/96")
_TRANSLATED = ipaddress.ip_network("::ffff:0:0:0/96")
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
_V4 = 0xFFFFFFFF
_MAX_NAMES = 4096

_first_networks: dict[str, Networks] = {}
_first_networks_lock = threading.Lock()


@dataclass(frozen=True)
class Resolved:
    """One address of a host."""

    literal: str
    """Text of the address to connect to, with its scope if any (``fe80::1%eth0``)."""
    address: IPAddress
    """The address without scope; for an IPv6 address that maps an IPv4 address, the latter."""

    @property
    def kind(self) -> str:
        """The kind of network that the address is in."""
        address = self.address
        if address.is_link_local or address in _METADATA:
            return "link-local"
        # A connection to 0.0.0.0 or :: reaches this machine.
        if address.is_loopback or address.is_unspecified or address in _THIS_NETWORK:
            return "loopback"
        local = getattr(address, "is_site_local", False)
        # Where the inner address is not in the last bits, it is not known.
        local = local or address in _NAT64_LOCAL
        return "public" if address.is_global and not local else "private"


def resolve(host: str) -> list[Resolved]:
    """Return the addresses of a host name or literal, in the resolver's order.

    Raises:
        OSError: The name is not known here.
        UnicodeError: The text is not a host name.
    """
    plain = host.strip("[]")
    found = socket.getaddrinfo(plain, None, allowed_gai_family(), socket.SOCK_STREAM)
    literals = dict.fromkeys(str(entry[4][0]) for entry in found)
    return [
        Resolved(each, _inner_address(ipaddress.ip_address(each.partition("%")[0])))
        for each in literals
    ]


def first_networks(host: str, networks: Networks) -> Networks:
    """Return the networks of a host when this process first resolved its name.

    Args:
        host: The name.
        networks: Networks of its current addresses; stored if the name is new.
    """
    with _first_networks_lock:
        if host not in _first_networks and len(_first_networks) >= _MAX_NAMES:
            del _first_networks[next(iter(_first_networks))]
        return _first_networks.setdefault(host, networks)


def networks_beyond(url: str, target: str, within: Networks | None = None) -> Networks:
    """Return the networks allowed for a host whose address another host gives.

    A public host leads to public hosts only. A host on loopback or a private network leads
    into its own kind of network, too, but never to a link-local address. A host that leads to
    itself stays in the networks of its first look-up.

    Args:
        url: The address whose host gives the other: in a redirect or as a service.
        target: The address given.
        within: The networks in which the host of ``url`` may be; ``None`` where the user gave it.
    """
    host = _host_of(url)
    with _first_networks_lock:
        known = _first_networks.get(host)
    known = known if known is not None else frozenset(each.kind for each in _addresses(url))
    own = known if within is None else known & within
    if host and host == _host_of(target):
        return own or PUBLIC
    return PUBLIC | (own - {"link-local"})


def redirect_refusal(url: str, target: str, within: Networks | None = None) -> str:
    """Return why a redirect may not be followed; empty where it may.

    A redirect from a public host to a loopback, link-local or private address is refused:
    a server could make the program read what only this machine or its network can reach,
    such as a cloud's metadata service. `networks_beyond` has the rule.

    Args:
        url: The address that answered with the redirect.
        target: The absolute address that it leads to.
        within: The networks in which the host of ``url`` may be; ``None`` where the user gave it.
    """
    inner = _find_refused(url, target, within)
    if inner is None:
        return ""
    return (
        f"{redact_url(url)}: is redirected to a {inner.kind} address ({inner.address}), "
        "which is not followed"
    )


def why_not_from(service: str, target: str) -> str:
    """Return why an address that a service gives may not be read; empty where it may.

    The address must be one of HTTP, in a network to which the service may redirect: otherwise a
    service could make the program publish a file of this machine or its network.

    Args:
        service: Address of the service, given by the user.
        target: The address in its response.
    """
    shown = redact_line(redact_url(target))
    try:
        scheme, host = urlsplit(target).scheme, urlsplit(target).hostname
    except ValueError:
        return f"{shown}: no valid address"
    if scheme not in ("http", "https") or not host or not _host_of(target):
        return f"{shown}: the source gives an address that is not one of HTTP; it is not read"
    inner = _find_refused(service, target, None)
    if inner is None:
        return ""
    return (
        f"{shown}: the source gives a {inner.kind} address ({inner.address}), which is not read; "
        "give the matrix itself as input if it is yours"
    )


def _find_refused(url: str, target: str, within: Networks | None) -> Resolved | None:
    """Return an address of a target's host to which a URL's host may not lead."""
    allowed = networks_beyond(url, target, within)
    if _host_of(url) == _host_of(target):
        return None
    return next((each for each in _addresses(target) if each.kind not in allowed), None)


def _host_of(url: str) -> str:
    """Return the host of an address as urllib3 reads it, which makes the connection.

    Another parser may see another host in the same text.
    """
    try:
        return (parse_url(url).host or "").strip("[]").lower()
    except LocationParseError:
        return ""


def _addresses(url: str) -> list[Resolved]:
    """Return the addresses of a URL's host; none where its name is not known here."""
    try:
        return resolve(_host_of(url))
    except (OSError, UnicodeError):
        return []


def _inner_address(address: IPAddress) -> IPAddress:
    """Return the IPv4 address that an IPv6 address maps; else the address."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    low = int(address) & _V4
    if inner is None and (
        address in _NAT64
        or address in _TRANSLATED
        or (address in _COMPATIBLE and int(address) >> 16)
    ):
        inner = ipaddress.IPv4Address(low)
    if inner is None and address in _NAT64_LOCAL and low & 0xFFFFFF:
        # Where the address lies is the translator's choice: none is taken for a public one.
        found = ipaddress.IPv4Address(low)
        inner = None if found.is_global else found
    return inner or address
