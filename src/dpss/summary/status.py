"""The four statuses of a check and of a rule of a policy."""

PASS, WARN, FAIL, NOT_MEASURED = "pass", "warn", "fail", "not measured"
"""Passed; a warning; the numbers can't be used as they are; the checked property is missing. The
last one never counts as passed."""
