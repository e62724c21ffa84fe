"""Executors, compiled loops, child processes and the limits of the machine."""
