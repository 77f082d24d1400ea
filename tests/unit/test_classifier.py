"""The real default model, a tiny model made on the spot, and what neither must ever do."""

from __future__ import annotations

import concurrent.futures
import json
import math
import pathlib
import subprocess
import sys
from typing import Any

import pytest

from undertone import adapter, classifier, emoticons, errors, texts

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
def default() -> classifier.Classifier:
    return classifier.load_classifier()


@pytest.fixture(scope="module")
def exact() -> classifier.Classifier:
    return classifier.load_classifier(precision="float32")


@pytest.fixture(scope="module")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return save_small(tmp_path_factory.mktemp("models") / "small", {0: "bad", 1: "good"})


def save_small(folder: pathlib.Path, labels: dict[int, str], **settings: Any) -> pathlib.Path:
    """A BERT of random weights with a vocabulary of letters, as a folder; no labels, no classification head."""
    import torch
    import transformers

    folder.mkdir(parents=True)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    tokenizer = transformers.BertTokenizer(vocab=str(folder / "vocab.txt"), model_max_length=64)
    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
        id2label=labels or {0: "bad", 1: "good"},
        initializer_range=0.5,
        **settings,
    )
    kind = transformers.BertForSequenceClassification if labels else transformers.BertModel
    kind(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


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
    assert config["scaling"] == config["alpha"] / config["r"]


def test_merging_by_hand_equals_what_peft_computes(exact: classifier.Classifier) -> None:
    # reference.json holds the logits of the very adapter before merging, computed by peft after training.
    reference = json.loads(REFERENCE.read_text())
    predictions = exact.classify(list(reference["logits"]))
    for prediction, logits in zip(predictions, reference["logits"].values(), strict=True):
        powers = [math.exp(value / reference["temperature"]) for value in logits]
        expected = [power / sum(powers) for power in powers]
        assert list(prediction.probabilities.values()) == pytest.approx(expected, abs=2e-3)


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
    assert (default.model, default.engine) == ("default", "torch")
    assert default.precision in ("float32", "bfloat16")
    assert exact.precision == "float32"


# Many texts


def test_order_is_kept_and_equal_texts_have_equal_answers(default: classifier.Classifier) -> None:
    some = [text for trio in zip(POSITIVE, NEGATIVE, NEUTRAL, strict=True) for text in trio]
    predictions = default.classify([*some, *reversed(some), " " + some[0] + "\n"])
    assert predictions[: len(some)] == list(reversed(predictions[len(some) : -1]))
    assert predictions[-1] == predictions[0]
    assert [prediction.label for prediction in predictions[:3]] == ["POSITIVE", "NEGATIVE", "NEUTRAL"]


def test_equal_texts_are_read_once(default: classifier.Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[int]] = []
    compute = default._compute
    monkeypatch.setattr(default, "_compute", lambda batch: seen.extend(batch) or compute(batch))
    assert len(default.classify(["good", "bad", "good", " good", "good"])) == 5
    assert len(seen) == 2


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


# Long texts


def test_truncated_says_whether_all_was_read() -> None:
    short = classifier.load_classifier(max_length=16)
    assert short.max_length == 16
    fits, long = "good " * 14, "good " * 15  # two tokens are the model's own
    assert [one.truncated for one in short.classify([fits, long, None])] == [False, True, False]


def test_a_long_text_is_read_at_both_ends(default: classifier.Classifier) -> None:
    filling = "The film has a first part and a second part. " * 100
    verdicts = (" It is a terrible, awful film, I hated it." * 2, " It is a wonderful film, I loved it." * 2)
    assert labels_of(default, [filling + verdict for verdict in verdicts]) == ["NEGATIVE", "POSITIVE"]


def test_no_more_is_read_than_the_model_has_positions_for() -> None:
    model = classifier.load_classifier(max_length=4_000)
    assert model.max_length <= 512
    (prediction,) = model.classify(["good " * 2_000])
    assert prediction.label == "POSITIVE"
    assert prediction.truncated


def test_shortening_keeps_head_and_tail() -> None:
    assert texts.shorten([1, 2, 3, 4, 5, 6, 7], 4, 1) == [1, 2, 3, 7]
    assert texts.shorten([1, 2, 3, 4, 5, 6, 7], 4, 2) == [1, 2, 6, 7]
    assert texts.shorten([1, 2, 3, 4, 5, 6, 7], 4, 0) == [1, 2, 3, 4]
    assert texts.shorten([1, 2, 3], 4, 1) == [1, 2, 3]


def test_batches_hold_every_text_once_within_the_budget() -> None:
    lengths = [3, 50, 7, 7, 120, 1, 30, 30, 2]
    groups = texts.batches(lengths, 100)
    assert sorted(index for group in groups for index in group) == list(range(len(lengths)))
    for group in groups:
        assert len(group) == 1 or len(group) * max(lengths[index] for index in group) <= 100


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("thanks 👍🏽!", "thanks  thumbs up !"),
        ("late again :(", "late again  frowning face "),
        ("see http://example.com at 10:30", "see http://example.com at 10:30"),
        ("(a:b)", "(a:b)"),
        ("one<br />two", "one two"),
        ("plain", "plain"),
    ],
)
def test_emoji_become_words(text: str, words: str) -> None:
    assert emoticons.spell_out(text) == words


