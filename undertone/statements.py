"""The statements of a text, and which of them a cursor or a selection means.

Whoever shows a text asks here what is run: there is one answer, and it is taken from the same pieces as the gate's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from undertone import lexer

_SPACE = " \t\n\r\f\v"  # PostgreSQL's; any other that a person may type would be a part of a name
_REMARK = re.compile(r"[ \t\f\v]*+--[^\n\r]*+")


@dataclass(frozen=True, slots=True)
class Part:
    """A statement in a text, from `start` to `end`, in characters counted from 0, with the comments before it.

    `stop` is behind its semicolon and a comment on the rest of that line.
    """

    start: int
    end: int
    stop: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be run: the part of a text, `whole`, that begins at `start`.

    `number`: which of the text's statements it is, from 1; 0 for a selection. `count`: how many there are.
    """

    whole: str
    statement: str
    start: int
    number: int
    count: int


def split(text: str) -> tuple[Part, ...]:
    """The statements of a text, in order. What holds only comments is none."""
    found = []
    begin, real = 0, False
    for token in lexer.tokenise(text):
        if token.mark == ";":
            if real:
                stop = remark.end() if (remark := _REMARK.match(text, token.end)) else token.end
                found.append(_part(text, begin, token.start, stop))
                begin = stop
            else:
                begin = token.end
            real = False
        real = real or (token.kind != "comment" and token.mark != ";")
    if real:
        last = _part(text, begin, len(text), 0)
        found.append(Part(last.start, last.end, last.end))
    return tuple(found)


def at(text: str, parts: Sequence[Part], position: int) -> int | None:
    """Which of the statements a cursor means: the one it stands in or behind on the same line, else the next one.

    Behind all of them it is the last. Its index; None where there is none.
    """
    for index, part in enumerate(parts):
        if part.start <= position <= part.stop:
            return index
        if position < part.start:
            behind = index > 0 and "\n" not in text[parts[index - 1].stop : position]
            return index - 1 if behind else index
    return len(parts) - 1 if parts else None


def chosen(text: str, parts: Sequence[Part], start: int, end: int) -> Chosen | None:
    """The selection from `start` to `end`, without the white space around it, if it holds any more than that.

    Else the statement at `end`; None where there is none.
    """
    if selected := text[start:end].strip(_SPACE):
        return Chosen(text, selected, text.index(selected, start), 0, len(parts))
    index = at(text, parts, end)
    if index is None:
        return None
    part = parts[index]
    return Chosen(text, text[part.start : part.end], part.start, index + 1, len(parts))


def _part(text: str, begin: int, end: int, stop: int) -> Part:
    """The statement between two semicolons, without the white space around it."""
    piece = text[begin:end]
    start = begin + len(piece) - len(piece.lstrip(_SPACE))
    return Part(start, begin + len(piece.rstrip(_SPACE)), stop)
