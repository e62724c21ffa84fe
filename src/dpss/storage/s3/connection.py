"""Credentials and endpoint for AWS, and explanations of errors in one line.

Credentials come from botocore, so that all ways of AWS's own tools work: the
environment, ``~/.aws`` with its profiles (roles, SSO and processes included), the role of
an ECS task or an instance. The bytes go through obstore. ``docs/adr/0004-object-store.md`` has the
reasons.
"""

from __future__ import annotations

import os
import re
import threading
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dpss.compute.extras import require
from dpss.errors import DpssError, FetchError, UnreachableError
from dpss.storage.redaction import redact_line
from dpss.storage.s3.profile_files import explain_files

if TYPE_CHECKING:
    from obstore.store import S3Config, S3Credential, S3Store

# AWS's libraries read the variables of AWS. The program reads two of them: AWS_REGION, which
# botocore does not know, and the one that turns off signing.
_AWS_ENVIRONMENT = os.environ  # noqa: TID251

_TTL = timedelta(minutes=10)
"""Time that credentials are used before botocore is asked for current ones."""
_CODE = re.compile(r"<Code>(\w+)</Code>")
_STATUS = re.compile(r"status code: (\d{3})")

_EXPLAINED = {
    "NoSuchBucket": "there is no such bucket",
    "AccessDenied": "access denied; the credentials lack a permission on it",
    "AllAccessDisabled": "access denied; the bucket is closed",
    "InvalidAccessKeyId": "AWS does not know the access key",
    "SignatureDoesNotMatch": "the secret access key does not belong to the access key",
    "ExpiredToken": "the credentials have expired; renew them and run again",
    "InvalidToken": "the session token is not valid; renew the credentials and run again",
    "RequestTimeTooSkewed": "this machine's clock is wrong",
    "PermanentRedirect": "the bucket is in another region; set AWS_REGION to it",
    "AuthorizationHeaderMalformed": "the bucket is in another region; set AWS_REGION to it",
    "IllegalLocationConstraintException": "the bucket is in another region; set AWS_REGION to it",
    "SlowDown": "S3 asked for fewer requests, for longer than was waited",
}


class Credentials:
    """Asks botocore for credentials whenever obstore needs some."""

    def __init__(self, session: Any) -> None:
        """Store the botocore session."""
        self._session = session
        self._found: Any = None
        self._lock = threading.Lock()

    def __call__(self) -> S3Credential:
        """Return credentials that are valid for a while.

        Raises:
            UnreachableError: No credentials are found.
        """
        with self._lock:
            if self._found is None:
                self._found = self._session.get_credentials()
            if self._found is None:
                why = explain_files(_AWS_ENVIRONMENT)
                raise UnreachableError(f"no AWS credentials: {why}" if why else NO_CREDENTIALS)
            frozen = self._found.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.now(UTC) + _TTL,
        }


NO_CREDENTIALS = (
    "no AWS credentials found in the environment (AWS_ACCESS_KEY_ID), in ~/.aws (AWS_PROFILE) or "
    "from a task or instance role; for a public bucket set AWS_SKIP_SIGNATURE=true"
)


@lru_cache(maxsize=64)
def connect(bucket: str) -> S3Store:
    """Return this process's connection to a bucket; no request is sent yet.

    Raises:
        UnreachableError: No credentials are found, or botocore, which an extra brings, is missing.
    """
    require("aws", f"s3://{bucket}: S3 needs botocore", UnreachableError)
    import botocore.session
    from botocore.configprovider import ConfiguredEndpointProvider
    from botocore.exceptions import BotoCoreError
    from obstore.exceptions import BaseError
    from obstore.store import S3Store

    try:
        session = botocore.session.Session()
        endpoint = ConfiguredEndpointProvider(
            session.full_config, session.get_scoped_config(), "s3"
        ).provide()
        region = _AWS_ENVIRONMENT.get("AWS_REGION") or session.get_config_variable("region")
        credentials = None if _anonymous() else Credentials(session)
        if credentials:
            credentials()
        config: S3Config = {"region": region or "us-east-1"}
        if endpoint:
            config["endpoint"] = endpoint.rstrip("/")
        return S3Store(
            bucket,
            config=config,
            client_options={
                "allow_http": str(endpoint or "").startswith("http://"),
                "connect_timeout": timedelta(seconds=10),
                # Timeout of a request with its response: 8 MiB at most, at 140 kB/s at least.
                "timeout": timedelta(seconds=60),
                "user_agent": "data-portal-summary-stats",
            },
            retry_config={"max_retries": 8, "retry_timeout": timedelta(minutes=3)},
            credential_provider=credentials,
        )
    except BotoCoreError as error:
        raise UnreachableError(f"s3://{bucket}: {explain_botocore(error)}") from error
    except (UnreachableError, BaseError) as error:
        raise UnreachableError(f"s3://{bucket}: {explain(error)}") from error


def _anonymous() -> bool:
    return _AWS_ENVIRONMENT.get("AWS_SKIP_SIGNATURE", "").lower() in ("true", "1")


def explain_botocore(error: Exception) -> str:
    """Return one line that says why there are no credentials."""
    words = redact_line(str(error)).rstrip(".")
    if type(error).__name__ == "ProfileNotFound":
        why = explain_files(_AWS_ENVIRONMENT)
        if why:
            return f"no AWS credentials: {words}: {why}"
    advice = {
        "ProfileNotFound": "check AWS_PROFILE and AWS_DEFAULT_PROFILE",
        "PartialCredentialsError": "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        "ConfigParseError": "mend the file",
        "SSOTokenLoadError": "run `aws sso login`",
        "UnauthorizedSSOTokenError": "run `aws sso login`",
        "TokenRetrievalError": "run `aws sso login`",
    }.get(type(error).__name__)
    return f"no AWS credentials: {words}" + (f"; {advice}" if advice else "")


def explain(error: Exception) -> str:
    """Return one line that explains an error of S3, without the request."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, DpssError):
            return str(cause)
        cause = cause.__cause__ or cause.__context__
    text = str(error)
    code = _CODE.search(text)
    if code:
        return _EXPLAINED.get(code[1], f"S3 answers {code[1]}")
    for sign, words in (
        ("redirect without LOCATION", _EXPLAINED["PermanentRedirect"]),
        ("dns error", "there is no such host, or no network (check AWS_ENDPOINT_URL)"),
        ("Connection refused", "the connection is refused (check AWS_ENDPOINT_URL)"),
        ("certificate", "the server's certificate can't be verified"),
        ("timed out", "no answer in time"),
        ("error sending request", "can't be reached (check AWS_ENDPOINT_URL and the network)"),
    ):
        if sign.lower() in text.lower():
            return words
    status = _STATUS.search(text)
    if status:
        return {
            "301": _EXPLAINED["PermanentRedirect"],
            "403": _EXPLAINED["AccessDenied"],
            "404": "there is no such bucket or object",
        }.get(status[1], f"S3 answers {status[1]}")
    return redact_line(text.partition("Debug source")[0])[:200]


def unreachable_error(url: str, error: Exception) -> UnreachableError:
    """Build the error for an output or a listing that can't be reached."""
    return UnreachableError(f"{url}: {explain(error)}")


def fetch_error(url: str, error: Exception) -> FetchError:
    """Build the error for an object that can't be read."""
    return FetchError(f"{url}: {explain(error)}")
