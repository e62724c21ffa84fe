"""R's files: matrices and the objects of Seurat and Bioconductor."""
