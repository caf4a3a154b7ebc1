"""Requests and answers as the documentation shows them."""

from __future__ import annotations

from typing import Any

JOB_ID = "job_0199f0c2a1b27c3d8e4f5a6b7c8d9e0f"

SPECS: dict[str, dict[str, Any]] = {
    "digits": {
        "summary": "The real digits of scikit-learn, through a small network",
        "value": {
            "name": "digits-mlp",
            "dataset": "digits",
            "model": {"name": "mlp", "hidden": [128]},
            "optimizer": {"name": "sgd", "momentum": 0.9},
            "lr": 0.1,
            "batch_size": 32,
            "epochs": 40,
            "labels": {"team": "a"},
        },
    },
    "shortest": {
        "summary": "Everything else has a default",
        "value": {"dataset": "iris", "model": "linear"},
    },
    "early stopping": {
        "summary": "Regression that stops when the validation loss no longer falls",
        "value": {
            "dataset": "diabetes",
            "preprocess": {"features": "standard", "target": "standard"},
            "model": {"name": "mlp", "hidden": [16]},
            "optimizer": "adam",
            "epochs": 200,
            "scheduler": {"name": "cosine"},
            "early_stopping": {"patience": 5, "min_delta": 0.0001},
        },
    },
}

FORKS: dict[str, dict[str, Any]] = {
    "the same": {"summary": "Reproduces the epochs behind the sixth", "value": {"epoch": 6}},
    "slower and longer": {
        "summary": "Goes on behind the last epoch with a smaller step",
        "value": {"patch": {"lr": 0.01, "epochs": 60}},
    },
    "another optimizer": {
        "summary": "Starts it with fresh state behind the sixth epoch",
        "value": {"epoch": 6, "patch": {"optimizer": "adam", "labels": {"tried": "adam"}}},
    },
}
RETRIES: dict[str, dict[str, Any]] = {
    "go on": {"summary": "From the last checkpoint", "value": {"from": "checkpoint"}},
    "start again": {"summary": "From the beginning", "value": {"from": "start"}},
}

PREDICTED: dict[str, Any] = {
    "data": [{"class": "setosa", "probabilities": {"setosa": 0.9785, "versicolor": 0.0214, "virginica": 0.0001}}],
    "weights": {"job": JOB_ID, "epoch": 40, "fold": None, "seed": None, "sha256": "4f5a" * 16},
}

WHOLE: dict[str, dict[str, Any]] = {
    "csv": {"summary": "A line for each row", "value": {"dataset": "ds_0199f0c2a1b27c3d8e4f5a6b7c8d9e0f"}},
    "jsonl": {
        "summary": "An object for each row, behind everything else that waits",
        "value": {"dataset": "ds_0199f0c2a1b27c3d8e4f5a6b7c8d9e0f", "format": "jsonl", "priority": -1},
    },
}

EXPORTS: dict[str, dict[str, Any]] = {
    "onnx": {"summary": "A graph for any ONNX runtime", "value": {"format": "onnx"}},
    "pt2": {"summary": "A graph for torch alone", "value": {"format": "pt2"}},
    "script": {"summary": "A script that predicts with torch alone", "value": {"format": "script"}},
}

PLANNED: dict[str, Any] = {
    "spec": {"dataset": {"name": "digits"}, "model": {"name": "mlp", "hidden": [128]}, "epochs": 40},
    "parameters": 9610,
    "trainable_parameters": 9610,
    "samples": {"train": 1437, "validation": 360, "test": 0},
    "steps_per_epoch": 45,
    "epochs": 40,
    "steps": 1800,
    "memory": {
        "source": "arithmetic",
        "weights_bytes": 38440,
        "gradients_bytes": 38440,
        "optimizer_bytes": 38440,
        "activations_bytes": 52800,
        "data_bytes": 467220,
        "baseline_bytes": 205000000,
        "peak_bytes": 237800000,
    },
    "seconds": {"source": "earlier_jobs", "epoch_s": 0.031, "total_s": 1.5, "jobs": 3, "epochs": 60},
    "runs_on": {"device": "cpu", "queue": None, "workers": ["node-a"]},
    "notes": [],
}

