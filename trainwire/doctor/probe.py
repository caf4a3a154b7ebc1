"""`python -m trainwire.doctor.probe`: computes a little on each device and prints what came of it as JSON."""

from __future__ import annotations

import json


def main() -> None:
    """Print torch's version and, for each device, None or what went wrong."""
    import torch

    devices = ["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        devices.append("mps")
    print(json.dumps({"torch": torch.__version__, "devices": {device: _wrong(device) for device in devices}}))


def _wrong(device: str) -> str | None:
    import torch

    try:
        ones = torch.ones(64, 64, device=device)
        total = float((ones @ ones).sum())
    except RuntimeError as error:
        return str(error).partition("\n")[0]
    return None if total == 64**3 else f"the sum of 262,144 ones is {total:,.0f}"


if __name__ == "__main__":
    main()
