"""Which words carried a label: exactly, of a model that is understood; of any text, without trouble, of real ones."""

from __future__ import annotations

import itertools
import json
import math
import pathlib
from collections.abc import Sequence

import pytest
import typer.testing

from tests.unit import small
from undertone import classifier, cli, explaining

VALUES = {"good": 2.0, "lovely": 1.0, "slow": -0.5, "awful": -3.0}
ODD = (
    "good\ud800 film",
    "\ud83d\ude00 \ud83d\ude00",  # two halves that make one emoji
    "good\x00film",
    "\x00 good \x07\n\n\tfilm\x1f",
    "👍",
    "👨‍👩‍👧‍👦🏳️‍🌈 late again :(",
    "هذا فيلم رائع جدا",
    "\u202eevol I\u202c it",
    "这家店很好,我很喜欢。",
    "今日はとても良い天気ですね、散歩に行きましょう。",
    "อาหารอร่อยมากแต่บริการช้า",
    "e" + "\u0301" * 5_000,
    "a" * 100_000,
    "<script>alert(1)</script> ![x](http://x) <br />bad",
    "?",
    "[CLS] [SEP] [PAD] [MASK]",
    "one\u00a0two\u3000three\u2028four",
)
NOTHING: tuple[object, ...] = (None, "", " \t\n\u00a0\u3000", "\x00\x01\x7f", "\u200b", "\ud800", 5, b"good", ["good"])


class Understood:
    """A model whose log-odds of "good" are the sum of its words' values; a word is a token."""

    def __init__(self, text_tokens: int = 8192, scale: float = 1) -> None:
        self.text_tokens = text_tokens
        self.scale = scale
        self.calls: list[list[object]] = []

    def count_tokens(self, texts_: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts_]

    def classify(self, texts_: Sequence[object]) -> list[classifier.Prediction]:
        self.calls.append(list(texts_))
        return [self._one(text) for text in texts_]

    def _one(self, text: object) -> classifier.Prediction:
        words = text.split() if isinstance(text, str) else []
        if not words:
            return classifier.Prediction(None, None, {}, False, "empty")
        odds = self.scale * sum(VALUES.get(word, 0) for word in words[: self.text_tokens])
        odds = min(max(odds, -600), 600)
        good, bad = 1 / (1 + math.exp(-odds)), 1 / (1 + math.exp(odds))
        label = "good" if good >= bad else "bad"
        share = min(1, self.text_tokens / len(words))
        return classifier.Prediction(label, max(good, bad), {"bad": bad, "good": good}, share < 1, None, share)


@pytest.fixture(scope="module")
def default() -> classifier.Classifier:
    return classifier.load_classifier(engine="torch")


def weights(found: explaining.Explanation) -> dict[str, float]:
    return {piece.text: piece.weight for piece in found.pieces}


def check_pieces(text: str, found: explaining.Explanation) -> None:
    """Pieces are parts of the text, in order, with nothing but space between them."""
    end = 0
    for piece in found.pieces:
        assert piece.text == text[piece.start : piece.end] != ""
        assert not [letter for letter in text[end : piece.start] if not letter.isspace() and letter.isprintable()]
        assert end <= piece.start
        assert math.isfinite(piece.weight)
        end = piece.end
    if not found.prediction.truncated:
        assert not [letter for letter in text[end:] if not letter.isspace() and letter.isprintable()]


# What a weight is


def test_a_word_weighs_what_the_label_loses_without_it() -> None:
    found = explaining.explain(Understood(), "A good kettle,\n but slow")
    assert found.prediction.label == "good"
    assert weights(found) == pytest.approx({"A": 0, "good": 2, "kettle,": 0, "but": 0, "slow": -0.5})


def test_the_weight_is_of_the_label_that_was_given() -> None:
    found = explaining.explain(Understood(), "good but awful")
    assert found.prediction.label == "bad"
    assert weights(found) == pytest.approx({"good": -2, "but": 0, "awful": 3})


