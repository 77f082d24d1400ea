"""Which engine a model runs fastest with on this machine: measured once, in a process of its own, and remembered.

The measuring process loads the model with torch, converts it and tries each way for a moment; the process that asked
for it then opens the winner alone. So whoever classifies never pays for the conversion's memory, and a conversion that
dies takes nobody with it. `python -m undertone.choice` is that process.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import importlib.metadata
import json
import logging
import os
import pathlib
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from undertone import adapter, converted, engines, texts

# What a candidate computes when ways are compared, some 100 ms of work, and what shows whether it computes the same:
# tokens in a text, texts in a batch.
TRIAL = ((32, 32), (128, 8)) * 4
WARM = 2  # batches that warm an engine up: each of those shapes once
STRANGE = ((8, 3), (40, 1), (128, 2))
TURNS, LEAST_TURNS = 5, 2
ENOUGH_SECONDS = 4.0  # of measuring, where the processor is slow: then after the least turns it is well enough known
ROUNDING = 0.02  # of a probability, on the average
# What is second to others but for speed is taken only where it is faster by more than the measurement's own unrest.
CLEARLY = 1.15
PREPARE_SECONDS = 1800  # a model that is fetched over a slow line
ROOT = pathlib.Path(__file__).resolve().parent.parent
log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Choice:
    """A way to run a model. `rates` are the tokens a second that were measured, by way."""

    engine: str
    precision: str
    threads: int
    streams: int
    why_not: str  # why OpenVINO cannot run the model; empty where it can
    rates: dict[str, int]


def open_engine(model: str, opened: adapter.Opened, wish: engines.Wish, folder: pathlib.Path) -> engines.Engine:
    """The engine for `opened`, the model that is called `model`; converted models lie in `folder`.

    Where OpenVINO cannot run it, one line says so and torch does. Raises ModelError.
    """
    threads = wish.threads or engines.processors()
    device = engines.accelerator()
    if wish.engine == "torch" or (wish.engine == "auto" and device != "cpu"):
        precision = engines.torch_precision(device) if wish.precision == "auto" else wish.precision
        return engines.TorchEngine(opened.network(), device, precision, threads)
    chosen = recall(opened.identity, wish, folder)
    if chosen is None or (chosen.engine == "openvino" and not _kept(opened, chosen, folder)):
        chosen = _prepare(model, opened, wish, folder)
    why_not = chosen.why_not
    if chosen.engine == "openvino":
        path = converted.path(folder, opened.identity, chosen.precision)
        try:
            return engines.OpenVinoEngine(path, chosen.precision, chosen.threads, chosen.streams)
        except Exception as error:  # too little memory, or a file that has gone again
            why_not = engines.first_line(error)
    if why_not:
        log.warning("OpenVINO cannot run %s (%s); torch does", model, why_not)
    return engines.TorchEngine(opened.network(), device, chosen.precision, chosen.threads)


def _kept(opened: adapter.Opened, chosen: Choice, folder: pathlib.Path) -> bool:
    return converted.usable(converted.path(folder, opened.identity, chosen.precision))


def _prepare(model: str, opened: adapter.Opened, wish: engines.Wish, folder: pathlib.Path) -> Choice:
    """Have another process choose and convert; where that fails, torch it is."""
    order = json.dumps({"model": model, "folder": str(folder), "wish": dataclasses.asdict(wish)})
    try:
        done = subprocess.run(
            [sys.executable, "-m", "undertone.choice", order],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
            },
            capture_output=True,
            text=True,
            timeout=PREPARE_SECONDS,
            check=False,
        )
        trouble = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1][:200]
        if done.returncode == 0:
            answer = json.loads(done.stdout.strip().splitlines()[-1])
            if "error" in answer:
                raise adapter.ModelError(answer["error"])
            return Choice(**answer["choice"])
    except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError) as error:
        trouble = type(error).__name__
    precision = engines.torch_precision("cpu") if wish.precision == "auto" else wish.precision
    return Choice("torch", precision, wish.threads or engines.processors(), 1, f"converting failed: {trouble}", {})


def choose(opened: adapter.Opened, wish: engines.Wish, folder: pathlib.Path) -> Choice:
    """Convert the model, try each way for a moment, keep the winner and remember it. Raises ModelError."""
    network = opened.network()
    threads = wish.threads or engines.processors()
    ways: dict[str, tuple[Choice, engines.Engine]] = {}
    why_not, model, trial = "", None, []
    try:
        model = converted.convert(network)
        known = getattr(getattr(network, "config", None), "vocab_size", None)
        vocabulary = min(len(opened.tokenizer), known or 10**9)
        trial = sample(opened, vocabulary, TRIAL)
        verify(model, network, sample(opened, vocabulary, STRANGE))
        able = converted.openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        precisions = ["bfloat16", "float32"] if "BF16" in able else ["float32"]
        for precision in precisions if wish.precision == "auto" else [wish.precision]:
            for streams in sorted({threads, 1}, reverse=True):
                way = Choice("openvino", precision, threads, streams, "", {})
                engine = engines.OpenVinoEngine(model, precision, threads, streams)
                ways[f"openvino {precision} {streams}"] = (way, engine)
        if wish.precision == "auto" and len(precisions) > 1:
            coarse, fine = (ways[f"openvino {precision} {threads}"][1] for precision in precisions)
            if not alike(coarse, fine, trial[:2]):
                ways = {name: way for name, way in ways.items() if way[0].precision == "float32"}
    except Exception as error:  # whatever OpenVINO and a stranger's model come up with
        ways.clear()
        why_not = engines.first_line(error)
    precision = engines.torch_precision("cpu") if wish.precision == "auto" else wish.precision
    if wish.engine == "auto" or not ways:
        way = Choice("torch", precision, threads, 1, why_not, {})
        ways[f"torch {precision}"] = (way, engines.TorchEngine(network, "cpu", precision, threads))
    rates = measure({name: engine for name, (_, engine) in ways.items()}, trial) if len(ways) > 1 else {}
    best = max(ways, key=lambda name: rates.get(name, 0) / _handicap(ways[name][0], threads))
    chosen = dataclasses.replace(ways[best][0], rates=rates)
    try:
        if chosen.engine == "openvino":
            halve = chosen.precision == "bfloat16" and _fits_half(network)
            converted.keep(model, converted.path(folder, opened.identity, chosen.precision), halve=halve)
        remember(opened.identity, wish, folder, chosen)
    except OSError as error:
        # torch needs no files of its own: better slow than not at all.
        why_not = f"its conversion cannot be kept in {folder}: {error.strerror or error}"
        return Choice("torch", precision, threads, 1, why_not, rates)
    return chosen


def sample(opened: adapter.Opened, vocabulary: int, shapes: Sequence[tuple[int, int]]) -> list[engines.Batch]:
    """Batches of texts made of random tokens, of (tokens in a text, texts) each, the special tokens in their places.

    The first text of a batch is half as long as the others.
    """
    head, tail = texts.frame(opened.tokenizer)
    special = set(opened.tokenizer.all_special_ids)
    plain = np.array([token for token in range(vocabulary) if token not in special], dtype=np.int64)
    chance = np.random.default_rng(0)
    made = []
    for width, rows in shapes:
        width = min(width, opened.positions)
        tokens = np.full((rows, width), opened.tokenizer.pad_token_id or 0, dtype=np.int64)
        mask = np.zeros_like(tokens)
        for row, length in enumerate([width // 2 if rows > 1 else width, *[width] * (rows - 1)]):
            inside = chance.choice(plain, max(0, length - len(head) - len(tail)))
            text = [*head, *inside, *tail]
            tokens[row, : len(text)], mask[row, : len(text)] = text, 1
        made.append(engines.Batch(tokens, mask))
    return made


def _handicap(way: Choice, threads: int) -> float:
    """torch takes twice the memory; and a single stream waits as a whole where another process takes one core."""
    return CLEARLY if way.engine == "torch" or way.streams < threads else 1


def verify(model: Any, network: Any, batches: Sequence[engines.Batch]) -> None:
    """Raises ValueError unless the converted model computes what `network` does, on shapes that were not traced."""
    import torch

    engine = engines.OpenVinoEngine(model, "float32", 1, 1)
    for batch, found in zip(batches, engine.outputs(batches), strict=True):
        with torch.inference_mode():
            wanted = network(
                input_ids=torch.from_numpy(batch.tokens), attention_mask=torch.from_numpy(batch.mask)
            ).logits.numpy()
        if wanted.shape != found.shape or not np.allclose(wanted, found, rtol=0.01, atol=0.01):
            raise ValueError("converted, it answers differently")


def alike(coarse: engines.Engine, fine: engines.Engine, batches: Sequence[engines.Batch]) -> bool:
    """Whether rounding does not change what a model says: some models leave the range that bfloat16 tells apart."""
    pairs = zip(coarse.outputs(batches), fine.outputs(batches), strict=True)
    apart = [np.abs(_chances(one) - _chances(other)).mean() for one, other in pairs]
    return bool(np.mean(apart) < ROUNDING)  # never where one of them is not a number


def _chances(outputs: engines.Outputs) -> engines.Outputs:
    raised = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    spread: engines.Outputs = raised / raised.sum(axis=1, keepdims=True)
    return spread


def _fits_half(network: Any) -> bool:
    """Whether float16 can hold every weight: it ends at 65,504, where bfloat16 goes on."""
    return all(float(value.detach().abs().max()) < 6e4 for value in network.parameters() if value.numel())


def measure(candidates: dict[str, engines.Engine], trial: Sequence[engines.Batch]) -> dict[str, int]:
    """Tokens a second of each candidate, the best of several turns, taken in turn: a slow moment meets all alike.

    0 for one that fails.
    """
    for engine in candidates.values():
        _rate(engine, trial[:WARM])
    best = dict.fromkeys(candidates, 0)
    begun = time.perf_counter()
    for turn in range(TURNS):
        if turn >= LEAST_TURNS and time.perf_counter() - begun > ENOUGH_SECONDS:
            break
        for name, engine in candidates.items():
            best[name] = max(best[name], _rate(engine, trial))
    return best


def _rate(engine: engines.Engine, batches: Sequence[engines.Batch]) -> int:
    """Tokens a second; 0 where it fails."""
    begun = time.perf_counter()
    with contextlib.suppress(adapter.ModelError):
        for _ in engine.outputs(batches):
            pass
        return round(sum(batch.tokens.size for batch in batches) / (time.perf_counter() - begun))
    return 0


def recall(identity: str, wish: engines.Wish, folder: pathlib.Path) -> Choice | None:
    """What was chosen on a machine like this one for the same wish, if anything was."""
    try:
        return Choice(**json.loads(_memory(identity, wish, folder).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def remember(identity: str, wish: engines.Wish, folder: pathlib.Path, chosen: Choice) -> None:
    """Keep a choice. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = _memory(identity, wish, folder)
    new = path.with_suffix(f".{os.getpid()}")
    new.write_text(json.dumps(dataclasses.asdict(chosen)))
    new.replace(path)


