"""Summary statistics and figures of single-cell count matrices of any size.

>>> import dpss
>>> summary = dpss.summarize("my.h5ad")          # doctest: +SKIP
>>> summary.genes_table().head()                 # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Summary", "__version__", "summarize"]

if TYPE_CHECKING:
    from dpss.api import summarize
    from dpss.summary import Summary


def __getattr__(name: str) -> Any:
    """Import the heavy parts only when they are asked for."""
    if name == "summarize":
        from dpss.api import summarize

        return summarize
    if name == "Summary":
        from dpss.summary import Summary

        return Summary
    raise AttributeError(f"module 'dpss' has no attribute {name!r}")
