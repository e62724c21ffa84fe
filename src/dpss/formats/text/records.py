"""The formats of tables: Parquet, Feather, and delimited text."""

from __future__ import annotations

from dpss.formats.record import Cost, Format, FormatFunctions, FormatInfo


def _load_arrow() -> FormatFunctions:
    from dpss.formats.text.arrow import open_, sniff, text_of
    from dpss.formats.text.layout import axes_of

    return FormatFunctions(open_, is_file=sniff, axes_of=lambda blob: axes_of(text_of(blob)))


def _load_text() -> FormatFunctions:
    from dpss.formats.text.layout import axes_of
    from dpss.formats.text.reader import is_table, open_, service_folders, sniff

    return FormatFunctions(
        open_,
        is_file=is_table,
        is_folder=sniff,
        axes_of=axes_of,
        folders=service_folders,
    )


FORMATS = (
    Format(
        tuple(
            FormatInfo(
                f"{name} tables, with the extra `[parquet]`",
                "text.arrow",
                (f".{name.lower()}",),
                Cost.TABLE,
                constant_memory="a row group or record batch at a time, held against `--memory`",
            )
            for name in ("Parquet", "Feather")
        ),
        _load_arrow,
        random_access=True,
    ),
    # Last, as any text could be a table.
    Format(
        (
            FormatInfo(
                "csv, tsv, txt, and the Matrix Service's csv.zip",
                "text.reader",
                (".csv", ".csv.gz", ".csv.zip", ".tsv", ".tsv.gz", ".tsv.zip"),
                Cost.TABLE,
                shared_endings=(".txt.gz",),
                real_files=("mouse_intestine_dge.tsv.gz",),
            ),
        ),
        _load_text,
    ),
)
