"""Compiled loops over values."""
