"""All that drawing needs, imported by importing this.

A server of helper processes does that once, and forks helpers that have it already.
"""

import signal

from dpss.figures import preload

# Helpers leave an interrupt from the keyboard to the process that they work for.
signal.signal(signal.SIGINT, signal.SIG_IGN)
preload()