REPORTED: dict[str, Any] = {
    "version": 1,
    "part": "test",
    "samples": 150,
    "epoch": 40,
    "fold": None,
    "seed": None,
    "figures": {"loss": 0.31, "accuracy": 0.92},
    "kind": "classes",
    "classes": {
        "accuracy": 0.92,
        "macro": {"precision": 0.92, "recall": 0.92, "f1": 0.92},
        "weighted": {"precision": 0.92, "recall": 0.92, "f1": 0.92},
        "each": [
            {"name": "fern", "precision": 0.911, "recall": 0.932, "f1": 0.922, "support": 74},
            {"name": "rose", "precision": 0.932, "recall": 0.908, "f1": 0.92, "support": 76},
        ],
        "confusion": {"names": ["fern", "rose"], "counts": [[69, 5], [7, 69]]},
        "confused": [
            {"true": "rose", "predicted": "fern", "count": 7},
            {"true": "fern", "predicted": "rose", "count": 5},
        ],
        "calibration": {
            "bins": [{"count": 150, "share": 0.94, "accuracy": 0.92}],
            "expected_error": 0.02,
            "brier": 0.07,
        },
        "roc": None,
        "precision_recall": None,
    },
    "labels": None,
    "numbers": None,
    "tokens": None,
    "reconstruction": None,
    "worst": [{"row": 411, "true": "fern", "predicted": "rose", "share": 0.99, "loss": 4.6}],
}

EPOCH = {
    "epoch": 7,
    "train_loss": 0.1842,
    "val_loss": 0.221,
    "val_accuracy": 0.958,
    "lr": 0.1,
    "epoch_s": 0.06,
    "samples_per_s": 23950.0,
    "data_wait_s": 0.001,
}

EVENTS = """retry: 2000

id: 42
event: epoch
data: {"seq":42,"type":"epoch","at":"2026-11-23T04:05:06.789012Z","data":{"epoch":7,"train_loss":0.1842,"lr":0.1}}

event: progress
data: {"type":"progress","data":{"epoch":8,"epochs":40,"step":12,"steps":45,"eta_s":2.1}}

id: 90
event: end
data: {"seq":90,"type":"end","at":"2026-11-23T04:05:09.789012Z","data":{"status":"succeeded","reason":"completed"}}

"""

CHANGES = f"""retry: 2000

id: 5f2a9c01.41
event: reset
data: {{"type":"reset","data":{{}}}}

id: 5f2a9c01.42
event: job
data: {{"type":"job","job":"{JOB_ID}","data":{{"id":"{JOB_ID}","status":"running"}}}}

event: progress
data: {{"type":"progress","job":"{JOB_ID}","data":{{"epoch":8,"epochs":40,"step":12,"steps":45,"eta_s":2.1}}}}

"""

DRAWN = """· train and ● val: 9.721e-04 to 0.9721, in equal ratios
epoch  1/40  train 0.9721     val 0.5103     │                            ●  ·│
epoch  2/40  train 0.3312     val 0.2761     │                         ●·     │
"""

METRICS_CSV = """epoch,train_loss,val_loss,val_accuracy,lr,epoch_s,samples_per_s,data_wait_s
7,0.1842,0.221,0.958,0.1,0.06,23950.0,0.001
"""

ROWS_CSV = """species,island,bill_length_mm
Adelie,Torgersen,39.1
Gentoo,Biscoe,
"""

DETAILS: dict[int, tuple[str, str]] = {
    400: ("foreign_host", "The Host 'evil.test' is not this service; TRAINWIRE_ALLOWED_HOSTS adds names."),
    401: ("unauthorized", "Send the key as `Authorization: Bearer KEY`; a key in the query string is never read."),
    403: ("cross_origin", "A page of another site may not change anything here."),
    404: ("not_found", f"There is no job '{JOB_ID}'."),
    409: ("wrong_status", "The job has succeeded, so it cannot be cancelled."),
    410: ("gone", f"Job {JOB_ID} was deleted."),
    413: ("body_too_large", "The body has more than 1,048,576 bytes."),
    415: ("unsupported_media_type", "Send the body as application/json."),
    416: ("range_not_satisfiable", "The file has 38,744 bytes."),
    422: ("invalid_parameter", "limit: Input should be less than or equal to 1000, not '1000000'."),
    500: ("internal_error", "The log has the reason under this request id."),
    503: ("unavailable", "The database does not answer; ask again in a moment."),
    507: ("storage_full", "There is no space left for the upload; nothing of it was kept."),
}
"""An example of each error: its code and its detail."""

DATA_REFUSED: dict[str, Any] = {
    "pointer": "/file/rows/17",
    "message": "Row 17 has 6 cells, and the header names 7 columns.",
    "allowed": None,
}
SPEC_REFUSED: dict[str, Any] = {
    "pointer": "/model/name",
    "message": '"mpl" is not a model. Did you mean "mlp"?',
    "allowed": ["cnn", "linear", "mlp"],
}
