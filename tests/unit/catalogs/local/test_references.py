"""References to local files, and when they change."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpss.catalogs.local import references
from dpss.catalogs.local.references import check_extent, make_ref, make_sample_ref
from dpss.catalogs.pipelines.samples import find_samples
from tests.unit.catalogs.local.test_folder import make


def test_a_sample_changes_with_each_file_that_is_read(tmp_path: Path) -> None:
    """The matrix, the unfiltered one and the metrics; a copy in another format is not read."""
    paths = [
        "S/outs/filtered_feature_bc_matrix.h5",
        "S/outs/filtered_feature_bc_matrix/matrix.mtx",
        "S/outs/metrics_summary.csv",
        "S/outs/raw_feature_bc_matrix.h5",
    ]
    make(tmp_path, *paths)
    places = {path.removesuffix("/matrix.mtx"): tmp_path / path for path in paths}
    (sample,) = find_samples(list(places), places.keys()).samples

    def fingerprint() -> str:
        return make_sample_ref("p", "S", sample, places).fingerprint

    seen = {fingerprint()}
    for path in paths:
        (tmp_path / path).write_text("changed")
        seen.add(fingerprint())
    assert len(seen) == len(paths)
    alone = make_ref("p", "S", "x", places[sample.path])
    assert alone.companions is None


def test_matrices_in_many_files_count_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A zarr store may have a file for each of its chunks; a folder of files may not."""
    make(tmp_path, "S/a.zarr/.zgroup", *(f"S/a.zarr/X/{i}" for i in range(20)), "S/b.json")
    monkeypatch.setattr(references, "MOST_ENTRIES", 9)
    check_extent(tmp_path / "S")
    make(tmp_path, *(f"S/{i}.json" for i in range(9)))
    with pytest.raises(ValueError, match="more than 9 files"):
        check_extent(tmp_path / "S")
