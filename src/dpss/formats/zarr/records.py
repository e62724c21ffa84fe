"""The format zarr."""

from __future__ import annotations

from dpss.formats.record import Cost, Format, FormatFunctions, FormatInfo


def _load() -> FormatFunctions:
    from dpss.formats.zarr.reader import open_, roots, sniff

    return FormatFunctions(lambda source, options: open_(source), is_folder=sniff, folders=roots)


FORMATS = (
    Format(
        (
            FormatInfo(
                "zarr 2 and 3, AnnData's and the HCA's layout, folder or zip",
                "zarr.reader",
                (".zarr.zip",),
                Cost.CHUNKS,
                is_sure=True,
                marks=(".zgroup", ".zattrs", "zarr.json"),
                real_files=("pbmc68k_reduced_scaled.zarr.zip",),
            ),
        ),
        _load,
    ),
)
