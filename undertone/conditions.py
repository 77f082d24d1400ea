"""Conditions on the rows of a relation: what a person filters by, as data, as SQL and in words.

A condition is a column, an operator and the values that somebody gave, as text; conditions are combined by "all of" and
"any of". They travel in links as JSON (`pack`, `unpack`), and nothing of them is believed until `compose` has held them
against the columns that there are. What the operators mean: `operators.py`; their SQL: `condition_sql.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg2
import psycopg2.sql

from undertone import condition_sql, condition_times, database, names, queries, relations
from undertone import operators as known

# What a caller needs, under one roof.
ConditionError = known.ConditionError
Operator = known.Operator
OPERATORS = known.OPERATORS
UNITS, DAY_UNITS = known.UNITS, known.DAY_UNITS
operators = known.operators

SQL = queries.load("conditions")
MOST_DEEP, MOST_CONDITIONS = 5, 100
CHECK_MILLISECONDS = 2_000
MOST_SHOWN = 60  # characters of a value in words
BROKEN = "These conditions are no link's, or it was cut short."


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

    At the top "and" is left out, and so are groups that say nothing. Raises ConditionError for more than a link may
    hold, and for a condition that no operator makes.
    """
    _check(group)
    packed = _packed(group)
    return json.dumps(packed if group.any else packed[1:], ensure_ascii=True, separators=(",", ":"))


