"""Matrix Market files, with their tables of genes and cells."""
