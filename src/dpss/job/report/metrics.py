"""Metrics of a run: one log line in CloudWatch's embedded metric format."""

from __future__ import annotations

import json
from datetime import datetime

from dpss.engine.run_settings import RunSettings
from dpss.job.report.outcomes import Outcome, RunReport, Status

NAMESPACE = "dpss"
"""Namespace of the metrics in CloudWatch."""
_NAMED = 20
"""Most matrices that are named, as the size of a log event is limited."""


def emf_line(report: RunReport, settings: RunSettings, finished: datetime, seconds: float) -> str:
    """Return one line of JSON, from whose log event CloudWatch makes metrics.

    The format is in CloudWatch's manual, "Embedded metric format specification".

    Args:
        report: Outcomes of all matrices.
        settings: Settings of the run; source and deployment become dimensions.
        finished: End time of the run.
        seconds: Duration of the run.
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
        # A field of the log event, not a metric, which would cost money each month.
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