# Other models


def test_a_folder_is_loaded_with_its_own_labels(small_folder: pathlib.Path) -> None:
    model = classifier.load_classifier(str(small_folder), precision="float32", max_length=4_000)
    assert model.labels == ("bad", "good")
    assert model.max_length == 64
    assert model.model == str(small_folder)
    assert model.model_id.startswith("small@")
    assert model.model_id == classifier.load_classifier(str(small_folder)).model_id
    head, longer, nothing = model.classify(["a b c", "a " * 62 + "b c d", ""])
    assert sum(head.probabilities.values()) == pytest.approx(1)
    assert (head.truncated, longer.truncated, nothing.reason) == (False, True, "empty")
    # Without both ends read, what is behind the window changes nothing.
    assert model.classify(["a " * 62 + "x y z"])[0].probabilities == longer.probabilities


def test_other_weights_have_another_identity(small_folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    other = save_small(tmp_path / "small", {0: "bad", 1: "fine"})
    assert classifier.load_classifier(str(other)).model_id != classifier.load_classifier(str(small_folder)).model_id


def test_one_logit_makes_two_outcomes(tmp_path: pathlib.Path) -> None:
    model = classifier.load_classifier(str(save_small(tmp_path / "one", {0: "toxic"})))
    assert model.labels == ("not toxic", "toxic")
    (prediction,) = model.classify(["a b c"])
    assert sum(prediction.probabilities.values()) == pytest.approx(1)


def test_labels_that_do_not_exclude_each_other_have_chances_of_their_own(tmp_path: pathlib.Path) -> None:
    folder = save_small(tmp_path / "many", {0: "joy", 1: "fear", 2: "rage"}, problem_type="multi_label_classification")
    (prediction,) = classifier.load_classifier(str(folder)).classify(["a b c"])
    assert all(0 <= chance <= 1 for chance in prediction.probabilities.values())
    assert sum(prediction.probabilities.values()) != pytest.approx(1, abs=1e-6)
    assert prediction.confidence == max(prediction.probabilities.values())


def test_a_model_without_a_trained_head_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(classifier.ModelError, match="no trained classification head"):
        classifier.load_classifier(str(save_small(tmp_path / "bare", {})))


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


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(classifier.ModelError, match="float16"):
        classifier.load_classifier(precision="float16")


# Manners


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_importing_is_cheap() -> None:
    done = run(
        "import sys; from undertone import classifier\n"
        "print([name for name in ('torch', 'transformers', 'emoji', 'numpy') if name in sys.modules])"
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_the_default_model_is_silent_and_never_reaches_for_the_network() -> None:
    done = run(
        "import socket\n"
        "def refuse(*_): raise SystemExit('reached for the network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from undertone import classifier\n"
        "print(classifier.load_classifier().classify(['I love it.'])[0].label)"
    )
    assert (done.stdout.strip(), done.stderr, done.returncode) == ("POSITIVE", "", 0)
