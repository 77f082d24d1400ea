"""The body of a function in SQL or PL/pgSQL: what it mentions, and why it may not be judged by that."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from undertone import called, lexer

# Statements that neither a READ ONLY transaction nor its end makes harmless; only a volatile function can give them.
COMMANDS = frozenset(("analyze", "analyse", "checkpoint", "copy", "lock", "load", "listen", "notify", "vacuum"))
# What a statement in a body may follow.
STARTS = frozenset((";", "begin", "then", "else", "loop", ">"))
# These calls turn a text into a value of a type that another text, or a number, names.
BY_NAME = frozenset(("pg_input_is_valid", "pg_input_error_info")).union(
    f"{kind}_{way}" for kind in ("domain", "array", "record", "range", "multirange") for way in ("in", "recv")
)


@dataclass(frozen=True)
class Mentions:
    """What a text names: what it may call, every name, every operator's sign.

    `domains`: whether it may make a value of a type that it does not name. `unknown`: why that is not all.
    """

    calls: tuple[called.Call, ...]
    names: frozenset[str]
    operators: frozenset[str]
    domains: bool = False
    unknown: str | None = None


def of_statement(tokens: list[lexer.Token]) -> Mentions:
    """What a statement names."""
    tokens = [token for token in tokens if token.kind != "comment"]
    return _mentions(tokens, called.calls(tokens))


@functools.lru_cache(maxsize=512)
def of_body(text: str, variables: tuple[str, ...], volatile: bool) -> Mentions:
    """What a function's text names; `variables` is what it calls its arguments."""
    tokens = [token for token in lexer.tokenise(text) if token.kind != "comment"]
    return _mentions(tokens, called.calls(tokens, variables), _unknown(tokens, volatile))


def _mentions(tokens: list[lexer.Token], calls: Iterable[called.Call], unknown: str | None = None) -> Mentions:
    found = dict.fromkeys(calls)
    names = {token.text for token in tokens if token.names}
    # Where a character is one byte the server folds letters that are not ASCII, too.
    found.update(
        dict.fromkeys(
            dataclasses.replace(call, name=call.name.lower()) for call in list(found) if not call.name.isascii()
        )
    )
    names.update([name.lower() for name in names if not name.isascii()])
    return Mentions(
        tuple(found), frozenset(names), frozenset(called.operators(tokens)), not BY_NAME.isdisjoint(names), unknown
    )


def _unknown(tokens: list[lexer.Token], volatile: bool) -> str | None:
    if any(token.kind in ("unicode", "open") for token in tokens):
        return 'has names written as U&"…" or a quote without an end, so that its text cannot be followed'
    if any(token.text == "standard_conforming_strings" for token in tokens):
        return "changes how texts are read, so that its own cannot be followed"
    before = lexer.Token("mark", ";", 0)
    for token, following in itertools.pairwise([*tokens, lexer.Token("mark", ";", 0)]):
        if token.kind == "word" and before.text != ".":
            if token.text == "execute":
                return "runs a text as a statement (EXECUTE), which cannot be known before"
            if token.text == "do" and (following.kind == "string" or following.text == "language"):
                return "runs a block of code (DO)"
            name = following.kind in ("quoted", "string") or following.mark in ("(", ";")
            name = name or (following.kind == "word" and following.text not in ("else", "end", "when", "then"))
            if volatile and token.text in COMMANDS and before.text in STARTS and name:
                return f"gives the command {token.text.upper()}"
        before = token
    return None
