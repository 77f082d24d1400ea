"""Which words carried a label: each is left out in turn, and what that does to the label is its weight.

This is occlusion (Zeiler & Fergus 2014, arXiv 1311.2901, who covered patches of pictures). It asks nothing of the model
but its answers, so it is the same for every model and engine.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from undertone import texts

if TYPE_CHECKING:
    from undertone import classifier

PIECES = 128
FEWEST = 8
# What may be computed, and handed to the tokenizer, for one explanation.
MOST_TOKENS = 50_000
MOST_CHARACTERS = 4_000_000
# Runs of words whose tokens are counted, to see how far the model reads.
RUNS = 1024
# A probability nearer to 0 than this is taken for this: a logarithm must end somewhere.
LEAST = 1e-30
# Characters of a longer word, and of one in a script that puts no spaces between words, that stay together.
LONG, UNSPACED = 20, 4
_WORD = re.compile(r"[^\s\x00-\x1f\x7f]+")
# Thai, Lao, Tibetan, Burmese, Khmer; kana; Han.
_SCRIPT = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff"
    "\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_STOPS = "!-/:;?\u3001-\u3003\u3008-\u3011\u3014-\u301f\uff01-\uff0f\uff1a-\uff20"
_PART = re.compile(f"[{_SCRIPT}]{{1,{UNSPACED}}}[{_STOPS}]{{0,3}}|[^{_SCRIPT}]{{1,{LONG}}}")


@dataclasses.dataclass(frozen=True)
class Piece:
    """The characters `start` to `end` of a text: a word, or neighbouring words.

    `weight` is how much higher the log-odds (natural logarithm) of the label are with it than without it: above 0 where
    it speaks for the label, below where it speaks against it.
    """

    text: str
    start: int
    end: int
    weight: float


@dataclasses.dataclass(frozen=True)
class Explanation:
    """What the model says of a text, and the pieces of what it read of it, in order; what is between them is space."""

    prediction: classifier.Prediction
    pieces: tuple[Piece, ...]


class Model(Protocol):
    """As much of `Classifier` as an explanation takes."""

    text_tokens: int

    def classify(self, texts_: Sequence[object]) -> list[classifier.Prediction]:
        """A prediction for each text."""

    def count_tokens(self, texts_: Sequence[str]) -> list[int]:
        """How many tokens each text has."""


def explain(model: Model, text: object) -> Explanation:
    """Which words of `text` carried its label; `Explanation.prediction` is what `classify` says of it.

    A piece is a word between spaces. A word of more than 20 characters is several, and so is one of a script without
    spaces, of 4 characters or so. Neighbouring words are merged, evenly, where there would be more than 128 pieces, or
    more than the model can read in 50,000 tokens: a text of 100 words has 100 pieces, one of 1,000 words some 30, one
    of 8,192 tokens 8 (never fewer, whatever `text_tokens` is set to).

    Of a text that is longer than what is read, only what is read has pieces, give or take a few words. Where nothing
    that can be read is left without a piece, the comparison is with chance, every label as likely as the others. What
    cannot be read at all has no pieces. Raises ModelError where the network fails.
    """
    spans = _read(model, _words(text, model.text_tokens), text) if isinstance(text, str) else []
    if not isinstance(text, str) or not spans:
        return Explanation(model.classify([text])[0], ())
    start, end = spans[0][0], spans[-1][1]
    starts = [*(span[0] for span in spans[1:]), end]
    # A word goes with the space behind it, so that the others stand as if it had never been there.
    without = [text[start:left] + text[right:end] for (left, _), right in zip(spans, starts, strict=True)]
    prediction, whole, *others = model.classify([text, text[start:end], *without])
    label = prediction.label
    if label is None:
        return Explanation(prediction, ())
    chance = -math.log(max(len(prediction.probabilities) - 1, 1))
    known = _log_odds(whole, label, chance)
    weights = [known - _log_odds(other, label, chance) for other in others]
    pieces = [Piece(text[a:b], a, b, weight) for (a, b), weight in zip(spans, weights, strict=True)]
    return Explanation(prediction, tuple(pieces))


def _log_odds(prediction: classifier.Prediction, label: str, chance: float) -> float:
    if prediction.label is None:
        return chance
    mine = prediction.probabilities[label]
    every = sum(prediction.probabilities.values())
    # Where they add up to one, the sum of the others is exact also when this one is nearly certain.
    others = sum(value for name, value in prediction.probabilities.items() if name != label)
    against = others if math.isclose(every, 1, abs_tol=1e-6) else 1 - mine
    return math.log(max(mine, LEAST)) - math.log(max(against, LEAST))


def _words(text: str, most_tokens: int) -> list[tuple[int, int]]:
    """(start, end) of the smallest pieces of what `texts.clean` keeps."""
    start = len(text) - len(text.lstrip())
    end = min(len(text), start + most_tokens * texts.CHARACTERS_PER_TOKEN)
    return [span for found in _WORD.finditer(text, start, end) for span in _parts(text, *found.span())]


def _parts(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A word whole, or cut where it is too long."""
    while start < end:
        found = _PART.match(text, start, end)
        stop = found.end() if found else end
        most = min(end, stop + LONG)
        while stop < most and _together(text[stop - 1], text[stop]):
            stop += 1
        yield start, stop
        start = stop


def _together(before: str, after: str) -> bool:
    """Whether a reader sees one sign: accents, joined and coloured emoji, the two halves of a character."""
    return (
        unicodedata.category(after).startswith("M")
        or "\u200d" in (before, after)
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or ("\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff")
    )


def _read(model: Model, words: list[tuple[int, int]], text: str) -> list[tuple[int, int]]:
    """The pieces that are worth their cost: those of `words` that are read, merged as far as it takes."""
    if not words:
        return []
    runs = _even(len(words), RUNS)
    counts = model.count_tokens([text[words[first][0] : words[last - 1][1]] for first, last in runs])
    before = [0, *itertools.accumulate(counts)]
    read = sum(1 for tokens in before[:-1] if tokens < model.text_tokens)
    kept = words[: runs[read - 1][1]]
    # Windows overlap and batches are padded: a third more is ample.
    tokens = min(before[read], model.text_tokens) * 4 / 3 + 8
    characters = kept[-1][1] - kept[0][0]
    number = int(min(PIECES, MOST_TOKENS / tokens - 2, MOST_CHARACTERS / characters))
    return [(kept[first][0], kept[last - 1][1]) for first, last in _even(len(kept), max(number, FEWEST))]


def _even(count: int, most: int) -> list[tuple[int, int]]:
    """(first, last + 1) of `count` things in at most `most` runs of nearly the same length."""
    number = min(count, most)
    return [(count * index // number, count * (index + 1) // number) for index in range(number)]
