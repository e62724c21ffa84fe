"""One matrix: the choice of a layer, the passes over it, its summary."""
