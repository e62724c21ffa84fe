"""The format of Matrix Market files, and of arrays that scipy writes."""

from __future__ import annotations

from dpss.formats.record import Cost, Format, FormatFunctions, FormatInfo


def _load() -> FormatFunctions:
    from dpss.formats.mtx.reader import is_entries, open_, open_member, sniff

    return FormatFunctions(open_, is_file=is_entries, is_folder=sniff, open_beside=open_member)


FORMATS = (
    Format(
        (
            FormatInfo(
                "mtx with its tables, folder or zip",
                "mtx.reader",
                (".mtx", ".mtx.gz", ".mtx.zip"),
                Cost.SPARSE_TEXT,
                is_sure=True,
                marks=("*matrix.mtx", "*matrix.mtx.gz"),
                real_files=("00000000-0000-4000-8000-000000000001.mtx.zip", "tenx_v3_mtx"),
            ),
            FormatInfo(
                "npz, as scipy's `save_npz` writes it, with tables of genes and cells beside it",
                "mtx.npz",
                (".npz",),
            ),
        ),
        _load,
    ),
)
