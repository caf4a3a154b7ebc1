"""A fork: leave a job at one of its checkpoints, and go on from there by other settings, or by the same.

    trainwire up                # in one terminal
    python examples/26_fork.py  # in another

Without a change the fork gives the very figures of the job that it left; with a smaller step it settles.
"""

from __future__ import annotations

from trainwire import Client

SPEC = {
    "name": "diabetes-restless",
    "dataset": "diabetes",
    "split": {"validation": 0},
    "preprocess": {"features": "standard", "target": "standard"},
    "model": "linear",
    "optimizer": "adam",
    "lr": 0.05,
    "batch_size": 16,
    "epochs": 30,
    "checkpoints": {"every_epochs": 10, "keep_last": 3},
}

with Client() as client:
    job = client.wait(client.submit(SPEC).id)
    print("checkpoints behind epochs", sorted(checkpoint.epoch for checkpoint in client.checkpoints(job.id)))
    same = client.wait(client.fork(job.id, epoch=10).id)
    if client.metrics(same.id)[-1]["train_loss"] == client.metrics(job.id)[-1]["train_loss"]:
        print("without a change: the same cost, to the last bit")
    smaller = client.wait(client.fork(job.id, epoch=20, patch={"lr": 0.001, "epochs": 40}).id)
    if job.latest and smaller.latest:
        print(f"{job.status}: cost by large steps {job.latest.train_loss:.4f}")
        print(f"{smaller.status}: cost by small steps behind epoch 20 {smaller.latest.train_loss:.4f}")
