"""Models of the package transformers, from a configuration: fresh weights, and nothing that is fetched.

Their cost is not known before they are built. The settings have the package's own names.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from core.checks import Finding
from core.data import PADDING, DataShape, ModelShape
from core.extras import library
from core.parts.limits import Dropout, Width
from core.registry import models

if TYPE_CHECKING:
    from torch import Tensor, nn

Hidden = Annotated[int, Field(ge=4, le=8_192)]
Layers = Annotated[int, Field(ge=1, le=64)]
Heads = Annotated[int, Field(ge=1, le=128)]

Reader = Literal["bert", "roberta", "distilbert", "electra", "albert", "deberta-v2"]
Writer = Literal["gpt2", "llama", "gpt_neox", "mistral", "qwen2"]
Viewer = Literal["vit", "beit"]

_HIDDEN = ("hidden_dropout_prob", "attention_probs_dropout_prob")
_DROPOUT: Mapping[str, tuple[str, ...]] = {
    "distilbert": ("dropout", "attention_dropout"),
    "deberta-v2": (*_HIDDEN, "pooler_dropout"),
    "gpt2": ("resid_pdrop", "embd_pdrop", "attn_pdrop"),
    "gpt_neox": ("hidden_dropout", "attention_dropout"),
    "llama": ("attention_dropout",),
    "mistral": ("attention_dropout",),
    "qwen2": ("attention_dropout",),
}
"""What `dropout` is called in a configuration, where it is not BERT's two."""
_WIDE = {"distilbert": "hidden_dim", "gpt2": "n_inner"}
"""What `intermediate_size` is called, where it is something else."""
_BEFORE = {"roberta": 2}
"""Places that an architecture counts before a text's first."""


def _heads_divide_the_width(*, hidden_size: int, num_attention_heads: int, **_: Any) -> Iterator[Finding]:
    if hidden_size % num_attention_heads:
        told = f"{hidden_size} numbers cannot be shared by {num_attention_heads} heads evenly."
        yield Finding(("hidden_size",), hidden_size, told, {"multipleOf": num_attention_heads})
    elif hidden_size // num_attention_heads % 2:
        told = (
            f"{num_attention_heads} heads would have an odd share of {hidden_size} numbers each; give them an even one."
        )
        yield Finding(("hidden_size",), hidden_size, told, {"multipleOf": 2 * num_attention_heads})


def _patches_fit(shape: DataShape, *, patch_size: int, **_: Any) -> Iterator[Finding]:
    height, width = shape.features[1:]
    if height % patch_size or width % patch_size:
        told = f"Pictures of {height} x {width} cannot be cut into patches of {patch_size}."
        yield Finding(("patch_size",), patch_size, told, {"divides": [height, width]})


@models.register(
    cost=None, tokens=True, tasks=("numbers", "binary", "classes", "labels"), check=_heads_divide_the_width,
    patchable=("dropout",), extra="hf", package="transformers",
)  # fmt: skip
def text_transformer(
    shape: ModelShape,
    *,
    architecture: Reader = "bert",
    hidden_size: Hidden = 128,
    num_hidden_layers: Layers = 2,
    num_attention_heads: Heads = 4,
    intermediate_size: Width = 256,
    dropout: Dropout = 0.1,
) -> nn.Module:
    """A classifier of texts from the package transformers, as BERT is one, with fresh weights (needs trainwire[hf]).

    It reads the tokens of `preprocess.text`; padding is masked.
    """
    sizes = _sizes(
        architecture,
        (hidden_size, num_hidden_layers, num_attention_heads),
        intermediate_size=intermediate_size,
        dropout=dropout,
    )
    length, vocabulary = shape.features[0], shape.vocabulary or 1
    places = {"max_position_embeddings": length + _BEFORE.get(architecture, 0)}
    embedded = {"embedding_size": hidden_size} if architecture in ("electra", "albert") else {}
    made = _made(
        "AutoModelForSequenceClassification",
        architecture,
        {**sizes, **places, **embedded, "vocab_size": vocabulary, "num_labels": shape.outputs},
    )
    made.register_forward_pre_hook(_masked, with_kwargs=True)
    return made


