"""Damaged files for every reader: made, tried within limits, and kept if they found something.

``python -m tests.fuzz TARGET --minutes 10 --seed 1``; see ``CONTRIBUTING.md``.
"""
