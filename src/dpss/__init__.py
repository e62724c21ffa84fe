"""Summary statistics and figures of single-cell count matrices of any size.

>>> import dpss
>>> summary = dpss.summarize("my.h5ad")          # doctest: +SKIP
>>> summary.genes_table().head()                 # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dpss._version import __version__

__all__ = ["Summary", "__version__", "summarize"]

if TYPE_CHECKING:
    from dpss.api import Summary, summarize


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the heavy parts load late."""
    if name in ("Summary", "summarize"):
        from dpss import api

        return getattr(api, name)
    raise AttributeError(f"module 'dpss' has no attribute {name!r}")
