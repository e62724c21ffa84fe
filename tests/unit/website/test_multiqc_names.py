"""Names of matrices as MultiQC's samples."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpss.storage.names import unique_names
from dpss.website.multiqc_names import sample_names
from tests.examples import examples

PARTS = ("S", "1", "a", "_", ".", "-", "_matrix", ".h5", ".gz", "_counts", "runs_", "ccs", ".csv",
         "_val", ".sorted", "Aligned", "_fastqc", "_summary", ".out", ".bam", "tumor",
         "_qual", "_trimmer", "short_summary_")  # fmt: skip


def named(*folders: str) -> list[str]:
    """Return the samples of matrices by their folders."""
    records = [
        SimpleNamespace(
            folder=folder,
            name=folder.partition("/")[2],
            project_folder=folder.partition("/")[0],
        )
        for folder in folders
    ]
    found = sample_names(records)  # type: ignore[arg-type]
    return [found[folder] for folder in folders]


def test_a_sample_has_its_own_name_and_joins_others() -> None:
    """Not ``S01 | S01``; with its project only where another one has the same name."""
    assert named("S01/S01", "run/S02", "x") == ["S01", "S02", "x"]
    assert named("a/S01", "b/S01", "b/S02") == ["a S01", "b S01", "S02"]
    assert named("run/S1_tumor", "run/S1_normal", "run/S1") == ["S1_tumor", "S1_normal", "S1"]


def test_names_that_would_become_others_have_spaces() -> None:
    """A matrix in two formats, and what ends as files do."""
    assert named("A/x_filtered", "A/x_filtered.h5") == ["x_filtered", "x filtered h5"]
    assert named("A/S1.gz", "A/S1_matrix", "A/S1") == ["S1 gz", "S1 matrix", "S1"]
    assert named("A/S1.h5") == ["S1.h5"]


@pytest.mark.slow
def test_every_ending_that_multiqc_knows_is_safe() -> None:
    """Those of the installed version, behind a name, before it, and twice."""
    pytest.importorskip("multiqc")
    from multiqc import config
    from multiqc.base_module import BaseMultiqcModule

    module = BaseMultiqcModule(name="x", anchor="x")
    known = [*config.fn_clean_exts, *config.fn_clean_trim]
    for part in [each for each in known if isinstance(each, str)]:
        plain = part.replace("/", "")
        for other in (f"S{plain}", f"{plain}S", f"S{plain}_matrix", f"S{plain}{plain}"):
            names = named("run/S", f"run/{other}")
            assert len({module._clean_s_name(name) for name in names}) == 2, (part, names)


@pytest.mark.slow
@settings(max_examples=examples(60))
@given(st.lists(st.lists(st.sampled_from(PARTS), min_size=1, max_size=5), min_size=1, max_size=6))
def test_multiqc_keeps_all_rows(parts: list[list[str]]) -> None:
    """Its own function leaves as many names as there are matrices."""
    pytest.importorskip("multiqc")
    from multiqc.base_module import BaseMultiqcModule

    module = BaseMultiqcModule(name="x", anchor="x")
    matrices = unique_names("".join(each) for each in parts)
    names = named(*(f"run/{matrix}" for matrix in matrices))
    assert len({module._clean_s_name(name) for name in names}) == len(matrices)
