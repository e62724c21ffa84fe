"""Well-known files that are not read: what each is, and what to give instead."""

from __future__ import annotations

from collections.abc import Collection

_SERIES = "GEO's series matrix, which tells of samples; give the supplementary files of counts"
_BY_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"FEA1", "a Feather table of version 1; write it as Parquet, csv or h5ad"),
    (b"\x93NUMPY", "a numpy array, which names no genes; write an AnnData object with names"),
    (b"BAM\x01", "aligned reads (BAM); give the matrix that was counted from them"),
    (b"CRAM", "aligned reads (CRAM); give the matrix that was counted from them"),
    (b"BUS\x00", "records of kallisto (BUS); give the folder that `bustools count` wrote"),
    (b"SQLite format 3\x00", "a SQLite database; write its matrix as mtx or h5ad"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel file (xls); save its sheet as csv"),
    (b"%PDF", "a PDF document"),
    (b"FCS2", "cells of a flow cytometer (FCS), no genes"),
    (b"FCS3", "cells of a flow cytometer (FCS), no genes"),
    (b"ORC", "an ORC table; write it as Parquet, csv or h5ad"),
    (b"\x04\x22\x4d\x18", "an lz4 archive; unpack it first"),
    (b"!Series_", _SERIES),
    (b"!Sample_", _SERIES),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"II*\x00", "a picture (TIFF)"),
    (b"MATLAB 5.0", "a MATLAB file; write its matrix as mtx or h5ad"),
    (
        b"MATLAB 7.3",
        "a MATLAB file of version 7.3 (HDF5 within); write its matrix as mtx, with tables of genes "
        "and cells, or as h5ad",
    ),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (b"Rar!\x1a\x07", "a RAR archive; unpack it first"),
)
_HDF5: tuple[tuple[frozenset[str], str], ...] = (
    (
        frozenset(("barcode_idx", "feature_idx", "umi")),
        "Cell Ranger's molecule_info.h5, a list of molecules; give filtered_feature_bc_matrix.h5",
    ),
    (
        frozenset(("barcode", "gene", "umi", "reads")),
        "Cell Ranger 2's molecule_info.h5, a list of molecules; give the filtered matrix's h5",
    ),
    (frozenset(("model_weights",)), "weights of a Keras model"),
    (frozenset(("cells", "bins")), "contacts of chromosomes (cooler)"),
    (frozenset(("bins", "chroms", "pixels")), "contacts of chromosomes (cooler)"),
)
"""Names at the root of HDF5 files that hold no matrix, and what those files are."""
_PICKLES = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))
NPZ = (
    "a numpy archive (npz), as `scipy.sparse.save_npz` writes it: it names no genes; put tables "
    "of genes and of cells beside it (genes.tsv, barcodes.tsv), or write an AnnData object with "
    "`obs_names` and `var_names` as h5ad"
)
"""Message about arrays of numpy without names."""


def describe_bytes(head: bytes) -> str | None:
    """Return what a file is by its first bytes, and which file to give instead.

    >>> describe_bytes(b"%PDF-1.7")
    'a PDF document'
    >>> describe_bytes(b"gene,cell") is None
    True

    Args:
        head: The first bytes, decompressed.

    Returns:
        A few words; ``None`` for an unknown file.
    """
    for magic, what in _BY_MAGIC:
        if head.startswith(magic):
            return what
    if head.startswith(_PICKLES):
        return "a pickle of Python, which may run code when it is read; write it as h5ad or csv"
    if head[:1] == b"@" and b"\n+" in head:
        return "sequencing reads (FASTQ); give the matrix that was counted from them"
    if len(head) > 16 and _is_wide_text(head[: len(head) // 2 * 2]):
        return "text in UTF-16 without a byte order mark; save it as UTF-8"
    return None


def describe_document(paths: Collection[str]) -> str | None:
    """Return what a document is that is stored as an archive, by the names of its members.

    >>> describe_document(["xl/workbook.xml"])
    'an Office document (xlsx, docx); save its sheet as csv'

    Args:
        paths: Paths of all members.

    Returns:
        A few words; ``None`` for other archives.
    """
    if "xl/workbook.xml" in paths or "[Content_Types].xml" in paths:
        return "an Office document (xlsx, docx); save its sheet as csv"
    if {"mimetype", "content.xml", "META-INF/manifest.xml"} <= set(paths):
        return "an OpenDocument file (ods, odt); save its sheet as csv"
    return None


def describe_members(paths: Collection[str]) -> str | None:
    """Return what an archive is by the names of its members, and which file to give instead.

    Args:
        paths: Paths of all members.

    Returns:
        A few words; ``None`` for an unknown archive.
    """
    if paths and all(path.endswith(".npy") for path in paths):
        return NPZ
    if any(path.startswith("META-INF/") for path in paths):
        return "a Java archive"
    return None


def _is_wide_text(data: bytes) -> bool:
    """Return whether every second byte is 0 and all others are printable."""
    for text, zeros in ((data[::2], data[1::2]), (data[1::2], data[::2])):
        if not zeros.strip(b"\x00") and all(byte in (9, 10, 13) or byte >= 32 for byte in text):
            return True
    return False


def describe_hdf5(names: Collection[str]) -> str:
    """Return what an HDF5 file is by the names at its root, and which file to give instead.

    Args:
        names: Names of the groups and datasets at the root.
    """
    for known, what in _HDF5:
        if known <= set(names):
            return f"{what}; not read"
    shown = ", ".join(sorted(names)[:6])
    return f"an HDF5 file of no layout that this program reads (at its root: {shown or 'nothing'})"


def unknown_format(head: bytes) -> str:
    """Return the message about a file that no reader recognises.

    Args:
        head: Its first bytes, decompressed.
    """
    what = describe_bytes(head)
    return f"{what}; not read" if what else "not a matrix in a format that this program reads"
