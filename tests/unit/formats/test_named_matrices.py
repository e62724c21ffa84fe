"""Matrices of a file by name: the only one, one of several, all."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest

import dpss
from dpss.errors import MatrixError
from dpss.formats.named_matrices import apply_by_name
from dpss.formats.options import OpenOptions
from dpss.storage.local import LocalFile
from tests.unit.small import counts, write_h5ad_csr


def write_h5mu(path: Path) -> None:
    """Write a file with two modalities."""
    with h5py.File(path, "w") as file:
        file.attrs["encoding-type"] = "MuData"
        for seed, name in enumerate(("new", "rna")):
            part = path.with_name(f"{name}.h5ad")
            write_h5ad_csr(part, counts(seed, n_cells=30 + 10 * seed))
            with h5py.File(part) as each:
                group = file.require_group(f"mod/{name}")
                group.attrs.update(each.attrs)
                for key in each:
                    each.copy(key, group)
            part.unlink()


def test_one_of_several_or_all(tmp_path: Path) -> None:
    """Without a name a file of several is refused, with how to take one or all."""
    write_h5mu(tmp_path / "a.h5mu")

    def cells(wanted: str | None) -> dict[str, int | None]:
        source = LocalFile(tmp_path / "a.h5mu")
        return apply_by_name(
            source, wanted, OpenOptions(), lambda found: found.layers[0].n_cells, every="*"
        )

    assert cells("rna") == {"rna": 40}
    assert cells("*") == {"new": 30, "rna": 40}
    with pytest.raises(MatrixError, match=r"one by matrix=, or all by matrix='\*': 'new', 'rna'"):
        cells(None)
    with pytest.raises(MatrixError, match="holds 2 matrices"):
        cells("atac")
    found = dpss.summarize(tmp_path / "a.h5mu", matrix="*", embedding=False)
    assert {name: each.n_cells for name, each in found.items()} == {"new": 30, "rna": 40}


def test_the_only_one_needs_no_name(tmp_path: Path) -> None:
    """Its own name is empty."""
    write_h5ad_csr(tmp_path / "a.h5ad", counts(1))
    source = LocalFile(tmp_path / "a.h5ad")
    assert apply_by_name(source, None, OpenOptions(), lambda _: 1, every="*") == {"": 1}
