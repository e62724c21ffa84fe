"""Pure numbers: mergeable accumulators and what is derived from them.

Nothing here opens a file, draws or prints. The rule of the house: any cut of the
cells, merged in any order, gives the same bits. It holds because every sum is kept
in integers (see `dpss.stats.kernels.layout`) and every distribution as a tally of exact
keys (see `dpss.stats.histogram`).
"""
