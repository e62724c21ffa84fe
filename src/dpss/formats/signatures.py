"""Signatures of well-known files that are not read, with advice."""

from __future__ import annotations

READS = "give the matrix that was counted from them"
QS = "an R object that {} saved; read it in R and write it with saveRDS"
_FST = "an fst table of R; write it as csv or Parquet with R's fst::read_fst"
_SERIES = "GEO's series matrix, which tells of samples; give the supplementary files of counts"
_ENCRYPTED = "encrypted ({}); decrypt it first"
_AT_BEGIN: tuple[tuple[bytes, str], ...] = (
    (b"FEA1", "a Feather table of version 1; write it as Parquet, csv or h5ad"),
    (b"\x93NUMPY", "a numpy array, which names no genes; write an AnnData object with names"),
    (b"BAM\x01", f"aligned reads (BAM); {READS}"),
    (b"CRAM", f"aligned reads (CRAM); {READS}"),
    (b"@HD\t", f"aligned reads (SAM); {READS}"),
    (b"@SQ\t", f"aligned reads (SAM); {READS}"),
    (b"NCBI.sra", f"sequencing reads (SRA); {READS}"),
    (b"BCF\x02", "variants (BCF), no matrix"),
    (b"##fileformat=VCF", "variants (VCF), no matrix"),
    (b"BUS\x00", "records of kallisto (BUS); give the folder that `bustools count` wrote"),
    *((magic, "an index of another file") for magic in (b"BAI\x01", b"TBI\x01", b"CSI\x01")),
    *((magic, "values along a genome (bigWig), no matrix")
      for magic in (b"\x26\xfc\x8f\x88", b"\x88\x8f\xfc\x26")),
    (b"##gff-version", "the genes of a genome (GFF), no matrix"),
    (b"\x0b\x0e\x0a\x0c", QS.format("qs")),
    (b"\x0b\x0e\x0a\xc1", QS.format("qs2")),
    *((magic, QS.format("qs2's qd_save")) for magic in (b"\x0b\x0e\x0a\xc2", b"\x0b\x0e\x0a\xcd")),
    (b"SQLite format 3\x00", "a SQLite database; write its matrix as mtx or h5ad"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel file (xls); save its sheet as csv"),
    (b"%PDF-", "a PDF document"),
    (b"FCS2.", "cells of a flow cytometer (FCS), no genes"),
    (b"FCS3.", "cells of a flow cytometer (FCS), no genes"),
    (b"ORC", "an ORC table; write it as Parquet, csv or h5ad"),
    (b"Obj\x01", "an Avro table; write it as Parquet, csv or h5ad"),
    (b"$FL2", "an SPSS table; write it as csv"),
    (b"$FL3", "an SPSS table; write it as csv"),
    (b"<stata_dta>", "a Stata table; write it as csv"),
    *((magic, "a NetCDF file; write its matrix as mtx or h5ad")
      for magic in (b"CDF\x01", b"CDF\x02", b"CDF\x05")),
    (b"\x04\x22\x4d\x18", "an lz4 archive; unpack it first"),
    (b"\x1f\x9d", "a file that `compress` packed (Z); unpack it first"),
    (b"LZIP", "a file that lzip packed; unpack it first"),
    (b"\xff\x06\x00\x00sNaPpY", "a file that snappy packed; unpack it first"),
    (b"crypt4gh", _ENCRYPTED.format("Crypt4GH")),
    (b"Salted__", _ENCRYPTED.format("OpenSSL")),
    (b"age-encryption.org", _ENCRYPTED.format("age")),
    (b"-----BEGIN PGP", _ENCRYPTED.format("PGP")),
    (b"!Series_", _SERIES),
    (b"!Sample_", _SERIES),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    *((magic, "a picture (TIFF)") for magic in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")),
    (b"MATLAB 5.0", "a MATLAB file; write its matrix as mtx or h5ad"),
    (
        b"MATLAB 7.3",
        "a MATLAB file of version 7.3 (HDF5 within); write its matrix as mtx, with tables of genes "
        "and cells, or as h5ad",
    ),
    *((magic, "packed twice (an archive or compressed file within one); unpack it once")
      for magic in (b"\x1f\x8b\x08", b"BZh91AY&SY", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (b"Rar!\x1a\x07", "a RAR archive; unpack it first"),
    (b"version https://git-lfs.", "a pointer of Git LFS, not the file; run `git lfs pull`"),
    *((magic, "a pointer of git-annex, not the file; run `git annex get`")
      for magic in (b"/annex/objects/", b".git/annex/", b"../.git/annex/")),
    (b"\x1d\xa7\x45\xb2\xf8\x12\x1c\xa9", _FST),
    (bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf", "a SAS table (sas7bdat); write it as csv"),
    (bytes(12) + b"\xc2\xea\x81\x63\xb3\x14\x11\xcf", "a SAS catalogue (sas7bcat), no matrix"),
    (b"HEADER RECORD*******LIB", "a SAS transport file (xpt); write it as csv"),
    *((magic, "a Microsoft Access database; write its matrix as csv")
      for magic in (b"\x00\x01\x00\x00Standard Jet DB", b"\x00\x01\x00\x00Standard ACE DB")),
    (b"\x0e\x03\x13\x01", "an HDF4 file, no HDF5; write its matrix as mtx or h5ad"),
    (b"PARE", "an encrypted Parquet table; decrypt it first"),
    (b"\x7fELF", "a program or library (ELF)"),
    (b"MZ", "a program of Windows (PE)"),
    *((magic, "a program of macOS (Mach-O)")
      for magic in (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xcf")),
    (b"\xca\xfe\xba\xbe", "a program (Java class or Mach-O)"),
    (b"\x00asm", "a program (WebAssembly)"),
    (b"#!", "a script, no matrix"),
    (b"hsqs", "a file system (SquashFS, Singularity)"),
    *((magic, f"{what}; unpack it first") for magic, what in (
        (b"!<arch>\n", "an ar or deb archive"), (b"\xed\xab\xee\xdb", "an rpm package"),
        (b"MSCF", "a cabinet archive"), (b"xar!", "a xar archive"))),
    (b"LUKS\xba\xbe", _ENCRYPTED.format("LUKS")),
    (b"{\\rtf", "a text document (RTF); save its table as csv"),
    (b"%!PS", "a PostScript document"),
    (b"RIFF", "a picture or a recording (RIFF)"),
    (b"8BPS", "a picture (Photoshop)"),
    (b"ZISRAWFILE", "a picture of a microscope (CZI)"),
    (b"SIMPLE  =", "a FITS file, no matrix of counts"),
    (b"IDAT", "intensities of Illumina's arrays (IDAT), no matrix"),
    (b"\x6c\x1b\x01", "genotypes (PLINK), no matrix"),
    *((magic, "a genome's sequence (2bit), no matrix")
      for magic in (b"\x43\x27\x41\x1a", b"\x1a\x41\x27\x43")),
    *((magic, "intervals of a genome (bigBed), no matrix")
      for magic in (b"\xeb\xf2\x89\x87", b"\x87\x89\xf2\xeb")),
    (b"GGUF", "weights of a model (GGUF), no matrix"),
    (b"HDF5-based Julia", "a file of Julia (JLD2); write its matrix as mtx or h5ad"),
)  # fmt: skip
"""First bytes, decompressed."""
_AT_OFFSET: tuple[tuple[int, bytes, str], ...] = (
    (44, b"PAAP", _FST),
    (8, b"DUCK", "a DuckDB database; write its matrix as Parquet or csv with COPY"),
    (128, b"DICM", "a picture of medicine (DICOM)"),
    (4, b"ftyp", "a film or a picture (MP4, HEIF)"),
    (16, b"bgen", "genotypes (BGEN), no matrix"),
)
"""Bytes at an offset in files that are not text."""
_WORD_BYTES = 4
_CONTROL = bytes([*range(9), *range(14, 32)])
"""Bytes that no text has."""


def describe_signature(head: bytes) -> str | None:
    r"""Return the description of a file by its signature; ``None`` if unknown.

    A signature that may be the first letters of a title, such as the gene ORC1, or that is not at
    the beginning, is ignored in files of text.

    >>> describe_signature(bytes(8) + b"DUCK" + bytes(9))
    'a DuckDB database; write its matrix as Parquet or csv with COPY'
    >>> describe_signature(b"ORC1,ORC2\\n5,0\\n") is None
    True

    Args:
        head: The first bytes, decompressed.
    """
    binary = len(head.translate(None, _CONTROL)) < len(head)
    for magic, what in _AT_BEGIN:
        if head.startswith(magic) and (binary or not _is_word(magic)):
            return what
    for offset, magic, what in _AT_OFFSET:
        if binary and head.startswith(magic, offset):
            return what
    return None


def _is_word(magic: bytes) -> bool:
    return len(magic) <= _WORD_BYTES and magic.isalnum()
