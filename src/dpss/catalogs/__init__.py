"""Catalogs: which projects a source has, and where their matrices are."""
