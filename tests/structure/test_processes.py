"""How tests are dealt out to processes."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT, place_of

FILES = ("test_community.py", "test_test_imports.py", "test_module_size.py")


@pytest.mark.slow
def test_tests_of_a_file_are_run_in_one_process() -> None:
    """So that what they share is made once: each file is of one process, and both have some."""
    options = [
        "-n",
        "2",
        "--dist",
        "loadfile",
        "--no-loadscope-reorder",
        "-v",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *(f"tests/structure/{each}" for each in FILES)],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    found = set(re.findall(r"\[(gw\d)\].*PASSED tests/structure/(\w+\.py)", done.stdout))
    assert sorted(file for _, file in found) == sorted(FILES)
    assert len({process for process, _ in found}) == 2


@pytest.mark.parametrize(
    ("nodeid", "place"),
    [
        ("tests/browser/test_genes.py::test_a[x::y]", "tests/browser"),
        ("tests/browser/test_index.py::test_b", "tests/browser"),
        ("tests/browser/test_extremes.py::test_c[1]", "tests/browser/test_extremes.py"),
        ("tests/unit/test_api.py::Laws::test_d", "tests/unit/test_api.py"),
        ("tests/unit/website/genes/test_lookup.py::test_e", "tests/unit/website"),
        ("tests/unit/websites/test_f.py::test_g", "tests/unit/websites/test_f.py"),
    ],
)
def test_a_file_is_a_place(nodeid: str, place: str) -> None:
    """But for those of pages, most of which look at the same portals."""
    assert place_of(nodeid) == place
