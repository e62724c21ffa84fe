"""The first bytes of HDF5 files, packed or not; the library is not imported for them."""

from __future__ import annotations

import bz2
import gzip
import subprocess
import sys

import pytest

from dpss.formats.hdf5.signature import SIGNATURE, begin_of, sniff
from tests.unit.storage.blobs import MemoryBlob


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
@pytest.mark.parametrize("tail", [b"", bytes(100)])
def test_a_file_that_begins_so_is_hdf5(pack, tail: bytes) -> None:
    """As it is and compressed, however short."""
    assert sniff(MemoryBlob("file", pack(SIGNATURE + tail)))
    assert not sniff(MemoryBlob("file", pack(SIGNATURE[:-1] + b"\0" + tail)))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("n_bytes", [512, 1024, 2048, 4096, 8192])
def test_a_user_block_may_precede(pack, n_bytes: int) -> None:
    """Of a power of two; MATLAB's is told apart, and other places are none."""
    block = b"MuData (format-version=0.1.0)".ljust(n_bytes, b"\0")
    assert begin_of(block + SIGNATURE) == n_bytes
    assert sniff(MemoryBlob("file", pack(block + SIGNATURE)))
    assert not sniff(MemoryBlob("file", pack(b"MATLAB 7.3 MAT-file".ljust(n_bytes) + SIGNATURE)))
    assert not sniff(MemoryBlob("file", pack(block[1:] + SIGNATURE)))
    assert not sniff(MemoryBlob("file", pack(block + SIGNATURE[:-1])))


def test_other_formats_are_told_apart_without_the_library() -> None:
    """A table is recognised with neither h5py nor the readers of other layouts."""
    code = (
        "import sys\n"
        "from dpss.formats.registry import format_of\n"
        "from tests.unit.storage.blobs import MemoryBlob\n"
        "assert format_of(MemoryBlob('a.csv', b'gene,c1\\nACTB,1\\n')).infos[0].endings\n"
        "print('h5py' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
