"""The plots of a summary as JSON."""

from __future__ import annotations

import html
import json
import random
import re

import numpy as np
import pytest

from dpss.storage.local import LocalStore
from dpss.website.build import build_website
from tests.unit.website.portal import (
    plots,
)
from tests.unit.website.published import received, relist


def test_the_plots_of_a_summary_come_back(portal):
    """What a run publishes is what the page is given: the figures' own specifications."""
    from dpss.figures.gene_plots import gene_views
    from dpss.figures.scatter_mito_vs_count import mt_vs_counts
    from dpss.website.plots import parse_plots, plots_json
    from tests.unit.figures.builder import build, simulate

    summary = build(simulate(700, 100))
    found = parse_plots(plots_json(summary))
    assert found["genes"] == {name: w.document() for name, w in gene_views(summary).items()}
    plot = found["cells"]["scatter_percentMitoGenes_vs_count"]
    expected = mt_vs_counts(summary)
    for name, value in expected.specification.document().items():
        assert plot[name] == value
    assert sum(plot["bins"]["n"]) + len(plot["dots"]["x"]) == 700
    assert sum(plot["grid"]["n"]) == 700
    assert plot["grid"]["y_edges"][0] <= summary.pct_counts_mt.values[0]
    shown = received(portal / "_dpss/plots/project-0000/matrix-0.js")
    assert shown.keys() == found["cells"].keys()
    text = (portal / "project-0000/index.html").read_text()
    (views,) = {html.unescape(v) for v in re.findall(r'data-views="([^"]*)"', text)[:1]}
    assert json.loads(views).keys() == found["genes"].keys()


@pytest.mark.parametrize(
    "counts",
    [np.zeros((5, 4)), np.eye(3), np.ones((6, 5)), np.array([[3.0, 0.0]])],
    ids=["nothing", "one gene per cell", "all alike", "one cell"],
)
def test_plots_of_odd_matrices_are_of_the_schema(counts):
    """Whatever there is to show, the document holds it, and nothing that is not JSON."""
    from dpss.website.plots import parse_plots, plots_json
    from tests.unit.figures.builder import build

    assert parse_plots(plots_json(build(counts)))["schema"] == 1


def _foreign() -> str:
    """Return a ``plots.json`` with a bin beyond its axis."""
    document = plots(random.Random(1))
    document["cells"]["scatter_genes_vs_counts"]["grid"]["x"][0] = 99
    return json.dumps(document)


FOREIGN = _foreign()


@pytest.mark.slow
@pytest.mark.parametrize("data", ["{", "[]", '{"schema": 2}', FOREIGN])
def test_foreign_plots_are_not_shown(portal, data, caplog):
    """A plots.json that can't be read costs the interactive plots only."""
    folder = portal / "project-0000/matrix-0"
    (folder / "plots.json").write_text(data)
    relist(folder)
    build_website(LocalStore(portal), prune=True)
    assert "plots.json is not shown" in caplog.text
    assert not (portal / "_dpss/plots/project-0000/matrix-0.js").exists()
