"""The program's version, which packages and results state."""

__version__ = "0.1.0"
