"""Catalogs: lists of a source's projects with the addresses of their matrices."""
