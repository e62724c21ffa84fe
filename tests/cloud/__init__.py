"""The whole job on loopback services."""
