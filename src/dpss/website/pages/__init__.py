"""HTML pages, from templates."""
