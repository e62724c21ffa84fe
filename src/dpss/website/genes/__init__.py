"""Files for the look-up of genes on pages."""
