"""Results of a run: outcomes, reports and metrics."""
