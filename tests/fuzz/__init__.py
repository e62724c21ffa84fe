"""Damaged files for every reader: made, tried within limits, and kept if they found something.

``make fuzz READER=mtx SECONDS=600 SEED=1``; see ``CONTRIBUTING.md``.
"""
