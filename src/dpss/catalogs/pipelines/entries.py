"""References to samples with companion files, and skipped matrices."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from dpss.catalogs.pipelines.samples import FolderContents, PipelineSample
from dpss.formats.endings import names_of_files
from dpss.model import Companions, MatrixRef, Skipped
from dpss.storage.fingerprint import PREFIX


def add_companions(
    ref: MatrixRef,
    sample: PipelineSample,
    locations: Mapping[str, str],
    fingerprint_of: Callable[[str], str],
) -> MatrixRef:
    """Return the reference to a sample's matrix with its companion files.

    Args:
        ref: The reference to the matrix alone.
        sample: The sample.
        locations: Location of each of its files by its path, which is published.
        fingerprint_of: Returns the fingerprint of a file by its path.
    """
    files = [each for each in (sample.unfiltered, *sample.metrics) if each]
    digest = hashlib.sha256(ref.fingerprint.encode())
    for path in files:
        digest.update(f"{path}\0{fingerprint_of(path)}".encode())
    companions = Companions(
        sample.pipeline,
        sample.same,
        locations[sample.unfiltered] if sample.unfiltered else "",
        sample.unfiltered,
        tuple((path, locations[path]) for path in sample.metrics),
        tuple(locations[path] for path in sample.same if path in locations),
    )
    changed = PREFIX + digest.hexdigest() if files else ref.fingerprint
    return replace(ref, fingerprint=changed, companions=companions)


def skip_combined(contents: FolderContents, found: Collection[str], project: str) -> list[Skipped]:
    """Return the skipped matrices of a project that hold all of its samples together.

    Args:
        contents: Samples of the searched folder.
        found: Paths of the project.
        project: The project's id; empty for the project of the searched folder.
    """
    return [
        Skipped(
            names_of_files([path.replace("/", "_")])[0],
            f"{path}: holds all samples once more; they are read one by one",
        )
        for path in contents.combined
        if path in found and bool(project) == (path.count("/") > 1)
    ]
