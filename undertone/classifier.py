"""Texts in, labels and probabilities out, fast.

Importing this module is cheap: torch and transformers are imported by `load_classifier`. A text that cannot
be read gets a prediction without a label and a reason; it never fails the texts beside it.
"""

from __future__ import annotations

import dataclasses
import importlib
import math
import os
import pathlib
import threading
from collections.abc import Sequence
from typing import Any

from undertone import adapter, emoticons, hub, texts

ModelError = adapter.ModelError

DEFAULT = "default"
PRECISIONS = ("auto", "float32", "bfloat16")


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What the model says of one text.

    `label` is None where there is nothing to read, `reason` then says why ("empty", "not text"). `confidence`
    is the probability of `label`, 0 to 1; `probabilities` has every label's, in the model's order (they add
    up to one, except for a model whose labels do not exclude each other). `truncated`: the text was longer
    than what was read.
    """

    label: str | None
    confidence: float | None
    probabilities: dict[str, float]
    truncated: bool
    reason: str | None


class Classifier:
    """A loaded model. Threads may share it: they take turns, one batch each."""

    engine = "torch"

    def __init__(
        self,
        model: str,
        opened: adapter.Opened,
        *,
        max_length: int,
        batch_tokens: int,
        device: str,
        precision: str,
    ) -> None:
        """Made by `load_classifier`."""
        self.model = model
        self.model_id = opened.identity
        self.labels = opened.labels
        self.device = device
        self.precision = precision
        self.max_length = min(max_length, _longest(opened))
        self.batch_tokens = batch_tokens
        self._opened = opened
        self._tail = _tail(opened, self.max_length)
        # A fast tokenizer that two threads enter raises "Already borrowed"; two passes at once only get in
        # each other's way, for each of them already uses every core.
        self._tokenizing = threading.Lock()
        self._computing = threading.Lock()

    def classify(self, texts_: Sequence[object]) -> list[Prediction]:
        """One prediction for each text, in the same order; equal texts are read once.

        Raises TypeError for a single string.
        """
        if isinstance(texts_, str | bytes):
            raise TypeError("classify takes a list of texts, not one text")
        spell_out = emoticons.spell_out if self._opened.words else None
        cleaned: dict[object, texts.Clean] = {}
        for value in texts_:
            if isinstance(value, str) and value not in cleaned:
                cleaned[value] = texts.clean(value, self.max_length, self._opened.ends, spell_out)
        unique = list(dict.fromkeys(one.text for one in cleaned.values() if one.reason is None))
        read = dict(zip(unique, self._read(unique), strict=True))
        answers: list[Prediction] = []
        for value in texts_:
            one = cleaned[value] if isinstance(value, str) else texts.clean(value, self.max_length, False, None)
            if one.reason is not None:
                answers.append(Prediction(None, None, {}, False, one.reason))
                continue
            values, shortened = read[one.text]
            best = max(range(len(values)), key=values.__getitem__)
            probabilities = dict(zip(self.labels, values, strict=True))
            answers.append(Prediction(self.labels[best], values[best], probabilities, one.cut or shortened, None))
        return answers

    def _read(self, clean: list[str]) -> list[tuple[list[float], bool]]:
        """(probabilities, whether tokens were left out) of each of the different, readable texts `clean`."""
        if not clean:
            return []
        with self._tokenizing:
            whole = self._opened.tokenizer(clean, truncation=False, verbose=False)["input_ids"]
        short = [texts.shorten(tokens, self.max_length, self._tail) for tokens in whole]
        answers: list[tuple[list[float], bool]] = [([], False)] * len(clean)
        for group in texts.batches([len(tokens) for tokens in short], self.batch_tokens):
            for index, values in zip(group, self._compute([short[index] for index in group]), strict=True):
                answers[index] = (values, len(whole[index]) > len(short[index]))
        return answers

    def _compute(self, batch: list[list[int]]) -> list[list[float]]:
        """The probabilities of one batch of token lists; a row has as many as there are labels."""
        import torch

        with self._tokenizing:
            inputs = self._opened.tokenizer.pad({"input_ids": batch}, padding="longest", return_tensors="pt")
        known = {name: inputs[name].to(self.device) for name in ("input_ids", "attention_mask")}
        with self._computing, torch.inference_mode():
            logits = self._opened.network(**known).logits.float().cpu() / self._opened.temperature
        if logits.shape[1] == 1:
            chance = logits.sigmoid()
            probabilities = torch.cat((1 - chance, chance), dim=1)
        else:
            probabilities = logits.sigmoid() if self._opened.independent else logits.softmax(dim=1)
        # A broken model's not-a-number must not pass for a probability.
        rows: list[list[float]] = probabilities.nan_to_num(nan=0.0).tolist()
        return rows


def load_classifier(
    model: str = DEFAULT,
    *,
    max_length: int = 256,
    batch_tokens: int = 4096,
    threads: int = 0,
    precision: str = "auto",
) -> Classifier:
    """The model `model`: `default`, a name on the Hugging Face hub, or a folder.

    `max_length` in tokens, at most what the model can read; `batch_tokens` go through it at once; `threads` 0
    takes the processors that this process may use; `precision` is `auto`, `float32` or `bfloat16`, and `auto`
    is bfloat16 where the processor computes in it. Raises ModelError, with one clear line.
    """
    if precision not in PRECISIONS:
        raise ModelError(f"The precision {precision} is none of {', '.join(PRECISIONS)}")
    _prepare()
    try:
        import torch
        import transformers
    except ImportError as error:
        raise ModelError(f"A library of the model is missing ({error}): install the requirements again") from error
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(threads or processors())
    opened = adapter.open_default() if model == DEFAULT else hub.open_named(model)
    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    chosen = _precision(device) if precision == "auto" else precision
    opened.network.to(device=device, dtype=getattr(torch, chosen)).eval()
    return Classifier(model, opened, max_length=max_length, batch_tokens=batch_tokens, device=device, precision=chosen)


def processors() -> int:
    """How many processors this process may use: its affinity, and a container's share where there is one."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = pathlib.Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(count, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no such file, or "max"
        return count


def _prepare() -> None:
    """Settings that the libraries read when they are imported; what somebody has set stays."""
    # Threads that spin while they wait fell to a twentieth of the speed when another process wanted a core.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


def _precision(device: str) -> str:
    """bfloat16 where the hardware multiplies in it: elsewhere it is slower than float32."""
    torch: Any = importlib.import_module("torch")
    if device == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    if device == "mps":
        return "float32"
    able = torch.cpu.get_capabilities()
    return "bfloat16" if able.get("avx512_bf16") or able.get("amx_bf16") else "float32"


def _longest(opened: adapter.Opened) -> int:
    """The most tokens that the model can read."""
    config = opened.network.config
    positions = getattr(config, "max_position_embeddings", None) or 10**9
    if config.model_type in ("roberta", "xlm-roberta", "camembert", "longformer", "mpnet"):
        positions -= (config.pad_token_id or 0) + 1  # their positions are counted from behind the padding's
    return int(min(positions, opened.tokenizer.model_max_length or 10**9))


def _tail(opened: adapter.Opened, max_length: int) -> int:
    """How many of a long text's last tokens are kept: half of all, or the special ones alone."""
    if opened.ends:
        return max_length // 2
    special = opened.tokenizer("a", return_special_tokens_mask=True)["special_tokens_mask"]
    return list(reversed(special)).index(0) if 0 in special else 0
