"""Which network an address is in, and whether a redirect or a catalogue may lead there."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from dpss.storage.urls import shown_address, shown_text

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def private_redirect(url: str, target: str) -> str:
    """Return why a redirect may not be followed; empty where it may.

    A redirect from a public host to a loopback, link-local or private address is refused:
    a server could make the program read what only this machine or its network can reach,
    such as a cloud's metadata service. A host on loopback or a private network, which the
    user named, may redirect to itself and within loopback or its own private network, but
    never to a link-local address.

    Names are resolved here and again when the connection is made. A name server that gives
    two different answers is not detected.

    Args:
        url: The address that answered with the redirect.
        target: The absolute address that it leads to.
    """
    inner = _find_private(url, target)
    if inner is None:
        return ""
    return (
        f"{shown_address(url)}: is redirected to a {_kind(inner)} address ({inner}), "
        "which is not followed"
    )


def why_not_from(service: str, target: str) -> str:
    """Return why an address that a service gives may not be read; empty where it may.

    It must be one of HTTP, and may lead where a redirect of the service may lead: a
    service could else make the program publish a file of this machine or its network.

    Args:
        service: The service's address, which the user named.
        target: The address in its answer.
    """
    shown = shown_text(shown_address(target))
    try:
        scheme, host = urlsplit(target).scheme, urlsplit(target).hostname
    except ValueError:
        return f"{shown}: no valid address"
    if scheme not in ("http", "https") or not host:
        return f"{shown}: the source gives an address that is not one of HTTP; it is not read"
    inner = _find_private(service, target)
    if inner is None:
        return ""
    return (
        f"{shown}: the source gives a {_kind(inner)} address ({inner}), which is not read; "
        "give the matrix itself as input if it is yours"
    )


def _find_private(url: str, target: str) -> IPAddress | None:
    """Return an address of a target's host to which a URL's host may not lead."""
    if urlsplit(url).hostname == urlsplit(target).hostname:
        return None
    inner = [address for address in _resolve(target) if not address.is_global]
    if not inner:
        return None
    kinds = {_kind(address) for address in _resolve(url)}
    if all(_kind(address) in kinds - {"link-local", "public"} for address in inner):
        return None
    return inner[0]


def _kind(address: IPAddress) -> str:
    """Return the kind of network: ``public``, ``link-local``, ``loopback`` or ``private``."""
    if address.is_link_local:
        return "link-local"
    if address.is_loopback:
        return "loopback"
    return "public" if address.is_global else "private"


def _resolve(url: str) -> list[IPAddress]:
    """Return the IP addresses of a URL's host; none where its name is not known here."""
    host = urlsplit(url).hostname or ""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [_plain(ipaddress.ip_address(str(entry[4][0]).partition("%")[0])) for entry in found]


def _plain(address: IPAddress) -> IPAddress:
    """Return the IPv4 address that an IPv6 address maps, else the address."""
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
