"""What a statement, or the body of a function, may call: functions by name or as an attribute, operators by their sign.

From words (`lexer.py`), in one pass. Where words cannot tell, more is found than is called, never less.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from undertone import lexer

QUERIES = ("select", "with", "values", "table")
# In FROM these give a value, too, and not by a name of their own.
UNNAMED = re.compile(
    r"cast|coalesce|collation|current_\w+|extract|greatest|json|json_\w+|least|localtime|localtimestamp|merge_action"
    r"|normalize|nullif|overlay|position|session_user|substring|system_user|treat|trim|user|xml\w+"
)
# What the server calls such a value where nobody has named it, and it is not the word itself.
RENAMED = ("btrim", "ltrim", "rtrim", "pg_collation_for")
SIGNS = frozenset("+-*/<>=~!@#%^&|`?")
# A sign of several characters ends in + or - only if one of these is in it.
SPECIAL = frozenset("~!@#%^&|`?")
# What LIKE, IN, BETWEEN, CASE, NULLIF, ORDER BY and their like call without a sign.
IMPLIED = frozenset(("=", "<>", "<", ">", "<=", ">=", "~~", "!~~", "~~*", "!~~*", "~", "!~"))
LONGEST = 63  # bytes of a name


@dataclass(frozen=True, slots=True)
class Overload:
    """With how many arguments a function may be called.

    `most` None: any number. `shadowed`: some column has the same name, which then is what x.name means. `takes_row`:
    whether a row may be what it is called with; `any_row`: also a row that has no such column.
    """

    least: int
    most: int | None
    shadowed: bool = False
    takes_row: bool = True
    any_row: bool = False

    def takes(self, call: Call) -> bool:
        """Whether `call` most likely calls it: x.name means the column, wherever there is one."""
        return self._fits(call) and not (call.attribute and self.shadowed)

    def may_take(self, call: Call) -> bool:
        """Whether `call` can call it at all."""
        column = call.attribute and self.shadowed and not self.any_row and not call.of_value
        return self._fits(call) and not column

    def _fits(self, call: Call) -> bool:
        enough = self.least <= call.arguments and (self.most is None or call.arguments <= self.most)
        return enough and (self.takes_row or not call.of_row)


@dataclass(frozen=True, slots=True)
class Call:
    """A name that may call a function: name(…), or as an attribute, x.name, which calls name(x).

    `of_row`: x can be nothing but a row, of a table or of a query. `of_value`: it may be a value that has no columns.
    """

    name: str
    arguments: int
    attribute: bool
    of_row: bool = False
    of_value: bool = False


def calls(tokens: Sequence[lexer.Token], variables: Collection[str] | None = None) -> Iterator[Call]:
    """Whatever `tokens`, which have no comments, may call.

    `variables`: what a function calls its arguments, if the tokens are a body's; they are values, and what else is a
    row cannot be told there. In one pass: counting the arguments of each call by itself would be quadratic in their
    nesting.
    """
    opened: list[tuple[str | None, int]] = []  # for each open bracket: whose call it is, and where
    commas = [0]
    values, sure = _values(tokens)
    if variables is not None:
        values, sure = values.union(variables), False
    before = lexer.Token("mark", "", 0)

    def attribute(index: int) -> Call:
        of = tokens[index - 2] if index > 1 else before
        named = of.names and (index == 2 or tokens[index - 3].mark != ":")
        value = not named or of.text in values
        return Call(tokens[index].text, 1, attribute=True, of_row=sure and not value, of_value=value)

    for index, token in enumerate(tokens):
        mark = token.mark
        if before.names and index > 1 and mark != "(" and tokens[index - 2].mark == ".":
            yield attribute(index - 1)
        if mark and mark in "([":
            opened.append((before.text if before.names and mark == "(" else None, index))
            commas.append(0)
        elif mark and mark in ")]" and opened:
            name, start = opened.pop()
            count = commas.pop()
            if name is not None:
                yield Call(name, 0 if index == start + 1 else count + 1, attribute=False)
        elif mark == ",":
            commas[-1] += 1
        before = token
    if before.names and len(tokens) > 1 and tokens[-2].mark == ".":
        yield attribute(len(tokens) - 1)
    for (name, _), count in zip(opened, commas[1:], strict=True):
        if name is not None:
            yield Call(name, count + 1, attribute=False)


def operators(tokens: Sequence[lexer.Token]) -> set[str]:
    """The operators that `tokens` write as signs, taken apart as the server does."""
    found: set[str] = set()
    run, end = "", -1
    for token in [*tokens, lexer.Token("mark", "", -1)]:
        if run and (token.start != end or token.mark not in SIGNS):
            found.update(_signs(run))
            run = ""
        if token.mark in SIGNS:
            run, end = run + token.mark, token.end
    return found


def _signs(run: str) -> Iterator[str]:
    """The operators in characters that touch: 2*-1 has two."""
    # Without a special one among them, no operator but + and - ends in these.
    first = run.rstrip("+-") if SPECIAL.isdisjoint(run) else run
    for sign in filter(None, (first, *run[len(first) :])):
        yield "<>" if sign == "!=" else sign[:LONGEST]


def _values(tokens: Sequence[lexer.Token]) -> tuple[set[str], bool]:
    """The names that FROM may have given to a function's value, which x in x.name is then, and whether these are all.

    Such a value is called as the function is, or as what follows its bracket says. Everything else in FROM is a row.
    """
    names: set[str] = set()
    opened: list[int] = []
    query = False  # whether the last bracket to be closed was a query's
    sure = True
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else lexer.Token("mark", "", 0)
        if token.kind == "word" and UNNAMED.fullmatch(token.text):
            sure = False
            names.update(RENAMED, (token.text,))
        named = tokens[index - 2] if before.text == "as" and index > 1 else before
        if token.names and (
            (named.mark == ")" and not query)
            or named.text == "ordinality"
            or (named.kind == "word" and UNNAMED.fullmatch(named.text))
        ):
            names.add(token.text)
        elif token.mark == "(":
            opened.append(index)
            # f(…), but not AS x (…) nor ) x (…): the columns of x.
            earlier = tokens[index - 2] if index > 1 else before
            if before.names and not (earlier.text == "as" or earlier.mark == ")"):
                names.add(before.text)
        elif token.mark == ")" and opened:
            start = opened.pop()
            following = tokens[start + 1].text
            query = following in (*QUERIES, "(") and (
                start == 0 or not tokens[start - 1].names or _from(tokens, start - 1)
            )
            if not sure and before.names:
                names.add(before.text)  # CAST(… AS name) is called as its type is
    return names, sure


def _from(tokens: Sequence[lexer.Token], index: int) -> bool:
    """Whether a query may follow there: after FROM and its like, but not after ROWS FROM."""
    word = tokens[index]
    rows = index > 0 and tokens[index - 1].text == "rows"
    return word.kind == "word" and word.text in ("from", "join", "lateral") and not rows