def _memory(identity: str, wish: engines.Wish, folder: pathlib.Path) -> pathlib.Path:
    """Its name changes with all that the choice depends on: model, wish, machine, libraries."""
    facts = [
        *dataclasses.astuple(wish),
        identity,
        _processor(),
        converted.FORM,
        engines.processors(),
        *map(_version, ("openvino", "torch")),
    ]
    return folder / f"choice-{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]}.json"


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    """The processor's name and abilities."""
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags"))}))
    except OSError:
        return f"{platform.machine()} {platform.processor()}"


@contextlib.contextmanager
def _alone(folder: pathlib.Path) -> Iterator[None]:
    """One at a time: measured side by side, each would find the machine half as fast."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError:  # `choose` says what is wrong with the folder
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: Iterable[str]) -> None:
    """Choose as the JSON argument says; one line of JSON on stdout: the choice, or an error for a person to read."""
    order = json.loads(next(iter(arguments)))
    from undertone import classifier

    try:
        opened = classifier.open_model(order["model"])
        wish, folder = engines.Wish(**order["wish"]), pathlib.Path(order["folder"])
        with _alone(folder):
            # Another process may have done it while this one waited.
            chosen = recall(opened.identity, wish, folder)
            if chosen is None or (chosen.engine == "openvino" and not _kept(opened, chosen, folder)):
                chosen = choose(opened, wish, folder)
    except adapter.ModelError as error:
        print(json.dumps({"error": str(error)}))
    else:
        print(json.dumps({"choice": dataclasses.asdict(chosen)}))


if __name__ == "__main__":
    main(sys.argv[1:])
