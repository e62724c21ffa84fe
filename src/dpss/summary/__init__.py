"""The frozen record of one matrix, its checks, tables and JSON."""
