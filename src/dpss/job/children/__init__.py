"""Child processes that read files, so that a lost one costs its own file only."""
