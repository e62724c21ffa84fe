"""File formats: from the bytes of a source to blocks of cells."""
