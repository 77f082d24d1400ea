"""Any other text-classification model: by its name on the Hugging Face hub, or from a folder.

Importing this module is cheap; torch and transformers are imported where they are used.
"""

from __future__ import annotations

import hashlib
import pathlib
from typing import Any

from undertone import adapter


def open_named(model: str) -> adapter.Opened:
    """The model named `model`; a folder is never looked up on the hub.

    Raises adapter.ModelError, with one line, where it does not exist, cannot be fetched or is no classifier.
    """
    folder = pathlib.Path(model).expanduser()
    if folder.is_dir():
        source, local = str(folder), True
    elif model.count("/") > 1 or model.startswith((".", "/", "~")) or "\\" in model:
        raise adapter.ModelError(f"There is no model folder {model}; check the path, or use the model `default`")
    else:
        source, local = model, False

    import transformers

    try:
        config = transformers.AutoConfig.from_pretrained(source, local_files_only=local, trust_remote_code=False)
        tokenizer = transformers.AutoTokenizer.from_pretrained(source, local_files_only=local, trust_remote_code=False)
    except Exception as error:  # whatever a stranger's files and the network come up with
        raise adapter.ModelError(_why(model, local, error)) from error
    labels, independent = _labels(model, config)
    if tokenizer.pad_token_id is None:
        # GPT-like models have no padding token and refuse batches; padding is masked, so any token does.
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    revision = getattr(config, "_commit_hash", None)
    if local:
        identity = f"{folder.resolve().name}@{folder_hash(folder)}"
    else:
        identity = f"{model}@{revision[:12] if revision else 'unknown'}"

    def load() -> Any:
        return _network(model, source, local, tokenizer.pad_token_id)

    return adapter.Opened(
        load=load,
        tokenizer=tokenizer,
        labels=labels,
        identity=identity,
        positions=_positions(config, tokenizer),
        independent=independent,
    )


def _network(model: str, source: str, local: bool, padding: int | None) -> Any:
    """The network in float32. Raises ModelError where it cannot be loaded or its head was never trained."""
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
    except Exception as error:
        raise adapter.ModelError(_why(model, local, error)) from error
    if report["missing_keys"] or report.get("mismatched_keys"):
        raise adapter.ModelError(
            f"The model {model} has no trained classification head: its labels would be random; "
            "choose a text-classification model"
        )
    if network.config.pad_token_id is None:
        network.config.pad_token_id = padding
    return network


def folder_hash(folder: pathlib.Path) -> str:
    """Twelve hex digits that change with the weights, the labels or the vocabulary in `folder`."""
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.suffix in (".safetensors", ".bin", ".json", ".txt", ".model"):
            digest.update(file.name.encode())
            with file.open("rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()[:12]


def _positions(config: Any, tokenizer: Any) -> int:
    """The most tokens that the model can read at once."""
    positions = getattr(config, "max_position_embeddings", None) or 10**9
    if config.model_type in ("roberta", "xlm-roberta", "camembert", "longformer", "mpnet"):
        positions -= (config.pad_token_id or 0) + 1  # their positions are counted from behind the padding's
    return int(min(positions, tokenizer.model_max_length or 10**9))


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
