"""Settings fill in what follows, and name each fault with its option and variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpss.cli.config import make_run_settings
from dpss.compute.machine import default_threads, peak_memory_bytes
from dpss.engine.options import make_settings, own_options
from dpss.engine.settings import ReadSettings, StatSettings
from dpss.errors import SettingsError


def test_an_input_alone_means_the_source_local() -> None:
    """``dpss run --input x --output y`` needs no --source."""
    assert make_run_settings(input="x", output="y").source == "local"


def test_a_deployment_sets_what_is_not_set() -> None:
    """Its bucket is the output and has the blacklist, unless others are given."""
    settings = make_run_settings(source="canned", environ="dev", blacklist=True)
    bucket = "s3://dev.project-assets.data.humancellatlas.org"
    assert settings.output == f"{bucket}/project-assets/project-stats/"
    assert settings.blacklist_file == f"{bucket}/blacklist"
    settings = make_run_settings(
        source="canned", environ="dev", blacklist=True, blacklist_file="b", output="o"
    )
    assert (settings.output, settings.blacklist_file) == ("o", "b")


def test_every_fault_is_gathered() -> None:
    """One message has them all, each with its variable."""
    with pytest.raises(SettingsError) as caught:
        make_run_settings(blacklist=True, min_gene_count=-1, threads=0)
    lines = str(caught.value).splitlines()
    names = ("SOURCE", "OUTPUT", "BLACKLIST", "MIN_GENE_COUNT", "THREADS")
    assert all(any(f"DPSS_{name}" in line for line in lines) for name in names)
    assert len(lines) == len(names)


def test_an_input_belongs_to_the_source_local() -> None:
    """An option that would be ignored is an error instead."""
    with pytest.raises(SettingsError, match="DPSS_INPUT"):
        make_run_settings(source="azul", input="x", output="y")


def test_threads_are_those_of_the_machine_unless_given() -> None:
    """And a container's share of it counts, where it has one."""
    assert make_settings(ReadSettings, {}).threads == default_threads() >= 1
    assert make_settings(ReadSettings, {"threads": 3}).threads == 3


def test_peak_memory_is_in_bytes() -> None:
    """Of this process: more than 10 MB, less than 100 GB."""
    assert 10**7 < peak_memory_bytes() < 10**11


def test_orientation_and_memory() -> None:
    """The one changes results, so that it is written down where it is given; the other does not."""
    settings = make_run_settings(
        input="x", output="y", orientation="cells-by-genes", memory="1.5GB"
    )
    assert settings.stats.as_mapping()["orientation"] == "cells-by-genes"
    assert settings.read.memory_bytes == 1_500_000_000
    settings = make_run_settings(input="x", output="y")
    assert "orientation" not in settings.stats.as_mapping()
    assert settings.read.memory_bytes > 1 << 27
    with pytest.raises(SettingsError, match=r"--memory \(DPSS_MEMORY\) is lots"):
        make_run_settings(input="x", output="y", memory="lots")


def test_an_orientation_that_there_is_none_of() -> None:
    """Whoever asks for it, a command or a notebook, is told which ones there are."""
    with pytest.raises(SettingsError, match="sideways; there is: genes-by-cells"):
        StatSettings(orientation="sideways")


CHANGED = {
    "policy": "default", "orientation": "cells-by-genes", "resolution": 2.0,
    "min_gene_count": 7, "cells_above_knee": True, "embedding": True, "n_clusters_max": 7,
}  # fmt: skip


@pytest.mark.parametrize("name", [option.parameter for _, _, option in own_options(StatSettings)])
def test_each_setting_that_changes_numbers_outdates_what_is_published(
    name: str, tmp_path: Path
) -> None:
    """Also one that is new: a run reads its matrices again when the mapping differs."""
    (tmp_path / "table.csv").write_text("barcode,value\nA,x\nC,y\n")
    value = str(tmp_path / "table.csv") if name == "by_file" else CHANGED.get(name, "some")
    without, given = (
        make_settings(StatSettings, {"embedding": name != "embedding"} | more)
        for more in ({}, {name: value})
    )
    assert without.as_mapping() != given.as_mapping()
