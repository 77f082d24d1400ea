"""Reading the JSON of a plan, whatever its size: nothing recurses, and long texts are cut as they are read.

`json.loads` gives up at some 500 steps one inside the other, and a condition may hold a constant of many megabytes.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

MOST_CHARACTERS = 2_000  # of one text
MOST_DIGITS = 300  # of one number

_SPACE = re.compile(r"[ \t\n\r]*+")
# Most of a plan, in one step: a name and a short text or number of no surprises, up to the next name.
_PAIR = re.compile(r'"([^"\\]{1,60}+)":[ ]?(?:"([^"\\]{0,200}+)"|(-?[0-9]{1,15}+)|(-?[0-9.]{1,20}+)),[ \t\n\r]*+(?=")')
_SCALAR = re.compile(r"[^\s\[\]{},:\"]++")
_TEXT = re.compile(rf'"((?:[^"\\]|\\u[0-9A-Fa-f]{{4}}|\\[^u]){{0,{MOST_CHARACTERS}}}+)')
_REST = re.compile(r'(?:[^"\\]++|\\.)*+"', re.DOTALL)
_WORDS = {"true": True, "false": False, "null": None}


def parse(text: str) -> Any:
    """What a JSON text says: dicts, lists, texts, numbers, True, False, None. Raises ValueError where it is none.

    A text longer than MOST_CHARACTERS ends in an ellipsis.
    """
    top: list[Any] = []
    inside: list[Any] = [top]  # the lists and dicts that are open, the innermost last
    keys: list[str | None] = [None]  # and under which key each gets its next value
    at, expected = _space(text, 0), "value"  # or: key, closing-or-…, next
    while at < len(text):
        mark, holder = text[at], inside[-1]
        if mark == '"' and expected != "next" and isinstance(holder, dict):
            while pair := _PAIR.match(text, at):
                name, short, integer, decimal = pair.groups()
                holder[name] = short if short is not None else int(integer) if integer else float(decimal)
                at = pair.end()
                expected = "value"
        if mark in "]}" and expected in ("first", "next") and isinstance(holder, dict) == (mark == "}"):
            if len(inside) == 1:
                break
            inside.pop()
            keys.pop()
            at, expected = at + 1, "next"
        elif mark == "," and expected == "next" and len(inside) > 1:
            at, expected = at + 1, "value"
        elif expected == "next":
            break
        else:
            if isinstance(holder, dict):
                key, at = _string(text, at)
                at = _space(text, at)
                if text[at : at + 1] != ":":
                    break
                keys[-1] = key
                at = _space(text, at + 1)
            value, at, opens = _value(text, at)
            if isinstance(holder, dict):
                holder[keys[-1]] = value
            else:
                holder.append(value)
            if opens:
                inside.append(value)
                keys.append(None)
            expected = "first" if opens else "next"
        at = _space(text, at)
    if at < len(text) or len(inside) > 1 or len(top) != 1:
        raise ValueError(f"not JSON at character {at + 1}")
    return top[0]


def _value(text: str, at: int) -> tuple[Any, int, bool]:
    """The value at `at`, where it ends, and whether it is a list or a dict that has only been opened."""
    mark = text[at : at + 1]
    if mark == "{":
        return {}, at + 1, True
    if mark == "[":
        return [], at + 1, True
    if mark == '"':
        return *_string(text, at), False
    found = _SCALAR.match(text, at)
    if found is None or found.end() - at > MOST_DIGITS:
        raise ValueError(f"not JSON at character {at + 1}")
    word = found.group()
    if word in _WORDS:
        return _WORDS[word], found.end(), False
    number = float(word)
    whole = math.isfinite(number) and word.lstrip("-").isdigit()
    return int(word) if whole else number, found.end(), False


def _string(text: str, at: int) -> tuple[str, int]:
    found = _TEXT.match(text, at)
    rest = _REST.match(text, found.end()) if found else None
    if found is None or rest is None:
        raise ValueError(f"not JSON at character {at + 1}")
    read: str = json.loads(f'"{found[1]}"', strict=False) if "\\" in found[1] else found[1]
    if rest.end() > found.end() + 1:
        read += "…"
    # Half of a pair can be neither printed nor sent.
    return read.encode("utf-8", "replace").decode(), rest.end()


def _space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
