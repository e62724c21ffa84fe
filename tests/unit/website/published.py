"""Common parts of the tests of pages."""

from __future__ import annotations

import base64
import json
import random
import struct
from pathlib import Path

from tests.unit.website.portal import (
    document,
    gene_rows,
    vouch,
    write_matrix,
)


def received(path: Path):
    """Return the value that a data file hands to the page."""
    text = path.read_text("utf-8")
    assert text.startswith("dpss.receive(") and text.endswith(");\n")
    return json.loads(text.removeprefix("dpss.receive(").removesuffix(");\n"))


# --- Incremental ----------------------------------------------------------------------------


def relist(folder: Path) -> None:
    """Let a summary list its files as they are now."""
    doc = json.loads((folder / "summary.json").read_bytes())
    vouch(folder, doc, doc["files"])


def change(root: Path, folder: str, n_genes: int = 60) -> None:
    rng = random.Random(99)
    rows = gene_rows(rng, n_genes, 777)
    old = json.loads((root / folder / "summary.json").read_bytes())
    doc = document(
        rng,
        rows,
        project=old["project"]["id"],
        title=old["project"]["title"],
        name=old["matrix"]["name"],
        n_cells=777,
    )
    write_matrix(root / folder, doc, rows)


# --- The look-up ----------------------------------------------------------------------------


def words(text: str) -> list[int]:
    data = base64.b64decode(text)
    return [int.from_bytes(data[i : i + 3]) for i in range(0, len(data), 3)]


def number(word: int) -> float:
    return struct.unpack(">f", struct.pack(">I", word << 8))[0]
