"""A type checker knows what the call of a notebook takes."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

import dpss
from dpss import api
from dpss.engine.call_options import SummarizeOptions

OTHER_VALUES: dict[str, Any] = {
    "min_gene_count": 7, "cells_above_knee": True, "orientation": "cells-by-genes", "threads": 9,
    "memory": "3 MB", "embedding": False, "resolution": 2.0, "n_clusters_max": 7,
}  # fmt: skip


def test_options_of_the_overloads_are_those_of_the_function() -> None:
    """Every parameter but the two that decide what is returned."""
    parameters = inspect.signature(dpss.summarize).parameters.keys() - {"source", "matrix"}
    assert SummarizeOptions.__annotations__.keys() == parameters


@pytest.mark.parametrize("name", sorted(SummarizeOptions.__annotations__))
def test_each_option_reaches_the_settings(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a new one: another value of it gives other settings."""
    (tmp_path / "table.csv").write_text("barcode,value\nA,x\nC,y\n")
    value = tmp_path / "table.csv" if name == "by_file" else OTHER_VALUES.get(name, "some")
    seen: list[object] = []
    monkeypatch.setattr(
        api, "_summarize_source", lambda source, matrix, stats, read: seen.append((stats, read))
    )
    api.summarize("x")
    api.summarize("x", **{name: value})
    assert seen[0] != seen[1]
