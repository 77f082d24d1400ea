"""The sides of `bench.classify`, each in a process of its own: none has another's threads, settings or memory."""

from __future__ import annotations

import concurrent.futures
import contextlib
import multiprocessing
import pathlib
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from undertone import adapter, choice, classifier, engines, first_token

TUTORIAL_TOKENS = 512
MATMUL = 2048
DISTILBERT = "DistilBERT-sized"

_object: Any = None  # what a process of Apart holds


class Apart:
    """An object that lives in a new process. Never forked: the libraries' threads would not come along."""

    def __init__(self, make: Callable[..., object], *arguments: object) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pool = concurrent.futures.ProcessPoolExecutor(1, spawn, _make, (make, arguments))

    def ask(self, method: str, *arguments: object) -> Any:
        """The answer of one of its methods."""
        return self._pool.submit(_ask, method, arguments).result()

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown()


def _make(make: Callable[..., object], arguments: tuple[object, ...]) -> None:
    global _object
    _object = make(*arguments)


def _ask(method: str, arguments: tuple[object, ...]) -> Any:
    return getattr(_object, method)(*arguments)


@dataclass(frozen=True)
class Network:
    """What decides how much a network computes: parameters of its matrices, by how often they are used, and sizes.

    Of the last layer Undertone works out the first token alone (`undertone.first_token`): all of it but keys and values
    is used once a window. `layers` are the others.
    """

    per_token: int
    per_window: int
    layers: int
    width: int

    def operations(self, windows: Sequence[int]) -> int:
        """Multiplications and additions that windows of so many tokens need, padding not counted.

        A matrix of p parameters takes 2 · p for every token (every window, behind the pooling). Attention takes, in
        every layer, 2 · length² · width for the products of queries and keys and as much for the sums of the values; in
        the last, which has one query, 2 · length · width.
        """
        return sum(
            2 * (self.per_token * length + self.per_window) + 4 * self.width * (self.layers * length**2 + length)
            for length in windows
        )


class Tutorial:
    """The way of every tutorial: a pipeline in float32 with all defaults, one row after the other."""

    def __init__(self, model: str, folder: pathlib.Path) -> None:
        """`model` "default" is Undertone's own; any other a network of DistilBERT's size, which `folder` then has."""
        import transformers

        transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        opened = adapter.open_default()
        tokenizer = opened.tokenizer
        self._network: Any
        if model == classifier.DEFAULT:
            self._network = opened.load()
            # It has one output more than labels.
            self._network.config.id2label = {number: f"LABEL_{number}" for number in range(len(opened.labels) + 1)}
        else:
            transformers.set_seed(0)
            config = transformers.DistilBertConfig()  # two labels
            config.id2label = {0: "NEGATIVE", 1: "POSITIVE"}
            self._network = transformers.DistilBertForSequenceClassification(config)
            self._network.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
        make: Any = transformers.pipeline
        self._pipeline = make("sentiment-analysis", model=self._network, tokenizer=tokenizer)

    def seconds(self, texts: Sequence[str]) -> float:
        """How long the texts take."""
        begun = time.perf_counter()
        for text in texts:
            self._pipeline(text, truncation=True, max_length=TUTORIAL_TOKENS)
        return time.perf_counter() - begun

    def network(self) -> Network:
        """What its network is made of."""
        import torch

        config = self._network.config
        last = f".layer.{config.num_hidden_layers - 1}."
        sizes = {True: 0, False: 0}
        for name, module in self._network.named_modules():
            if isinstance(module, torch.nn.Linear):
                once = last in name and not name.endswith((".key", ".value", ".k_lin", ".v_lin"))
                sizes[".layer." in name and not once] += module.weight.numel()
        return Network(sizes[True], sizes[False], config.num_hidden_layers - 1, config.hidden_size)


@dataclass(frozen=True)
class Way:
    """How a classifier runs, and the tokens a second of the ways that were tried."""

    engine: str
    precision: str
    threads: int
    streams: int
    batch_tokens: int
    max_length: int
    rates: dict[str, int]

    def __str__(self) -> str:
        tried = ", ".join(f"{name} {rate:,}" for name, rate in self.rates.items())
        return (
            f"{self.engine} {self.precision}, {self.threads} threads, {self.streams} streams, batches of"
            f" {self.batch_tokens:,} tokens; tokens/s when it was chosen: {tried or 'not measured'}"
        )


class Ours:
    """Undertone's classifier."""

    def __init__(self, model: str, cache: pathlib.Path, engine: str = "auto", precision: str = "auto") -> None:
        self._wish = engines.Wish(engine, precision)
        self._cache = cache
        self._classifier = classifier.load_classifier(model, cache=cache, engine=engine, precision=precision)

    def seconds(self, texts: Sequence[str]) -> float:
        """How long the texts take."""
        begun = time.perf_counter()
        self._classifier.classify(texts)
        return time.perf_counter() - begun

    def answers(self, texts: Sequence[str]) -> list[classifier.Prediction]:
        """What it says of them."""
        return self._classifier.classify(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The tokens of each text."""
        return self._classifier.count_tokens(texts)

    def way(self) -> Way:
        """How it runs."""
        own = self._classifier
        chosen = choice.recall(own.model_id, self._wish, self._cache)
        streams, rates = (chosen.streams, chosen.rates) if chosen else (1, {})
        return Way(own.engine, own.precision, own.threads, streams, own.batch_tokens, own.max_length, rates)

    def memory(self, texts: Sequence[str]) -> tuple[int, int]:
        """Bytes that are resident after classifying the texts, and the most that ever were."""
        self._classifier.classify(texts)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return psutil.Process().memory_info().rss, most


class Whole(Ours):
    """The default model with all of its last layer, of which Undertone otherwise works out the first token alone."""

    def __init__(self, cache: pathlib.Path) -> None:
        """`cache` is for this side only."""
        first_token.ENCODERS.clear()
        # Here and not in a process of its own, which would know nothing of that.
        choice.choose(classifier.open_model(classifier.DEFAULT), engines.Wish(), cache)
        super().__init__(classifier.DEFAULT, cache)


class Peak:
    """What the processor can do at most: one large product of matrices, with all threads."""

    def __init__(self) -> None:
        import torch

        self.precision = engines.torch_precision("cpu")
        chance = torch.Generator().manual_seed(0)
        self._factors = [
            torch.randn(MATMUL, MATMUL, generator=chance).to(getattr(torch, self.precision)) for _ in range(2)
        ]

    def name(self) -> str:
        """The precision: bfloat16 where the processor multiplies in it, else float32."""
        return self.precision

    def operations(self) -> float:
        """Operations a second, the best of several."""
        best = 0.0
        for _ in range(20):
            begun = time.perf_counter()
            self._factors[0] @ self._factors[1]
            best = max(best, 2 * MATMUL**3 / (time.perf_counter() - begun))
        return best


@contextlib.contextmanager
def busy_core() -> Iterator[None]:
    """Another process, of the same priority, that keeps one processor busy."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()
