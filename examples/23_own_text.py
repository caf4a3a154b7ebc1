"""A text of your own: upload it, train a small GPT on its bytes, and see how well it predicts what it has not seen.

    trainwire up                     # in one terminal
    python examples/23_own_text.py   # in another

The text is a part of Python's own documentation of its language. All of it, through four layers of 128 numbers with
windows of 128 bytes, comes below 2.2 bits per byte in seven epochs: about what `gzip -9` needs.
"""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from pathlib import Path
from pydoc_data.topics import topics

from trainwire import Client

TEXT = "\n".join(topics[name] for name in sorted(topics))[:60_000].encode()

with tempfile.TemporaryDirectory() as folder, Client() as client:
    file = Path(folder) / "documentation.txt"
    file.write_bytes(TEXT)
    dataset = client.upload(file, "documentation")
    print(f"{dataset.profile.rows} lines, {dataset.bytes} bytes")
    job = client.submit(
        {
            "name": "documentation-gpt",
            "dataset": {"name": "upload", "id": dataset.id},
            "split": {"validation": 0.1},
            "preprocess": {"text": "bytes", "block_size": 32},
            "model": {"name": "gpt", "n_layer": 1, "n_head": 2, "n_embd": 64},
            "optimizer": "adam",
            "lr": 0.003,
            "batch_size": 8,
            "epochs": 4,
        }
    )
    ended = client.wait(job.id)
    shares = [count / len(TEXT) for count in Counter(TEXT).values()]
    alone = -sum(share * math.log2(share) for share in shares)
    if ended.best:
        print(f"each byte by itself: {alone:.2f} bits per byte")
        print(f"{ended.status}: after the bytes before it {ended.best.val_bits_per_byte:.2f}")
