"""Remote files in pages that are fetched ahead and shared."""
