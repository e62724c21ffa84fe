"""Arrays and layers that formats share: sparse, dense, tiled; numbers as text."""
