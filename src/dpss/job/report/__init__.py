"""What a run did: outcomes, reports and metrics."""
