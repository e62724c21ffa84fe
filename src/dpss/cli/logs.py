"""Log lines as text or JSON, with secrets removed."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import TextIO

from dpss.job.context import current
from dpss.storage.plain_text import escape_control_in_json, strip_control
from dpss.storage.redaction import redact_text

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json")


def clean(text: str) -> str:
    """Return a text without secrets and control characters, for a terminal or a log."""
    return redact_text(strip_control(text))


class _Formatter(logging.Formatter):
    """Formats messages and tracebacks, also those that another process has formatted."""

    def message_of(self, record: logging.LogRecord) -> str:
        """Return a record's message; of stamina's, the attempt, its error and the wait."""
        told = vars(record)
        if "stamina.retry_num" not in told:
            return clean(record.getMessage())
        return clean(
            f"attempt {told['stamina.retry_num']} failed ({told['stamina.caused_by']}); the next "
            f"follows in {told['stamina.wait_for']} s"
        )

    def trace_of(self, record: logging.LogRecord) -> str:
        """Return a record's traceback; empty where it has none."""
        if record.exc_info:
            return clean(self.formatException(record.exc_info))
        return clean(record.exc_text or "")


class TextFormatter(_Formatter):
    """Formats a record as a line of text: time, level other than INFO, message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        time = datetime.fromtimestamp(record.created).astimezone()
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        text = f"{time:%H:%M:%S} {level}{self.message_of(record)}"
        if trace := self.trace_of(record):
            text += "\n" + trace
        return text


class JsonFormatter(_Formatter):
    """Formats a record as one line of JSON with ids of run, project and matrix."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        document = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.message_of(record),
            **current(),
        }
        if trace := self.trace_of(record):
            document["traceback"] = trace
        return escape_control_in_json(json.dumps(document, ensure_ascii=False))


def is_shown(record: logging.LogRecord) -> bool:
    """Return whether a record is of this program, or at least a warning of a library.

    A library may set its own level when it is imported, as ``distributed`` does.
    """
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] == "dpss"


def set_up_logs(level: str, style: str, stream: TextIO | logging.Handler) -> None:
    """Send log lines to a stream: those of the program, and warnings of libraries.

    Args:
        level: One of `LEVELS`.
        style: One of `FORMATS`.
        stream: Stream to write to, or a handler, which gets the formatter.
    """
    handler = stream if isinstance(stream, logging.Handler) else logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    handler.addFilter(is_shown)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("dpss").setLevel(level.upper())
    logging.captureWarnings(capture=True)
