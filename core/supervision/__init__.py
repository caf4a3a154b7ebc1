"""A run from its claim to its end: one thread reads its process, another stores what it tells, both can be stopped."""
