"""Kinds of values in a matrix: counts, logarithms, scaled; how to undo a transform."""
