"""The tutorials: notebooks hold what a run gives, and the gallery shows every figure."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import nbformat
import pytest

from dpss.figures.knee import KNEE
from tests.conftest import ROOT
from tests.servers.moto_s3 import MotoS3
from tools.gallery import ALL, FOLDER, pictures
from tools.notebooks import TUTORIALS, run

NOTEBOOKS = sorted(TUTORIALS.glob("*.ipynb"))
GALLERY = TUTORIALS / "gallery.md"
MOST_BYTES = 1_000_000
"""Of all images of the gallery, and of one notebook."""


def outputs_of(notebook: Any) -> list[list[dict[str, Any]]]:
    """Return what each cell of code gave; of pictures only that there is one."""
    return [
        [
            {
                "kind": output.output_type,
                "text": output.get("text", ""),
                "data": {
                    kind: "a picture" if kind == "image/png" else data
                    for kind, data in output.get("data", {}).items()
                },
            }
            for output in cell.outputs
        ]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_what_a_run_gives(path: Path, tmp_path: Path) -> None:
    """A rerun gives the stored outputs: `make notebooks` stores them."""
    stored = nbformat.read(path, as_version=4)
    assert outputs_of(run(path, tmp_path)) == outputs_of(stored), "run `make notebooks`"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_one_to_read(path: Path) -> None:
    """Each cell of code has run and gave no error, each section has words, and it is small."""
    notebook = nbformat.read(path, as_version=4)
    outputs = outputs_of(notebook)
    assert len(outputs) > 5
    assert all(each["kind"] == "execute_result" for cell in outputs for each in cell)
    assert sum(map(bool, outputs)) >= len(outputs) - 1
    words = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert sum("**You learn:**" in text for text in words) >= 5
    assert len(path.read_bytes()) < MOST_BYTES
    for target in re.findall(r"\]\(([^):]+)\)", "".join(words)):
        assert (path.parent / target).exists(), target


def test_the_gallery_shows_every_figure() -> None:
    """Each figure of the program has both images under its title, and no other file is there."""
    text = GALLERY.read_text("utf-8")
    for figure in ALL:
        section = text.partition(f"\n## {figure.title}\n")[2].partition("\n## ")[0]
        for side in ("good", "bad"):
            assert f"../images/gallery/{figure.slug}.{side}.png" in section, figure.slug
    files = {path.name for path in FOLDER.iterdir()}
    assert files == {f"{figure.slug}.{side}.png" for figure in ALL for side in ("good", "bad")}
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < MOST_BYTES


@pytest.mark.slow
def test_the_images_of_the_gallery_can_be_made_again() -> None:
    """The command gives the same bytes; one figure stands for all."""
    for name, data in pictures([KNEE]):
        assert data == (ROOT / "docs" / "images" / "gallery" / name).read_bytes()


@pytest.mark.slow
def test_the_portal_is_made_as_it_is_told(tmp_path: Path) -> None:
    """Each command of the tutorial, in turn, does what the text says, on an S3 of this machine.

    Then the pages can be read at the address of the text without a key.
    """
    text = (TUTORIALS / "portal.md").read_text("utf-8")
    lines = re.findall(r"^\$ ((?:dpss (?!serve)|cp|curl|echo|head).*)$", text, re.MULTILINE)
    said = []
    with MotoS3() as s3:
        path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, **s3.environment, "PYTHONPATH": path}
        for line in lines:
            shown = re.sub("^dpss", f"{sys.executable} -m dpss", line)
            done = subprocess.run(
                ["/bin/sh", "-c", shown], cwd=tmp_path, env=environment, capture_output=True,
                text=True, check=False, timeout=600,
            )  # fmt: skip
            said.append((done.returncode, done.stdout + done.stderr))
        keys = [each["Key"] for each in s3.client.list_objects_v2(Bucket="my-portal")["Contents"]]
        page = re.search(r"<http://127\.0\.0\.1:5055(/\S+)>", text)
        assert page
        with urllib.request.urlopen(s3.url + page[1]) as response:
            assert "<title>" in response.read().decode()
    outcomes = [re.search(r"(\d+) published, (\d+) unchanged", told) for _, told in said]
    assert [found.groups() for found in outcomes if found] == [
        ("7", "0"), ("7", "0"), ("0", "7"), ("1", "7"), ("0", "8"),
    ], said  # fmt: skip
    assert [code for code, _ in said] == [0] * (len(said) - 1) + [1]
    assert "broken.h5ad" in said[-1][1]
    assert {"stats/index.html", "stats/heart-2/heart-2/summary.json"} <= set(keys)
