"""Statistics without I/O: mergeable accumulators and quantities derived from them.

No module here opens a file, draws or prints. Any cut of the cells, merged in any order, gives the
same bits. It holds because every sum is kept in integers (see `dpss.stats.kernels.layout`) and
every distribution as a tally of exact keys (see `dpss.stats.histogram`).
"""
