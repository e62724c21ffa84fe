"""The table of all projects: matrices that were given one by one are compared in it."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from dpss.storage.locations import open_store
from dpss.website.build import build_website
from tests.unit.website.portal import document, gene_rows, write_matrix


def publish_given(output: Path, medians: dict[str, float], *, peers: str = "given") -> None:
    """Publish projects of one matrix each, with these medians of counts."""
    rng = random.Random(3)
    for name, counts in medians.items():
        rows = gene_rows(rng, 30, 300)
        doc = document(rng, rows, project=name, title=name, name="", n_cells=300)
        doc |= {"median_counts_per_cell": counts, "checks": [], "reading": []}
        spread = {f"p{q}": counts * (0.5 + q / 100) for q in (5, 25, 50, 75, 95)}
        doc["quantiles"] = dict.fromkeys(doc["quantiles"]) | {"total_counts": spread}
        doc |= {"median_genes_per_cell": 500.0, "median_pct_counts_mt": None}
        if peers:
            doc["matrix"]["peers"] = peers
        write_matrix(output / name, doc, rows)
    build_website(open_store(str(output)))


def marked(output: Path) -> set[str]:
    """Return the titles of the projects in whose row something stands apart."""
    page = (output / "index.html").read_text()
    rows = re.findall(r"<tr>\n<th scope=.row.>.*?</tr>", page, re.DOTALL)
    return {re.findall(r'index.html">(.*?)<', row)[0] for row in rows if 'class="apart"' in row}


@pytest.mark.parametrize(("n", "bad"), [(24, {"S09": 150.0, "S17": 60000.0}), (5, {"S03": 150.0})])
def test_a_sample_that_stands_apart_is_marked(
    tmp_path: Path, n: int, bad: dict[str, float]
) -> None:
    """In its row of the first page and in MultiQC, no other; a note says what the mark means."""
    publish_given(tmp_path, {f"S{i:02d}": 3000.0 + 20 * i for i in range(1, n + 1)} | bad)
    assert marked(tmp_path) == set(bad)
    rows = json.loads((tmp_path / "multiqc" / "matrices_mqc.json").read_bytes())["data"]
    assert {name for name, row in rows.items() if row["status"] != "pass"} == set(bad)
    assert f"the median of all {n} (" in rows[min(bad)]["apart"]
    page = (tmp_path / "index.html").read_text()
    assert page.count('<svg class="strip') == n
    assert page.count("Below each median: a line") == 1


def test_projects_of_a_source_are_not_compared(tmp_path: Path) -> None:
    """They are of different tissues and laboratories; nor is a matrix that was given alone."""
    publish_given(tmp_path / "a", {f"S{i}": 10.0**i for i in range(1, 6)}, peers="")
    publish_given(tmp_path / "b", {"S1": 3000.0})
    for output in (tmp_path / "a", tmp_path / "b"):
        assert '<svg class="strip' not in (output / "index.html").read_text()
        rows = json.loads((output / "multiqc" / "matrices_mqc.json").read_bytes())["data"]
        assert not any("apart" in row for row in rows.values())
