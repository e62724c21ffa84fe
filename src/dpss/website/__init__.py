"""The pages: static files made from what is published, and a server to look at them.

`build_website` reads ``summary.json``, ``genes.csv`` and the figures that a store holds
and writes pages beside them. Nothing else is needed to show them: no server, no request
to anywhere else, and they work from a folder as well as from a bucket.
"""

from __future__ import annotations

from dpss.website.build import build_website
from dpss.website.server import make_server

__all__ = ["build_website", "make_server"]
