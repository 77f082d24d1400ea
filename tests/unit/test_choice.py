"""How an engine is chosen: by measuring, in a process that may die, once; and torch does where OpenVINO cannot."""

from __future__ import annotations

import dataclasses
import json
import logging
import logging.handlers
import os
import pathlib
import subprocess
import sys
import time
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from tests.unit import small
from undertone import adapter, choice, classifier, converted, engines, texts

ROOT = pathlib.Path(classifier.__file__).resolve().parent.parent
TEXTS = [
    "a b c",
    "good",
    "the quick brown fox jumps over the lazy dog",
    "x y z " * 60,
    "?",
    *(f"{a}{b} {b}{a}{a}" for a in small.LETTERS[:8] for b in small.LETTERS[:8]),
]
TORCH = choice.Choice("torch", "float32", 1, 1, "", {})
Said = Callable[[], list[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return small.save_small(tmp_path_factory.mktemp("models") / "small", {0: "bad", 1: "good"})


@pytest.fixture
def opened(folder: pathlib.Path) -> adapter.Opened:
    return classifier.open_model(str(folder))


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[engines.Wish]:
    """Choose in this process, which is faster; what was chosen for, each time."""
    chosen: list[engines.Wish] = []

    def prepare(_: str, opened: adapter.Opened, wish: engines.Wish, cache: pathlib.Path) -> choice.Choice:
        chosen.append(wish)
        return choice.choose(opened, wish, cache)

    monkeypatch.setattr(choice, "_prepare", prepare)
    return chosen


@pytest.fixture
def said() -> Iterator[Said]:
    """The lines that were logged. Not by caplog: a conversion that fails leaves the root logger silent."""
    handler = logging.handlers.BufferingHandler(1000)
    logger = logging.getLogger("undertone")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lambda: [record.getMessage() for record in handler.buffer]
    logger.setLevel(logging.NOTSET)
    logger.removeHandler(handler)


def answers(opened: adapter.Opened, engine: engines.Engine) -> np.ndarray[Any, Any]:
    model = classifier.Classifier("small", opened, engine)
    return np.array([list(prediction.probabilities.values()) for prediction in model.classify(TEXTS)])


def exactly(opened: adapter.Opened) -> np.ndarray[Any, Any]:
    return answers(opened, engines.TorchEngine(opened.load(), "cpu", "float32", 1))


# Both compute the same


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", small.KINDS)
def test_openvino_agrees_with_torch_for_models_of_every_kind(
    kind: str, precision: str, tmp_path: pathlib.Path, here: list[engines.Wish], said: Said
) -> None:
    opened = classifier.open_model(str(small.save_small(tmp_path / kind, {0: "bad", 1: "fair", 2: "good"}, kind)))
    wish = engines.Wish("openvino", precision, 1)
    engine = choice.open_engine(kind, opened, wish, tmp_path / "cache")
    assert (engine.name, engine.precision, engine.threads) == ("openvino", precision, 1)
    assert said() == []
    wanted, found = exactly(opened), answers(opened, engine)
    assert wanted.std(axis=0).min() > 0.001, "the model says more than one thing"
    np.testing.assert_allclose(found, wanted, atol=1e-3 if precision == "float32" else 0.05)
    sure = np.sort(wanted, axis=1)[:, -1] - np.sort(wanted, axis=1)[:, -2] > (0.01 if precision == "float32" else 0.1)
    assert (found.argmax(axis=1) == wanted.argmax(axis=1))[sure].all()


# The choice


def test_the_fastest_way_is_taken_and_remembered(
    opened: adapter.Opened, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = engines.Wish("auto", "auto", 2)
    measured: list[str] = []

    def measure(candidates: dict[str, engines.Engine], _: Sequence[engines.Batch]) -> dict[str, int]:
        measured.extend(candidates)
        return {name: 500 if name == "openvino float32 1" else 100 for name in candidates}

    monkeypatch.setattr(choice, "measure", measure)
    chosen = choice.choose(opened, wish, tmp_path)
    assert {"openvino float32 1", "openvino float32 2"} < set(measured)
    assert sum(name.startswith("torch") for name in measured) == 1
    assert (chosen.engine, chosen.precision, chosen.threads, chosen.streams) == ("openvino", "float32", 2, 1)
    assert set(chosen.rates) == set(measured)
    assert choice.recall(opened.identity, wish, tmp_path) == chosen
    assert converted.usable(converted.path(tmp_path, opened.identity, "float32"))
    assert choice.recall(opened.identity, dataclasses.replace(wish, threads=1), tmp_path) is None
    assert choice.recall(opened.identity, dataclasses.replace(wish, precision="float32"), tmp_path) is None
    assert choice.recall("other@1", wish, tmp_path) is None
    monkeypatch.setattr(choice, "_processor", lambda: "another machine with the same disk")
    assert choice.recall(opened.identity, wish, tmp_path) is None


def test_torch_is_taken_where_it_is_faster_and_nothing_is_converted_for_it(
    opened: adapter.Opened, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, said: Said, here: object
) -> None:
    monkeypatch.setattr(choice, "measure", lambda some, _: {name: len(name.split()) == 2 for name in some})
    engine = choice.open_engine("small", opened, engines.Wish("auto", "float32", 1), tmp_path)
    assert engine.name == "torch"
    assert list(tmp_path.glob("*.xml")) == []
    assert said() == [], "nobody need worry"


def test_measuring_says_what_each_is_worth(opened: adapter.Opened) -> None:
    class Broken(small.Engine):
        def _compute(self, batch: engines.Batch) -> engines.Outputs:
            raise RuntimeError("not implemented for BFloat16")

    quick, slow = small.Engine(1, wait=0.001), small.Engine(1, wait=0.01)
    rates = choice.measure(
        {"broken": Broken(), "slow": slow, "quick": quick}, choice.sample(opened, len(opened.tokenizer), choice.TRIAL)
    )
    assert rates["broken"] == 0, "and it takes nobody with it"
    assert 0 < rates["slow"] < rates["quick"]
    for batch in quick.batches:
        assert batch.tokens.shape[1] <= opened.positions
        assert batch.tokens.max() < len(opened.tokenizer)


@pytest.mark.parametrize(("enough", "turns"), [(0.0, choice.LEAST_TURNS), (1e9, choice.TURNS)])
def test_a_slow_processor_is_measured_less_often(
    opened: adapter.Opened, monkeypatch: pytest.MonkeyPatch, enough: float, turns: int
) -> None:
    monkeypatch.setattr(choice, "ENOUGH_SECONDS", enough)
    engine = small.Engine()
    trial = choice.sample(opened, len(opened.tokenizer), choice.TRIAL)
    choice.measure({"one": engine}, trial)
    assert len(engine.batches) == choice.WARM + turns * len(trial)


def test_a_sample_has_the_special_tokens_in_their_places(opened: adapter.Opened) -> None:
    head, tail = texts.frame(opened.tokenizer)
    assert head
    assert tail
    (batch,) = choice.sample(opened, 100, [(12, 3)])
    assert batch.mask.sum(axis=1).tolist() == [6, 12, 12]
    special = set(opened.tokenizer.all_special_ids)
    for tokens, mask in zip(batch.tokens.tolist(), batch.mask, strict=True):
        own = tokens[: mask.sum()]
        assert own[: len(head)] == head
        assert own[-len(tail) :] == tail
        assert not special & set(own[len(head) : -len(tail)])
        assert max(own[len(head) : -len(tail)]) < 100


def test_a_precision_that_changes_what_a_model_says_is_not_taken() -> None:
    batches = [engines.Batch(np.ones((2, 4), dtype=np.int64), np.ones((2, 4), dtype=np.int64))]

    class Says(small.Engine):
        def __init__(self, logits: list[float]) -> None:
            super().__init__(1)
            self.logits = logits

        def _compute(self, batch: engines.Batch) -> engines.Outputs:
            return np.array([self.logits] * len(batch.tokens), dtype=np.float32)

    fine = Says([1.0, 2.0])
    assert choice.alike(Says([1.01, 2.0]), fine, batches)
    assert not choice.alike(Says([1.3, 2.0]), fine, batches)
    assert not choice.alike(Says([float("nan"), 2.0]), fine, batches)


def test_a_wish_is_obeyed_without_measuring(
    opened: adapter.Opened, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "measure", lambda *_: pytest.fail("measured"))
    for precision in ("float32", "bfloat16"):
        chosen = choice.choose(opened, engines.Wish("openvino", precision, 1), tmp_path)
        assert (chosen.engine, chosen.precision, chosen.streams) == ("openvino", precision, 1)
    monkeypatch.setattr(choice, "_prepare", lambda *_: pytest.fail("converted"))
    for precision in ("float32", "bfloat16"):
        engine = choice.open_engine("small", opened, engines.Wish("torch", precision, 1), tmp_path / "not there")
        assert (engine.name, engine.precision, engine.threads) == ("torch", precision, 1)
    assert not (tmp_path / "not there").exists()


def test_what_was_chosen_is_taken_again_without_a_look_at_the_network(
    opened: adapter.Opened, tmp_path: pathlib.Path, here: list[engines.Wish]
) -> None:
    wish = engines.Wish("openvino", "float32", 1)
    choice.open_engine("small", opened, wish, tmp_path)
    blind = dataclasses.replace(opened, load=lambda: pytest.fail("loaded"))
    assert choice.open_engine("small", blind, wish, tmp_path).name == "openvino"
    assert here == [wish]


@pytest.mark.parametrize("memory", ["", "{", "[]", "null", '{"engine": "torch"}', '{"other": 1}', "\x00"])
def test_a_memory_that_is_none_is_forgotten(opened: adapter.Opened, tmp_path: pathlib.Path, memory: str) -> None:
    wish = engines.Wish()
    choice.remember(opened.identity, wish, tmp_path, TORCH)
    assert choice.recall(opened.identity, wish, tmp_path) == TORCH
    (file,) = tmp_path.iterdir()
    file.write_text(memory)
    assert choice.recall(opened.identity, wish, tmp_path) is None


@pytest.mark.parametrize("damage", ["flipped byte", "no sums", "short model"])
def test_a_damaged_model_is_made_anew_and_never_used(
    opened: adapter.Opened, tmp_path: pathlib.Path, here: list[engines.Wish], said: Said, damage: str
) -> None:
    wish = engines.Wish("openvino", "float32", 1)
    choice.open_engine("small", opened, wish, tmp_path)
    path = converted.path(tmp_path, opened.identity, "float32")
    if damage == "flipped byte":
        weights = bytearray(path.with_suffix(".bin").read_bytes())
        # The sign of every number, so that the answers would be others.
        weights[3::4] = bytes(byte ^ 0x80 for byte in weights[3::4])
        path.with_suffix(".bin").write_bytes(weights)
    elif damage == "no sums":
        path.with_suffix(".json").unlink()
    else:
        path.write_bytes(path.read_bytes()[:-100])
    engine = choice.open_engine("small", opened, wish, tmp_path)
    assert len(here) == 2
    assert converted.usable(path)
    assert (engine.name, said()) == ("openvino", [])
    np.testing.assert_allclose(answers(opened, engine), exactly(opened), atol=1e-3)


# Where OpenVINO cannot


def fork(network: Any) -> Any:
    """The network with a fork in its road that a tracer does not see: long texts have another answer."""
    import torch

    class Forked(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            logits = self.network(input_ids=input_ids, attention_mask=attention_mask).logits
            logits = -3 * logits if input_ids.shape[1] > 20 else logits
            return types.SimpleNamespace(logits=logits) if not torch.jit.is_tracing() else {"logits": logits}

    return Forked().eval()


def refuse(network: Any) -> Any:
    """A network that cannot even be traced."""

    def forward(**_: Any) -> Any:
        raise NotImplementedError("an operation that nobody knows\nand a long explanation")

    network.forward = forward
    return network


@pytest.mark.parametrize("engine", ["auto", "openvino"])
@pytest.mark.parametrize("broken", [fork, refuse])
def test_a_model_that_openvino_cannot_run_is_run_by_torch_with_one_line(
    opened: adapter.Opened,
    tmp_path: pathlib.Path,
    here: list[engines.Wish],
    said: Said,
    broken: Callable[[Any], Any],
    engine: str,
) -> None:
    load = opened.load
    strange = dataclasses.replace(opened, load=lambda: broken(load()))
    wish = engines.Wish(engine, "float32", 1)
    for times in (1, 2):
        found = choice.open_engine("owner/strange", strange, wish, tmp_path)
        assert (found.name, found.precision) == ("torch", "float32")
        assert len(said()) == times, "one line for each time that it is loaded"
    assert len(here) == 1, "and it is not tried again"
    why = "converted, it answers differently" if broken is fork else "Couldn't get TorchScript module"
    assert len(set(said())) == 1
    assert said()[0].startswith("OpenVINO cannot run owner/strange (")
    assert said()[0].endswith("); torch does")
    assert why in said()[0]
    assert "\n" not in said()[0]
    assert list(tmp_path.glob("*.xml")) == []
    if broken is fork:
        np.testing.assert_allclose(answers(strange, found), exactly(strange), atol=1e-4)


def test_what_was_remembered_of_such_a_model_is_said_again(
    opened: adapter.Opened, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    monkeypatch.setattr(choice, "_prepare", lambda *_: pytest.fail("tried again"))
    wish = engines.Wish("auto", "auto", 1)
    choice.remember(opened.identity, wish, tmp_path, dataclasses.replace(TORCH, why_not="no such operation"))
    assert choice.open_engine("strange", opened, wish, tmp_path).name == "torch"
    assert said() == ["OpenVINO cannot run strange (no such operation); torch does"]


def test_without_openvino_torch_does(
    opened: adapter.Opened, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, said: Said, here: object
) -> None:
    import importlib.metadata

    version = importlib.metadata.version

    def missing(name: str) -> str:
        if name == "openvino":
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    monkeypatch.setitem(sys.modules, "openvino", None)
    for _ in range(2):
        assert choice.open_engine("small", opened, engines.Wish("auto", "float32", 1), tmp_path).name == "torch"
    assert len(said()) == 2
    assert "openvino" in said()[0]


def test_a_model_that_does_not_open_is_run_by_torch_with_one_line(
    opened: adapter.Opened, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    wish = engines.Wish("auto", "auto", 1)
    chosen = dataclasses.replace(TORCH, engine="openvino")
    choice.remember(opened.identity, wish, tmp_path, chosen)
    monkeypatch.setattr(choice, "_kept", lambda *_: True)  # and goes before it is opened
    assert choice.open_engine("small", opened, wish, tmp_path).name == "torch"
    assert len(said()) == 1
    assert said()[0].startswith("OpenVINO cannot run small (")


@pytest.mark.parametrize("place", ["cache", "cache/inside"])
def test_where_nothing_can_be_kept_torch_does_and_one_line_names_the_folder(
    opened: adapter.Opened, tmp_path: pathlib.Path, said: Said, here: object, place: str
) -> None:
    (tmp_path / "cache").write_text("a file in the way; root may do anything else")
    for engine in ("auto", "openvino"):
        found = choice.open_engine("small", opened, engines.Wish(engine, "float32", 1), tmp_path / place)
        assert found.name == "torch"
        np.testing.assert_allclose(answers(opened, found), exactly(opened), atol=1e-4)
    # Where torch is faster in any case, there is nothing to worry about but the memory of that.
    assert 1 <= len(said()) <= 2
    assert all(f"cannot be kept in {tmp_path / place}" in line and "\n" not in line for line in said())


# The process


def child(opened: adapter.Opened, folder: pathlib.Path, cache: pathlib.Path, **wish: Any) -> choice.Choice:
    return choice._prepare(str(folder), opened, engines.Wish(**wish), cache)


def test_a_process_of_its_own_converts(
    opened: adapter.Opened,
    folder: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    said: Said,
) -> None:
    """Two at once, in a directory of their own, with relative paths; then nobody any more."""
    import concurrent.futures

    monkeypatch.chdir(folder.parent)
    cache = pathlib.Path(os.path.relpath(tmp_path / "cache"))
    wish = engines.Wish("auto", "auto", 2)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        two = list(pool.map(lambda _: choice.open_engine("./small", opened, wish, cache), range(2)))
    assert two[0].name == two[1].name
    assert two[0].precision == two[1].precision
    chosen = choice.recall(opened.identity, wish, cache)
    assert chosen is not None
    assert chosen.engine == two[0].name
    assert len(list((tmp_path / "cache").glob("choice-*.json"))) == 1
    assert len(list((tmp_path / "cache").glob("*.xml"))) == (chosen.engine == "openvino")
    assert list((tmp_path / "cache").glob(".new-*")) == []
    monkeypatch.setattr(choice.subprocess, "run", lambda *_, **__: pytest.fail("another process"))
    assert choice.open_engine("./small", opened, wish, cache).name == chosen.engine
    assert said() == []


SCRIPTS = {
    "killed": ("kill -9 $$", "it ended with -9"),
    "ended at once": ("exit 3", "it ended with 3"),
    "aborted": ("echo 'something'; echo 'first' >&2; echo \"terminate called\" >&2; kill -6 $$", "terminate called"),
    "silent": ("exit 0", "IndexError"),
    "nonsense": ("echo good day", "JSONDecodeError"),
    "no answer": ("echo 5", "TypeError"),
    "another answer": ("echo {}", "KeyError"),
    "half a choice": ("echo '{\"choice\": {}}'", "TypeError"),
    "slow": ("exec sleep 60", "TimeoutExpired"),
}


@pytest.mark.parametrize("how", SCRIPTS)
def test_a_process_that_dies_takes_nobody_with_it(
    opened: adapter.Opened,
    folder: pathlib.Path,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    said: Said,
    how: str,
) -> None:
    script, why = SCRIPTS[how]
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    if how == "slow":
        monkeypatch.setattr(choice, "PREPARE_SECONDS", 0.3)
    begun = time.monotonic()
    engine = choice.open_engine(str(folder), opened, engines.Wish("auto", "float32", 1), tmp_path / "cache")
    assert time.monotonic() - begun < 30
    assert (engine.name, engine.precision, engine.threads) == ("torch", "float32", 1)
    assert said() == [f"OpenVINO cannot run {folder} (converting failed: {why}); torch does"]
    np.testing.assert_allclose(answers(opened, engine), exactly(opened), atol=1e-4)


def test_no_program_to_run_is_one_line_too(
    opened: adapter.Opened, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    assert choice.open_engine("small", opened, engines.Wish("openvino", "float32", 1), tmp_path).name == "torch"
    assert said() == ["OpenVINO cannot run small (converting failed: FileNotFoundError); torch does"]


def test_a_model_that_nobody_can_load_is_the_model_s_error(
    opened: adapter.Opened, tmp_path: pathlib.Path, said: Said
) -> None:
    headless = small.save_small(tmp_path / "headless", {})
    with pytest.raises(adapter.ModelError, match="no trained classification head"):
        child(classifier.open_model(str(headless)), headless, tmp_path / "cache", engine="auto")
    assert said() == []


def test_the_process_says_one_line_of_json_and_ends_well(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Another process may have done the work meanwhile; then it is taken over."""
    opened = classifier.open_model(str(folder))
    wish = engines.Wish("auto", "float32", 1)
    choice.remember(opened.identity, wish, tmp_path, TORCH)
    order = json.dumps({"model": str(folder), "folder": str(tmp_path), "wish": dataclasses.asdict(wish)})
    done = subprocess.run(
        [sys.executable, "-m", "undertone.choice", order], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [json.loads(line) for line in done.stdout.splitlines()] == [{"choice": dataclasses.asdict(TORCH)}]
    assert done.stderr == ""
