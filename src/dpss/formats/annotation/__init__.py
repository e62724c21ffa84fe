"""Genes, cells and features: names, ids and kinds, from the tables of any format."""
