"""Modalities with genes are told from those of proteins, regions and tags."""

from __future__ import annotations

import numpy as np
import pytest

from dpss.formats.annotation.modalities import holds_genes
from dpss.model import GENE_EXPRESSION, GeneTable

NAMES = np.array(["CD3", "CD4"], dtype=object)


@pytest.mark.parametrize(
    ("name", "types", "expected"),
    [
        ("rna", None, True),
        ("spliced", None, True),
        ("ADT", None, False),
        ("prot", None, False),
        ("prot", [GENE_EXPRESSION, "Antibody Capture"], True),
        ("rna", ["Antibody Capture", "Antibody Capture"], False),
    ],
)
def test_the_table_decides_else_the_name(
    name: str, types: list[str] | None, expected: bool
) -> None:
    """One gene is enough."""
    kinds = None if types is None else np.array(types, dtype=object)
    assert holds_genes(name, GeneTable(NAMES, NAMES, kinds)) is expected
