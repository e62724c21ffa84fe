"""The two walks of the architecture page are those of the program: each hop is called, in order."""

from __future__ import annotations

import functools
import inspect
import itertools
import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from dpss.catalogs.local import GivenCatalog
from dpss.cli import config
from dpss.compute.jit import Loop
from dpss.engine.progress import NullProgress
from dpss.job import publication
from dpss.job.children.isolation import open_tasks
from dpss.storage.s3 import S3Store
from tests.unit.small import counts, write_h5ad_csr

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "architecture.md"
OPTION, OBJECT = PAGE.read_text().partition("## Two walks")[2].split("**An object on S3", 1)
OTHER_WAYS = {
    "cli.options.setting_options", "api.summarize", "job.plan.steps.plan_run",
    "compute.dask_executor.DaskExecutor", "stats.entry_accumulator.CellMeasures",
    "stats.kernels.entries.add_entries", "formats.hdf5.filters.unfilter",
    # Objects hold these functions, so that they can't be replaced in their modules.
    "figures.violin.layout", "job.renderer.render_files",
}  # fmt: skip
"""Names of the walks that a run over an h5ad by cell does not call, or not by their modules."""


def hops_of(walk: str) -> list[list[str]]:
    """Return the names of each hop of a walk."""
    lines = re.findall(r"^\d+\. (.*)$", walk.partition("\n## ")[0], re.MULTILINE)
    return [re.findall(r"`((?:\w+\.)+\w+)`", line) for line in lines]


class Calls:
    """The order of the first calls of what has a name."""

    def __init__(self, names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """Have each call of these functions, and of methods of these classes, recorded."""
        self.first: dict[str, int] = {}
        self._numbers = itertools.count()
        loops = {}
        for name in names:
            module, _, last = name.rpartition(".")
            thing = getattr(import_module(f"dpss.{module}"), last)
            if isinstance(thing, Loop):
                loops[thing] = name
            elif isinstance(thing, type):
                methods = {k: v for k, v in vars(thing).items() if inspect.isfunction(v)}
                own = {k: v for k, v in methods.items() if not k.startswith("__")}
                for key, method in (own or methods).items():
                    monkeypatch.setattr(thing, key, self._recorded(method, name))
            else:
                made = self._recorded(thing, name)
                for found in [m for n, m in sys.modules.items() if n.startswith("dpss.")]:
                    for key in [key for key, value in vars(found).items() if value is thing]:
                        monkeypatch.setattr(found, key, made)
        call = Loop.__call__

        def called(loop: Loop, *arguments: Any) -> Any:
            if loop in loops:
                self.first.setdefault(loops[loop], next(self._numbers))
            return call(loop, *arguments)

        monkeypatch.setattr(Loop, "__call__", called)

    def _recorded(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def recorded(*arguments: Any, **named: Any) -> Any:
            self.first.setdefault(name, next(self._numbers))
            return function(*arguments, **named)

        return recorded


def test_the_walks_are_found() -> None:
    """Of eight and of nine hops."""
    assert [len(hops_of(walk)) for walk in (OPTION, OBJECT)] == [8, 9]
    assert {name for walk in (OPTION, OBJECT) for hop in hops_of(walk) for name in hop} > OTHER_WAYS


@pytest.mark.slow
def test_each_hop_is_called_in_its_turn(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an option, from an object on S3 to files on S3, in one process."""
    write_h5ad_csr(tmp_path / "a.h5ad", counts(n_cells=300))
    store = S3Store(bucket, "in")
    store.write("a.h5ad", (tmp_path / "a.h5ad").read_bytes())
    names = [name for walk in (OPTION, OBJECT) for hop in hops_of(walk) for name in hop]
    calls = Calls(names, monkeypatch)
    url = f"s3://{bucket}/in/a.h5ad"
    settings = config.make_run_settings(input=url, output=f"s3://{bucket}/out", min_gene_count=2)
    (project,) = GivenCatalog([url]).projects()
    with open_tasks(settings) as tasks:
        results, _ = tasks["make"](project, project.refs[0], [], None, NullProgress())
    for name, made in results.items():
        assert not isinstance(made, Exception), made
        publication.publish(S3Store(bucket, "out"), name or "a", made.files, {})
    assert calls.first.keys() == set(names) - OTHER_WAYS
    # Settings are made by the hops after them, and pages ask the object for its bytes.
    for walk, begin in ((OPTION, 4), (OBJECT, 3)):
        hops = [[name for name in hop if name in calls.first] for hop in hops_of(walk)[begin - 1 :]]
        turns = [calls.first[hop[0]] for hop in hops if hop]
        assert turns == sorted(turns), hops
