"""Delimited text: csv, tsv and their relatives."""
