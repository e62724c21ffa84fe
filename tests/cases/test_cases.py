"""Inputs after public bug reports: what each must give, as data in ``expected.json``.

The common matrix behind most of them has 130 cells × 30 genes; its numbers are what
pandas and scanpy give. A value of ``null`` is not looked at, except ``median_mt``,
where it means that no mitochondrial gene is known.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dpss.errors import MatrixError
from dpss.formats.discovery import OpenFailure, iter_matrices
from dpss.summary.record import Summary
from tests.summarise import source_of, summarise_matrix

HERE = Path(__file__).parent
EXPECTED: dict[str, dict[str, dict[str, Any]]] = json.loads((HERE / "expected.json").read_text())
COMMON = {
    "n_cells": 130, "n_genes": 30, "n_nonzero": 2534, "total": 20287, "median_genes": 20,
    "median_counts": 154, "median_mt": 10.43, "top_gene": "GAPDH", "top_pct": 7.707,
}  # fmt: skip


def _describe(summary: Summary) -> dict[str, Any]:
    """Return what the expectations speak of."""
    top = summary.top_highest_expr()[0]
    mt = summary.median_pct_counts_mt
    return {
        "n_cells": summary.n_cells,
        "n_genes": summary.n_genes,
        "n_nonzero": summary.n_nonzero,
        "total": summary.total_counts,
        "median_genes": summary.median_genes_per_cell,
        "median_counts": summary.median_counts_per_cell,
        "median_mt": None if mt is None else round(mt, 2),
        "top_gene": summary.genes.gene_name[top],
        "top_pct": round(float(summary.genes.mean_pct_of_cell_counts[top]), 3),
        "values": summary.values.value,
    }


def _read(path: Path) -> dict[str, Summary | MatrixError]:
    """Summarise every matrix of a file or folder, by name; the name is empty for the only one."""
    found: dict[str, Summary | MatrixError] = {}
    try:
        for each in iter_matrices(source_of(path)):
            if isinstance(each, OpenFailure):
                assert isinstance(each.error, MatrixError)
                found[each.name] = each.error
                continue
            try:
                found[each.name] = summarise_matrix(each)
            except MatrixError as error:
                found[each.name] = error
    except MatrixError as error:
        found[""] = error
    return {"": next(iter(found.values()))} if len(found) == 1 else found


@pytest.mark.slow
@pytest.mark.parametrize("case", EXPECTED)
def test_case(case: str) -> None:
    """Each matrix has the numbers that an independent reading has, or is refused in true words."""
    found = _read(HERE / "data" / case)
    assert sorted(found) == sorted(EXPECTED[case])
    for name, must in EXPECTED[case].items():
        _check(found[name], dict(must))


def _check(result: Summary | MatrixError, must: dict[str, Any]) -> None:
    says = [must.pop(key) for key in ("says",) if key in must]
    if "refusal" in must:
        assert isinstance(result, MatrixError)
        assert re.search(must["refusal"], str(result)), str(result)
        return
    assert isinstance(result, Summary), result
    wanted = {**(COMMON if must.pop("common", False) else {}), **must}
    got = _describe(result)
    wanted = {
        key: value for key, value in wanted.items() if value is not None or key == "median_mt"
    }
    tolerance = {key: pytest.approx(value, abs=5e-3) if isinstance(value, float) else value
                 for key, value in wanted.items()}  # fmt: skip
    assert {key: got[key] for key in wanted} == tolerance
    for pattern in says:
        warnings = [check.message for check in result.checks if check.status != "pass"]
        assert any(re.search(pattern, message) for message in warnings), warnings
