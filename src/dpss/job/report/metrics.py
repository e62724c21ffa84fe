"""Metrics of a run: one log line in CloudWatch's embedded metric format."""

from __future__ import annotations

import json
from datetime import datetime

from dpss.engine.run_settings import RunSettings
from dpss.job.report.outcomes import Outcome, RunReport, Status

NAMESPACE = "dpss"
"""Where the metrics arrive."""
_NAMED = 20
"""Matrices that are named: a log event has an end."""


def emf_line(report: RunReport, settings: RunSettings, finished: datetime, seconds: float) -> str:
    """Return one line of JSON, from which CloudWatch makes metrics when it's logged.

    The format is in CloudWatch's manual, "Embedded metric format specification".

    Args:
        report: What became of every matrix.
        settings: What the run was asked to do: source and deployment are dimensions.
        finished: When the run ended.
        seconds: How long it took.
    """
    new = len(report.new_failures)
    failures = {"NewFailures": new, "KnownFailures": report.count(Status.FAILED) - new}
    units = {
        **dict.fromkeys((*map(str, Status), *failures), "Count"),
        "seconds": "Seconds",
        "bytes": "Bytes",
    }
    values = {
        **{str(status): report.count(status) for status in Status},
        **failures,
        "seconds": round(seconds, 3),
        "bytes": sum(outcome.input_bytes or 0 for outcome in report.outcomes),
    }
    dimensions = {"Environment": settings.environ or "none", "Source": settings.source}
    document = {
        "_aws": {
            "Timestamp": int(finished.timestamp() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [sorted(dimensions)],
                    "Metrics": [{"Name": name, "Unit": unit} for name, unit in units.items()],
                }
            ],
        },
        **dimensions,
        **values,
        # No metric, which would cost by the month: to be asked for in the log.
        "lost": [_lost(outcome) for outcome in report.outcomes if outcome.lost][:_NAMED],
    }
    return json.dumps(document)


def _lost(outcome: Outcome) -> dict[str, str | float | None]:
    """Return the metrics of a matrix whose reading process was lost."""
    return {
        "matrix": outcome.label,
        "cause": outcome.cause,
        "seconds": round(outcome.seconds, 3),
        "peak_memory_bytes": outcome.peak_memory_bytes,
    }
