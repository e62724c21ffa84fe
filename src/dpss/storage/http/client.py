"""HTTP with retries: what passes is tried again, for as long as was asked and no longer.

The client is urllib3, the retrying stamina's; ``docs/adr/0005-http-client.md`` says why.
Tried again are refused and broken connections, silence, and the statuses 429, 500, 502,
503 and 504; a ``Retry-After`` is honoured, also where it comes with a redirect.
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
from urllib3.exceptions import HTTPError

from dpss.errors import RequestError, TransientRequestError
from dpss.storage.http.answers import (
    discard,
    is_malformed,
    read_bounded,
    reason,
    retry_after,
    words_of,
)
from dpss.storage.http.connections import RefusedNetworkError, pools_for
from dpss.storage.http.networks import Networks, networks_beyond, private_redirect
from dpss.storage.redaction import redact_url

T = TypeVar("T")

PASSING = frozenset({429, 500, 502, 503, 504})
"""Statuses of faults that may pass: the request is tried again."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 100  # Azul sends a caller back to itself until a file is ready
MAX_JSON_BYTES = 1 << 27
"""Largest document, after inflating; CELLxGENE's list of all data sets has about 2²⁶ bytes."""


@dataclass(frozen=True)
class RetryPolicy:
    """How long to wait for what, in seconds."""

    attempts: int = 8
    """Attempts at one request, or at getting on with a download."""
    deadline: float = 300.0
    """For one request with all its attempts, redirects and waits."""
    connect: float = 10.0
    """For a connection."""
    read_timeout: float = 25.0
    """For the next bytes of an answer. Less than the 30 seconds that a container is given to end
    after SIGTERM: no thread that waits for a server keeps the program longer."""
    initial_backoff: float = 0.5
    """Before the second attempt; doubles each time, and chance is added."""
    max_backoff: float = 30.0
    """Before any attempt, if the server names no time."""
    slow_bytes_per_second: float = 10_000.0
    """A slower transfer over ``slow`` seconds counts as broken."""
    slow: float = 120.0
    """See ``slow_bytes_per_second``."""


@dataclass(frozen=True)
class Client:
    """Sends requests; may be shared by threads and pickled."""

    retries: RetryPolicy = field(default_factory=RetryPolicy)
    user_agent: str = "data-portal-summary-stats"
    networks: Networks | None = None
    """Kinds of network that the host of an address may be in; ``None`` for addresses that the user
    named: those where their host was when this process first connected to it."""

    def get_json(self, url: str) -> Any:
        """Return the JSON document at an address.

        Raises:
            RequestError: There is none, or not within the time that was given.
        """
        return self._json("GET", url, None)

    def post_json(self, url: str, document: Any) -> Any:
        """Post a JSON document and return the one that comes back.

        Raises:
            RequestError: There is none, or not within the time that was given.
        """
        return self._json("POST", url, json.dumps(document).encode())

    def try_until(self, function: Callable[[], T]) -> T:
        """Call a function until it doesn't end in a `TransientRequestError`, or retries does.

        Raises:
            RequestError: What the last call raised.
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
        """Ask for an address once, following redirects; the body is not yet read.

        Returns:
            The answer, whatever its status unless it may pass, the address it came from, and
            the client that may ask this address again.

        Raises:
            TransientRequestError: It may work later.
            RequestError: It won't.
        """
        deadline = time.monotonic() + self.retries.deadline
        client = self
        for _ in range(MAX_REDIRECTS):
            answer = client._send("GET", url, headers, None)
            if answer.status not in REDIRECTS:
                return answer, url, client
            location = answer.headers.get("Location")
            wait = retry_after(answer.headers.get("Retry-After")) or 0.0
            discard(answer)
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

    def _json(self, method: str, url: str, body: bytes | None) -> Any:
        return self.try_until(lambda: self._json_once(method, url, body))

    def _json_once(self, method: str, url: str, body: bytes | None) -> Any:
        headers = {"Accept": "application/json"}
        if body is None:
            answer, _, _ = self.open(url, headers)
        else:
            answer = self._send(method, url, {**headers, "Content-Type": "application/json"}, body)
        try:
            data = read_bounded(answer, MAX_JSON_BYTES)
        except (HTTPError, OSError) as error:
            answer.close()
            raise TransientRequestError(
                f"{redact_url(url)}: broke off ({reason(error)})"
            ) from error
        if data is None:
            answer.close()
            limit = MAX_JSON_BYTES >> 20
            raise RequestError(f"{redact_url(url)}: answers with more than {limit} MiB")
        answer.release_conn()
        if not 200 <= answer.status < 300:
            raise RequestError(
                f"{redact_url(url)}: answers {answer.status}{words_of(data)}", answer.status
            )
        try:
            return json.loads(data)
        except ValueError as error:
            raise RequestError(f"{redact_url(url)}: does not answer in JSON") from error

    def _send(
        self, method: str, url: str, headers: Mapping[str, str] | None, body: bytes | None
    ) -> urllib3.BaseHTTPResponse:
        """Send a request once."""
        retries = self.retries
        try:
            answer = pools_for(url, self.networks).request(
                method,
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
            if is_malformed(error):
                raise RequestError(f"{host}: does not answer in HTTP ({reason(error)})") from error
            raise TransientRequestError(f"{host}: {reason(error)}") from error
        if answer.status in PASSING:
            wait = retry_after(answer.headers.get("Retry-After"))
            discard(answer)
            raise TransientRequestError(
                f"{redact_url(url)}: answers {answer.status}", answer.status, wait
            )
        return answer

    def _wait(self, error: Exception) -> bool | float:
        """Return whether to try again, and when if the server named a time."""
        if not isinstance(error, TransientRequestError):
            return False
        if error.retry_after is None:
            return True
        return error.retry_after if error.retry_after <= self.retries.deadline else False


def follow(url: str, location: str, networks: Networks | None = None) -> str:
    """Return the address that a redirect leads to.

    Args:
        url: The address that answers with the redirect.
        location: Where it leads to; may be relative.
        networks: Kinds of network that the host of ``url`` may be in; ``None`` where the user
            named it.

    Raises:
        RequestError: It is no address, or leads away from HTTP, from HTTPS to plain HTTP, or
            from a public host into a private network.
    """
    try:
        target = urljoin(url, location)
        old, new = urlsplit(url).scheme, urlsplit(target).scheme
    except ValueError as error:
        raise RequestError(f"{redact_url(url)}: is redirected to no valid address") from error
    if new not in ("http", "https") or (old == "https" and new == "http"):
        raise RequestError(f"{redact_url(url)}: is redirected to {new}://, which is not followed")
    if refusal := private_redirect(url, target, networks):
        raise RequestError(refusal)
    return target
