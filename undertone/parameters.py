"""Parameters of a person's statement: `:name` in its text, and values that travel beside it, never in it.

`find` says which there are, `bind` turns the text into the one that the server gets, with $1, $2 … in it. What looks
like a parameter and is not, in literals, quoted names, comments, casts (`::`), slices (`a[1:n]`) and SQL/JSON
constructors (`json_object('key': value)`), is left alone.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from undertone import lexer, outcomes

KINDS = ("text", "integer", "number", "boolean", "date", "timestamp")
MOST, MOST_BYTES = 200, 1_000_000  # parameters of a statement, and all their values together

_TYPES = {"text": "text", "number": "numeric", "boolean": "bool", "date": "date", "timestamp": "timestamptz"}
CASTS = (
    dict.fromkeys(("int", "integer", "int2", "int4", "int8", "smallint", "bigint"), "integer")
    | dict.fromkeys(("numeric", "decimal", "real", "float", "float4", "float8", "double"), "number")
    | {"bool": "boolean", "boolean": "boolean", "date": "date", "timestamp": "timestamp", "timestamptz": "timestamp"}
)
_NAME = re.compile(r"[A-Za-z_\u0080-\U0010ffff][A-Za-z_0-9\u0080-\U0010ffff]*")
_INTEGER = re.compile(r"[+-]?[0-9]{1,25}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,9})?|nan|[+-]?inf(inity)?", re.IGNORECASE)
_BOOLEANS = ("true", "false", "t", "f", "yes", "no", "y", "n", "on", "off", "1", "0")
_JSON = ("json_object", "json_objectagg")  # in these a colon stands between a key and its value


class ParameterError(outcomes.StatementRefused):
    """A parameter has no value, or one that is not of its kind; the message names it."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of a statement, and of which kind it most likely is: one of KINDS."""

    name: str
    kind: str


@dataclass(frozen=True)
class Value:
    """What a parameter stands for: PostgreSQL's text for it, read as one of KINDS; None: NULL."""

    kind: str
    value: str | None


@dataclass(frozen=True)
class Sent:
    """A value on its way: the server's type for it and its text. `checked`: nothing is left that could be wrong."""

    name: str
    type: str
    text: str | None
    checked: bool


@dataclass(frozen=True)
class Bound:
    """A statement as the server gets it: `text` with $1 … for `values`."""

    text: str
    values: tuple[Sent, ...] = ()
    _places: tuple[tuple[int, int, int, int], ...] = ()  # start and end here, start and end in the person's text

    def original(self, position: int) -> int:
        """Where in the person's own text a character of `text` comes from; both count from 0."""
        index = bisect.bisect(self._places, (position, len(self.text) + 1)) - 1
        if index < 0:
            return position
        _, end, old_start, old_end = self._places[index]
        return old_start if position < end else position - end + old_end

    def tokens(self) -> list[lexer.Token]:
        """The pieces of `text`, at their places in the person's own."""
        tokens = lexer.tokenise(self.text)
        if not self._places:
            return tokens
        return [replace(token, start=self.original(token.start), end=self.original(token.end)) for token in tokens]

    def message(self, message: str) -> str:
        """A message of the server's, with the names of the parameters in it instead of their numbers."""
        if not self.values:
            return message

        def named(found: re.Match[str]) -> str:
            number = int(found[1])
            return f":{self.values[number - 1].name}" if 0 < number <= len(self.values) else found[0]

        return re.sub(r"\$([0-9]{1,4})(?![0-9])", named, message)


def find(statement: str) -> tuple[Parameter, ...]:
    """The parameters of a statement in the order of their first appearance, once each."""
    tokens = lexer.tokenise(statement)
    found: dict[str, str] = {}
    for index in places(statement, tokens):
        name, kind = _name(statement, tokens[index + 1]), _kind(tokens, index)
        if found.get(name, "text") == "text":
            found[name] = kind
    return tuple(Parameter(name, kind) for name, kind in found.items())


def bind(statement: str, values: Mapping[str, Value], tokens: Sequence[lexer.Token] | None = None) -> Bound:
    """The statement as the server gets it. Values that it does not ask for are left out.

    `tokens` are those of the statement, where somebody has them already. Raises ParameterError.
    """
    tokens = lexer.tokenise(statement) if tokens is None else tokens
    colons = places(statement, tokens)
    if not colons:
        return Bound(statement)
    for token in tokens:
        if token.kind == "parameter":
            raise ParameterError(f"{token.text} at character {token.start + 1} has no name; write :name there, too.")
    sent: dict[str, tuple[int, Sent]] = {}
    pieces: list[str] = []
    moved: list[tuple[int, int, int, int]] = []
    at = length = 0
    for index in colons:
        colon, word = tokens[index], tokens[index + 1]
        name = _name(statement, word)
        if name not in sent:
            if name not in values:
                raise ParameterError(f"The parameter :{name} has no value; give it one.")
            sent[name] = (len(sent) + 1, _checked(name, values[name]))
        before = statement[at : colon.start]
        # A number that touches a name would become a part of it; of the same length, most places stay where they are.
        gap = (
            " " if colon.start and (statement[colon.start - 1].isalnum() or statement[colon.start - 1] in "_$") else ""
        )
        written = f"{gap}${sent[name][0]}".ljust(word.end - colon.start)
        pieces += [before, written]
        length += len(before)
        moved.append((length, length + len(written), colon.start, word.end))
        length += len(written)
        at = word.end
    if len(sent) > MOST:
        raise ParameterError(f"The statement has {len(sent)} parameters; at most {MOST} can be sent.")
    if sum(len((one.text or "").encode()) for _, one in sent.values()) > MOST_BYTES:
        raise ParameterError(f"The values of the parameters are longer than {MOST_BYTES:,} bytes together.")
    return Bound("".join((*pieces, statement[at:])), tuple(one for _, one in sent.values()), tuple(moved))


