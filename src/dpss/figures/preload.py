"""Imports the modules that drawing needs.

A server of helper processes does that once, and forks helpers that have it already.
"""

import gc
import signal

from dpss.figures.registry import preload

# Helpers leave an interrupt from the keyboard to the process that they work for.
signal.signal(signal.SIGINT, signal.SIG_IGN)
preload()
# What is imported stays: a helper need not look through it again and again for what is garbage.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 20)
