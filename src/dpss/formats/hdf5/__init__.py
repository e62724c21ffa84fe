"""HDF5 files: AnnData's h5ad and h5mu, loom, 10x Genomics' h5."""
