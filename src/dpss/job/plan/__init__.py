"""What a run has to do: pure decisions from what earlier runs left."""
