"""Files of a summary: all of them, the same each time, from any thread."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from dpss.engine.progress import NullProgress
from dpss.errors import CorruptMatrixError
from dpss.figures.registry import FIGURES
from dpss.job.renderer import render_files
from tests.unit.figures.builder import build, simulate


class Counted(NullProgress):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.said: list[object] = []

    def begin(self, label: str, total: int) -> None:
        self.said.append((label, total))

    def advance(self, amount: int) -> None:
        self.said.append(amount)

    def end(self) -> None:
        self.said.append("end")


def test_every_figure_has_its_files_and_the_summary_comes_last() -> None:
    """Three for each figure; progress is told figure by figure."""
    progress = Counted()
    files = render_files(build(simulate()), progress)
    names = list(files)
    assert names[-1] == "summary.json"
    assert len([name for name in names if name.endswith(".png")]) == len(FIGURES)
    assert len([name for name in names if name.endswith(".svg")]) == 2 * len(FIGURES)
    drawn = [name for name in names if name.endswith((".png", ".svg"))]
    assert drawn == sorted(drawn)
    assert progress.said == [("drawing", len(FIGURES)), *[1] * len(FIGURES), "end"]


@pytest.mark.slow
def test_threads_side_by_side_make_the_same_bytes() -> None:
    """Several matrices are drawn at once where a run reads them at once."""
    summaries = [build(simulate(60 + n, 80)) for n in range(4)]
    alone = [render_files(summary, NullProgress()) for summary in summaries]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda s: render_files(s, NullProgress()), summaries))
    assert together == alone


@pytest.mark.parametrize("place", ["png_of", "svg_files"])
def test_what_fails_while_drawing_is_raised(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In either thread; the progress ends all the same."""

    def fail(*_: object) -> bytes:
        raise MemoryError("no room")

    monkeypatch.setattr(f"dpss.figures.export.{place}", fail)
    progress = Counted()
    with pytest.raises(MemoryError, match="no room"):
        render_files(build(simulate(40, 60)), progress)
    assert progress.said[-1] == "end"


@pytest.mark.slow
def test_nothing_published_needs_matplotlib() -> None:
    """Figures, tables and the document are made in a process that does not import it."""
    code = (
        "import sys\n"
        "from dpss.engine.progress import NullProgress\n"
        "from dpss.job.renderer import render_files\n"
        "from tests.unit.figures.builder import build, simulate\n"
        "assert len(render_files(build(simulate(60, 60)), NullProgress())) > 21\n"
        "assert not any('matplotlib' in name or 'PIL' in name for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_summary_that_breaks_its_schema_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be this program's fault, and is said."""
    monkeypatch.setattr("dpss.website.validation.fault", lambda *_: "n_cells: missing")
    with pytest.raises(CorruptMatrixError, match="n_cells: missing"):
        render_files(build(simulate(40, 60)), NullProgress())
