"""Plan of a run: decisions without I/O, from the results of earlier runs."""
