"""The checks of a matrix, and their table."""

from dpss.summary.checks.registry import CHECKS, check_matrix

__all__ = ["CHECKS", "check_matrix"]
