"""Write the small files that are read in ``test_anndata_versions.py``.

To be run with the oldest and the newest AnnData that install, each in an environment of its own:
``python write.py`` writes what the installed version can, packed as one archive::

    python3.8 -m pip install anndata==0.6.22 pandas==1.1.5 'h5py<3' 'zarr<2.5'
    python3.13 -m pip install anndata awkward
"""

import shutil
import tarfile
import tempfile
import warnings
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import scipy.sparse as sp

warnings.simplefilter("ignore")
HERE = Path(__file__).parent
VERSION = anndata.__version__
NEW = hasattr(anndata, "settings")
N_CELLS, N_GENES = 12, 7


def make(form, strings):
    """Return an object with counts in raw, normalised values in X, and a layer."""
    rng = np.random.RandomState(1)
    counts = rng.poisson(1.5, (N_CELLS, N_GENES)).astype("f4")
    names = ["MT-CO1", "GAPDH", "ACTB", "CD3D", "LYZ", "MALAT1", "CD19-TotalSeqB"]
    ids = [f"ENSG{i:011}" for i in range(N_GENES - 1)] + ["AB1"]
    types = ["Gene Expression"] * (N_GENES - 1) + ["Antibody Capture"]
    kind = {"objects": object, "strings": "string", "categories": "category"}[strings]
    var = pd.DataFrame(
        {"gene_ids": pd.array(ids, dtype="string" if strings == "strings" else object),
         "feature_types": pd.Categorical(types),
         "n_cells": np.arange(N_GENES)},
        index=pd.Index(names),
    )  # fmt: skip
    if strings == "categories":
        var["gene_ids"] = var["gene_ids"].astype(kind)
    if NEW:
        var["percent"] = pd.array([1, None, 3, 4, 5, 6, 7], dtype="Int64")
        var["kept"] = pd.array([True, None, False, True, True, True, True], dtype="boolean")
    obs = pd.DataFrame(
        {"cluster": pd.Categorical(list("ab" * (N_CELLS // 2)))},
        index=pd.Index([f"cell{i}" for i in range(N_CELLS)]),
    )
    shape = {"csr": sp.csr_matrix, "csc": sp.csc_matrix, "dense": np.array}[form]
    adata = anndata.AnnData(shape(counts), obs=obs, var=var)
    adata.raw = adata
    adata.X = shape(np.log1p(counts))
    adata.uns["note"] = "written by the tests"
    if NEW:
        import awkward as ak

        adata.obsm["reads"] = ak.Array([[1.0] * (i % 3) for i in range(N_CELLS)])
        adata.varm["exons"] = ak.Array([[1] * (i % 2) for i in range(N_GENES)])
    return adata


def write(adata, path):
    """Write h5ad or zarr as the path's name says; a folder of zarr becomes a zip."""
    if path.suffix == ".h5ad":
        adata.write(str(path), compression="gzip")
        return
    adata.write_zarr(str(path), chunks=(5, 4))
    shutil.make_archive(str(path), "zip", str(path))
    shutil.rmtree(str(path))


def write_all(folder):
    """Write a file for each form and format; the kind of strings differs with the form."""
    new_kind = "strings" if NEW else "objects"
    for form, strings in (("csr", new_kind), ("csc", "categories"), ("dense", "objects")):
        path = folder / f"{VERSION}_{form}_{strings}"
        write(make(form, strings), path.with_name(path.name + ".h5ad"))
        if not NEW:
            if form == "dense" or VERSION > "0.7":  # before, it lost the values of a sparse raw
                write(make(form, strings), path.with_name(path.name + ".zarr"))
            continue
        for version, shards in ((2, False), (3, False), (3, True)):
            anndata.settings.zarr_write_format = version
            anndata.settings.auto_shard_zarr_v3 = shards
            end = f"_v{version}{'_sharded' if shards else ''}.zarr"
            write(make(form, strings), path.with_name(path.name + end))


def main():
    """Write all files, and pack them."""
    if hasattr(getattr(anndata, "settings", None), "allow_write_nullable_strings"):
        anndata.settings.allow_write_nullable_strings = True
    with tempfile.TemporaryDirectory() as folder:
        write_all(Path(folder))
        with tarfile.open(str(HERE / (f"anndata_{VERSION}.tar.xz")), "w:xz") as packed:
            for path in sorted(Path(folder).iterdir()):
                packed.add(str(path), path.name)


if __name__ == "__main__":
    main()
