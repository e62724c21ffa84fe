"""Descriptions of well-known files that are not read, with advice."""

from __future__ import annotations

import re
from collections.abc import Collection

from dpss.formats.signatures import QS, READS, describe_signature

PICKLE = "a pickle of Python, which may run code when it is read; write it as h5ad or csv"
_BPCELLS = "a matrix of BPCells; write it as 10x h5 with BPCells::write_matrix_10x_hdf5"

_LOUPE = "a file of 10x's Loupe Browser; give filtered_feature_bc_matrix.h5"
_BY_PATTERN: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (
        re.compile(rb"@[^\n]*\n([A-Za-z.*-]+\n\+|[A-Za-z.*-]{100,}\Z)"),
        f"sequencing reads (FASTQ); {READS}",
    ),
    (re.compile(rb">[^\n]*\n[A-Za-z*-]+(\n|\Z)"), "sequences (FASTA), no matrix"),
    (
        re.compile(
            rb"(#[^\n]*\n)*[^\t\n]+\t[^\t\n]+\t(gene|transcript|exon|CDS)\t\d+\t\d+\t"
            rb"[^\t\n]*\t[+.-]\t[.012]\t"
        ),
        "the genes of a genome (GTF), no matrix",
    ),
    (re.compile(rb"(\(dp|\(lp|ccopy_reg\n|cnumpy)"), PICKLE),
    (re.compile(rb"\x00{64}"), "nothing but zeros at its beginning: was it copied whole?"),
)
"""Patterns of the first bytes, decompressed, of files without a signature."""
_BY_ENDING = (
    ((".cloupe", ".vloupe", ".loupe"), _LOUPE),
    ((".qs",), QS.format("qs")),
    (
        (".fastq", ".fastq.gz", ".fq", ".fq.gz", ".bam", ".cram", ".sra"),
        f"sequencing reads; {READS}",
    ),
)
"""Endings of files without known first bytes."""
_HTML = re.compile(rb"<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_STORAGE_ERROR = re.compile(rb"<Error>.{0,400}?<Code>(\w{1,60})</Code>", re.DOTALL)
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
    (frozenset(("layers", "vars")), "weights of a Keras model"),
    (frozenset(("geneExp",)), "Stereo-seq's GEF; write it as h5ad with stereopy"),
    (frozenset(("cellBin",)), "Stereo-seq's GEF of cells; write it as h5ad with stereopy"),
    (frozenset(("idxptr", "row_names")), _BPCELLS),
    (frozenset(("Fragments", "Metadata")), "an Arrow file of ArchR; write its gene scores as h5ad"),
    (frozenset(("cells", "bins")), "contacts of chromosomes (cooler)"),
    (frozenset(("bins", "chroms", "pixels")), "contacts of chromosomes (cooler)"),
)
"""Names at the root of HDF5 files without a matrix, with descriptions."""
_HDF5_ATTRIBUTES = (
    ("pandas_type", "a table of pandas (to_hdf); write it as csv, Parquet or h5ad; not read"),
    ("keras_version", "weights of a Keras model; not read"),
)
"""Names of attributes of the root or a group of HDF5 files, with descriptions."""
_PICKLES = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))
NPZ = (
    "a numpy archive (npz), as `scipy.sparse.save_npz` writes it: it names no genes; put tables "
    "of genes and of cells beside it (genes.tsv, barcodes.tsv), or write an AnnData object with "
    "`obs_names` and `var_names` as h5ad"
)
"""Message about arrays of numpy without names."""


