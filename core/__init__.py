"""Trainwire without its frameworks: the spec, the parts, the training loop and the store."""
