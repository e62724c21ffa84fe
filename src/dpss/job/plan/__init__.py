"""Plan of a run: pure decisions from the results of earlier runs."""
