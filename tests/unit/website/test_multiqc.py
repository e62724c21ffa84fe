"""MultiQC shows every matrix."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.website.portal import (
    ASSUMED,
)


@pytest.mark.slow
def test_multiqc_shows_every_matrix(portal, tmp_path):
    """MultiQC puts the matrices of a portal into one table."""
    # Beside the interpreter first: a virtual environment needn't be activated.
    program = shutil.which("multiqc", path=str(Path(sys.executable).parent)) or shutil.which(
        "multiqc"
    )
    documents = [json.loads(path.read_bytes()) for path in portal.rglob("*_mqc.json")]
    assert len(documents) == 6
    assert {d["id"] for d in documents} == {"dpss"}
    if program is None:
        pytest.skip("multiqc is not installed")
    subprocess.run(
        [program, "--quiet", "--outdir", str(tmp_path / "qc"), str(portal)], check=True, timeout=300
    )
    table = (tmp_path / "qc/multiqc_data/multiqc_dpss_table.txt").read_text()
    assert len(table.splitlines()) == 7
    heading, *lines = [line.split("\t") for line in table.splitlines()]
    (place,) = [i for i, name in enumerate(heading) if name.lower().endswith("assumed")]
    told = {line[0]: line[place] for line in lines if len(line) > place and line[place]}
    assumed = {s for d in documents for s, row in d["data"].items() if "assumed" in row}
    assert 0 < len(assumed) < 6
    assert set(told) == assumed
    assert set(told.values()) == {ASSUMED}
