"""What the editor and the browser tell each other. What comes from there may be anything: it is read, not believed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

# Characters of a text, of a message, and of an earlier statement; the browser refuses longer texts.
MOST, MOST_MESSAGE, MOST_EARLIER = 1_000_000, 2_000, 20_000
# What is offered to complete: more would be slow to send and to search.
MOST_COLUMNS, MOST_FUNCTIONS, MOST_HISTORY = 20_000, 6_000, 100
MOST_NUMBER = 2**53 - 1  # as far as JavaScript counts


@dataclass(frozen=True)
class Names:
    """What there is to complete: schema → relation → (column, type) in order, functions, the schemas searched unasked.

    Names are as the catalogue has them, without quotes; a function of a schema that is not searched is `schema.name`.
    """

    schemas: Mapping[str, Mapping[str, Sequence[tuple[str, str]]]] = field(default_factory=dict)
    functions: Sequence[str] = ()
    search_path: Sequence[str] = ()


@dataclass(frozen=True)
class Event:
    """That a person wants the statement at the cursor run; a new `number`, always a greater one, is a new event.

    `text`, and from `start` to `end` what was selected in it, are as they were at that moment.
    """

    number: int
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Problem:
    """What is marked in the text: the character, counted from 0, and what is the matter there.

    It is marked until the text is changed. The same one is marked again only under a new `number`, or when the
    statement was run from the editor.
    """

    position: int
    message: str
    number: int = 0


@dataclass(frozen=True)
class Now:
    """What the browser says: the text, the replacement that it goes back to, the selection, the last event.

    The selection goes from `start` to `end`, in characters counted from 0; a mere cursor has both at one place.
    """

    text: str
    replace: int
    start: int
    end: int
    event: Event | None


@dataclass(frozen=True)
class Written:
    """What stands in the editor: the text, what is selected in it from `start` to `end`, and the last event."""

    text: str
    start: int
    end: int
    event: Event | None = None


def whole(text: str) -> str:
    """`text` as a browser has it: lines end with \\n, halves of a character that lost each other are replaced."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def heard(said: Any) -> Now | None:
    """What the browser has said; None where it said nothing, or nothing of the right shape and size."""
    if not isinstance(said, Mapping):
        return None
    text, replace = said.get("text"), said.get("replace")
    if not isinstance(text, str) or len(text) > MOST or not _is_number(replace, least=-MOST_NUMBER):
        return None
    text = whole(text)
    start, end = _selected(said, text) or (len(text), len(text))
    return Now(text, int(replace), start, end, _event(said.get("event"), text))


def _event(said: Any, text: str) -> Event | None:
    """The event; `text` where it does not bring one of its own, which it does when more was typed since."""
    if not isinstance(said, Mapping) or not _is_number(number := said.get("number")):
        return None
    own = said.get("text")
    if own is not None:
        if not isinstance(own, str) or len(own) > MOST:
            return None
        text = whole(own)
    selected = _selected(said, text)
    return Event(int(number), text, *selected) if selected else None


def _selected(said: Mapping[Any, Any], text: str) -> tuple[int, int] | None:
    """Where a selection begins and ends, within the text."""
    start, end = said.get("start"), said.get("end")
    if not _is_number(start) or not _is_number(end) or start > end:
        return None
    return min(int(start), len(text)), min(int(end), len(text))


def _is_number(said: Any, least: int = 0) -> TypeGuard[int | float]:
    """Whether it is a whole number; JSON may say 3.0 for 3."""
    if isinstance(said, bool) or not isinstance(said, int | float):
        return False
    return least <= said <= MOST_NUMBER and said == int(said)


def offered(names: Names) -> dict[str, Any]:
    """Names as the browser takes them; of very many columns the last relations come without theirs."""
    left = MOST_COLUMNS
    schemas: dict[str, dict[str, list[list[str]]]] = {}
    # Those that are searched unasked are the last to do without.
    order = dict.fromkeys([*(name for name in names.search_path if name in names.schemas), *names.schemas])
    for schema in order:
        relations = schemas.setdefault(whole(schema), {})
        for relation, columns in names.schemas[schema].items():
            left -= len(columns) + 1
            if left < -MOST_COLUMNS:
                break
            kept = columns if left >= 0 else ()
            relations[whole(relation)] = [[whole(name), whole(kind)] for name, kind in kept]
    return {
        "schemas": schemas,
        "functions": [whole(name) for name in names.functions[:MOST_FUNCTIONS]],
        "path": [whole(name) for name in names.search_path],
    }


def earlier(history: Sequence[str]) -> list[str]:
    """Earlier statements, the newest first, as the browser takes them: each once, none that is huge."""
    kept = dict.fromkeys(whole(one) for one in history if one.strip() and len(one) <= MOST_EARLIER)
    return list(kept)[:MOST_HISTORY]


def marked(problem: Problem | None, asked: int) -> dict[str, Any] | None:
    """A problem as the browser takes it. `asked`: the number of the last event, after which it is marked again."""
    if problem is None:
        return None
    message = whole(problem.message)
    if len(message) > MOST_MESSAGE:
        message = f"{message[:MOST_MESSAGE]} …"
    return {
        "position": min(max(problem.position, 0), MOST),
        "message": message,
        "number": f"{problem.number} {asked}",
    }


def name(key: str) -> str:
    """What the browser keeps an editor under: a key may be long and hold anything."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:16]