def _checked(name: str, value: Value) -> Sent:
    """A value that is what it says it is, as far as that can be told here."""
    kind, text = value.kind, value.value
    if kind not in KINDS:
        raise ParameterError(f"The parameter :{name} is of no kind that there is: {', '.join(KINDS)}.")
    type_ = _TYPES.get(kind, "int4")
    if text is None:
        return Sent(name, type_, None, True)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ParameterError(f"The value of :{name} is not valid text; type it again.") from None
    if "\0" in text:
        raise ParameterError(f"The value of :{name} has a character of value 0; take it out.")
    if kind == "text":
        return Sent(name, type_, text, True)
    text = text.strip()
    if kind == "integer":
        if not _INTEGER.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
            raise ParameterError(f"The value of :{name} is no whole number that PostgreSQL can hold.")
        # As PostgreSQL reads a number in a statement: left(text, :n) wants an int4, and there is none for a bigint.
        return Sent(name, type_ if -(2**31) <= int(text) < 2**31 else "int8", text, True)
    if (
        not text
        or (kind == "number" and not _NUMBER.fullmatch(text))
        or (kind == "boolean" and text.lower() not in _BOOLEANS)
    ):
        raise ParameterError(f"The value of :{name} is no {kind}.")
    return Sent(name, type_, text, kind == "boolean")


def places(statement: str, tokens: Sequence[lexer.Token]) -> list[int]:
    """The indexes of the colons that begin a parameter, in order; its name is the token that follows."""
    found: list[int] = []
    # For each open bracket: which one it is, and a colon right behind it, which may be a slice's or a parameter's.
    opened: list[tuple[str, int | None]] = []
    skip = False
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else lexer.Token("mark", "", 0)
        if token.mark and token.mark in "([":
            opened.append((_bracket(tokens, index, opened), None))
        elif token.mark and token.mark in ")]" and opened:
            opened.pop()
        if token.mark != ":" or skip:
            skip = False
            continue
        following = tokens[index + 1] if index + 1 < len(tokens) else None
        if following is None or following.start != token.end:
            touches = False
        elif following.mark in (":", "="):  # a cast, or a named argument
            skip = following.mark == ":"
            continue
        else:
            touches = following.kind == "word" and bool(_NAME.fullmatch(_name(statement, following)))
        inside, first = opened[-1] if opened else ("", None)
        behind_operand = before.kind in ("word", "quoted", "number", "string", "parameter") or before.mark in (")", "]")
        if inside == "[]" and before.mark == "[" and touches:
            opened[-1] = (inside, index)  # a[:n] is a slice; in a[:n:m] only the second colon is one
        elif inside == "[]" and behind_operand:
            if first is not None:
                found.append(first)
                opened[-1] = (inside, None)
        elif inside == "json" and behind_operand and before.text not in ("key", "value"):
            pass
        elif touches:
            found.append(index)
    return sorted(found)


def _bracket(tokens: Sequence[lexer.Token], index: int, opened: Sequence[tuple[str, int | None]]) -> str:
    """What the bracket at `index` holds: "[]" a subscript, "array" elements, "json" keys and values, "" anything."""
    before = tokens[index - 1] if index else None
    if tokens[index].mark == "(":
        return "json" if before is not None and before.kind == "word" and before.text in _JSON else ""
    if before is None or (before.kind == "word" and before.text == "array"):
        return "array"
    if before.mark in ("[", ",") and opened and opened[-1][0] == "array":
        return "array"
    return "[]"


def _kind(tokens: Sequence[lexer.Token], index: int) -> str:
    """What the words around a parameter say about its kind."""

    def text(at: int) -> str:
        return tokens[at].text if 0 <= at < len(tokens) and tokens[at].kind in ("word", "mark") else ""

    after = index + 2
    type_ = -1
    if text(after) == ":" and text(after + 1) == ":":
        type_ = after + 2
    elif text(index - 1) == "(" and text(index - 2) == "cast" and text(after) == "as":
        type_ = after + 1
    if type_ > 0:
        if text(type_) == "pg_catalog" and text(type_ + 1) == ".":
            type_ += 2
        end = type_ + 1
        while text(end) not in ("", "[", ")", ",", ":", ";") and tokens[end].kind == "word":
            end += 1  # double precision, timestamp with time zone
        return "text" if text(end) == "[" or text(type_ + 1) == "array" else CASTS.get(text(type_), "text")
    if text(index - 1) in ("limit", "offset") or (text(index - 2) == "fetch" and text(index - 1) in ("first", "next")):
        return "integer"
    return "text"


def _name(statement: str, token: lexer.Token) -> str:
    return statement[token.start : token.end]
