"""From a spec's dataset to batches of tensors: read, checked, split, encoded, scaled, and ordered by seed and epoch."""
