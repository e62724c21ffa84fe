"""Data files of all matrices name each one, with its address."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from dpss.storage.local import LocalStore
from dpss.website.data_files import read_script
from dpss.website.pages.portal import (
    compare_script,
    example_genes,
    portal_script,
    published_addresses,
)
from dpss.website.records import SPECIES, ProjectRecord, group_projects, read_records
from tests.unit.website.portal import make_nasty, make_portal


def projects_of(root: Path) -> list[ProjectRecord]:
    """Return what is published in a folder."""
    store = LocalStore(root)
    return group_projects(read_records(store, store.sizes())[0])


def test_every_matrix_is_compared_under_its_address(portal) -> None:
    """Each once, in order; the address is that of its part of the project's page."""
    projects = projects_of(portal)
    addresses = published_addresses(projects)
    text = compare_script(projects).decode()
    rows = json.loads(text[text.index("[\n") : text.rindex("]") + 1])
    assert [row[0] for row in rows] == [m.folder for p in projects for m in p.matrices]
    assert all(addresses[row[0]]["address"] in row for row in rows)


@pytest.mark.parametrize("median", [1236.5, 12_345.0, 0.123456, 987_654.5])
def test_medians_are_compared_as_they_are_written_elsewhere(portal, median: float) -> None:
    """No digit of a median is lost, so that one number has one form on all pages."""
    project = projects_of(portal)[0]
    spread = (median / 3, median / 2, median, 2 * median, 3 * median)
    matrix = dataclasses.replace(project.matrices[0], spreads=(spread,) * 3)
    text = compare_script([dataclasses.replace(project, matrices=(matrix,))]).decode()
    (row,) = json.loads(text[text.index("[\n") : text.rindex("]") + 1])
    assert [each[2] for each in row[-1]] == [median] * 3


def test_every_matrix_is_named_once_with_what_it_is(portal) -> None:
    """Put together again, rows say folder, address, label, cells and sample of each matrix."""
    make_nasty(portal)
    projects = projects_of(portal)
    addresses = published_addresses(projects)
    listed = read_script(portal_script(projects))
    found = [(row, listed["projects"][row[0]]) for row in listed["matrices"]]
    matrices = [(project, m) for project in projects for m in project.matrices]
    assert len(matrices) > 6
    for (row, (title, folder, path)), (project, matrix) in zip(found, matrices, strict=True):
        _, rest, label, sample, n_cells, *quoted = row
        address = quoted[0] if quoted else rest
        assert (f"{folder}/{rest}" if rest else folder) == matrix.folder
        assert title == project.title
        assert f"{path}index.html#m-{address}" == addresses[matrix.folder]["address"]
        assert (f"{path}{address}/" if rest else path) == matrix.path
        shown = matrix.label if matrix.label != project.title else ""
        assert (rest if label == 0 else label) == shown
        assert n_cells == matrix.numbers["n_cells_kept"]
        species, _, _, values, simulated, pictures = listed["samples"][sample]
        assert (species, values) == (list(matrix.terms(SPECIES)), matrix.values)
        assert (simulated, set(pictures) <= set(matrix.figures)) == (matrix.simulated, True)


@pytest.mark.parametrize(("n_projects", "n_matrices"), [(4, 1), (10, 3), (40, 2)])
def test_the_list_of_matrices_is_short(tmp_path, n_projects: int, n_matrices: int) -> None:
    """A page waits while it is read: a row per matrix of 60 bytes, and one per project of 90."""
    root = make_portal(tmp_path / "out", n_projects, n_matrices, 20, figures=False)
    data = portal_script(projects_of(root))
    n_samples = len(read_script(data)["samples"])
    assert len(data) < 100 + n_projects * (90 + 60 * n_matrices) + 250 * n_samples


def test_examples_are_genes_that_a_look_up_finds(portal) -> None:
    """Two names and an id, each of the best genes of some matrix."""
    store = LocalStore(portal)
    records, _ = read_records(store, store.sizes())
    shown = example_genes(group_projects(records))
    known = {text for record in records for pair in record.genes for text in pair}
    assert 1 <= len(shown) <= 3
    assert set(shown) <= known
