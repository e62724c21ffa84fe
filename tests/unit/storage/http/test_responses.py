"""Headers of answers and faults, in words: whatever a server writes, no error comes of it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.storage.http.responses import reason, retry_after, whole_number


@given(st.text(max_size=40))
def test_a_wait_is_finite_or_none(text: str) -> None:
    """Any text: a wait of no less than nothing, or none that can be told."""
    wait = retry_after(text)
    assert wait is None or (math.isfinite(wait) and wait >= 0)


def test_a_date_is_a_wait_until_then() -> None:
    """A date to come is as many seconds as it takes to get there."""
    then = datetime.now(UTC) + timedelta(seconds=90)
    wait = retry_after(format_datetime(then, usegmt=True))
    assert wait is not None
    assert 60 < wait <= 90


@given(st.text(max_size=30) | st.integers().map(str))
def test_a_length_is_a_number_of_digits(text: str) -> None:
    """Anything but up to 18 ASCII digits is no length."""
    digits = bool(text) and len(text) <= 18 and all(c in "0123456789" for c in text)
    assert whole_number(text) == (int(text) if digits else None)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionResetError(104, "Connection reset by peer"), "the connection was reset"),
        (TimeoutError("timed out"), "no answer in time"),
        (OSError("https://key:hunter2@host/x?token=abc refused"), "refused"),
        (OSError(), "OSError"),
    ],
)
def test_a_fault_is_told_without_secrets(error: OSError, words: str) -> None:
    """Known faults have words of their own; addresses lose what is secret in them."""
    told = reason(error)
    assert words in told
    assert "hunter2" not in told
    assert "abc" not in told
