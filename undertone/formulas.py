"""Texts that a spreadsheet would run: found, and made harmless by an apostrophe.

A CSV file says of no value that it is a text, so a program that opens one guesses. Who can write into a table could
have a formula run by whoever opens its export (CWE-1236).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# What a spreadsheet takes for the beginning of a formula, and their full-width forms, which some take for the same.
FIRST = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
# Some programs drop what stands before it: white space, control characters, marks that nobody sees.
_UNSEEN = "".join(
    chr(code)
    for first, last in (
        ("\x00", " "),
        ("\x7f", "\xa0"),
        ("\xad", "\xad"),
        ("\u061c", "\u061c"),
        ("\u1680", "\u1680"),
        ("\u180e", "\u180e"),
        ("\u2000", "\u200f"),
        ("\u2028", "\u202f"),
        ("\u205f", "\u206f"),
        ("\u3000", "\u3000"),
        ("\ufeff", "\ufeff"),
    )
    for code in range(ord(first), ord(last) + 1)
)
_SUSPECT = FIRST.union(_UNSEEN)
_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*|-infinity", re.IGNORECASE)
# Types whose values the server itself writes: nobody puts a formula there, and `-1 days` is to stay what it is.
HARMLESS = {"smallint", "integer", "bigint", "oid", "real", "double precision", "numeric", "boolean", "money"}
HARMLESS |= {"date", "interval", "timestamp without time zone", "timestamp with time zone"}
HARMLESS |= {"time without time zone", "time with time zone", "uuid", "bytea", "inet", "cidr", "macaddr"}


def is_formula(text: str) -> bool:
    """Whether a spreadsheet might run `text`; a number, which may be negative, is none."""
    if text[:1] not in _SUSPECT:
        return False
    if text[0] in "\t\r":  # ends a cell or a row where a program does not heed quotes
        return True
    return text.lstrip(_UNSEEN)[:1] in FIRST and not _NUMBER.fullmatch(text)


def harmless(text: str) -> str:
    """`text`, with an apostrophe before it if a spreadsheet might run it."""
    return f"'{text}" if is_formula(text) else text


def any_suspect(texts: Iterable[str]) -> bool:
    """Whether any of the texts begins so that `is_formula` has to look at it: fast, for a column of them."""
    return not _SUSPECT.isdisjoint({text[:1] for text in texts})


def harmless_all(texts: Sequence[str | None]) -> Sequence[str | None]:
    """A column of texts, `harmless` each; the same object where there is nothing to do."""
    if not any_suspect(filter(None, texts)):
        return texts
    return [harmless(text) if text else text for text in texts]
