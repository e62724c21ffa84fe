"""References to local files and folders, with companion files of pipelines."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dpss.catalogs.pipelines.entries import add_companions
from dpss.catalogs.pipelines.samples import PipelineSample
from dpss.formats.endings import is_of_matrix_folder
from dpss.model import MatrixRef
from dpss.storage.fingerprint import fingerprint
from dpss.storage.local import last_modified
from dpss.storage.locations import Source, open_source

MOST_ENTRIES = 100_000
"""Most files and folders below the folder of a sample."""


def is_matrix_folder(path: Path) -> bool:
    """Return whether a folder is one matrix, by the names of its files."""
    if not path.is_dir():
        return False
    return any(is_of_matrix_folder(child.name) and child.is_file() for child in path.iterdir())


def check_extent(folder: Path) -> None:
    """Check that a folder is small enough to be a sample's, not a whole disk.

    Matrices in many files, such as zarr, count as one.

    Raises:
        ValueError: It has more than `MOST_ENTRIES` files and folders.
        OSError: A folder can't be read.
    """
    count = 0
    for root, folders, files in os.walk(folder):
        count += len(folders) + len(files)
        if count > MOST_ENTRIES:
            raise ValueError(
                f"{folder}: has more than {MOST_ENTRIES:,} files; give the folder of one sample"
            )
        folders[:] = [name for name in folders if not is_matrix_folder(Path(root, name))]


def make_ref(project: str, name: str, shown: str, path: Path) -> MatrixRef:
    """Return the reference to a local file or folder.

    Args:
        project: The project's id.
        name: The matrix's name within it.
        shown: Address that is published.
        path: Path of the file or folder.

    Raises:
        OSError: The file or folder can't be read.
    """
    source = open_source(str(path))
    return MatrixRef(
        project_id=project,
        name=name,
        url=shown,
        fingerprint=fingerprint(source),
        location=str(path),
        modified=last_modified(path),
        size_bytes=size_of(source),
    )


def make_sample_ref(
    project: str, name: str, sample: PipelineSample, paths: Mapping[str, Path]
) -> MatrixRef:
    """Return the reference to the matrix of a sample, with its companion files.

    The fingerprint is that of all files that are read.

    Args:
        project: The project's id.
        name: The matrix's name within it.
        sample: The sample.
        paths: Local path of each of its files by its published path.

    Raises:
        OSError: A file or folder can't be read.
    """
    ref = make_ref(project, name, sample.path, paths[sample.path])
    locations = {shown: str(path) for shown, path in paths.items()}
    return add_companions(
        ref, sample, locations, lambda path: fingerprint(open_source(locations[path]))
    )


def size_of(source: Source) -> int | None:
    """Return the size of a file, or of all files of a folder; ``None`` if not known."""
    blobs = source.blobs().values() if hasattr(source, "blobs") else (source,)
    sizes = [blob.size_bytes for blob in blobs]
    return None if None in sizes else sum(size or 0 for size in sizes)
