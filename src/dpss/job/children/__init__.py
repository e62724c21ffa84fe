"""Child processes that read files; the loss of a child affects one file only."""