def test_everything_is_asked_at_once() -> None:
    model = Understood()
    explaining.explain(model, "good but slow")
    assert model.calls == [["good but slow", "good but slow", "but slow", "good slow", "good but "]]


def test_a_text_of_one_word_is_compared_with_chance() -> None:
    assert weights(explaining.explain(Understood(), " good ")) == pytest.approx({"good": 2})

    class Three(Understood):
        def _one(self, text: object) -> classifier.Prediction:
            spread = {"bad": 0.2, "so so": 0.2, "good": 0.6}
            return classifier.Prediction("good", 0.6, spread, False, None) if text else super()._one(None)

    # From one of three, odds of 1 to 2, to 3 to 2.
    assert weights(explaining.explain(Three(), "good")) == pytest.approx({"good": math.log(3)})


def test_a_model_that_is_certain_gives_finite_weights() -> None:
    found = explaining.explain(Understood(scale=40), "good lovely good")
    assert found.prediction.confidence == 1
    assert all(math.isfinite(piece.weight) for piece in found.pieces)
    # Nearly certain, it is still exact.
    assert weights(explaining.explain(Understood(scale=15), "good lovely"))["lovely"] == pytest.approx(15)


def test_labels_that_do_not_exclude_each_other_have_odds_of_their_own() -> None:
    class Independent(Understood):
        def _one(self, text: object) -> classifier.Prediction:
            joy = 0.9 if "good" in str(text) else 0.5
            return classifier.Prediction("joy", joy, {"joy": joy, "fear": 0.8}, False, None)

    assert weights(explaining.explain(Independent(), "good so"))["good"] == pytest.approx(math.log(9))


# What it costs


@pytest.mark.parametrize("count", [1, 100, 128, 129, 1_000, 5_000, 8_192, 20_000])
def test_the_work_is_bounded_and_all_that_is_read_is_covered(count: int) -> None:
    model = Understood()
    text = " ".join(itertools.islice(itertools.cycle(["good", "but", "slow"]), count))
    found = explaining.explain(model, text)
    check_pieces(text, found)
    assert min(count, explaining.FEWEST) <= len(found.pieces) <= explaining.PIECES
    assert len(found.pieces) == count or count > 128
    (asked,) = model.calls
    tokens = sum(min(len(str(one).split()), model.text_tokens) for one in asked) * 4 / 3
    # Of the longest texts the fewest pieces cost more than that.
    fewest = (explaining.FEWEST + 2) * min(count, model.text_tokens) * 4 / 3
    assert tokens <= max(explaining.MOST_TOKENS, fewest) * 1.05
    covered = len(text[: found.pieces[-1].end].split())
    assert min(count, model.text_tokens) <= covered <= min(count, model.text_tokens) + 20
    sizes = [len(piece.text.split()) for piece in found.pieces]
    assert max(sizes) - min(sizes) <= 1


def test_a_longer_text_has_larger_pieces() -> None:
    counts = [len(explaining.explain(Understood(), "good " * words).pieces) for words in (100, 1_000, 4_000, 8_192)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 100
    assert 25 < counts[1] < 60
    assert counts[-1] == explaining.FEWEST


# How a text is cut


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("a  b\n\tc", ["a", "b", "c"]),
        ("a\x00b\x1fc", ["a", "b", "c"]),
        ("这家店很好,我喜欢", ["这家店很", "好,", "我喜欢"]),
        ("iPhone很好", ["iPhone", "很好"]),
        ("x" * 45, ["x" * 20, "x" * 20, "x" * 5]),
        ("อร่อยมาก", ["อร่อ", "ยมาก"]),
        ("so 👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽", ["so", "👨‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽"]),
        ("x" * 19 + "e\u0301" + "x", ["x" * 19 + "e\u0301", "x"]),
        ("x" * 19 + "\ud83d\ude00" + "x", ["x" * 19 + "\ud83d\ude00", "x"]),
        ("don't :( http://example.com/a", ["don't", ":(", "http://example.com/a"]),
    ],
    ids=range(10),
)
def test_pieces_are_words_and_never_half_a_sign(text: str, pieces: list[str]) -> None:
    assert [piece.text for piece in explaining.explain(Understood(), text).pieces] == pieces


