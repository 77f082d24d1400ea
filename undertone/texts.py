"""What a model is given to read: stored values made into clean strings, and token lists made short enough."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

# So many characters for every token that is read: more than any writing needs, and a bound for a 10 MB text.
CHARACTERS_PER_TOKEN = 32
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclasses.dataclass(frozen=True)
class Clean:
    """A value as text to read; or `reason` why there is none. `cut` says that characters were left out."""

    text: str
    cut: bool
    reason: str | None


def clean(value: object, max_length: int, ends: bool, spell_out: Callable[[str], str] | None) -> Clean:
    """`value` as a string that any tokenizer accepts, at most 32 characters for each of `max_length` tokens.

    A longer one keeps both its ends where `ends`, else its head. None and texts without one visible character
    are "empty", anything else that is not a string is "not text".
    """
    if value is None:
        return Clean("", False, "empty")
    if not isinstance(value, str):
        return Clean("", False, "not text")
    text = str(value).strip()
    longest = max_length * CHARACTERS_PER_TOKEN
    cut = len(text) > longest
    if cut:
        text = f"{text[: longest // 2]} {text[-(longest // 2) :]}" if ends else text[:longest]
    if not text.isascii() and _SURROGATE.search(text):
        # Halves that belong together become the character they stand for, the others the replacement
        # character.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("�", " ")
    text = _CONTROL.sub(" ", text)
    if not any(character.isprintable() and character != " " for character in text):
        return Clean("", cut, "empty")
    if spell_out is not None:
        text = spell_out(text)
    return Clean(text, cut, None)


def shorten(tokens: list[int], max_length: int, tail: int) -> list[int]:
    """At most `max_length` of `tokens`, the last `tail` of them from the end."""
    if len(tokens) <= max_length:
        return tokens
    return tokens[: max_length - tail] + tokens[len(tokens) - tail :]


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
