"""Texts in, labels and probabilities out, fast.

Importing this module is cheap: transformers, OpenVINO and torch are imported when a model is loaded. A text that cannot
be read gets a prediction without a label and a reason; it never fails the texts beside it.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import pathlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from undertone import adapter, choice, emoticons, engines, explaining, hub, settings, texts

ModelError = adapter.ModelError

DEFAULT = "default"
MAX_LENGTH = 256
TEXT_TOKENS = 8192
# Neighbouring windows of a long text share a sixteenth of a window, so that most of what one of them cuts is whole in
# the other.
OVERLAP = 16
# Texts that are tokenized at once, while the engine still works on those before.
BLOCK_TEXTS = 1024
BLOCK_CHARACTERS = 300_000
# Seconds between two calls of `go_on`.
PAUSE = 0.25
Rows = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Prediction:
    """What the model says of one text.

    `label` is None where there is nothing to read, `reason` then says why ("empty", "not text"). `confidence`
    is the probability of `label`, 0 to 1; `probabilities` has every label's, in the model's order (they add
    up to one, except for a model whose labels do not exclude each other). `truncated`: the text was longer
    than what is read of a text; `share` of it was, 0 to 1.
    """

    label: str | None
    confidence: float | None
    probabilities: dict[str, float]
    truncated: bool
    reason: str | None
    share: float = 1.0


class Classifier:
    """A loaded model. Threads may share it: they take turns."""

    def __init__(
        self,
        model: str,
        opened: adapter.Opened,
        engine: engines.Engine,
        *,
        max_length: int = MAX_LENGTH,
        text_tokens: int = TEXT_TOKENS,
        batch_tokens: int = 0,
    ) -> None:
        """Made by `load_classifier`; `batch_tokens` 0 takes what the engine is fast with."""
        self.model = model
        self.model_id = opened.identity
        self.labels = opened.labels
        self.engine = engine.name
        self.device = engine.device
        self.precision = engine.precision
        self.threads = engine.threads
        self.max_length = min(max_length, opened.positions)
        self.text_tokens = text_tokens
        self.text_characters = self.text_tokens * texts.CHARACTERS_PER_TOKEN
        self.batch_tokens = batch_tokens or engine.batch_tokens
        self._engine = engine
        self._opened = opened
        self._head, self._tail = texts.frame(opened.tokenizer)
        # A fast tokenizer that two threads enter raises "Already borrowed"; two passes at once only get in
        # each other's way, for each of them already uses every core.
        self._tokenizing = threading.Lock()
        self._computing = threading.Lock()

    def classify(self, texts_: Sequence[object], go_on: Callable[[], None] = lambda: None) -> list[Prediction]:
        """One prediction for each text, in the same order; equal texts are read once.

        `go_on` is called a few times a second meanwhile; what it raises ends the work. Raises TypeError for a single
        string, ModelError where the network fails.
        """
        if isinstance(texts_, str | bytes):
            raise TypeError("classify takes a list of texts, not one text")
        asked = time.monotonic()

        def now_and_then() -> None:
            nonlocal asked
            if time.monotonic() - asked > PAUSE:
                go_on()
                asked = time.monotonic()

        spell_out = emoticons.spell_out if self._opened.words else None
        cleaned: dict[str, texts.Clean] = {}
        for value in texts_:
            now_and_then()
            if isinstance(value, str) and value not in cleaned:
                cleaned[value] = texts.clean(value, self.text_tokens, spell_out)
        unique = list(dict.fromkeys(one.text for one in cleaned.values() if one.reason is None))
        read = self._read(unique, now_and_then)
        answers: list[Prediction] = []
        for value in texts_:
            one = cleaned[value] if isinstance(value, str) else texts.clean(value, self.text_tokens, None)
            if one.reason is not None:
                answers.append(Prediction(None, None, {}, False, one.reason))
                continue
            values, share = read[one.text]
            best = max(range(len(values)), key=values.__getitem__)
            probabilities = dict(zip(self.labels, values, strict=True))
            share *= one.share
            answers.append(Prediction(self.labels[best], values[best], probabilities, share < 1, None, share))
        return answers

    def explain(self, text: object) -> explaining.Explanation:
        """What `classify` says of a text, and which of its words carried that; see `explaining.explain`."""
        return explaining.explain(self, text)

    def count_tokens(self, texts_: Sequence[str]) -> list[int]:
        """How many tokens each text has, without those that the tokenizer puts around it."""
        spell_out = emoticons.spell_out if self._opened.words else None
        cleaned = [texts.clean(text, self.text_tokens, spell_out).text for text in texts_]
        if not cleaned:
            return []
        with self._tokenizing:
            found = self._opened.tokenizer(cleaned, add_special_tokens=False, verbose=False)
        return [len(tokens) for tokens in found["input_ids"]]

    def _read(self, clean: list[str], go_on: Callable[[], None]) -> dict[str, tuple[list[float], float]]:
        """Text -> (probabilities, share of the tokens that were read), of different, readable texts."""
        if not clean:
            return {}
        pieces: list[_Piece] = []
        shares = [1.0] * len(clean)
        order = sorted(range(len(clean)), key=lambda index: len(clean[index]), reverse=True)

        def batches() -> Iterator[engines.Batch]:
            for block in texts.blocks([len(clean[index]) for index in order], BLOCK_TEXTS, BLOCK_CHARACTERS):
                made = self._cut(clean, [order[at] for at in block], shares)
                for group in texts.batches([_width(len(piece.tokens)) for piece in made], self.batch_tokens):
                    go_on()
                    chosen = [made[at] for at in group]
                    pieces.extend(dataclasses.replace(piece, tokens=[]) for piece in chosen)
                    yield self._padded([piece.tokens for piece in chosen])

        waiting = batches()
        first = next(waiting)  # tokenized while another caller still computes
        with self._computing:
            outputs = np.concatenate(list(self._engine.outputs(itertools.chain((first,), waiting))))
        rows = self.probabilities(outputs, [piece.text for piece in pieces], [piece.own for piece in pieces])
        return {text: (row, shares[index]) for index, (text, row) in enumerate(zip(clean, rows.tolist(), strict=True))}

    def _cut(self, clean: list[str], chosen: list[int], shares: list[float]) -> list[_Piece]:
        """The windows of the texts `chosen`; what part of each was read goes to `shares`."""
        with self._tokenizing:
            whole = self._opened.tokenizer([clean[index] for index in chosen], add_special_tokens=False, verbose=False)
        room = self.max_length - len(self._head) - len(self._tail)
        most = self.text_tokens - len(self._head) - len(self._tail)
        made: list[_Piece] = []
        for index, tokens in zip(chosen, whole["input_ids"], strict=True):
            if len(tokens) > most:
                shares[index] = most / len(tokens)
                tokens = tokens[:most]
            last = 0
            for start, end in texts.windows(len(tokens), room, overlap_of(room)):
                made.append(_Piece(index, [*self._head, *tokens[start:end], *self._tail], end - last))
                last = end
        return made

    def _padded(self, lists: list[list[int]]) -> engines.Batch:
        """Token lists as one batch, padded."""
        width = min(_width(max(map(len, lists))), self._opened.positions)
        tokens = np.full((len(lists), width), self._opened.tokenizer.pad_token_id or 0, dtype=np.int64)
        mask = np.zeros_like(tokens)
        for row, one in enumerate(lists):
            tokens[row, : len(one)] = one
            mask[row, : len(one)] = 1
        return engines.Batch(tokens, mask)

    def mean(self, outputs: engines.Outputs, text: Sequence[int], own: Sequence[int]) -> tuple[Rows, Rows]:
        """The outputs of each text, (texts, outputs), and its number of tokens, (texts, 1); see `probabilities`.

        The windows' outputs are averaged.
        """
        index = np.asarray(text)
        several = np.bincount(index).astype(np.float64)[:, None]
        sums, tokens = np.zeros((len(several), outputs.shape[1])), np.zeros((len(several), 1))
        # A broken model's not-a-number must not pass for a probability.
        np.add.at(sums, index, np.nan_to_num(outputs.astype(np.float64), nan=0.0, posinf=1e4, neginf=-1e4))
        np.add.at(tokens, index, np.asarray(own, dtype=np.float64)[:, None])
        return sums / several, np.maximum(tokens, 1)

    def probabilities(self, outputs: engines.Outputs, text: Sequence[int], own: Sequence[int]) -> Rows:
        """The labels' probabilities, (texts, labels), from the outputs of windows, (windows, outputs).

        Window i is of text number `text[i]`, counted from 0 without gaps, and `own[i]` of its tokens are not in the
        window before it.
        """
        logits, tokens = self.mean(outputs, text, own)
        calibration = self._opened.calibration
        if calibration is not None:
            heat = logits[:, -1:] + calibration.length * np.log(tokens)
            heat = np.clip(heat, calibration.lowest, calibration.highest)
            logits = logits[:, :-1] / np.exp(heat)
        if logits.shape[1] == 1:
            chance = _sigmoid(logits)
            return np.concatenate((1 - chance, chance), axis=1)
        if self._opened.independent:
            return _sigmoid(logits)
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        spread: Rows = raised / raised.sum(axis=1, keepdims=True)
        return spread


@dataclasses.dataclass(frozen=True)
class _Piece:
    """A window of text number `text`: its tokens, and how many of them the window before does not have."""

    text: int
    tokens: list[int]
    own: int


def overlap_of(size: int) -> int:
    """How many tokens neighbouring windows of `size` share."""
    return -(-size // OVERLAP)


def _width(length: int) -> int:
    """The next multiple of 4: kernels are made and kept for each shape."""
    return -(-length // 4) * 4


def _sigmoid(values: Rows) -> Rows:
    spread: Rows = 0.5 * (1 + np.tanh(values / 2))  # without overflow
    return spread


def load_classifier(
    model: str = DEFAULT,
    *,
    max_length: int = MAX_LENGTH,
    text_tokens: int = TEXT_TOKENS,
    batch_tokens: int = 0,
    threads: int = 0,
    engine: str = "auto",
    precision: str = "auto",
    cache: pathlib.Path | None = None,
) -> Classifier:
    """The model `model`: `default`, a name on the Hugging Face hub, or a folder.

    `max_length` tokens, at most what the model can take, are read at once, and a longer text in overlapping windows, up
    to `text_tokens` of it; `batch_tokens` go through the model at once, 0: what is fast. `engine` is `auto`, `openvino`
    or `torch`; `threads` 0 takes the processors that this process may use; `precision` is `auto`, `float32` or
    `bfloat16`; `auto` is what a short measurement found fastest here. `cache` is where converted models are kept;
    without it, they are gone when the process ends. Raises ModelError, with one clear line.
    """
    for value, allowed, what in (
        (engine, engines.ENGINES, "engine"),
        (precision, engines.PRECISIONS, "precision"),
    ):
        if value not in allowed:
            raise ModelError(f"The {what} {value} is none of {', '.join(allowed)}")
    opened = open_model(model)
    folder = cache or pathlib.Path(_own_folder().name)
    running = choice.open_engine(model, opened, engines.Wish(engine, precision, threads), folder)
    return Classifier(model, opened, running, max_length=max_length, text_tokens=text_tokens, batch_tokens=batch_tokens)


def from_settings(chosen: settings.Settings, model: str | None = None) -> Classifier:
    """The classifier that the settings describe, or `model` run as they say. Raises ModelError."""
    return load_classifier(
        model or chosen.model,
        max_length=chosen.max_length,
        text_tokens=chosen.text_tokens,
        batch_tokens=chosen.batch_tokens,
        threads=chosen.threads,
        engine=chosen.engine,
        precision=chosen.precision,
        cache=chosen.model_cache or chosen.home / "models",
    )


def open_model(model: str) -> adapter.Opened:
    """The model `model` and its tokenizer, its network not yet loaded. Raises ModelError."""
    _prepare()
    try:
        import transformers
    except ImportError as error:
        raise ModelError(f"A library of the model is missing ({error}): install the requirements again") from error
    transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return adapter.open_default() if model == DEFAULT else hub.open_named(model)


_folders: list[tempfile.TemporaryDirectory[str]] = []


def _own_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for converted models that goes when the process ends."""
    if not _folders:
        _folders.append(tempfile.TemporaryDirectory(prefix="undertone-"))
    return _folders[0]


def _prepare() -> None:
    """Settings that the libraries read when they are imported; what somebody has set stays."""
    # Threads that spin while they wait fell to a twentieth of the speed when another process wanted a core.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
