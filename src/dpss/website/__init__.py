"""The pages: static files made from the published files, and a server for viewing them.

`build_website` reads ``summary.json``, ``genes.csv`` and the figures that a store holds
and writes pages beside them. The pages need neither a server nor other hosts, and work from a
folder as well as from a bucket.
"""

from __future__ import annotations

from dpss.website.build import build_website
from dpss.website.server import make_server

__all__ = ["build_website", "make_server"]
