"""Files of several AnnData objects: h5mu, whose HDF5 has a user block, and zarr."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import zarr

import dpss
from dpss.errors import NoMatrixError
from tests.summarise import summarise
from tests.unit.small import counts, write_h5ad_csr, write_tenx_h5

GENES = [*(f"ENSG{number:011d}" for number in range(1, 41))]


def modality(seed: int, names: list[str], **var: list[str]) -> anndata.AnnData:
    """Return a modality of random counts."""
    values = np.random.default_rng(seed).poisson(0.7, (30, len(names))).astype(np.float32)
    cells = pd.DataFrame(index=[f"c{number}" for number in range(30)])
    table = pd.DataFrame(var, index=names)
    return anndata.AnnData(scipy.sparse.csr_matrix(values), obs=cells, var=table)


def mudata_of(**modalities: anndata.AnnData) -> Any:
    """Return a MuData object."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mudata import MuData

        return MuData(modalities)


def write(data: Any, path: Path) -> Path:
    """Write an object as h5mu or zarr, by the path's ending."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (data.write_zarr if path.suffix == ".zarr" else data.write)(str(path))
    return path


def assert_is(summary: dpss.Summary, data: anndata.AnnData) -> None:
    """A summary has an object's cells, genes and sums."""
    assert summary.n_cells == data.n_obs
    assert summary.genes.gene_id.tolist() == data.var_names.tolist()
    assert summary.genes.total_counts.tolist() == np.asarray(data.X.sum(axis=0))[0].tolist()


@pytest.mark.parametrize("suffix", [".h5mu", ".zarr"])
def test_the_modality_with_genes_is_the_matrix(tmp_path: Path, suffix: str) -> None:
    """By the name of the others, or by the types of their features; these are named."""
    rna = modality(1, GENES)
    tags = modality(2, ["CD3", "CD4", "CD8"])
    peaks = modality(3, ["chr1:1-9", "chr1:20-30"], feature_types=["Peaks", "Peaks"])
    path = write(mudata_of(rna=rna, prot=tags, regions=peaks), tmp_path / f"m{suffix}")
    found = summarise(path)
    assert_is(found, rna)
    said = " ".join(check.message for check in found.checks)
    assert "Left out, as they hold no genes: prot, regions." in said


@pytest.mark.parametrize("suffix", [".h5mu", ".zarr"])
def test_several_modalities_with_genes_are_matrices_by_name(tmp_path: Path, suffix: str) -> None:
    """Each is summarised, of a file and of the object in memory."""
    parts = {"rna": modality(1, GENES), "spliced": modality(2, GENES[:30])}
    data = mudata_of(**parts)
    for source in (write(data, tmp_path / f"m{suffix}"), data):
        found = dpss.summarize(source, matrix="*", embedding=False)
        assert sorted(found) == sorted(parts)
        for name, part in parts.items():
            assert_is(found[name], part)


@pytest.mark.parametrize("suffix", [".h5mu", ".zarr"])
def test_without_genes_it_is_refused(tmp_path: Path, suffix: str) -> None:
    """The modalities are named."""
    path = write(mudata_of(prot=modality(2, ["CD3", "CD4"])), tmp_path / f"m{suffix}")
    with pytest.raises(NoMatrixError, match=r"holds gene expression \(prot\)"):
        summarise(path)


def test_a_table_of_spatialdata_is_the_matrix(tmp_path: Path) -> None:
    """Of a hierarchy with images and shapes beside, made here by hand."""
    rna = modality(1, GENES)
    root = zarr.open_group(tmp_path / "m.zarr", mode="w", zarr_format=2)
    root.attrs["spatialdata_attrs"] = {"version": "0.1"}
    root.create_group("images").create_array("he", data=np.zeros((3, 8, 8)))
    root.create_group("tables")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rna.write_zarr(tmp_path / "m.zarr/tables/table")
    assert_is(summarise(tmp_path / "m.zarr"), rna)


@pytest.mark.parametrize("n_bytes", [512, 1024, 8192])
@pytest.mark.parametrize("write_file", [write_h5ad_csr, write_tenx_h5])
def test_a_file_behind_a_user_block_is_read(tmp_path: Path, n_bytes: int, write_file: Any) -> None:
    """Its numbers are those of the file without the block."""
    drawn = counts(5)
    write_file(tmp_path / "plain.h5", drawn)
    with (
        h5py.File(tmp_path / "plain.h5") as source,
        h5py.File(tmp_path / "block.h5", "w", userblock_size=n_bytes) as target,
    ):
        target.attrs.update(source.attrs)
        for name in source:
            source.copy(name, target)
    with (tmp_path / "block.h5").open("r+b") as file:
        file.write(b"Written by a program of our own\n")
    found, expected = (summarise(tmp_path / f"{name}.h5") for name in ("block", "plain"))
    assert found.n_nonzero == expected.n_nonzero
    assert found.genes.gene_name.tolist() == expected.genes.gene_name.tolist()
    assert found.genes.total_counts.tolist() == expected.genes.total_counts.tolist()
