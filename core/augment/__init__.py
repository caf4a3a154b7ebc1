"""What augmentations are made of: numbered random draws, and changes of whole batches of pictures."""
