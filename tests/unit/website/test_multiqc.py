"""MultiQC shows every matrix."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpss.storage.locations import open_store
from dpss.storage.plain_text import strip_control
from dpss.website import multiqc
from dpss.website.build import build_website
from tests.unit.website.portal import ASSUMED, decision, document, gene_rows, write_matrix


def run_multiqc(output: Path, to: Path) -> dict[str, list[list[str]]]:
    """Return the tables that MultiQC makes of an output, by name; skip where it is missing."""
    # Beside the interpreter first: a virtual environment needn't be activated.
    program = shutil.which("multiqc", path=str(Path(sys.executable).parent)) or shutil.which(
        "multiqc"
    )
    if program is None:
        pytest.skip("multiqc is not installed")
    subprocess.run(
        [program, "--quiet", "--strict", "--outdir", str(to), str(output)], check=True, timeout=600
    )
    return {
        path.stem.removeprefix("multiqc_"): [
            line.split("\t") for line in path.read_text().splitlines()
        ]
        for path in (to / "multiqc_data").glob("*.txt")
    }


def documents_of(output: Path) -> dict[str, dict]:
    """Return the documents for MultiQC by name."""
    return {
        path.name.removesuffix("_mqc.json"): json.loads(path.read_bytes())
        for path in output.rglob("*_mqc.json")
    }


def publish(output: Path, medians: dict[str, tuple[float, float]]) -> None:
    """Publish a project of matrices with these medians of counts and of mitochondrial shares."""
    rng = random.Random(3)
    for name, (counts, share) in medians.items():
        rows = gene_rows(rng, 40, 300)
        doc = document(rng, rows, project="run", title="run", name=name, n_cells=300)
        doc |= {"median_counts_per_cell": counts, "median_pct_counts_mt": share,
                "median_genes_per_cell": 500.0, "checks": [], "reading": []}  # fmt: skip
        doc["quantiles"]["pct_counts_mt"] = dict.fromkeys(("p5", "p25", "p50", "p75", "p95"), share)
        write_matrix(output / "run" / name, doc, rows)
    build_website(open_store(str(output)))


@pytest.mark.slow
def test_multiqc_shows_every_matrix(portal, tmp_path):
    """MultiQC puts the matrices of a portal into one table."""
    documents = documents_of(portal)
    assert set(documents) == {
        *("general", "matrices"),
        *("cells_n_genes_by_counts", "cells_total_counts", "cells_pct_counts_mt"),
    }
    assert len(documents["general"]["data"]) == len(documents["matrices"]["data"]) == 6
    tables = run_multiqc(portal, tmp_path / "qc")
    assert len(tables["general_stats"]) == 7
    heading, *lines = tables["dpss_table"]
    assert len(lines) == 6
    (place,) = [i for i, name in enumerate(heading) if name.lower().endswith("assumed")]
    told = {line[0]: line[place] for line in lines if len(line) > place and line[place]}
    assumed = {s for s, row in documents["matrices"]["data"].items() if "assumed" in row}
    assert 0 < len(assumed) < 6
    assert set(told) == assumed
    assert set(told.values()) == {ASSUMED}


@pytest.mark.slow
def test_rows_are_the_matrices_whatever_their_names(tmp_path: Path) -> None:
    """MultiQC's cleaning makes no two of them one, and S01 stays S01."""
    names = ("S01", "S01_matrix", "x_filtered", "x_filtered.h5", "x.gz", "x", "y_counts", "y")
    publish(tmp_path / "out", dict.fromkeys(names, (3000.0, 5.0)))
    tables = run_multiqc(tmp_path / "out", tmp_path / "qc")
    rows = {line[0] for line in tables["general_stats"][1:]}
    assert rows == {line[0] for line in tables["dpss_table"][1:]}
    assert rows == {
        *("S01", "S01 matrix", "x_filtered", "x_filtered h5".replace("_", " ")),
        *("x gz", "x", "y counts", "y"),
    }


@pytest.mark.slow
def test_two_bad_samples_are_marked(tmp_path: Path) -> None:
    """One of 5 % of the depth and one of eight times the mitochondrial share; no other."""
    medians = {f"S{n:02d}": (3000.0 + 20 * n, 5 + n / 20) for n in range(1, 25)}
    publish(tmp_path / "out", medians | {"S09": (150.0, 5.0), "S17": (3000.0, 40.0)})
    tables = run_multiqc(tmp_path / "out", tmp_path / "qc")
    heading, *lines = tables["general_stats"]
    (place,) = [i for i, name in enumerate(heading) if name.endswith("-status")]
    assert {line[0] for line in lines if line[place] != "pass"} == {"S09", "S17"}
    rows = documents_of(tmp_path / "out")["matrices"]["data"]
    assert "Counts per cell are apart: 150, " in rows["S09"]["apart"]
    assert "times the median of all 24" in rows["S17"]["apart"]


