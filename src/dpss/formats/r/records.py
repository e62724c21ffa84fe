"""The format of R's files."""

from __future__ import annotations

from dpss.formats.r.reader import open_, sniff
from dpss.formats.record import About, Format

FORMATS = (
    Format(
        (
            About(
                "R: rds, RData, rda, Robj",
                "r.reader",
                "R",
                ("hca_bone_marrow_50.rds",),
                "no: read whole, after what it needs was held against `--memory`",
            ),
        ),
        lambda source, options: open_(
            source, options.memory_bytes, sample_only=options.sample_only
        ),
        is_file=sniff,
        read_whole=True,
    ),
)
