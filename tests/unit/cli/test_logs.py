"""Log lines are readable by people or by machines, and hold no secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stamina.instrumentation import RetryDetails
from stamina.instrumentation._logging import init_logging

from dpss.cli.logs import set_up_logs
from dpss.job.context import context
from tests.unit.storage.test_redaction import SECRETS


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """Give the root logger back as it was."""
    root, ours = logging.getLogger(), logging.getLogger("dpss")
    handlers, level, our_level = list(root.handlers), root.level, ours.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    ours.setLevel(our_level)
    logging.captureWarnings(capture=False)


@pytest.mark.parametrize("style", ["text", "json"])
def test_no_line_shows_a_secret(style: str) -> None:
    """Neither the message nor a traceback, in either form."""
    out = io.StringIO()
    set_up_logs("debug", style, out)
    log = logging.getLogger("dpss.some")
    for secret in SECRETS:
        try:
            raise OSError(secret)
        except OSError as error:
            log.exception("failed: %s", error)
    assert "hunter2" not in out.getvalue()
    assert out.getvalue().count("Traceback") == len(SECRETS)


def test_machine_lines_say_what_they_are_about() -> None:
    """Each is one JSON object with time, level and the ids of run, project and matrix."""
    out = io.StringIO()
    set_up_logs("info", "json", out)
    log = logging.getLogger("dpss.some")
    with context(run="r"):
        with context(project="p", matrix="m"):
            log.info("one\nline")
        log.warning("two")
    log.debug("not asked for")
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert first["time"].endswith("+00:00")
    del first["time"]
    assert first == {
        "level": "info",
        "logger": "dpss.some",
        "message": "one\nline",
        "run": "r",
        "project": "p",
        "matrix": "m",
    }
    assert (second["level"], second["run"]) == ("warning", "r")
    assert "project" not in second


def test_other_libraries_are_heard_from_warnings_on() -> None:
    """However much we log, a library's chatter does not come through."""
    out = io.StringIO()
    set_up_logs("debug", "text", out)
    logging.getLogger("matplotlib").info("chatter")
    logging.getLogger("matplotlib").warning("trouble")
    assert "chatter" not in out.getvalue()
    assert "warning: trouble" in out.getvalue()


LIBRARIES = st.sampled_from(["distributed", "distributed.scheduler", "dpssx", "tornado"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LIBRARIES, st.sampled_from(["text", "json"]), st.integers(1, 50))
def test_a_library_that_sets_its_own_level_is_heard_from_warnings_on(
    name: str, style: str, level: int
) -> None:
    """As ``distributed`` does, when it is imported after the logs were set up."""
    out = io.StringIO()
    set_up_logs("debug", style, out)
    library = logging.getLogger(name)
    library.setLevel(1)
    library.log(level, "of a library")
    logging.getLogger("dpss.some").debug("of the program")
    library.setLevel(logging.NOTSET)
    assert ("of a library" in out.getvalue()) == (level >= logging.WARNING)
    assert "of the program" in out.getvalue()


@pytest.mark.parametrize("style", ["text", "json"])
def test_a_retry_is_said_in_words(style: str) -> None:
    """Its number, its error and the wait; the library's own line has none of these."""
    out = io.StringIO()
    set_up_logs("info", style, out)
    error = OSError("https://host/a?sig=hunter2")
    init_logging()(RetryDetails("f", (), {}, 3, 1.25, 0.5, error))
    said = "attempt 3 failed (OSError('https://host/a')); the next follows in 1.25 s"
    assert said in out.getvalue()
    assert "hunter2" not in out.getvalue()
