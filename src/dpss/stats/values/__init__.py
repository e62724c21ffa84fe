"""What the values of a matrix are: counts, logarithms, scaled; how to undo a transform."""
