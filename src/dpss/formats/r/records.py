"""The format of R's files."""

from __future__ import annotations

from dpss.formats.record import Cost, Format, FormatFunctions, FormatInfo


def _load() -> FormatFunctions:
    from dpss.formats.r.reader import open_, sniff

    return FormatFunctions(open_, is_file=sniff)


FORMATS = (
    Format(
        (
            FormatInfo(
                "R: rds, RData, rda, Robj, with the extra `[r]`",
                "r.reader",
                (".rds", ".rdata", ".rda", ".robj"),
                Cost.WHOLE,
                real_files=("hca_bone_marrow_50.rds",),
                constant_memory="no: read whole, after what it needs was held against `--memory`",
            ),
        ),
        _load,
        read_whole=True,
    ),
)
