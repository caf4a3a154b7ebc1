"""Which kernel attention may take where a run is to give the same numbers again."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel


def kernel(device: torch.device) -> AbstractContextManager[None]:
    """Within it `scaled_dot_product_attention` is deterministic on `device`, its backward pass too."""
    # elsewhere the fused kernel for float32 has no deterministic backward pass
    return nullcontext() if device.type == "cpu" else sdpa_kernel(SDPBackend.MATH)