def test_no_piece_is_enormous() -> None:
    for text in ("a" * 400, "漢" * 300, "e" + "\u0301" * 300, "\ud83d\ude00" * 40):
        words = explaining._words(text, 8192)
        assert max(end - start for start, end in words) <= 2 * explaining.LONG
        assert "".join(text[start:end] for start, end in words) == text


# Real models, any text


@pytest.mark.parametrize("value", NOTHING, ids=range(len(NOTHING)))
def test_what_cannot_be_read_has_no_pieces(default: classifier.Classifier, value: object) -> None:
    assert default.explain(value) == explaining.Explanation(default.classify([value])[0], ())


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_text_is_explained(default: classifier.Classifier, text: str) -> None:
    found = default.explain(text)
    (prediction,) = default.classify([text])
    assert found.prediction.label == prediction.label
    assert found.prediction.confidence == pytest.approx(prediction.confidence, abs=0.02)
    assert found.pieces
    check_pieces(text, found)


@pytest.mark.parametrize("unit", ["word ", "\ud800", "漢"])  # of others, see test_classifier
def test_ten_megabytes_are_no_trouble(default: classifier.Classifier, unit: str) -> None:
    text = "I love it. " + unit * (10_000_000 // len(unit)) + " I love it."
    found = default.explain(text)
    assert found.prediction.truncated
    assert 3 <= len(found.pieces) <= explaining.PIECES
    assert [text[piece.start : piece.end] for piece in found.pieces] == [piece.text for piece in found.pieces]


def test_the_end_of_a_long_text_that_is_read_counts(tmp_path: pathlib.Path) -> None:
    folder = small.save_small(tmp_path / "small", {0: "bad", 1: "good"})
    model = classifier.load_classifier(str(folder), engine="torch", precision="float32", text_tokens=200)
    short, long = model.explain("a b " * 90), model.explain("a b " * 300)
    assert (short.prediction.truncated, long.prediction.truncated) == (False, True)
    assert short.pieces[-1].end == len("a b " * 90) - 1
    assert 198 <= len("".join(piece.text for piece in long.pieces).replace(" ", "")) <= 210
    assert any(abs(piece.weight) > 1e-6 for piece in short.pieces[-3:])


def test_tokens_are_counted_as_they_are_read(default: classifier.Classifier) -> None:
    assert default.count_tokens([]) == []
    assert default.count_tokens(["", "good", "very good\x00", "😡"]) == [0, 1, 2, 2]


# The command


def test_classify_says_what_each_word_did(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loaded(Understood):
        def explain(self, text: object) -> explaining.Explanation:
            return explaining.explain(self, text)

    monkeypatch.setattr(classifier, "from_settings", lambda *_: Loaded())
    told = typer.testing.CliRunner().invoke(cli.app, ["classify", "--explain", "so good", ""])
    assert told.exit_code == 0, told.output
    good, nothing = map(json.loads, told.stdout.splitlines())
    assert (good["text"], good["label"], nothing["label"], nothing["pieces"]) == ("so good", "good", None, [])
    assert [sorted(piece) for piece in good["pieces"]] == [["end", "start", "text", "weight"]] * 2
    assert [(piece["text"], piece["start"], piece["end"]) for piece in good["pieces"]] == [("so", 0, 2), ("good", 3, 7)]
    assert [piece["weight"] for piece in good["pieces"]] == pytest.approx([0, 2])
    told = typer.testing.CliRunner().invoke(cli.app, ["classify", "so good"])
    assert "pieces" not in json.loads(told.stdout)
