"""Places among comparable matrices: the matrices compared, and by which quantiles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dpss.storage.local import LocalStore
from dpss.website.build import build_website
from dpss.website.data_files import read_script
from dpss.website.pages.places import N_QUANTILES, PLACED, PLACES
from tests.unit.website.portal import make_portal


def portal_of(root: Path, groups: dict[tuple[str, str], list[float]]) -> list[list]:
    """Build a portal of matrices with these medians, by species and technology; return the data."""
    n = sum(map(len, groups.values()))
    make_portal(root, n_projects=n, n_matrices=1, n_genes=25, figures=False)
    values = [(key, value) for key, found in groups.items() for value in found]
    for path, ((species, technology), value) in zip(
        sorted(root.rglob("summary.json")), values, strict=True
    ):
        document = json.loads(path.read_text())
        document["matrix"]["strata"] = {"species": [species], "assay": [technology]}
        document["median_genes_per_cell"] = value
        document["median_pct_counts_mt"] = None
        path.write_text(json.dumps(document))
    build_website(LocalStore(root))
    return read_script((root / PLACES).read_bytes())


@pytest.mark.slow
@pytest.mark.parametrize("n", [9, 10, 14])
def test_ten_are_needed(tmp_path: Path, n: int) -> None:
    """Nine comparable matrices give no place, ten give the quantiles of the numbers they have."""
    values = [100.0 * (i + 1) for i in range(n)]
    rows = portal_of(
        tmp_path, {("human", "10x"): values, ("mouse", "10x"): [5.0] * 4, ("human", "Drop"): [7.0]}
    )
    if n < 10:
        assert rows == []
        return
    ((name, size, quantiles),) = rows
    assert (name, size, len(quantiles)) == ("human, 10x", n, len(PLACED))
    expected = np.quantile(values, np.linspace(0, 1, N_QUANTILES))
    np.testing.assert_allclose(quantiles[0], expected, rtol=1e-3)
    assert quantiles[2] is None
    page = next(tmp_path.rglob("project-0000/index.html")).read_text()
    assert 'data-group="human, 10x"' in page
    assert 'data-number="median_genes_per_cell" data-value="100.0"' in page


@pytest.mark.slow
def test_other_matrices_leave_a_page_as_it_is(tmp_path: Path) -> None:
    """The page of a project is the same bytes whatever else is published."""
    portal_of(tmp_path / "few", {("human", "10x"): [100.0] * 10})
    portal_of(tmp_path / "more", {("human", "10x"): [100.0] * 10 + [900.0] * 5})
    few, more = (tmp_path / name / "project-0000" / "index.html" for name in ("few", "more"))
    assert few.read_bytes() == more.read_bytes()