def test_what_a_sample_sheet_says_is_in_the_tables(tmp_path: Path) -> None:
    """Expected cells beside ours in the table of all tools; chemistry and group in our own."""
    rng = random.Random(3)
    for name, group in (("S01", "a"), ("S02", "")):
        rows = gene_rows(rng, 40, 300)
        doc = document(rng, rows, project="run", title="run", name=name, n_cells=300)
        if group:
            doc["n_cells_expected"] = 5000
            doc["matrix"] |= {"peers": group, "strata": {"chemistry": ["v3"], "group": [group]}}
        write_matrix(tmp_path / "run" / name, doc, rows)
    build_website(open_store(str(tmp_path)))
    found = documents_of(tmp_path)
    assert found["general"]["headers"]["n_cells_expected"]["title"] == "Expected cells"
    one, two = (found["matrices"]["data"][name] for name in ("S01", "S02"))
    assert (one["n_cells_expected"], one["group"], one["chemistry"]) == (5000, "a", "v3")
    assert not {"n_cells_expected", "group", "chemistry"} & two.keys()
    page = (tmp_path / "run" / "index.html").read_text()
    assert "of 5,000 expected" in page.replace("\u202f", ",")
    index = json.loads((tmp_path / "index.json").read_bytes())
    expected = [each.get("n_cells_expected") for each in index["projects"][0]["matrices"]]
    assert expected == [5000, None]


class _Tags(HTMLParser):
    """Tags of a page with a mark in an attribute, and the texts with the mark."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag; values and names of samples are data, as long as they stay in attributes."""
        named = [name for name, value in attrs if "MARK" in name + (value or "")]
        if set(named) - {"data-sorting-val", "data-sample-group", "data-original-sn"}:
            self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        """Take a text."""
        if "MARK" in data:
            self.texts.append(data)


HOSTILE = (
    "<img src=x onerror=MARK(1)>",
    "</td></table><script id=MARK>alert(2)</script>",
    '"><svg onload=MARK(3)>',
    "R&D's &lt;b id=MARK&gt;",
)


@pytest.mark.slow
def test_what_a_sheet_says_is_text_in_the_report(tmp_path: Path) -> None:
    """Markup in groups, chemistries, cautions and assumptions is shown and makes no element."""
    rng = random.Random(3)
    for number, said in enumerate(HOSTILE, 1):
        rows, name = gene_rows(rng, 40, 300), f"S0{number}"
        doc = document(rng, rows, project="run", title="run", name=name, n_cells=300)
        doc["matrix"] |= {"peers": said, "strata": {"chemistry": [said], "group": [said]}}
        doc["checks"] = [{"name": "assumptions", "status": "warn", "message": f"{said} was."}]
        doc["reading"] = [decision("orientation", said, assumed=True)]
        doc["matrix"]["name"] = f"{name} {said}" if number < 3 else name
        write_matrix(tmp_path / "out" / "run" / name, doc, rows)
    build_website(open_store(str(tmp_path / "out")))
    run_multiqc(tmp_path / "out", tmp_path / "qc")
    page = _Tags()
    page.feed((tmp_path / "qc" / "multiqc_report.html").read_text(encoding="utf-8"))
    assert page.tags == []
    for said in HOSTILE:
        assert sum(said in text for text in page.texts) >= 2, said


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_any_text_is_one_text_of_html(said: str) -> None:
    """A page shows the characters that were given, within an element and an attribute."""
    escaped = multiqc._text(said)
    assert not set('<>"') & set(escaped)
    assert unescape(escaped) == strip_control(said)


def test_expected_cells_stand_beside_barcodes_that_look_like_cells(tmp_path: Path) -> None:
    """A matrix of all droplets has far more barcodes than cells: the check compares the latter."""
    rng = random.Random(4)
    for name, estimated in (("S01", 300), ("S02", None), ("S03", 1)):
        rows = gene_rows(rng, 40, 6000)
        doc = document(rng, rows, project="run", title="run", name=name, n_cells=6000)
        doc |= {"n_cells_expected": 310, "n_cells_estimated": estimated}
        write_matrix(tmp_path / "run" / name, doc, rows)
    build_website(open_store(str(tmp_path)))
    page = (tmp_path / "run" / "index.html").read_text()
    found = re.findall(r'Cells">6,000<span class="sub">(.*?)</span>', page.replace("\u202f", ","))
    assert sorted(found) == [
        "about 1 of 310 expected",
        "about 300 of 310 expected",
        "of 310 expected",
    ]
    tables = documents_of(tmp_path)
    assert tables["general"]["headers"]["n_cells_estimated"]["title"] == "Look like cells"
    rows = tables["matrices"]["data"]
    assert [rows[name].get("n_cells_estimated") for name in ("S01", "S02", "S03")] == [300, None, 1]


def test_an_empty_output_has_no_documents(tmp_path: Path) -> None:
    """MultiQC takes a document without data for a fault."""
    build_website(open_store(str(tmp_path)))
    assert documents_of(tmp_path) == {}
