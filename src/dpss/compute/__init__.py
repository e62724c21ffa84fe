"""Executors, compiled loops and the limits of the machine."""