def unpack(text: str) -> Group:
    """The group that a link holds. Raises ConditionError for anything that `pack` did not make."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list):
        raise ConditionError(BROKEN)
    group = _group(value if value[:1] == ["or"] else ["and", *value], MOST_DEEP)
    _check(group)
    return group


def each(group: Group) -> Iterator[Condition]:
    """All conditions of a group and of the groups in it."""
    for part in group.parts:
        if isinstance(part, Group):
            yield from each(part)
        else:
            yield part


def without(group: Group, condition: Condition) -> Group:
    """The group without a condition, wherever in it, and without groups that are empty then."""
    parts: list[Condition | Group] = []
    for part in group.parts:
        if isinstance(part, Group):
            part = without(part, condition)
            if part:
                parts.append(part)
        elif part != condition:
            parts.append(part)
    return Group(tuple(parts), group.any)


def anchored(fields: Sequence[relations.Field], group: Group, zone: str | None) -> Group:
    """The same conditions with times that mean the same everywhere: what a link should hold.

    Times without an offset that are given for a `timestamp with time zone` are those of `zone`, an IANA name, and get
    its offset; days alone become the times at which they begin and end.
    """
    by_name = {field.column.name: field for field in fields}
    parts: list[Condition | Group] = []
    for part in group.parts:
        if isinstance(part, Group):
            parts.append(anchored(fields, part, zone))
        elif (field := by_name.get(part.column)) is None:
            parts.append(part)
        else:
            choices = condition_times.settle(field, part.operator, part.values, zone)
            found = tuple(Condition(part.column, operator, values) for operator, values in choices)
            parts.append(found[0] if len(found) == 1 else Group(found, any=True))
    return Group(tuple(parts), group.any)


def compose(
    fields: Sequence[relations.Field], group: Group, *, relation: relations.Relation, zone: str | None = None
) -> psycopg2.sql.Composed | None:
    """The group as a condition of SQL about the relation, which is called r there; None where it says nothing.

    `zone`: as of `anchored`; without it times without an offset are those of the server's. Raises CatalogError for a
    column that is not there, and ConditionError for an operator that does not fit its column, or for values that no
    server could read. Values that are none of their type are found by the server: by `check`, or as the statement runs.
    """
    return _joined(fields, anchored(fields, group, zone), relation) if group else None


def check(
    connection: database.Connection,
    relation: relations.Relation,
    fields: Sequence[relations.Field],
    group: Group,
    *,
    zone: str | None = None,
) -> None:
    """Raises what `compose` raises, and ConditionError, which names column and value, for one that its type has not.

    No row is read, and the transaction is as good as before.
    """
    compose(fields, group, relation=relation, zone=zone)
    by_name = {field.column.name: field for field in fields}
    probes = [
        (condition, value, probe)
        for condition in each(anchored(fields, group, zone))
        for value, probe in condition_sql.probes(by_name[condition.column], condition.operator, condition.values)
    ]
    if not probes or _refusal(connection, [probe for _, _, probe in probes]) is None:
        return
    for condition, value, probe in probes:
        if said := _refusal(connection, [probe]):
            raise ConditionError(condition_sql.misfit(by_name[condition.column], condition.operator, value, said))


def word(condition: Condition) -> str:
    """A condition in words: `status is open`, `opened_at is in the last 7 days`. It is plain text, of any letters."""
    operator = OPERATORS.get(condition.operator)
    words = operator.words if operator else _line(condition.operator)
    values = [_shown(value) for value in condition.values]
    if condition.operator == "between":
        said = " and ".join(values)
    elif condition.operator == "last":
        said = " ".join(_line(value) for value in condition.values)
    else:
        said = ", ".join(values[:10]) + (f" and {len(values) - 10} more" if len(values) > 10 else "")
    return " ".join(part for part in (_line(condition.column), words, said) if part)


def words(group: Group) -> str:
    """All conditions of a group in one line; "" where it says nothing."""
    said = []
    for part in group.parts:
        if isinstance(part, Condition):
            said.append(word(part))
        elif part:
            several = sum(1 for _ in each(part)) > 1
            said.append(f"({words(part)})" if several else words(part))
    return (" or " if group.any else " and ").join(said)


def _joined(
    fields: Sequence[relations.Field], group: Group, relation: relations.Relation
) -> psycopg2.sql.Composed | None:
    found: list[psycopg2.sql.Composable] = []
    for part in group.parts:
        if isinstance(part, Condition):
            (field,) = relations.pick(relation, fields, [part.column])
            found.append(condition_sql.compose(field, part.operator, part.values))
        elif (inner := _joined(fields, part, relation)) is not None:
            found.append(inner)
    if not found:
        return None
    if len(found) == 1:
        return psycopg2.sql.Composed(found)
    return psycopg2.sql.SQL("({})").format(psycopg2.sql.SQL(" OR " if group.any else " AND ").join(found))


def _refusal(connection: database.Connection, probes: Sequence[psycopg2.sql.Composable]) -> str | None:
    """What the server has against some values, or None."""
    listed = psycopg2.sql.SQL(", ").join(probes)
    try:
        with relations.within(connection, CHECK_MILLISECONDS), connection.cursor() as cursor:
            cursor.execute(queries.compose(SQL.check, values=listed))
    except (psycopg2.DataError, psycopg2.ProgrammingError, psycopg2.NotSupportedError) as error:
        return str(error.diag.message_primary or error)
    return None


def _packed(group: Group) -> list[Any]:
    parts = (part for part in group.parts if isinstance(part, Condition) or part)
    return [
        "or" if group.any else "and",
        *(_packed(part) if isinstance(part, Group) else [part.column, part.operator, *part.values] for part in parts),
    ]


def _group(value: list[Any], deep: int) -> Group:
    if not deep or value[:1] not in (["and"], ["or"]):
        raise ConditionError(BROKEN)
    parts: list[Condition | Group] = []
    for part in value[1:]:
        if not isinstance(part, list) or not part:
            raise ConditionError(BROKEN)
        if all(isinstance(text, str) for text in part) and len(part) > 1:
            parts.append(Condition(part[0], part[1], tuple(part[2:])))
        else:
            parts.append(_group(part, deep - 1))
    return Group(tuple(parts), value[0] == "or")


def _check(group: Group) -> None:
    """Raises ConditionError for more than a link may hold, and for a condition that is none."""
    if _depth(group) > MOST_DEEP or sum(1 for _ in each(group)) > MOST_CONDITIONS:
        raise ConditionError(f"These are more than {MOST_CONDITIONS} conditions, or more than {MOST_DEEP} deep.")
    for condition in each(group):
        known.check(names.line(condition.column), condition.operator, condition.values)


def _depth(group: Group) -> int:
    return 1 + max((_depth(part) for part in group.parts if isinstance(part, Group)), default=0)


def _line(text: str) -> str:
    line = " ".join(text.encode(errors="replace").decode().replace("\0", "?").split())
    return line if len(line) <= MOST_SHOWN else line[: MOST_SHOWN - 1] + "…"


def _shown(value: str) -> str:
    """A value in one line, in quotes where it could be taken for something else."""
    line = _line(value)
    plain = line == value and line and not any(mark in line for mark in (",", "“", "”", " and ", " or ", "…"))
    return line if plain else f"“{line}”"
