"""Names of matrices, and roles of the tables beside them, by their paths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.formats.file_names import find_role, label_of, name_matrices

FOLDERS = st.lists(st.sampled_from(["s1", "s2", "outs", "filtered", "raw", "GSM1"]), max_size=3)
FILES = st.sampled_from(["matrix.mtx", "matrix.mtx.gz", "a_matrix.mtx", "b.counts.mtx", "c.npz"])
PATHS = st.builds(lambda folders, file: "/".join([*folders, file]), FOLDERS, FILES)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("genes.tsv.gz", ("genes", "", "")),
        ("dir_cells/GSM1_x_features.tsv", ("genes", "gsm1_x_", "")),
        ("GSM1.barcodes.csv.gz", ("cells", "gsm1.", "")),
        ("exp.mtx_cols", ("cells", "exp.mtx_", "")),
        ("cell_types.tsv", ("cells", "", "_types")),
        ("readme.txt", None),
        ("excellent.tsv", None),
    ],
)
def test_roles_are_told_by_words(name: str, role: tuple[str, str, str] | None) -> None:
    """A table's name says what it may be, and whose."""
    assert find_role(name) == role


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("outs/matrix.mtx.gz", ""),
        ("GSM1_a_matrix.mtx.gz", "GSM1_a"),
        ("GSM2_b.counts.mtx", "GSM2_b"),
        ("d/e.npz", "e"),
    ],
)
def test_a_label_leaves_out_what_all_files_are_called(path: str, label: str) -> None:
    """Endings, and the words for a matrix at the end, go."""
    assert label_of(path) == label


def test_a_matrix_alone_needs_no_name() -> None:
    """Several are named by the parts that differ, or by their whole path."""
    assert name_matrices(["s1/outs/matrix.mtx"]) == {"s1/outs/matrix.mtx": ""}
    assert name_matrices(["s1/outs/matrix.mtx", "s2/outs/matrix.mtx"]) == {
        "s1/outs/matrix.mtx": "s1",
        "s2/outs/matrix.mtx": "s2",
    }
    assert set(name_matrices(["a/b/matrix.mtx", "b/a/matrix.mtx"]).values()) == {
        "a_b_matrix.mtx",
        "b_a_matrix.mtx",
    }


@given(st.lists(PATHS, min_size=2, max_size=8, unique_by=lambda path: path.removesuffix(".gz")))
def test_names_of_several_are_not_empty(paths: list[str]) -> None:
    """Each path has a name."""
    names = name_matrices(paths)
    assert set(names) == set(paths)
    assert all(names.values())
