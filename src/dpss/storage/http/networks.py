"""Which network an address is in, and whether a redirect may lead there."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from dpss.storage.urls import shown_address

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
    if urlsplit(url).hostname == urlsplit(target).hostname:
        return ""
    inner = [address for address in _resolve(target) if not address.is_global]
    if not inner:
        return ""
    kinds = {_kind(address) for address in _resolve(url)}
    if all(_kind(address) in kinds - {"link-local", "public"} for address in inner):
        return ""
    kind = _kind(inner[0])
    return (
        f"{shown_address(url)}: is redirected to a {kind} address ({inner[0]}), "
        "which is not followed"
    )


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
