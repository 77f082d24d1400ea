"""What engines promise: outputs in order, work ahead but not far ahead, and the same answers from all of them."""

from __future__ import annotations

import concurrent.futures
import pathlib
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from tests.unit import small
from undertone import adapter, choice, converted, engines


def batch(number: int, rows: int = 2, width: int = 8) -> engines.Batch:
    return engines.Batch(np.full((rows, width), number), np.ones((rows, width), dtype=np.int64))


def numbers(outputs: list[engines.Outputs]) -> list[int]:
    """Of which batch each output is."""
    return [round(float(one[0, 0]) * 100 / 8) for one in outputs]


# The order of things


@pytest.mark.parametrize("side_by_side", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 20])
def test_outputs_come_in_the_order_of_the_batches(side_by_side: int, count: int) -> None:
    engine = small.Engine(side_by_side, wait=0.004)
    found = list(engine.outputs(batch(number) for number in range(count)))
    assert numbers(found) == list(range(count))
    assert all(one.shape == (2, 2) and one.dtype == np.float32 for one in found)
    assert engine.most_at_once <= side_by_side


def test_as_many_are_computed_at_once_as_was_asked() -> None:
    engine = small.Engine(3, wait=0.05)
    list(engine.outputs(batch(number) for number in range(9)))
    assert engine.most_at_once == 3


@pytest.mark.parametrize("side_by_side", [1, 2])
def test_batches_are_made_a_few_ahead_and_no_more(side_by_side: int) -> None:
    made: list[int] = []

    def batches() -> Iterator[engines.Batch]:
        for number in range(20):
            made.append(number)
            yield batch(number)

    engine = small.Engine(side_by_side)
    outputs = engine.outputs(batches())
    assert made == [], "nothing happens before somebody asks"
    ahead = [len(made) - taken for taken, _ in enumerate(outputs, start=1)]
    assert ahead[0] >= side_by_side, "the engine has work while its caller looks at an output"
    assert max(ahead) <= side_by_side + 1


def test_an_error_in_one_batch_is_a_model_error_and_the_engine_goes_on() -> None:
    engine = small.Engine(2)
    for error in (
        RuntimeError("no memory\nsecond line"),
        IndexError("out of range"),
        ValueError(),
        MemoryError("much"),
    ):
        engine.fail = error
        with pytest.raises(adapter.ModelError, match="The model failed at a batch: ") as caught:
            list(engine.outputs(batch(number) for number in range(9)))
        assert "\n" not in str(caught.value)
        engine.fail = None
        assert numbers(list(engine.outputs(batch(number) for number in range(4)))) == [0, 1, 2, 3]


@pytest.mark.parametrize("kind", [RuntimeError, KeyError, KeyboardInterrupt])
def test_what_the_maker_of_batches_raises_is_passed_on_as_it_is(kind: type[BaseException]) -> None:
    engine = small.Engine(2, wait=0.01)

    def batches() -> Iterator[engines.Batch]:
        yield from (batch(number) for number in range(5))
        raise kind("mine")

    with pytest.raises(kind, match="mine"):
        list(engine.outputs(batches()))
    assert engine.at_once == 0, "nothing is computed behind its back"
    assert numbers(list(engine.outputs([batch(7)]))) == [7]


def test_who_stops_listening_stops_the_work() -> None:
    engine = small.Engine(1, wait=0.02)
    outputs = engine.outputs(batch(number) for number in range(100))
    next(outputs)
    outputs.close()  # type: ignore[attr-defined]
    assert len(engine.batches) <= 4
    assert engine.at_once == 0
    assert numbers(list(engine.outputs([batch(7)]))) == [7]


# The real ones


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> adapter.Opened:
    from undertone import classifier

    folder = small.save_small(tmp_path_factory.mktemp("models") / "small", {0: "bad", 1: "fair", 2: "good"})
    return classifier.open_model(str(folder))


