"""Files that are not read are named by bytes at a place; titles of a table are no such bytes."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.errors import MatrixError
from dpss.formats.discovery import iter_matrices
from dpss.formats.registry import open_matrices
from dpss.formats.signatures import describe_signature
from tests.examples import examples
from tests.summarise import source_of, summarise
from tests.unit.storage.blobs import MemoryBlob

SAS = bytes(12) + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011")


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (bytes.fromhex("1da745b2f8121ca9") + bytes(40), "an fst table of R.*read_fst"),
        (bytes(range(44)) + b"PAAP", "an fst table of R.*read_fst"),
        (bytes(range(8)) + b"DUCK" + bytes(40), "a DuckDB database.*COPY"),
        (SAS, "a SAS table.*csv"),
        (SAS.replace(b"\x81\x60", b"\x81\x63"), "a SAS catalogue"),
        (b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!000000\n", "SAS transport"),
        (b"\x00\x01\x00\x00Standard Jet DB\x00", "Access"),
        (b"\x00\x01\x00\x00Standard ACE DB\x00", "Access"),
        (b"\x0e\x03\x13\x01" + bytes(40), "HDF4"),
        (b"PARE" + bytes(40), "encrypted Parquet"),
        (b"\x7fELF\x02\x01\x01" + bytes(40), "ELF"),
        (b"MZ\x90\x00\x03" + bytes(40), "of Windows"),
        (b"\xcf\xfa\xed\xfe\x07\x00\x00\x01", "of macOS"),
        (b"\xca\xfe\xba\xbe\x00\x00\x00\x3d", "Java class"),
        (b"\x00asm\x01\x00\x00\x00", "WebAssembly"),
        (b"#!/bin/sh\nexit 0\n", "a script"),
        (b"hsqs" + bytes(40), "SquashFS"),
        (b"!<arch>\ndebian-binary   ", "an ar or deb archive; unpack"),
        (b"\xed\xab\xee\xdb\x03\x00", "rpm.*unpack"),
        (b"MSCF\x00\x00", "cabinet.*unpack"),
        (b"xar!\x00\x1c", "xar.*unpack"),
        (b"LUKS\xba\xbe\x00\x01", "encrypted.*LUKS"),
        (b"{\\rtf1\\ansi x}", "RTF"),
        (b"%!PS-Adobe-3.0\n", "PostScript"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "RIFF"),
        (b"8BPS\x00\x01", "Photoshop"),
        (b"ZISRAWFILE\x00", "CZI"),
        (b"SIMPLE  =                    T", "FITS"),
        (b"IDAT\x03\x00\x00\x00", "IDAT"),
        (b"\x6c\x1b\x01\xff", "PLINK"),
        (b"\x43\x27\x41\x1a" + bytes(9), "2bit"),
        (b"\xeb\xf2\x89\x87\x04\x00", "bigBed"),
        (b"GGUF\x03\x00", "GGUF"),
        (bytes(128) + b"DICM", "DICOM"),
        (b"\x00\x00\x00\x18ftypmp42", "MP4"),
        (b"\x14\x00\x00\x00\x14\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00bgen", "BGEN"),
    ],
)
@pytest.mark.parametrize("ending", ["", ".h5ad", ".csv", ".rds"])
def test_a_file_that_is_not_read_is_named(
    head: bytes, words: str, ending: str, tmp_path: Path
) -> None:
    """Whatever its name says, the error tells what the file is."""
    path = tmp_path / f"matrix{ending}"
    path.write_bytes(head + bytes(300) * (0 in head))
    with pytest.raises(MatrixError, match=words):
        list(iter_matrices(source_of(path)))


@pytest.mark.parametrize("inner", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("outer", [gzip.compress, bz2.compress, lzma.compress])
def test_a_file_that_was_packed_twice_is_named(inner, outer, tmp_path: Path) -> None:
    """Servers pack what is packed already."""
    path = tmp_path / "m.csv.gz"
    path.write_bytes(outer(inner(b"gene,AAACCC-1\nACTB,5\nGAPDH,0\n")))
    with pytest.raises(MatrixError, match="packed twice"):
        list(iter_matrices(source_of(path)))


@settings(max_examples=examples(40), deadline=None)
@given(st.sampled_from([SAS, b"\x7fELF\2\1\1", b"MZ\x90\0", bytes(8) + b"DUCK"]), st.binary())
def test_what_comes_after_a_signature_does_not_matter(head: bytes, rest: bytes) -> None:
    """Only the bytes at their place tell."""
    with pytest.raises(MatrixError, match=r"SAS|ELF|Windows|DuckDB"):
        open_matrices(MemoryBlob("matrix", head + rest))


@settings(max_examples=examples(40), deadline=None)
@given(
    st.sampled_from(["ORC", "CRAM", "FEA1", "GIF8", "LZIP", "MZ", "IDAT", "RIFF", "PARE", "ORC1"]),
    st.text("ABC123", max_size=3),
    st.sampled_from("\t,;"),
)
def test_titles_of_a_table_are_no_signature(word: str, end: str, separator: str) -> None:
    """A gene that begins with the letters of a signature may be the first word of a table."""
    line = separator.join([f"{word}{end}", "ACTB", "CD3E"])
    assert describe_signature(f"{line}\n1{separator}2{separator}3\n".encode()) is None


@pytest.mark.parametrize("gene", ["ORC1", "CRAMP1", "MZT1", "MZB1"])
def test_a_table_that_begins_with_a_gene_is_read(gene: str, tmp_path: Path) -> None:
    """R's write.table leaves no title above the names of lines: the first word is a gene."""
    genes = [gene, "ACTB", "CD3E", "MT-CO1", "GAPDH"]
    lines = [f"ACGTACGTACGTACG{end}-1\t1\t0\t2\t3\t5" for end in "ACGT"]
    (tmp_path / "m.tsv").write_text("\n".join(["\t".join(genes), *lines]) + "\n")
    assert summarise(tmp_path / "m.tsv").total_counts == 44
