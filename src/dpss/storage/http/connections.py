"""Pools of HTTP connections that are made only to addresses in allowed networks.

A connection resolves its host's name once, compares the addresses with the allowed
networks, and connects to one of these addresses. The name stays in the ``Host`` header,
in TLS's server name and in the check of the certificate. Through a proxy set by the user, the proxy
resolves names and decides.
"""

from __future__ import annotations

import socket
import threading
from typing import ClassVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
)

from dpss.storage.http.deadlines import TimedResponse
from dpss.storage.http.networks import Networks, first_networks, resolve

_MAX_POOLS = 16
_KEPT_CONNECTIONS = 40
"""Connections to a host that are kept: those of pages fetched ahead, and of some readers."""

_managers: dict[tuple[str, Networks | None], urllib3.PoolManager] = {}
_managers_lock = threading.Lock()


class RefusedNetworkError(HTTPError):
    """A host has an address in a network to which no connection may be made."""


class _CheckedConnection(HTTPConnection):
    """A connection that checks the host's addresses against the allowed networks."""

    response_class = TimedResponse
    networks: ClassVar[Networks | None] = None
    """Allowed kinds of network; ``None`` for those of the host's first look-up."""

    def _new_conn(self) -> socket.socket:
        """Return a socket that is connected to the first address that answers.

        Raises:
            RefusedNetworkError: One of the host's addresses is not in an allowed network.
            HTTPError: The name is not known, or no address answers.
        """
        name = self._dns_host
        try:
            found = resolve(name)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except UnicodeError as error:
            raise LocationParseError(f"{name!r}, a label is empty or too long") from error
        allowed = self.networks
        if allowed is None:
            allowed = first_networks(self.host.lower(), frozenset(each.kind for each in found))
        for each in found:
            if each.kind not in allowed:
                raise RefusedNetworkError(
                    f"no connection is made to a {each.kind} address ({each.address})"
                )
        failure: HTTPError = NewConnectionError(self, "the name has no address")
        for each in found:
            # urllib3 connects to `_dns_host`; a literal address is not resolved again.
            self._dns_host = each.literal
            try:
                return super()._new_conn()
            except (NewConnectionError, ConnectTimeoutError) as error:
                failure = error
            finally:
                self._dns_host = name
        raise failure


class _CheckedTlsConnection(_CheckedConnection, HTTPSConnection):
    """A checked connection with TLS."""


def pools_for(url: str, networks: Networks | None) -> urllib3.PoolManager:
    """Return this process's connection pools for an address, and its proxy.

    Args:
        url: An address.
        networks: Kinds of network that its host may be in; ``None``: those where it was when
            this process first connected to it.
    """
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme, "")
    if not proxy or proxy_bypass(parts.hostname or ""):
        proxy = ""
    key = (proxy, None if proxy else networks)
    with _managers_lock:
        if key not in _managers:
            _managers[key] = (
                urllib3.ProxyManager(proxy, num_pools=_MAX_POOLS, maxsize=_KEPT_CONNECTIONS)
                if proxy
                else _manager_within(networks)
            )
        return _managers[key]


def _manager_within(networks: Networks | None) -> urllib3.PoolManager:
    """Return a manager whose connections are made to these networks only."""
    allowed = networks

    class AllowedConnection(_CheckedConnection):
        networks = allowed

    class AllowedTlsConnection(_CheckedTlsConnection):
        networks = allowed

    class CheckedPool(urllib3.HTTPConnectionPool):
        ConnectionCls = AllowedConnection

    class CheckedTlsPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = AllowedTlsConnection

    manager = urllib3.PoolManager(num_pools=_MAX_POOLS, maxsize=_KEPT_CONNECTIONS)
    manager.pool_classes_by_scheme = {"http": CheckedPool, "https": CheckedTlsPool}
    return manager
