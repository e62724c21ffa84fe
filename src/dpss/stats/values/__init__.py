"""Kinds of values in a matrix: counts, logarithms, scaled; their transforms."""
