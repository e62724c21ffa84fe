"""Genes, cells and features: their names, ids and kinds, from any format's tables."""