@pytest.fixture(scope="module")
def model(opened: adapter.Opened, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The same model converted, on disk."""
    path = tmp_path_factory.mktemp("converted") / "small.xml"
    converted.keep(converted.convert(opened.load()), path, halve=False)
    return path


def batches(count: int, seed: int = 0) -> list[engines.Batch]:
    """Random tokens in rows of random lengths."""
    chance = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        rows, width = chance.integers(1, 9), chance.integers(1, 8) * 8
        tokens = chance.integers(5, 57, (rows, width))
        lengths = chance.integers(1, width + 1, (rows, 1))
        mask = (np.arange(width) < lengths).astype(np.int64)
        made.append(engines.Batch(tokens * mask, mask))
    return made


@pytest.mark.parametrize("streams", [1, 2, 3])
def test_openvino_computes_what_torch_does(opened: adapter.Opened, model: pathlib.Path, streams: int) -> None:
    asked = batches(25)
    wanted = list(engines.TorchEngine(opened.load(), "cpu", "float32", 1).outputs(asked))
    found = list(engines.OpenVinoEngine(model, "float32", 2, streams).outputs(asked))
    for expected, one in zip(wanted, found, strict=True):
        assert one.dtype == expected.dtype == np.float32
        np.testing.assert_allclose(one, expected, rtol=1e-3, atol=1e-4)


def test_what_is_padding_changes_nothing(opened: adapter.Opened, model: pathlib.Path) -> None:
    tokens, mask = np.full((1, 40), 9), np.ones((1, 40), dtype=np.int64)
    mask[0, 24:] = 0
    for engine in (
        engines.TorchEngine(opened.load(), "cpu", "float32", 1),
        engines.OpenVinoEngine(model, "float32", 1, 1),
    ):
        padded = engines.Batch(np.where(mask, tokens, 0), mask)
        short, long = engine.outputs([engines.Batch(tokens[:, :24].copy(), mask[:, :24].copy()), padded])
        np.testing.assert_allclose(short, long, rtol=1e-3, atol=1e-4)


def test_an_output_is_not_overwritten_by_the_next_batch(model: pathlib.Path) -> None:
    engine = engines.OpenVinoEngine(model, "float32", 1, 1)
    same = [batches(1)[0]] * 2 + batches(3, seed=1)
    kept = list(engine.outputs(same))
    np.testing.assert_array_equal(kept[0], kept[1])
    np.testing.assert_array_equal(kept[0], next(iter(engine.outputs(same[:1]))))


@pytest.mark.parametrize("kind", ["torch", "openvino"])
def test_a_token_that_the_model_does_not_have_is_a_model_error(
    opened: adapter.Opened, model: pathlib.Path, kind: str
) -> None:
    good, bad = batch(9), batch(10**6)
    if kind == "torch":
        engine: engines.Engine = engines.TorchEngine(opened.load(), "cpu", "float32", 1)
        with pytest.raises(adapter.ModelError):
            list(engine.outputs([good, bad, good]))
    else:  # it reads where there is nothing, and must at least live on
        engine = engines.OpenVinoEngine(model, "float32", 1, 1)
    (found,) = engine.outputs([good])
    assert np.isfinite(found).all()


def test_torch_takes_as_many_threads_as_it_is_given(opened: adapter.Opened) -> None:
    import torch

    before = torch.get_num_threads()
    try:
        engine = engines.TorchEngine(opened.load(), "cpu", "float32", 1)
        assert engine._pool.submit(torch.get_num_threads).result() == 1, "in the thread that computes"
    finally:
        torch.set_num_threads(before)


# The machine


def test_the_processors_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines.os, "sched_getaffinity", lambda _: set(range(6)))

    def quota(text: str) -> int:
        monkeypatch.setattr(engines.pathlib.Path, "read_text", lambda _: text)
        return engines.processors()

    assert quota("max 100000\n") == 6
    assert quota("200000 100000\n") == 2
    assert quota("150000 100000\n") == 2
    assert quota("1000 100000\n") == 1
    assert quota("9900000 100000\n") == 6
    assert quota("nonsense") == 6

    def missing(_: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(engines.pathlib.Path, "read_text", missing)
    assert engines.processors() == 6


def test_the_first_batch_is_computed_before_there_are_threads(
    model: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two threads that enter OpenVINO's binding first, at the same moment, may wait for each other for ever."""
    computed: list[str] = []
    original = engines.OpenVinoEngine._compute

    def compute(self: engines.OpenVinoEngine, batch: engines.Batch) -> engines.Outputs:
        computed.append(threading.current_thread().name)
        return original(self, batch)

    monkeypatch.setattr(engines.OpenVinoEngine, "_compute", compute)
    engine = engines.OpenVinoEngine(model, "float32", 2, 2)
    assert computed == [threading.current_thread().name]
    list(engine.outputs(batches(2)))
    assert all(name.startswith("engine") for name in computed[1:])


def test_a_batch_of_every_size_is_computed_by_many_callers_in_turn(model: pathlib.Path) -> None:
    """The classifier lets one caller in at a time; these come from threads of their own."""
    engine = engines.OpenVinoEngine(model, "float32", 2, 2)
    asked = batches(6)
    wanted = list(engine.outputs(asked))
    turn = threading.Lock()

    def ask(_: int) -> bool:
        with turn:
            found = list(engine.outputs(asked))
        return all(np.allclose(one, two, atol=1e-5) for one, two in zip(found, wanted, strict=True))

    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(8)))
    assert time.monotonic() - begun < 60


def test_a_machine_without_a_graphics_processor_does_not_import_torch_to_learn_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engines.os.path, "exists", lambda _: False)
    monkeypatch.setattr(engines.sys, "platform", "linux")
    monkeypatch.setitem(engines.sys.modules, "torch", None)
    assert engines.accelerator() == "cpu"


@pytest.mark.parametrize("engine", ["auto", "openvino"])
def test_a_graphics_processor_is_used_unless_the_settings_say_otherwise(
    opened: adapter.Opened, engine: str, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    made: list[str] = []
    monkeypatch.setattr(engines, "accelerator", lambda: "cuda")
    monkeypatch.setattr(engines, "torch_precision", lambda device: f"what is fast on {device}")
    monkeypatch.setattr(engines, "TorchEngine", lambda network, device, precision, threads: made.append(precision))
    monkeypatch.setattr(engines, "OpenVinoEngine", lambda *_: made.append("openvino"))
    monkeypatch.setattr(choice, "recall", lambda *_: choice.Choice("openvino", "float32", 1, 1, "", {}))
    monkeypatch.setattr(choice, "_kept", lambda *_: True)
    choice.open_engine("small", opened, engines.Wish(engine), tmp_path)
    assert made == (["openvino"] if engine == "openvino" else ["what is fast on cuda"])
