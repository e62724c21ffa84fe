"""References to samples have the files beside the matrix, and change with them."""

from __future__ import annotations

import pytest

from dpss.catalogs.pipelines.entries import add_companions, skip_combined
from dpss.catalogs.pipelines.samples import FolderContents, PipelineSample
from dpss.model import MatrixRef

SAMPLE = PipelineSample(
    "S1", "S1/", "", "kb", "S1/m.mtx", ("S1/a.h5ad",), "S1/raw.mtx", ("S1/inspect.json",)
)
REF = MatrixRef("p", "S1", "S1/m.mtx", "etag:1")
PLACES = {path: f"s3://b/{path}" for path in ("S1/m.mtx", "S1/raw.mtx", "S1/inspect.json")}


def test_files_beside_a_matrix() -> None:
    """Published by their paths, read from their places; a change of one is a change of all."""
    marks = {"S1/raw.mtx": "etag:2", "S1/inspect.json": "etag:3"}
    ref = add_companions(REF, SAMPLE, PLACES, marks.__getitem__)
    assert ref.companions
    assert ref.companions.same == ("S1/a.h5ad",)
    assert (ref.companions.unfiltered, ref.companions.unfiltered_url) == (
        "s3://b/S1/raw.mtx", "S1/raw.mtx"
    )  # fmt: skip
    assert ref.companions.metrics == (("S1/inspect.json", "s3://b/S1/inspect.json"),)
    found = {
        add_companions(REF, SAMPLE, PLACES, changed.__getitem__).fingerprint
        for changed in (marks, marks | {"S1/raw.mtx": "new"}, marks | {"S1/inspect.json": "new"})
    }
    assert len({*found, REF.fingerprint}) == 4


def test_a_matrix_alone_keeps_its_fingerprint() -> None:
    """There is nothing beside it that could change."""
    alone = PipelineSample("S1", "S1/", "", "kb", "S1/m.mtx")
    ref = add_companions(REF, alone, PLACES, lambda _: "none")
    assert ref.fingerprint == REF.fingerprint


@pytest.mark.parametrize(
    ("project", "path"), [("", "all-sample/m.mtx"), ("b", "b/all-sample/m.mtx")]
)
def test_what_holds_all_samples_once_more_is_skipped(project: str, path: str) -> None:
    """In the project that it is in."""
    contents = FolderContents((), (), ("all-sample/m.mtx", "b/all-sample/m.mtx"))
    (skipped,) = skip_combined(contents, {"all-sample/m.mtx", "b/all-sample/m.mtx"}, project)
    assert skipped.reason.startswith(f"{path}: holds all samples once more")
    assert skip_combined(contents, (), project) == []
