"""HTTP with retries: transient errors are retried until a deadline.

The client is urllib3, the retries are stamina's; ``docs/adr/0005-http-client.md`` has the reasons.
Retried are refused and broken connections, timeouts, and the statuses 429, 500, 502, 503 and 504; a
``Retry-After`` is honoured, also in a redirect.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import stamina
import urllib3
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import parse_url

from dpss.errors import RequestError, TransientRequestError
from dpss.storage.http.connections import RefusedNetworkError, pools_for
from dpss.storage.http.deadlines import time_limit
from dpss.storage.http.networks import Networks, networks_beyond, redirect_refusal
from dpss.storage.http.responses import (
    discard,
    error_message,
    is_malformed,
    read_bounded,
    reason,
    retry_after,
)
from dpss.storage.redaction import redact_url

T = TypeVar("T")

TRANSIENT = frozenset({429, 500, 502, 503, 504})
"""Statuses of transient errors: the request is retried."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 100  # Azul redirects to the same address until a file is ready
MAX_JSON_BYTES = 1 << 27
"""Largest decompressed document in bytes; CELLxGENE's list of datasets has about 2²⁶."""


@dataclass(frozen=True)
class RetryPolicy:
    """Number of attempts, waiting times and timeouts, in seconds."""

    attempts: int = 8
    """Most attempts at one request, or at resuming a download."""
    deadline: float = 300.0
    """Seconds for one request with all its attempts, redirects and waits."""
    connect: float = 10.0
    """Timeout of a connection, in seconds."""
    read_timeout: float = 25.0
    """Timeout for the next bytes of a response, in seconds. Less than the 30 seconds that a
    container has to end after SIGTERM, so that a waiting thread ends in time.
    """
    initial_backoff: float = 0.5
    """Seconds before the second attempt; doubles each time, plus random jitter."""
    max_backoff: float = 30.0
    """Most seconds before an attempt, if the server states no time."""
    slow_bytes_per_second: float = 10_000.0
    """A slower transfer over ``slow`` seconds counts as broken."""
    slow: float = 120.0
    """Seconds over which ``slow_bytes_per_second`` is measured; also the most for the head of a
    response, and for the next bytes of its body."""


