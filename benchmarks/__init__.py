"""Measurements of this program beside others; `make bench`."""
