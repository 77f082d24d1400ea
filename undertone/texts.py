"""What a model is given to read: stored values made into clean strings, and token lists made short enough."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

# So many characters for every token that is read: three times what English needs, and a bound for a 10 MB text.
CHARACTERS_PER_TOKEN = 12
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclasses.dataclass(frozen=True)
class Clean:
    """A value as text to read; or `reason` why there is none. `share` of its characters are in `text`, 0 to 1."""

    text: str
    share: float
    reason: str | None


def clean(value: object, most_tokens: int, spell_out: Callable[[str], str] | None) -> Clean:
    """`value` as a string that any tokenizer accepts: the first 12 characters for each of `most_tokens` at most.

    None and texts without one visible character are "empty", anything else that is not a string is "not text".
    """
    if value is None:
        return Clean("", 1.0, "empty")
    if not isinstance(value, str):
        return Clean("", 1.0, "not text")
    text = str(value).strip()
    whole = len(text)
    text = text[: most_tokens * CHARACTERS_PER_TOKEN]
    share = len(text) / whole if whole else 1.0
    if not text.isascii() and _SURROGATE.search(text):
        # Halves that belong together become the character they stand for, the others the replacement
        # character.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\ufffd", " ")
    text = _CONTROL.sub(" ", text)
    if spell_out is not None:
        text = spell_out(text)
    if not any(character.isprintable() and character != " " for character in text):
        return Clean("", 1.0, "empty")
    return Clean(text, share, None)


def batches(lengths: list[int], budget: int) -> list[list[int]]:
    """The indices of `lengths`, longest first, in groups of at most `budget` tokens, padding counted.

    A text that is longer than the budget makes a group of its own.
    """
    groups: list[list[int]] = []
    width = 0
    for index in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        if not groups or (len(groups[-1]) + 1) * width > budget:
            groups.append([])
            width = lengths[index]
        groups[-1].append(index)
    return groups


def frame(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The special tokens that `tokenizer` puts before and behind every text."""
    example = tokenizer("a", return_special_tokens_mask=True)
    ids, special = example["input_ids"], example["special_tokens_mask"]
    plain = [place for place, mask in enumerate(special) if not mask] or [len(ids)]
    return ids[: plain[0]], ids[plain[-1] + 1 :]


def blocks(lengths: Sequence[int], most: int, characters: int) -> Iterator[range]:
    """The positions of `lengths` in runs of at most `most`, and of `characters` together unless one alone has more."""
    start, sum_ = 0, 0
    for position, length in enumerate(lengths):
        if position > start and (position - start == most or sum_ + length > characters):
            yield range(start, position)
            start, sum_ = position, 0
        sum_ += length
    if start < len(lengths):
        yield range(start, len(lengths))


def windows(count: int, size: int, overlap: int) -> list[tuple[int, int]]:
    """(start, end) of windows of at most `size` tokens that cover `count` tokens, neighbours sharing `overlap`.

    As few as possible, and all of one length but for a token: full ones, with what is left to share shared, would
    compute a quarter more. One window where all fits into it.
    """
    if count <= size:
        return [(0, count)]
    number = math.ceil((count - overlap) / (size - overlap))
    length = math.ceil((count + (number - 1) * overlap) / number)
    starts = [index * (count - length) // (number - 1) for index in range(number)]
    return [(start, start + length) for start in starts]