def describe_bytes(head: bytes) -> str | None:
    """Return the description of a file by its first bytes; ``None`` if unknown.

    >>> describe_bytes(b"%PDF-1.7")
    'a PDF document'
    >>> describe_bytes(b"gene,cell") is None
    True

    Args:
        head: The first bytes, decompressed.
    """
    if what := describe_signature(head):
        return what
    if head.startswith(_PICKLES):
        return PICKLE
    for pattern, what in _BY_PATTERN:
        if pattern.match(head):
            return what
    if len(head) > 16 and _is_wide_text(head[: len(head) // 2 * 2]):
        return "text in UTF-16 without a byte order mark; save it as UTF-8"
    return None


def describe_markup(head: bytes) -> str | None:
    """Return the description of a text in HTML, XML or JSON; ``None`` for other texts.

    >>> describe_markup(b"<html><title>Sign in</title>")
    'a web page (HTML), as servers send to ask for a login or to tell of an error; not the file'
    >>> describe_markup(b"<Error><Code>AccessDenied</Code></Error>")
    'the message of a storage service that it did not give the file (AccessDenied)'

    Args:
        head: The first bytes, decompressed.
    """
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] in (b"{", b"["):
        return "holds JSON, not a matrix"
    if text[:1] != b"<":
        return None
    if _HTML.search(text):
        return (
            "a web page (HTML), as servers send to ask for a login or to tell of an error; "
            "not the file"
        )
    if found := _STORAGE_ERROR.search(text):
        code = found[1].decode("ascii", "replace")
        return f"the message of a storage service that it did not give the file ({code})"
    return "holds XML, not a matrix"


def describe_document(paths: Collection[str]) -> str | None:
    """Return the description of a document stored as an archive; ``None`` for others.

    >>> describe_document(["xl/workbook.xml"])
    'an Office document (xlsx, docx); save its sheet as csv'

    Args:
        paths: Paths of all members.
    """
    if "xl/workbook.xml" in paths or "[Content_Types].xml" in paths:
        return "an Office document (xlsx, docx); save its sheet as csv"
    if {"mimetype", "content.xml", "META-INF/manifest.xml"} <= set(paths):
        return "an OpenDocument file (ods, odt); save its sheet as csv"
    return None


def describe_members(paths: Collection[str]) -> str | None:
    """Return the description of an archive by its members; ``None`` if unknown.

    Args:
        paths: Paths of all members.
    """
    if paths and all(path.endswith(".npy") for path in paths):
        return NPZ
    if any(path.startswith("META-INF/") for path in paths):
        return "a Java archive"
    names = {path.rpartition("/")[2] for path in paths}
    if {"data.pkl", "version"} <= names:
        return "a model or tensors that PyTorch saved; write a matrix as h5ad or csv"
    if {"idxptr", "row_names", "version"} <= names:
        return _BPCELLS
    if any("__schema/" in path or path.endswith("__tiledb_group.tdb") for path in paths):
        return "a TileDB group (SOMA); write it as h5ad with tiledbsoma.io.to_h5ad"
    return None


def _is_wide_text(data: bytes) -> bool:
    """Return whether every second byte is 0 and all others are printable."""
    for text, zeros in ((data[::2], data[1::2]), (data[1::2], data[::2])):
        if not zeros.strip(b"\x00") and all(byte in (9, 10, 13) or byte >= 32 for byte in text):
            return True
    return False


def describe_hdf5(names: Collection[str], attributes: Collection[str] = ()) -> str:
    """Return the description of an HDF5 file by the names at its root.

    Args:
        names: Names of the groups and datasets at the root.
        attributes: Names of the attributes of the root and of the groups there.
    """
    for attribute, what in _HDF5_ATTRIBUTES:
        if attribute in attributes:
            return what
    for known, what in _HDF5:
        if known <= set(names):
            return f"{what}; not read"
    shown = ", ".join(sorted(names)[:6])
    return f"an HDF5 file of no layout that this program reads (at its root: {shown or 'nothing'})"


def unknown_format(head: bytes, name: str = "") -> str:
    """Return the message about a file that no reader recognises.

    Args:
        head: Its first bytes, decompressed.
        name: Its name or address; the ending counts if the bytes are unknown.
    """
    what = describe_bytes(head) or describe_name(name)
    return f"{what}; not read" if what else "not a matrix in a format that this program reads"


def describe_name(name: str) -> str | None:
    """Return the description of a file by its ending; ``None`` if unknown."""
    for endings, what in _BY_ENDING:
        if name.lower().endswith(endings):
            return what
    return None
