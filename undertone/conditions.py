"""Conditions on the rows of a relation: what a person filters by, as data, as SQL and in words.

A condition is a column, an operator and the values that somebody gave, as text; conditions are combined by "all of" and
"any of". They travel in links as JSON (`pack`, `unpack`), and nothing of them is believed until `compose` has held them
against the columns that there are.
"""

from __future__ import annotations

from dataclasses import dataclass

from undertone import errors


class ConditionError(errors.UndertoneError):
    """A condition that does not fit its column, or a link that holds none."""


@dataclass(frozen=True)
class Condition:
    """What a column's value must be. `operator` is one of OPERATORS, `values` as many texts as it takes."""

    column: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Conditions of which all must hold, or with `any` at least one; none of them lets every row pass."""

    parts: tuple[Condition | Group, ...] = ()
    any: bool = False

    def __bool__(self) -> bool:
        """Whether it says anything."""
        return any(isinstance(part, Condition) or bool(part) for part in self.parts)


EVERY = Group()


def pack(group: Group) -> str:
    """The JSON of a group, for a link: `["and", part, …]` or `["or", part, …]`, a part `[column, operator, value …]`.

    At the top "and" is left out.
    """
    raise NotImplementedError


def unpack(text: str) -> Group:
    """The group that a link holds. Raises ConditionError for anything that `pack` did not make."""
    raise NotImplementedError
