"""No URL, header or message that is shown holds a secret."""

import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.storage.redaction import redact_line, redact_text, redact_url

SECRETS = (
    "https://me:hunter2@host/a.h5ad",
    "s3://KEY:hunter2@bucket/a",
    "GET https://host/f?X-Amz-Signature=hunter2&X-Amz-Expires=900 failed",
    "https://storage/f?X-Goog-Credential=hunter2%40x",
    "('https://host/f?sig=hunter2', 403)",
    "Authorization: Bearer hunter2",
    "headers {'authorization': 'Basic hunter2'}",
    "X-Api-Key: hunter2",
    "aws_secret_access_key = hunter2",
    "AWS_SESSION_TOKEN=hunter2",
    "password: hunter2",
)
NAMES = st.text(string.ascii_letters + string.digits + "-_.", min_size=1)


@pytest.mark.parametrize("text", SECRETS)
def test_secrets_are_removed_from_texts(text: str) -> None:
    """Credentials, signatures and tokens go, wherever they stand; the rest stays."""
    for redact in (redact_text, redact_line):
        assert "hunter2" not in redact(text)
        assert redact(text)[:3] == text[:3]


@pytest.mark.parametrize(
    "text", ["a.h5ad: holds NaN", "s3://bucket/key", "is it? yes", "5 > 3", "(https://h/a_(1).)"]
)
def test_the_rest_stays_as_it_is(text: str) -> None:
    """A text without secrets is not touched."""
    assert redact_text(text) == text


@given(NAMES, NAMES, NAMES, st.sampled_from(["https", "s3", "ftp"]))
def test_any_parameter_user_or_fragment_is_removed(
    name: str, path: str, user: str, scheme: str
) -> None:
    """Whatever a service calls its signature; redacting again changes nothing."""
    secret = "hunter2/+="
    base = f"{scheme}://host/{path}"
    for url in (
        f"{base}?{name}x={quote(secret)}&catalog=dcp1",
        f"{base}?{name}x={secret}",
        f"{base}#{name}={secret}",
        f"{scheme}://{user}:hunter2@host/{path}",
    ):
        for shown in (redact_url(url), redact_text(f"at '{url}' once"), redact_line(f"({url})")):
            assert "hunter2" not in shown
            assert base.rstrip(".") in shown
        assert redact_url(redact_url(url)) == redact_url(url)
        assert ("catalog=dcp1" in url) == ("catalog=dcp1" in redact_url(url))