@dataclass(frozen=True)
class Client:
    """Sends HTTP requests; safe in several threads; can be pickled."""

    retries: RetryPolicy = field(default_factory=RetryPolicy)
    user_agent: str = "data-portal-summary-stats"
    networks: Networks | None = None
    """Kinds of network that the host of an address may be in; ``None`` for addresses given by the
    user: then the networks of the host's addresses at this process's first connection.
    """

    def get_json(self, url: str) -> Any:
        """Return the JSON document at an address.

        Raises:
            RequestError: The address gives no JSON document before the deadline.
        """
        return self.try_until(lambda: self._request_json(url))

    def post_json(self, url: str, document: Any) -> Any:
        """Post a JSON document and return the JSON document of the response.

        Raises:
            RequestError: The response is no JSON document, or comes after the deadline.
        """
        body = json.dumps(document).encode()
        return self.try_until(lambda: self._request_json(url, body))

    def try_until(self, function: Callable[[], T]) -> T:
        """Call a function, with retries after each `TransientRequestError`.

        Raises:
            RequestError: The error of the last call.
        """
        retries = self.retries
        return stamina.RetryingCaller(
            attempts=retries.attempts,
            timeout=retries.deadline,
            wait_initial=retries.initial_backoff,
            wait_max=retries.max_backoff,
            wait_jitter=retries.initial_backoff,
        )(self._wait, function)

    def open(
        self, url: str, headers: Mapping[str, str] | None = None
    ) -> tuple[urllib3.BaseHTTPResponse, str, Client]:
        """Request an address once, following redirects; the body is not yet read.

        Returns:
            The response, of any status that is not transient; its final address; and the client to
            request that address again.

        Raises:
            TransientRequestError: The request failed; a later attempt may succeed.
            RequestError: The request failed for good.
        """
        deadline = time.monotonic() + self.retries.deadline
        client = self
        for _ in range(MAX_REDIRECTS):
            response = client._send(url, headers)
            if response.status not in REDIRECTS:
                return response, url, client
            location = response.headers.get("Location")
            wait = retry_after(response.headers.get("Retry-After")) or 0.0
            discard(response)
            if not location:
                raise RequestError(f"{redact_url(url)}: is redirected, but not where to")
            if time.monotonic() + wait > deadline:
                raise RequestError(
                    f"{redact_url(url)}: not ready after {self.retries.deadline:.0f} s"
                )
            time.sleep(wait)
            target = follow(url, location, client.networks)
            client = replace(client, networks=networks_beyond(url, target, client.networks))
            url = target
        raise RequestError(f"{redact_url(url)}: more than {MAX_REDIRECTS} redirects")

    def _request_json(self, url: str, body: bytes | None = None) -> Any:
        """Request a JSON document once; post ``body`` if there is one."""
        headers = {"Accept": "application/json"}
        if body is None:
            response, _, _ = self.open(url, headers)
        else:
            headers["Content-Type"] = "application/json"
            response = self._send(url, headers, body)
        try:
            with time_limit(self.retries.deadline):
                data = read_bounded(response, MAX_JSON_BYTES)
        except ValueError as error:
            response.close()
            raise RequestError(
                f"{redact_url(url)}: does not answer in HTTP ({reason(error)})"
            ) from error
        except (HTTPError, OSError) as error:
            response.close()
            raise TransientRequestError(
                f"{redact_url(url)}: broke off ({reason(error)})"
            ) from error
        if data is None:
            response.close()
            limit = MAX_JSON_BYTES >> 20
            raise RequestError(f"{redact_url(url)}: answers with more than {limit} MiB")
        response.release_conn()
        if not 200 <= response.status < 300:
            raise RequestError(
                f"{redact_url(url)}: answers {response.status}{error_message(data)}",
                response.status,
            )
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            raise RequestError(f"{redact_url(url)}: does not answer in JSON") from error

    def _send(
        self, url: str, headers: Mapping[str, str] | None, body: bytes | None = None
    ) -> urllib3.BaseHTTPResponse:
        """Send a request once: GET, or POST if there is a body."""
        retries = self.retries
        try:
            with time_limit(retries.slow):
                response = pools_for(url, self.networks).request(
                    "GET" if body is None else "POST",
                    url,
                    body=body,
                    headers={"User-Agent": self.user_agent, **(headers or {})},
                    timeout=urllib3.Timeout(connect=retries.connect, read=retries.read_timeout),
                    retries=False,
                    redirect=False,
                    preload_content=False,
                    decode_content=False,
                )
        except (HTTPError, OSError) as error:
            host = urlsplit(url).netloc.rpartition("@")[2]
            if isinstance(error, RefusedNetworkError):
                raise RequestError(f"{urlsplit(url).hostname}: {error}") from error
            if isinstance(error, LocationParseError):
                raise RequestError(f"{host}: {reason(error)}") from error
            if is_malformed(error):
                raise RequestError(f"{host}: does not answer in HTTP ({reason(error)})") from error
            raise TransientRequestError(f"{host}: {reason(error)}") from error
        if response.status in TRANSIENT:
            wait = retry_after(response.headers.get("Retry-After"))
            discard(response)
            raise TransientRequestError(
                f"{redact_url(url)}: answers {response.status}", response.status, wait
            )
        return response

    def _wait(self, error: Exception) -> bool | float:
        """Return whether to retry; the seconds to wait if the server states them."""
        if not isinstance(error, TransientRequestError):
            return False
        if error.retry_after is None:
            return True
        return error.retry_after if error.retry_after <= self.retries.deadline else False


def follow(url: str, location: str, networks: Networks | None = None) -> str:
    """Return the address that a redirect leads to.

    Args:
        url: The address that answers with the redirect.
        location: Target of the redirect; may be relative.
        networks: Kinds of network that the host of ``url`` may be in; ``None`` where the user gave
            it.

    Raises:
        RequestError: The target is not an address, or leads away from HTTP, from HTTPS to plain
            HTTP, or from a public host into a private network.
    """
    try:
        target = urljoin(url, location)
        old, new = urlsplit(url).scheme, urlsplit(target).scheme
        if new in ("http", "https") and not parse_url(target).host:
            raise ValueError("there is no host")
    except ValueError as error:  # urllib3's own error is one.
        raise RequestError(f"{redact_url(url)}: is redirected to no valid address") from error
    if new not in ("http", "https") or (old == "https" and new == "http"):
        raise RequestError(f"{redact_url(url)}: is redirected to {new}://, which is not followed")
    if refusal := redirect_refusal(url, target, networks):
        raise RequestError(refusal)
    return target
