"""The formats of tables: Parquet, Feather, and delimited text."""

from __future__ import annotations

from dpss.formats.record import About, Format
from dpss.formats.text.arrow import open_ as open_arrow
from dpss.formats.text.arrow import sniff as is_arrow
from dpss.formats.text.arrow import text_of
from dpss.formats.text.reader import is_table, open_, service_folders, sniff

FORMATS = (
    Format(
        tuple(
            About(
                f"{name} tables, with the extra `[parquet]`",
                "text.arrow",
                name,
                constant_memory="a row group or record batch at a time, held against `--memory`",
            )
            for name in ("Parquet", "Feather")
        ),
        lambda source, options: open_arrow(
            source,
            options.threads,
            options.orientation,
            options.memory_bytes,
            sample_only=options.sample_only,
        ),
        is_file=is_arrow,
        random_access=True,
        rows=text_of,
    ),
    # Last, as any text could be a table.
    Format(
        (
            About(
                "csv, tsv, txt, and the Matrix Service's csv.zip",
                "text.reader",
                "text",
                ("mouse_intestine_dge.tsv.gz",),
            ),
        ),
        lambda source, options: open_(
            source, options.threads, options.orientation, sample_only=options.sample_only
        ),
        is_file=is_table,
        is_folder=sniff,
        rows=lambda blob: blob,
        folders=service_folders,
    ),
)
