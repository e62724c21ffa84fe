"""Samples in the folders that pipelines write, on any kind of storage."""
