"""Figures: drawn from a summary, written as PNG and SVG."""
