"""Servers on loopback that speak as the real ones do: over HTTP, with their faults."""
