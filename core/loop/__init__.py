"""The training loop: a generator from a spec to its events, with nothing behind it but tensors and one folder."""
