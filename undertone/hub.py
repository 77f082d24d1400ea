"""Any other text-classification model: by its name on the Hugging Face hub, or from a folder.

Importing this module is cheap; torch and transformers are imported where they are used.
"""

from __future__ import annotations

import hashlib
import json
import pathlib
from typing import Any

from undertone import adapter


def open_named(model: str) -> adapter.Opened:
    """The model named `model` in float32; a folder is never looked up on the hub.

    Raises adapter.ModelError, with one line, where it does not exist, cannot be fetched or is no classifier.
    """
    folder = pathlib.Path(model).expanduser()
    if folder.is_dir():
        source, local = str(folder), True
    elif model.count("/") > 1 or model.startswith((".", "/", "~")) or "\\" in model:
        raise adapter.ModelError(f"There is no model folder {model}; check the path, or use the model `default`")
    else:
        source, local = model, False

    import torch
    import transformers

    try:
        network, report = transformers.AutoModelForSequenceClassification.from_pretrained(
            source,
            dtype=torch.float32,
            local_files_only=local,
            trust_remote_code=False,
            output_loading_info=True,
        )
        tokenizer = transformers.AutoTokenizer.from_pretrained(source, local_files_only=local, trust_remote_code=False)
    except Exception as error:  # whatever a stranger's files and the network come up with
        raise adapter.ModelError(_why(model, local, error)) from error
    if report["missing_keys"] or report.get("mismatched_keys"):
        raise adapter.ModelError(
            f"The model {model} has no trained classification head: its labels would be random; "
            "choose a text-classification model"
        )
    _give_padding(network, tokenizer)
    labels, independent = _labels(model, network.config)
    revision = getattr(network.config, "_commit_hash", None)
    name = folder.resolve().name if local else model
    return adapter.Opened(
        network=network,
        tokenizer=tokenizer,
        labels=labels,
        identity=f"{name}@{revision[:12] if revision and not local else weights_hash(network, tokenizer)}",
        independent=independent,
    )


def weights_hash(network: Any, tokenizer: Any) -> str:
    """Twelve hex digits that change with the weights, the labels or the vocabulary."""
    import torch

    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(f"{name}{tuple(value.shape)}".encode())
        digest.update(value.detach().contiguous().flatten().view(torch.uint8).numpy().data)
    digest.update(json.dumps(network.config.id2label, sort_keys=True).encode())
    digest.update(json.dumps(tokenizer.get_vocab(), sort_keys=True).encode())
    return digest.hexdigest()[:12]


def _labels(model: str, config: Any) -> tuple[tuple[str, ...], bool]:
    """The labels in the order of the logits, and whether each has a sigmoid of its own."""
    labels = tuple(str(config.id2label[index]) for index in range(config.num_labels))
    if config.problem_type == "regression":
        raise adapter.ModelError(f"The model {model} answers with a number, not with labels; choose a classifier")
    if len(set(labels)) != len(labels):
        raise adapter.ModelError(f"The model {model} has two labels of one name; correct id2label in its config.json")
    if len(labels) == 1:
        # One logit is the odds of its label; the other outcome has no name of its own.
        return (f"not {labels[0]}", labels[0]), False
    return labels, config.problem_type == "multi_label_classification"


def _give_padding(network: Any, tokenizer: Any) -> None:
    """GPT-like models have no padding token and refuse batches; padding is masked, so any token does."""
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    if network.config.pad_token_id is None:
        network.config.pad_token_id = tokenizer.pad_token_id


def _why(model: str, local: bool, error: Exception) -> str:
    if local:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        return f"The folder {model} holds no model that can be loaded: {first[:200]}"
    if isinstance(error, OSError):
        return (
            f"The model {model} cannot be fetched: it is not on the Hugging Face hub, or the hub cannot be "
            "reached from here; check the name, or give a folder, or use the model `default`"
        )
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    return f"The model {model} cannot be loaded: {first[:200]}"
