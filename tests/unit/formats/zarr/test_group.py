"""Chunks are looked for by the names that the metadata tell of; those of other names are told."""

from __future__ import annotations

import json
import shutil
import struct
import tempfile
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.errors import CorruptMatrixError, UnknownFormatError
from dpss.formats.zarr.group import ZarrTree, folder_above
from dpss.storage.local import LocalFolder
from tests.examples import examples

COUNTS = np.arange(12, dtype="<f4").reshape(4, 3)
NAMES = {
    "v2 dots": ({"dimension_separator": "."}, "{}.{}"),
    "v2 folders": ({"dimension_separator": "/"}, "{}/{}"),
    "v2 unsaid": ({}, "{}.{}"),
    "v3 default": ({"name": "default"}, "c/{}/{}"),
    "v3 default, dots": ({"name": "default", "configuration": {"separator": "."}}, "c.{}.{}"),
    "v3 as v2": ({"name": "v2"}, "{}.{}"),
    "v3 as v2, folders": ({"name": "v2", "configuration": {"separator": "/"}}, "{}/{}"),
}


def write(folder: Path, naming: str, written: str, **changed: Any) -> ZarrTree:
    """Write an array whose metadata tell of one naming, with chunks named by another."""
    stated, form = NAMES[naming][0], NAMES[written][1]
    array = folder / "X"
    array.mkdir(parents=True)
    if naming.startswith("v2"):
        (folder / ".zgroup").write_text('{"zarr_format": 2}')
        meta = {"zarr_format": 2, "shape": [4, 3], "chunks": [2, 3], "dtype": "<f4", "order": "C",
                "compressor": None, "filters": None, "fill_value": 0, **stated}  # fmt: skip
        (array / ".zarray").write_text(json.dumps({**meta, **changed}))
    else:
        group = {"zarr_format": 3, "node_type": "group", "attributes": {}}
        (folder / "zarr.json").write_text(json.dumps(group))
        grid = {"name": "regular", "configuration": {"chunk_shape": [2, 3]}}
        meta = {"zarr_format": 3, "node_type": "array", "shape": [4, 3], "data_type": "float32",
                "chunk_grid": grid, "chunk_key_encoding": stated, "fill_value": 0,
                "codecs": [{"name": "bytes", "configuration": {"endian": "little"}}]}  # fmt: skip
        (array / "zarr.json").write_text(json.dumps({**meta, **changed}))
    for row in (0, 1):
        path = array / form.format(row, 0)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(COUNTS[2 * row : 2 * row + 2].tobytes())
    return ZarrTree(LocalFolder(folder))


@settings(max_examples=examples(49), deadline=None)
@given(st.sampled_from(list(NAMES)), st.sampled_from(list(NAMES)))
def test_chunks_are_read_or_told_to_have_other_names(naming: str, written: str) -> None:
    """They are never passed over as missing, which would read as fill values."""
    with tempfile.TemporaryDirectory() as folder:
        tree = write(Path(folder), naming, written)
        if NAMES[naming][1] == NAMES[written][1]:
            np.testing.assert_array_equal(tree.array("X").read(0, 4), COUNTS)
            return
        with pytest.raises(CorruptMatrixError, match="its metadata tell of names like"):
            tree.array("X")


def test_folders_that_are_not_told_of_are_named(tmp_path: Path) -> None:
    """Zarr 2.0 to 2.7 could write chunks in folders, and did not say so."""
    tree = write(tmp_path, "v2 unsaid", "v2 folders")
    with pytest.raises(CorruptMatrixError, match=r"named like '[01]/0'.*like '0\.0'"):
        tree.array("X")


@pytest.mark.parametrize("left", [[], ["0.0"], ["0.0", "1.0"]])
def test_chunks_may_be_missing(left: list[str], tmp_path: Path) -> None:
    """Chunks that were never written have the fill value; other files do not matter."""
    tree = write(tmp_path, "v2 dots", "v2 dots", fill_value=7)
    for name in {"0.0", "1.0"} - set(left):
        (tmp_path / "X" / name).unlink()
    for name in (".DS_Store", "9.9", "notes.txt", "0.0.0"):
        (tmp_path / "X" / name).write_bytes(b"")
    expected = COUNTS.copy()
    for row in (0, 1):
        if f"{row}.0" not in left:
            expected[2 * row : 2 * row + 2] = 7
    np.testing.assert_array_equal(tree.array("X").read(0, 4), expected)


@settings(max_examples=examples(40), deadline=None)
@given(st.floats(0, 1000, width=32))
def test_fill_values_of_bits_are_read(value: float) -> None:
    """Zarr 3 allows a fill value to be given by its bits."""
    bits = f"0x{struct.unpack('>I', struct.pack('>f', value))[0]:08x}"
    with tempfile.TemporaryDirectory() as folder:
        tree = write(Path(folder), "v3 default", "v3 default", fill_value=bits)
        shutil.rmtree(Path(folder) / "X" / "c")
        np.testing.assert_array_equal(
            tree.array("X").read(0, 4), np.full((4, 3), np.float32(value))
        )


@pytest.mark.parametrize(
    "kind", ["int4", "uint2", "float8_e4m3", "int128", "bfloat16", "complex64"]
)
def test_types_that_are_not_read_are_named(kind: str, tmp_path: Path) -> None:
    """They are types of zarr's extensions, no contradiction."""
    tree = write(tmp_path, "v3 default", "v3 default", data_type=kind)
    with pytest.raises(
        UnknownFormatError, match=f"holds {kind}, not numbers or text that are read"
    ):
        tree.array("X")


PARTS = st.lists(
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,7}", fullmatch=True), min_size=1, max_size=5
)


@pytest.mark.parametrize(
    ("file", "path", "separator", "folder"),
    [
        ("/data/m.zarr/X/.zarray", "X/.zarray", "/", "/data/m.zarr/"),
        (r"C:\data\m.zarr\X\.zarray", "X/.zarray", "\\", "C:\\data\\m.zarr\\"),
        (r"\\server\share\m.zarr\X\c\0", "X/c/0", "\\", "\\\\server\\share\\m.zarr\\"),
        (r"C:\data\m.zarr\X\.zarray", "Y/.zarray", "\\", ""),
        ("/data/mX/0", "X/0", "/", ""),
    ],
)
def test_folder_above(file: str, path: str, separator: str, folder: str) -> None:
    """The folder is found on Windows, too, whose separators a path in a hierarchy does not have."""
    assert folder_above(file, path, separator) == folder


@given(PARTS, PARTS)
def test_folder_and_path_make_the_file(folder: list[str], inner: list[str]) -> None:
    """On both kinds of systems, as `pathlib` joins them."""
    path = "/".join(inner)
    windows = PureWindowsPath("C:/", *folder)
    assert folder_above(str(windows / path), path, "\\") == f"{windows}\\"
    posix = PurePosixPath("/", *folder)
    assert folder_above(str(posix / path), path, "/") == f"{posix}/"
