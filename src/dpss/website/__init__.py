"""The pages: static files made from published ones, and a server for viewing.

`dpss.website.build.build_website` reads ``summary.json``, ``genes.csv`` and the figures that a
store holds and writes pages beside them. The pages need neither a server nor other hosts, and work
from a folder as well as from a bucket.
"""
