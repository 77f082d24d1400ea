"""The real default model, a tiny model made on the spot, and what neither must ever do."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import math
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.unit import small
from undertone import adapter, classifier, emoticons, engines, errors, settings, texts

ROOT = pathlib.Path(classifier.__file__).resolve().parent.parent
REFERENCE = ROOT / "models" / "default" / "reference.json"

POSITIVE = (
    "I love this phone, the screen is gorgeous.",
    "Great service, thank you so much!",
    "One of the best films I have ever seen.",
    "Not bad at all, I would buy it again.",
)
NEGATIVE = (
    "Terrible service, I will never come back.",
    "The battery died after two days. What a waste of money.",
    "A dull, lifeless film with a plot that makes no sense.",
    "I did not like it.",
)
NEUTRAL = (
    "Where is my order?",
    "It is a chair.",
    "The meeting is on Tuesday at ten.",
    "How do I change my delivery address?",
)
NOTHING: tuple[tuple[object, str], ...] = (
    (None, "empty"),
    ("", "empty"),
    (" \t\r\n\u00a0\u3000", "empty"),
    ("\x00\x01\x1f\x7f", "empty"),
    ("\u200b\u200e\ufeff", "empty"),
    ("\ud800", "empty"),
    (5, "not text"),
    (math.nan, "not text"),
    (b"good", "not text"),
    (["good"], "not text"),
)
ODD = (
    "good\ud800 film",
    "\ud83d\ude00",  # two halves that make one emoji
    "good\x00film",
    "👍",
    "😡😡😡",
    "👨‍👩‍👧‍👦🏳️‍🌈",
    "هذا فيلم رائع جدا",
    "\u202eevol I\u202c",
    "这家店很好",
    "e" + "\u0301" * 5_000,
    "a" * 100_000,
    "<script>alert(1)</script> ![x](http://x)",
    "?",
    "[CLS] [SEP] [PAD] [MASK]",
)


@pytest.fixture(scope="module")
def default(model_cache: pathlib.Path) -> classifier.Classifier:
    return classifier.load_classifier(threads=1, cache=model_cache)


@pytest.fixture(scope="module")
def exact(model_cache: pathlib.Path) -> classifier.Classifier:
    """The default model as it was trained: torch, in float32."""
    return classifier.load_classifier(precision="float32", engine="torch", cache=model_cache)


@pytest.fixture(scope="module")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return small.save_small(tmp_path_factory.mktemp("models") / "small", {0: "bad", 1: "good"})


@pytest.fixture(scope="module")
def opened(small_folder: pathlib.Path) -> adapter.Opened:
    return classifier.open_model(str(small_folder))


def faked(opened: adapter.Opened, engine: small.Engine | None = None, **options: Any) -> classifier.Classifier:
    """A classifier of letters whose engine computes next to nothing."""
    return classifier.Classifier("small", opened, engine or small.Engine(), **options)


def by_torch(folder: pathlib.Path, **options: Any) -> classifier.Classifier:
    """A small model, not worth a conversion."""
    return classifier.load_classifier(str(folder), engine="torch", precision="float32", **options)


def chances(predictions: Sequence[classifier.Prediction]) -> np.ndarray[Any, Any]:
    return np.array([list(prediction.probabilities.values()) for prediction in predictions])


def labels_of(model: classifier.Classifier, some: Any) -> list[str | None]:
    return [prediction.label for prediction in model.classify(some)]


# What it says


@pytest.mark.parametrize("text", POSITIVE)
def test_praise_is_positive(default: classifier.Classifier, text: str) -> None:
    assert labels_of(default, [text]) == ["POSITIVE"]


@pytest.mark.parametrize("text", NEGATIVE)
def test_complaints_are_negative(default: classifier.Classifier, text: str) -> None:
    assert labels_of(default, [text]) == ["NEGATIVE"]


@pytest.mark.parametrize("text", NEUTRAL)
def test_plain_statements_and_questions_are_neutral(default: classifier.Classifier, text: str) -> None:
    assert labels_of(default, [text]) == ["NEUTRAL"]


def test_emoji_and_emoticons_are_read(default: classifier.Classifier) -> None:
    assert labels_of(default, ["👍", "😡", "My parcel came today :)", "My parcel came today :("]) == [
        "POSITIVE",
        "NEGATIVE",
        "POSITIVE",
        "NEGATIVE",
    ]


def test_a_prediction_is_complete(default: classifier.Classifier) -> None:
    for prediction in default.classify([*POSITIVE, *NEGATIVE, *NEUTRAL]):
        assert tuple(prediction.probabilities) == default.labels == ("NEGATIVE", "NEUTRAL", "POSITIVE")
        assert sum(prediction.probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert prediction.label is not None
        assert prediction.confidence == prediction.probabilities[prediction.label]
        assert prediction.confidence == max(prediction.probabilities.values())
        assert prediction.reason is None
        assert not prediction.truncated


# The model's files


def test_the_shipped_adapter_is_small_and_described() -> None:
    assert (adapter.FOLDER / "adapter.safetensors").stat().st_size <= 4_000_000
    config = json.loads((adapter.FOLDER / "config.json").read_text())
    assert config["labels"] == list(adapter.LABELS)
    assert config["backbone"] == {"package": adapter.PACKAGE, "sha256": adapter.BACKBONE_SHA256}


def test_what_is_computed_is_what_was_trained(exact: classifier.Classifier) -> None:
    # reference.json holds the logits of the very model as the training program had it, before it was packed.
    reference = json.loads(REFERENCE.read_text())["logits"]
    limits = json.loads((adapter.FOLDER / "config.json").read_text())["calibration"]
    for text, logits in reference.items():
        inputs = exact._opened.tokenizer([emoticons.spell_out(text)], return_tensors="np")
        batch = engines.Batch(inputs["input_ids"].astype(np.int64), inputs["attention_mask"].astype(np.int64))
        (outputs,) = exact._engine.outputs([batch])
        assert outputs[0, :-1].tolist() == pytest.approx(logits, abs=0.03)
        length = limits["length"] * math.log(batch.tokens.shape[1] - 2)
        heat = math.exp(min(max(outputs[0, -1] + length, limits["lowest"]), limits["highest"]))
        powers = [math.exp(value / heat) for value in outputs[0, :-1]]
        (prediction,) = exact.classify([text])
        expected = [power / sum(powers) for power in powers]
        assert list(prediction.probabilities.values()) == pytest.approx(expected, abs=1e-4)


def test_an_adapter_of_other_bytes_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "config.json").write_bytes((adapter.FOLDER / "config.json").read_bytes())
    (tmp_path / "adapter.safetensors").write_bytes(b"something else")
    with pytest.raises(classifier.ModelError, match="does not belong"):
        adapter.open_default(tmp_path)


def test_another_backbone_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    with pytest.raises(classifier.ModelError, match="pip install"):
        adapter.check_backbone(tmp_path)


def test_the_identity_names_the_content(default: classifier.Classifier, exact: classifier.Classifier) -> None:
    name, _, digits = default.model_id.partition("@")
    assert (name, len(digits)) == ("undertone-default", 12)
    assert exact.model_id == default.model_id
    assert (default.model, exact.model) == ("default", "default")
    assert default.engine in ("openvino", "torch")
    assert default.precision in ("float32", "bfloat16")
    assert (exact.engine, exact.precision) == ("torch", "float32")
    assert (default.threads, exact.threads) == (1, engines.processors())


# Many texts


def test_order_is_kept_and_equal_texts_have_equal_answers(default: classifier.Classifier) -> None:
    some = [text for trio in zip(POSITIVE, NEGATIVE, NEUTRAL, strict=True) for text in trio]
    predictions = default.classify([*some, *reversed(some), " " + some[0] + "\n"])
    assert predictions[: len(some)] == list(reversed(predictions[len(some) : -1]))
    assert predictions[-1] == predictions[0]
    assert [prediction.label for prediction in predictions[:3]] == ["POSITIVE", "NEGATIVE", "NEUTRAL"]


def test_equal_texts_are_read_once(opened: adapter.Opened) -> None:
    engine = small.Engine()
    first, other, *again = faked(opened, engine).classify(["good", "bad", "good", " good", "good", None, "good\t"])
    assert len(engine.rows) == 2
    assert again == [first] * 3 + [classifier.Prediction(None, None, {}, False, "empty"), first]
    assert other != first


def test_batches_are_of_one_length_and_of_the_size_that_was_asked(opened: adapter.Opened) -> None:
    engine = small.Engine()
    some = [" ".join("abcdefghij"[: number % 10 + 1]) + " " + "k " * (number // 10) for number in range(400)]
    faked(opened, engine, batch_tokens=128).classify(some)
    assert len(engine.rows) == len(set(some))
    for batch in engine.batches:  # but for the few tokens that round its width up
        assert len(batch.mask) == 1 or len(batch.mask) * batch.mask.sum(axis=1).max() <= 128
    assert all(batch.tokens.shape[1] % 4 == 0 for batch in engine.batches)
    assert all(batch.tokens.dtype == batch.mask.dtype == np.int64 for batch in engine.batches)
    padding = sum(int((1 - batch.mask).sum()) for batch in engine.batches)
    assert padding < 0.35 * sum(batch.mask.size for batch in engine.batches)
    other = small.Engine()
    faked(opened, other).classify(some)
    assert len(other.batches) < len(engine.batches), "without a number, the engine's own is taken"


def test_a_batch_says_what_single_calls_say(exact: classifier.Classifier) -> None:
    some = [*POSITIVE, "Good. " * 120, *NEGATIVE, *NEUTRAL, "👍"]
    for together, text in zip(exact.classify(some), some, strict=True):
        (alone,) = exact.classify([text])
        assert alone.label == together.label
        assert list(alone.probabilities.values()) == pytest.approx(list(together.probabilities.values()), abs=1e-4)


def test_precisions_agree(default: classifier.Classifier, exact: classifier.Classifier) -> None:
    some = [*POSITIVE, *NEGATIVE, *NEUTRAL]
    assert labels_of(default, some) == labels_of(exact, some)


def test_eight_threads_share_one_classifier(default: classifier.Classifier) -> None:
    some = [*POSITIVE, *NEGATIVE, *NEUTRAL]
    expected = labels_of(default, some)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: labels_of(default, some), range(24)))
    assert answers == [expected] * 24


def test_threads_with_texts_of_their_own_get_their_own_answers(small_folder: pathlib.Path) -> None:
    model = by_torch(small_folder, threads=1)
    some = [[f"{a} {b} {a}{b}" * (1 + turn) for b in small.LETTERS] for turn, a in enumerate(small.LETTERS[:12])]
    expected = [model.classify(texts_) for texts_ in some]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(model.classify, some * 3))
    for found, wanted in zip(answers, expected * 3, strict=True):
        np.testing.assert_allclose(chances(found), chances(wanted), atol=1e-4)


def test_one_caller_at_a_time_computes(opened: adapter.Opened) -> None:
    class Alone(small.Engine):
        inside = 0

        def outputs(self, batches: Any) -> Any:
            self.inside += 1
            assert self.inside == 1
            yield from super().outputs(batches)
            self.inside -= 1

    model = faked(opened, Alone(wait=0.002))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda letter: model.classify([letter, letter * 2])[0].label, small.LETTERS))


@pytest.mark.parametrize(
    ("engine", "precision"), [("openvino", "float32"), ("openvino", "bfloat16"), ("torch", "bfloat16")]
)
def test_engines_and_precisions_agree(
    exact: classifier.Classifier, model_cache: pathlib.Path, engine: str, precision: str
) -> None:
    model = classifier.load_classifier(engine=engine, precision=precision, threads=1, cache=model_cache)
    assert (model.engine, model.precision) == (engine, precision)
    some = [
        f"{one} {other}"
        for one in (*POSITIVE, *NEGATIVE, *NEUTRAL)
        for other in ("", *NEGATIVE, *NEUTRAL, "👍", "a " * 300)
    ]
    wanted, found = chances(exact.classify(some)), chances(model.classify(some))
    tolerance = 2e-3 if precision == "float32" else 0.06
    np.testing.assert_allclose(found, wanted, atol=tolerance)
    assert np.abs(found - wanted).mean() < tolerance / 4
    sure = np.diff(np.sort(wanted, axis=1))[:, -1] > 2 * tolerance
    assert (found.argmax(axis=1) == wanted.argmax(axis=1))[sure].all()


def test_no_texts_no_predictions(default: classifier.Classifier) -> None:
    assert default.classify([]) == []


def test_one_string_is_not_a_list_of_texts(default: classifier.Classifier) -> None:
    with pytest.raises(TypeError, match="list"):
        default.classify("good")


# Bad input


@pytest.mark.parametrize(("value", "reason"), NOTHING)
def test_nothing_to_read_is_said_so(default: classifier.Classifier, value: object, reason: str) -> None:
    good, nothing, bad = default.classify([POSITIVE[0], value, NEGATIVE[0]])
    assert nothing == classifier.Prediction(None, None, {}, False, reason)
    assert (good.label, bad.label) == ("POSITIVE", "NEGATIVE")


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_text_gets_an_answer(default: classifier.Classifier, text: str) -> None:
    good, odd, bad = default.classify([POSITIVE[0], text, NEGATIVE[0]])
    assert odd.label in default.labels
    assert odd.confidence is not None
    assert 0 <= odd.confidence <= 1
    assert (good.label, bad.label) == ("POSITIVE", "NEGATIVE")


@pytest.mark.parametrize("unit", ["x", "word ", "😡", "\n\n", "\ud800", "漢"])
def test_ten_megabytes_are_no_trouble(default: classifier.Classifier, unit: str) -> None:
    (prediction,) = default.classify(["I love it. " + unit * (10_000_000 // len(unit)) + " I love it."])
    assert prediction.label in default.labels
    assert prediction.truncated


def test_all_that_is_odd_at_once_costs_nobody_an_answer(default: classifier.Classifier) -> None:
    good = ["I love it, thank you!", "Where is my order?", "It broke. " * 200]
    odd = [value for value, _ in NOTHING] + list(ODD) + ["x" * 10_000_000, True, object(), np.str_("numpy")]
    mixed = [thing for one in odd for thing in (*good, one)]
    predictions = default.classify(mixed)
    assert len(predictions) == len(mixed)
    wanted = chances(default.classify(good))
    for number in range(len(odd)):
        np.testing.assert_allclose(chances(predictions[4 * number : 4 * number + 3]), wanted, atol=0.05)
    found = predictions[3::4]
    assert [one.reason for one in found[: len(NOTHING)]] == [reason for _, reason in NOTHING]
    assert all(one.label in default.labels for one in found[len(NOTHING) : -3])
    assert [one.reason for one in found[-3:]] == ["not text", "not text", None]
    assert found[-4].share == pytest.approx(default.text_characters / 10_000_000)


def test_a_network_that_fails_is_a_model_error_and_the_next_call_is_answered(opened: adapter.Opened) -> None:
    engine = small.Engine()
    model = faked(opened, engine)
    engine.fail = RuntimeError("out of memory")
    with pytest.raises(classifier.ModelError, match="The model failed at a batch: out of memory"):
        model.classify(["a", "b"])
    engine.fail = None
    assert all(one.label for one in model.classify(["a", "b"]))


def test_what_is_not_a_number_does_not_pass_for_a_probability(opened: adapter.Opened) -> None:
    class Broken(small.Engine):
        def _compute(self, batch: engines.Batch) -> engines.Outputs:
            values = [[np.nan, 1], [np.inf, 1], [-np.inf, np.inf], [np.nan, np.nan]]
            return np.array(values * len(batch.tokens), dtype=np.float32)[: len(batch.tokens)]

    for prediction in faked(opened, Broken()).classify(["a", "b", "c", "d"]):
        assert all(0 <= value <= 1 for value in prediction.probabilities.values())
        assert sum(prediction.probabilities.values()) == pytest.approx(1)


# Long texts


def letters(count: int, shift: int = 0) -> str:
    """A text of so many tokens."""
    return " ".join(small.LETTERS[(place * 7 + place // 26 + shift) % 26] for place in range(count))


@pytest.mark.parametrize("count", [1, 13, 14, 15, 16, 25, 26, 100, 333])
def test_a_long_text_has_the_mean_of_its_windows(opened: adapter.Opened, count: int) -> None:
    engine = small.Engine()
    (prediction,) = faked(opened, engine, max_length=16).classify([letters(count)])
    ids = opened.tokenizer(letters(count), add_special_tokens=False)["input_ids"]
    assert len(ids) == count
    places = texts.windows(count, 14, 1)
    rows = [[2, *ids[start:end], 3] for start, end in places]
    assert sorted(engine.rows) == sorted(rows), "[CLS] and [SEP] around each of them"
    # By hand: the engine's answer is the sum and the number of the tokens.
    values = ([sum(row) / 100 for row in rows], [len(row) / 100 for row in rows])
    mean = [sum(each) / len(rows) for each in values]
    powers = [math.exp(value - max(mean)) for value in mean]
    expected = [power / sum(powers) for power in powers]
    assert list(prediction.probabilities.values()) == pytest.approx(expected, abs=1e-6)
    assert (prediction.truncated, prediction.share) == (False, 1)


def test_a_long_text_s_answer_does_not_depend_on_the_texts_beside_it(small_folder: pathlib.Path) -> None:
    model = by_torch(small_folder, max_length=16, threads=1)
    long = [letters(count, shift) for shift, count in enumerate((15, 40, 300, 1000))]
    others = [letters(count % 37 + 1, count) for count in range(300)]
    (together, backwards) = model.classify([*long, *others]), model.classify([*others, *reversed(long)])
    for number, text in enumerate(long):
        (alone,) = model.classify([text])
        for found in (together[number], backwards[-1 - number]):
            np.testing.assert_allclose(chances([found]), chances([alone]), atol=1e-5)


def test_no_more_tokens_are_read_than_the_setting_says(opened: adapter.Opened) -> None:
    for count, read in ((37, 37), (38, 38), (39, 38), (76, 38), (200, 38)):
        engine = small.Engine()
        (prediction,) = faked(opened, engine, max_length=16, text_tokens=40).classify([letters(count)])
        assert prediction.truncated == (count > 38)  # two tokens are the model's own
        assert prediction.share == pytest.approx(read / count)
        wanted = opened.tokenizer(letters(count), add_special_tokens=False)["input_ids"][:read]
        seen = sorted({place for row in engine.rows for place in [wanted.index(token) for token in row[1:-1]]})
        assert {wanted[place] for place in seen} == set(wanted), "all of those"
        assert any(row[1:-1] == wanted[2 - len(row) :] for row in engine.rows), "and none behind them"


def test_fewer_tokens_may_be_read_than_go_through_the_model_at_once(opened: adapter.Opened) -> None:
    engine = small.Engine()
    (prediction,) = faked(opened, engine, max_length=64, text_tokens=16).classify([letters(28)])
    assert [len(row) for row in engine.rows] == [16]
    assert (prediction.truncated, prediction.share) == (True, 0.5)


def test_the_share_counts_characters_and_tokens_that_were_not_read(opened: adapter.Opened) -> None:
    model = faked(opened, max_length=16, text_tokens=40)
    most = model.text_characters
    assert most == 40 * texts.CHARACTERS_PER_TOKEN
    word = "ж" * (2 * texts.CHARACTERS_PER_TOKEN - 1)  # unknown, and so one token
    given = {
        "a" + " " * (most - 2) + "b" + " " * 1000: 1,
        letters(4 * most): most / (8 * most - 1) * 38 / (most / 2),
        " ".join([word] * 40): most / (80 * texts.CHARACTERS_PER_TOKEN - 1),
    }
    found = model.classify(list(given))
    assert [one.share for one in found] == pytest.approx(list(given.values()))
    assert [one.truncated for one in found] == [False, True, True]


@pytest.mark.parametrize("special", [([], [3]), ([2], []), ([], []), ([2, 4], [3, 3])])
def test_what_a_tokenizer_puts_around_a_text_is_put_around_each_window(
    opened: adapter.Opened, special: tuple[list[int], list[int]]
) -> None:
    head, tail = special

    class Tokenizer:
        """Of single letters."""

        pad_token_id = None

        def __call__(self, given: Any, add_special_tokens: bool = True, **_: Any) -> dict[str, list[Any]]:
            if isinstance(given, str):
                ids = [ord(letter) for letter in given]
                mask = [1] * len(head) + [0] * len(ids) + [1] * len(tail)
                return {"input_ids": [*head, *ids, *tail], "special_tokens_mask": mask}
            assert not add_special_tokens
            return {"input_ids": [[ord(letter) for letter in text] for text in given]}

    engine = small.Engine()
    model = faked(dataclasses.replace(opened, tokenizer=Tokenizer()), engine, max_length=16)
    room = 16 - len(head) - len(tail)
    model.classify(["abc", "x" * (2 * room - 1)])  # two full windows that share one
    assert [*head, *map(ord, "abc"), *tail] in engine.rows
    for row in engine.rows:
        assert row[: len(head)] == head
        assert row[len(row) - len(tail) :] == tail
        assert len(row) <= 16
    assert max(map(len, engine.rows)) == 16


def test_the_end_of_a_long_text_counts(exact: classifier.Classifier) -> None:
    filling = "The film has a first part and a second part. " * 100
    verdicts = (" It is a terrible, awful film, I hated it." * 2, " It is a wonderful film, I loved it." * 2)
    bad, good = exact.classify([filling + verdict for verdict in verdicts])
    assert not bad.truncated
    assert good.probabilities["POSITIVE"] > bad.probabilities["POSITIVE"]
    assert good.probabilities["NEGATIVE"] < bad.probabilities["NEGATIVE"]


def test_no_more_is_read_at_once_than_the_model_has_positions_for(model_cache: pathlib.Path) -> None:
    model = classifier.load_classifier(max_length=4_000, threads=1, cache=model_cache)
    assert model.max_length == 512
    (prediction,) = model.classify(["good " * 2_000])
    assert prediction.label == "POSITIVE"
    assert not prediction.truncated


# Going on


def test_what_go_on_raises_ends_the_work_at_once_and_harms_nothing(
    opened: adapter.Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier, "PAUSE", 0.05)
    engine = small.Engine(2, wait=0.01)
    model = faked(opened, engine, batch_tokens=16)
    some = [letters(8, number) + letters(number // 26) for number in range(1000)]
    for kind in (RuntimeError, KeyError, KeyboardInterrupt, classifier.ModelError):
        calls: list[float] = []

        def go_on(kind: type[BaseException] = kind, calls: list[float] = calls) -> None:
            calls.append(time.monotonic())
            if len(calls) == 3:
                raise kind("enough")

        engine.batches.clear()
        with pytest.raises(kind, match="enough"):
            model.classify(some, go_on)
        assert time.monotonic() - calls[-1] < 2
        assert 0 < len(engine.batches) < 500
        assert engine.at_once == 0
        assert not model._computing.locked()
        assert not model._tokenizing.locked()
        done = len(engine.batches)
        assert model.classify(["a b c"])[0].label is not None
        assert len(engine.batches) == done + 1


def test_go_on_is_asked_a_few_times_a_second_and_not_for_a_trifle(opened: adapter.Opened) -> None:
    calls: list[float] = []
    model = faked(opened, small.Engine(1, wait=0.01), batch_tokens=16)
    model.classify(["a", "b"], lambda: calls.append(0))
    assert calls == []
    begun = time.monotonic()
    model.classify([letters(8, number % 26) + letters(number // 26) for number in range(200)], lambda: calls.append(0))
    took = time.monotonic() - begun
    assert 2 <= len(calls) <= took / classifier.PAUSE


def test_go_on_is_asked_before_anything_is_computed_where_texts_are_long(
    opened: adapter.Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier, "PAUSE", 0.01)
    clean = texts.clean
    monkeypatch.setattr(texts, "clean", lambda *given: time.sleep(0.005) or clean(*given))
    engine = small.Engine()

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        faked(opened, engine).classify([letters(number) for number in range(1, 100)], stop)
    assert engine.batches == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("thanks 👍🏽!", "thanks  thumbs up !"),
        ("late again :(", "late again  frowning face "),
        ("see http://example.com at 10:30", "see http://example.com at 10:30"),
        ("(a:b)", "(a:b)"),
        ("one<br />two", "one two"),
        ("plain", "plain"),
        ("so good #LoveThisPlace", "so good #Love This Place"),
        ("#BBCNews2day #blessed #USA #1", "#BBC News2day #blessed #USA #1"),
    ],
)
def test_emoji_become_words(text: str, words: str) -> None:
    assert emoticons.spell_out(text) == words


# Other models


def test_a_folder_is_loaded_with_its_own_labels(small_folder: pathlib.Path) -> None:
    model = by_torch(small_folder, max_length=4_000, text_tokens=100)
    assert model.labels == ("bad", "good")
    assert model.max_length == 64
    assert model.model == str(small_folder)
    assert model.model_id.startswith("small@")
    assert model.model_id == by_torch(small_folder).model_id
    short, long, longer, nothing = model.classify(["a b c", "a " * 62 + "b c d", "a " * 98 + "b c d", ""])
    assert sum(short.probabilities.values()) == pytest.approx(1)
    assert (short.truncated, long.truncated, longer.truncated, nothing.reason) == (False, False, True, "empty")
    # What is behind the first window counts, and what is behind the last one does not.
    other, same = model.classify(["a " * 62 + "x y z", "a " * 98 + "x y z"])
    assert other.probabilities != pytest.approx(long.probabilities, abs=1e-5)
    assert same.probabilities == pytest.approx(longer.probabilities, abs=1e-5)


def test_other_weights_have_another_identity(small_folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    other = small.save_small(tmp_path / "small", {0: "bad", 1: "fine"})
    assert by_torch(other).model_id != by_torch(small_folder).model_id


def test_one_logit_makes_two_outcomes(tmp_path: pathlib.Path) -> None:
    model = by_torch(small.save_small(tmp_path / "one", {0: "toxic"}))
    assert model.labels == ("not toxic", "toxic")
    (prediction,) = model.classify(["a b c"])
    assert sum(prediction.probabilities.values()) == pytest.approx(1)


def test_labels_that_do_not_exclude_each_other_have_chances_of_their_own(tmp_path: pathlib.Path) -> None:
    folder = small.save_small(
        tmp_path / "many", {0: "joy", 1: "fear", 2: "rage"}, problem_type="multi_label_classification"
    )
    (prediction,) = by_torch(folder).classify(["a b c"])
    assert all(0 <= chance <= 1 for chance in prediction.probabilities.values())
    assert sum(prediction.probabilities.values()) != pytest.approx(1, abs=1e-6)
    assert prediction.confidence == max(prediction.probabilities.values())


def test_a_model_without_a_trained_head_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(classifier.ModelError, match="no trained classification head"):
        by_torch(small.save_small(tmp_path / "bare", {}))


def test_a_model_that_is_not_there_is_one_clear_line(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{")
    for name in (
        "nobody/no-such-model",
        "not a name",
        "/no/such/folder",
        "./nothing",
        str(tmp_path / "empty"),
        str(tmp_path / "broken"),
    ):
        with pytest.raises(errors.UndertoneError) as caught:
            classifier.load_classifier(name)
        message = str(caught.value)
        assert isinstance(caught.value, classifier.ModelError)
        assert name in message
        assert "\n" not in message
        assert len(message) < 500


def test_an_unknown_precision_or_engine_is_refused() -> None:
    with pytest.raises(classifier.ModelError, match="The precision float16 is none of auto, float32, bfloat16"):
        classifier.load_classifier(precision="float16")
    with pytest.raises(classifier.ModelError, match="The engine onnx is none of auto, openvino, torch"):
        classifier.load_classifier(engine="onnx")


def test_the_settings_say_how_a_model_is_run(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(
        classifier, "load_classifier", lambda model, **options: asked.append({"model": model} | options)
    )
    own: dict[str, Any] = {
        "max_length": 99,
        "text_tokens": 999,
        "batch_tokens": 9,
        "threads": 3,
        "engine": "torch",
        "precision": "float32",
    }
    classifier.from_settings(settings.Settings(model_cache=tmp_path / "cache", **own), "other")
    monkeypatch.delenv("UNDERTONE_MODEL_CACHE")
    classifier.from_settings(settings.Settings(home=tmp_path, **own))
    assert asked == [
        {"model": "other", "cache": tmp_path / "cache", **own},
        {"model": "default", "cache": tmp_path / "models", **own},
    ]


def test_without_a_cache_the_converted_model_goes_with_the_process(tmp_path: pathlib.Path) -> None:
    folder = small.save_small(tmp_path / "small", {0: "bad", 1: "good"})
    done = run(
        "from undertone import classifier\n"
        f"model = classifier.load_classifier({str(folder)!r}, engine='openvino', precision='float32', threads=1)\n"
        "print(model.engine, model.classify(['a b c'])[0].label in model.labels, classifier._own_folder().name)",
        TMPDIR=str(tmp_path),
    )
    assert done.stdout.split()[:2] == ["openvino", "True"], done.stderr
    assert pathlib.Path(done.stdout.split()[2]).parent == tmp_path
    assert (list(tmp_path.glob("undertone-*")), done.stderr, done.returncode) == ([], "", 0)


# Manners


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_importing_is_cheap() -> None:
    done = run(
        "import sys; from undertone import classifier\n"
        "print([name for name in ('torch', 'transformers', 'openvino', 'emoji') if name in sys.modules])"
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_the_default_model_is_silent_and_never_reaches_for_the_network() -> None:
    done = run(
        "import socket\n"
        "def refuse(*_): raise SystemExit('reached for the network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "import os, pathlib\n"
        "from undertone import classifier\n"
        "model = classifier.load_classifier(threads=1, cache=pathlib.Path(os.environ['UNDERTONE_MODEL_CACHE']))\n"
        "print(model.classify(['I love it.'])[0].label)"
    )
    assert (done.stdout.strip(), done.stderr, done.returncode) == ("POSITIVE", "", 0)


def test_with_a_converted_model_torch_is_not_imported_and_every_process_ends_well(
    model_cache: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    classifier.load_classifier(engine="openvino", precision="float32", threads=1, cache=model_cache)
    for _ in range(3):
        done = run(
            "import pathlib, sys\n"
            "from undertone import classifier\n"
            f"cache = pathlib.Path({str(model_cache)!r})\n"
            "model = classifier.load_classifier(engine='openvino', precision='float32', threads=1, cache=cache)\n"
            "predictions = model.classify([f'text {n} ' * (n % 40 + 1) for n in range(100)])\n"
            "print(len(predictions), model.engine, [name for name in ('torch', 'safetensors') if name in sys.modules])",
            HOME=str(tmp_path),
        )
        assert (done.stdout.strip(), done.stderr, done.returncode) == ("100 openvino []", "", 0)
    assert not (tmp_path / "intel").exists()
