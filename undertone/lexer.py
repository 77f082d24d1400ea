"""A statement in pieces, as PostgreSQL's lexer would take it apart with standard_conforming_strings = on.

No more than the gate needs: there is no parser here, because the C one may crash the process on hostile text. Nothing
in it is slower than linear and nothing recurses: the text may be anybody's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_START = r"[A-Za-z_\u0080-\U0010ffff]"
_NAME = r"[A-Za-z_0-9$\u0080-\U0010ffff]*+"
_TOKEN = re.compile(
    rf"""(?P<space>[ \t\n\r\f\v]++|--[^\n\r]*+)
    |(?P<comment>/\*)
    |(?P<unicode>[uU]&")
    |(?P<escape>[eE]')
    |(?P<string>(?:[bBxXnN]|[uU]&)?')
    |(?P<quoted>")
    |(?P<parameter>\$[0-9]++)
    |(?P<dollar>\$(?:{_START}[A-Za-z_0-9\u0080-\U0010ffff]*+)?\$)
    |(?P<word>{_START}{_NAME})
    |(?P<number>[0-9][0-9_]*+(?:\.[0-9_]*+)?(?:[eE][+-]?[0-9]++)?)
    |(?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN_REST = re.compile(r"(?:[^']++|'')*+'")
_ESCAPE_REST = re.compile(r"(?:[^'\\]++|\\.|'')*+'", re.DOTALL)
_QUOTED_REST = re.compile(r'((?:[^"]++|"")*+)"')
_COMMENT_MARK = re.compile(r"/\*|\*/")
# A literal goes on, in its own mode, after white space with a line's end in it: E'…' may end later than it seems.
_CONTINUED = re.compile(r"(?:[ \t\f\v]++|--[^\n\r]*+)*+[\n\r](?:[ \t\n\r\f\v]++|--[^\n\r]*+[\n\r])*+'")


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a statement, the characters from `start`, counted from 0, up to `end`.

    `kind`: word (as the server folds it), quoted (a name), unicode (a name written U&"…"), string, number, comment
    (an opening /*), parameter ($1), mark (one other character), or open (a literal or comment that never ends).
    """

    kind: str
    text: str
    start: int
    end: int = 0

    @property
    def names(self) -> bool:
        """Whether it may name something."""
        return self.kind in ("word", "quoted")

    @property
    def mark(self) -> str:
        """The character, if it is a mark, else nothing: a name in quotes may look like one."""
        return self.text if self.kind == "mark" else ""


def tokenise(statement: str) -> list[Token]:
    """The pieces of a statement: white space is left out, of comments only /* is kept, so that it can be counted."""
    tokens: list[Token] = []
    at = 0
    while at < len(statement):
        found = _TOKEN.match(statement, at)
        assert found is not None  # the last alternative takes anything
        kind, start, at = str(found.lastgroup), at, found.end()
        end: int | None = at
        text = found.group()
        if kind == "space":
            continue
        if kind == "comment":
            end, openers = _comment_end(statement, at)
            tokens += [Token("comment", text, start, end or len(statement))] * openers
        elif kind in ("string", "escape"):
            end = _string_end(statement, at, _ESCAPE_REST if kind == "escape" else _PLAIN_REST)
            tokens.append(Token("string", "", start, end or len(statement)))
        elif kind == "dollar":
            closing = statement.find(text, at)
            end = None if closing < 0 else closing + len(text)
            tokens.append(Token("string", "", start, end or len(statement)))
        elif kind in ("quoted", "unicode"):
            rest = _QUOTED_REST.match(statement, at)
            end = rest.end() if rest else None
            name = _truncated(rest[1].replace('""', '"')) if rest else ""
            tokens.append(Token(kind, name, start, end or len(statement)))
        else:
            tokens.append(Token(kind, _folded(text) if kind == "word" else text, start, at))
        if end is None:
            tokens.append(Token("open", "", start, len(statement)))
            break
        at = end
    return tokens


def _comment_end(statement: str, at: int) -> tuple[int | None, int]:
    """Where a comment that was opened before `at` ends, and how many were opened: they nest."""
    depth = openers = 1
    for mark in _COMMENT_MARK.finditer(statement, at):
        depth += 1 if mark.group() == "/*" else -1
        openers += mark.group() == "/*"
        if depth == 0:
            return mark.end(), openers
    return None, openers


def _string_end(statement: str, at: int, rest: re.Pattern[str]) -> int | None:
    while found := rest.match(statement, at):
        continued = _CONTINUED.match(statement, found.end())
        if continued is None:
            return found.end()
        at = continued.end()
    return None


def _folded(word: str) -> str:
    """As the server does it: ASCII letters only, then cut to 63 bytes."""
    return _truncated(re.sub("[A-Z]+", lambda letters: letters.group().lower(), word))


def _truncated(name: str) -> str:
    return name if len(name) < 16 else name.encode()[:63].decode(errors="ignore")
