"""The knee plot goes through every cell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dpss.figures.elements.marks import Curve
from dpss.figures.knee import KNEE, n_above_knee, ranked
from dpss.stats.knee import find_knee
from dpss.summary.droplets import Droplets
from dpss.summary.numerals import number
from dpss.summary.record import Summary
from tests.unit.figures.builder import build, simulate


def test_knee_goes_through_every_cell() -> None:
    """Each cell's rank and total lies on the curve, the many no less than the few."""
    totals = np.sort(simulate(200, 50).sum(axis=1))[::-1]
    ranks, heights = ranked(build(simulate(200, 50)).counts_per_cell)
    at = np.arange(1, (totals > 0).sum() + 1)
    np.testing.assert_allclose(np.interp(at, ranks, heights), totals[totals > 0])


def unfiltered() -> tuple[np.ndarray, Summary]:
    """Return total counts of cells and ambient droplets, and their summary with its knee."""
    rng = np.random.default_rng(2)
    cells = simulate(300, 100, 3) + 20
    counts = np.vstack([cells, rng.poisson(0.3, (3000, 100))]).astype(float)
    summary = build(counts)
    knee = find_knee(summary.counts_per_cell)
    assert knee is not None
    return counts.sum(axis=1), replace(summary, droplets=Droplets(knee, 1.0, 1.0))


def test_cells_and_background_have_two_colours_and_two_medians() -> None:
    """Both curves meet at the knee; a label at either median says what numpy does."""
    totals, summary = unfiltered()
    page = KNEE.page(summary)
    background, cells = (m for m in page.panels[0].marks if isinstance(m, Curve))
    assert (cells.colour, background.colour) == ("blue", "grey")
    assert n_above_knee(summary) == 300
    assert cells.x[-1] == background.x[0] == 300
    texts = [text.text for text in page.texts]
    above, below = np.sort(totals)[::-1][:300], np.sort(totals)[::-1][300:]
    assert f"median {number(float(np.median(above)))} counts" in texts
    assert f"median {number(float(np.median(below)))} below the knee" in texts
    assert "knee: about 300 cells" in texts
    assert "most steeply" in KNEE.reading(summary)


def test_no_knee_where_cells_were_called() -> None:
    """One curve, one median, and a caption that calls nothing a knee."""
    page = KNEE.page(build(simulate(200, 50)))
    assert len([mark for mark in page.panels[0].marks if isinstance(mark, Curve)]) == 1
    assert not any("knee" in text.text for text in page.texts)
    assert "knee" not in KNEE.reading(build(simulate(200, 50)))