@models.register(
    cost=None, tokens=True, tasks=("tokens",), check=_heads_divide_the_width, patchable=("dropout",),
    extra="hf", package="transformers",
)  # fmt: skip
def causal_transformer(
    shape: ModelShape,
    *,
    architecture: Writer = "gpt2",
    hidden_size: Hidden = 128,
    num_hidden_layers: Layers = 4,
    num_attention_heads: Heads = 4,
    intermediate_size: Width = 512,
    dropout: Dropout = 0.0,
) -> nn.Module:
    """A language model of the package transformers, as GPT-2 is one, with fresh weights (needs trainwire[hf]).

    It scores the next token at each place of a plain text's windows; the embeddings are not tied.
    """
    sizes = _sizes(
        architecture,
        (hidden_size, num_hidden_layers, num_attention_heads),
        intermediate_size=intermediate_size,
        dropout=dropout,
    )
    grouped = {"num_key_value_heads": num_attention_heads} if architecture in ("llama", "mistral", "qwen2") else {}
    own = {"max_position_embeddings": shape.features[0], "use_cache": False, "tie_word_embeddings": False}
    made = _made("AutoModelForCausalLM", architecture, {**sizes, **grouped, **own, "vocab_size": shape.outputs})
    made.register_forward_pre_hook(_masked, with_kwargs=True)
    return made


@models.register(
    cost=None, images=True, check=_heads_divide_the_width, fits=_patches_fit, patchable=("dropout",),
    extra="hf", package="transformers",
)  # fmt: skip
def vision_transformer(
    shape: ModelShape,
    *,
    architecture: Viewer = "vit",
    patch_size: Annotated[int, Field(ge=1, le=256)] = 4,
    hidden_size: Hidden = 128,
    num_hidden_layers: Layers = 4,
    num_attention_heads: Heads = 4,
    intermediate_size: Width = 256,
    dropout: Dropout = 0.0,
) -> nn.Module:
    """A classifier of pictures from transformers, as ViT is one, with fresh weights (needs trainwire[hf])."""
    sizes = _sizes(
        architecture,
        (hidden_size, num_hidden_layers, num_attention_heads),
        intermediate_size=intermediate_size,
        dropout=dropout,
    )
    channels, height, width = shape.features
    seen = {"image_size": (height, width), "patch_size": patch_size, "num_channels": channels}
    return _made("AutoModelForImageClassification", architecture, {**sizes, **seen, "num_labels": shape.outputs})


def _sizes(architecture: str, sizes: tuple[int, int, int], *, intermediate_size: int, dropout: float) -> dict[str, Any]:
    """The settings that all have, as this architecture's configuration calls them; `sizes` are width, layers, heads."""
    plain = dict(zip(("hidden_size", "num_hidden_layers", "num_attention_heads"), sizes, strict=True))
    wide = {_WIDE.get(architecture, "intermediate_size"): intermediate_size}
    return {**plain, **wide, **dict.fromkeys(_DROPOUT.get(architecture, _HIDDEN), dropout)}


def _made(auto: str, architecture: str, settings: Mapping[str, Any]) -> nn.Module:
    """The model that gives its scores alone, by the package's own kernels that are the same every time."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    package = library("transformers", extra="hf", param="/model")
    package.logging.set_verbosity_error()
    special = dict.fromkeys(("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"))
    told = {**special, "pad_token_id": PADDING, "attn_implementation": "eager", **settings}
    made: nn.Module = getattr(package, auto).from_config(package.AutoConfig.for_model(architecture, **told))
    made.register_forward_hook(_scores)
    return made


def _masked(_: nn.Module, inputs: tuple[Tensor, ...], settings: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Nothing attends to padding; a row without a token attends to its first place."""
    mask = (inputs[0] != PADDING).long()
    mask[:, 0] = 1
    return inputs, {**settings, "attention_mask": mask}


def _scores(_: nn.Module, __: tuple[Tensor, ...], output: Any) -> Tensor:
    scores: Tensor = output.logits
    return scores
