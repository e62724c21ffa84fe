"""Components, clusters and markers of cells: accumulators and pure functions."""
