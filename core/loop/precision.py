"""In which numbers a run computes: torch.amp around the model, and losses, weights and figures in float32."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from core.errors import InvalidSpec

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
_NO_KERNEL = ("not implemented for", "could not create a primitive")
"""What torch and oneDNN say of a layer that these numbers do not go through."""


class Precision:
    """Mixed precision (Micikevicius et al., 2018): the layers that torch.autocast names compute in half as many bits.

    What the model gives is float32 again before its loss is taken. Gradients of fp16 would vanish below 6e-8, so its
    losses are scaled up by torch.amp.GradScaler, and a step whose gradients are not finite then is skipped.
    """

    def __init__(self, name: str = "fp32", device: str = "cpu") -> None:
        self._name, self._device, self._dtype = name, device, _DTYPES.get(name)
        self._scaler = torch.amp.GradScaler(device) if name == "fp16" else None
        self._scale = self._scaler.get_scale() if self._scaler else 1.0

    def forward(self, model: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """What `model` gives for `x`, in float32."""
        if self._dtype is None:
            return model(x)
        with self._able(), torch.autocast(self._device, dtype=self._dtype):
            return model(x).float()

    def backward(self, loss: Tensor) -> None:
        """Leave the gradients of `loss`, scaled if these numbers need it."""
        scaled = self._scaler.scale(loss) if self._scaler else loss
        with self._able() if self._dtype else nullcontext():
            scaled.backward()  # type: ignore[no-untyped-call]

    def unscale(self, optimizer: Optimizer) -> None:
        """Bring the gradients back to their own size, so that they can be measured."""
        if self._scaler:
            self._scaler.unscale_(optimizer)

    def step(self, optimizer: Optimizer, cost: Callable[[], Tensor]) -> tuple[Tensor, bool]:
        """Let `optimizer` move the weights by the gradients that `cost` leaves: the cost, and whether they moved."""
        if self._scaler is None:
            # A function, because lbfgs asks for the cost several times a step; the others ask once.
            loss: Tensor = optimizer.step(cost)  # type: ignore[arg-type, assignment]
            return loss, True
        loss = cost()
        # torch's fused sgd, told to skip its first step, goes on with a momentum that it never filled
        optimizer._step_supports_amp_scaling = False  # type: ignore[attr-defined]
        self._scaler.step(optimizer)
        self._scaler.update()
        before, self._scale = self._scale, self._scaler.get_scale()
        return loss, self._scale >= before

    def state_dict(self) -> dict[str, Any]:
        """The scale and how long it has held; empty where nothing is scaled."""
        return self._scaler.state_dict() if self._scaler else {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Scale as `state` says."""
        if self._scaler:
            self._scaler.load_state_dict(dict(state))
            self._scale = self._scaler.get_scale()

    @contextmanager
    def _able(self) -> Iterator[None]:
        """Say it of the spec when a layer has no kernel for these numbers on this device."""
        try:
            yield
        except RuntimeError as error:
            if not any(words in str(error) for words in _NO_KERNEL):
                raise
            told = f"The model cannot compute in {self._name} on {self._device}: {' '.join(str(error).split())[:200]}"
            others = " or ".join(f'"{name}"' for name in ("bf16", "fp32") if name != self._name)
            raise InvalidSpec(told, hint=f"Take {others}.", param="/precision") from error
