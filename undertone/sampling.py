"""Where counts come from: from all rows where that is quick, else from a sample of them, which says that it is one.

A sample of a table is of whole blocks from everywhere, the same ones each time (TABLESAMPLE SYSTEM, REPEATABLE), so
what is counted of one column goes with what is counted of another. Of views and foreign tables it is the first rows
that the server comes to, which may not be like the others.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg2
import psycopg2.sql

from undertone import database, queries, reading, relations

SQL = queries.load("facets")
ROWS, FEW = 100_000, 5_000  # of a sample, and of one for which there is little time
# In units of the planner: what costs less is read whole. It takes about a fifth of a second.
QUICK = 20_000.0
LOCK_MILLISECONDS = 250
SEED = 17
SAMPLEABLE = ("table", "partitioned table", "materialised view")
NOTHING = psycopg2.sql.SQL("")

T = TypeVar("T")


class TooSlow(relations.CatalogError):
    """Not even a sample could be counted in time."""


@dataclass(frozen=True)
class Sample:
    """What counts come from that are not of all rows: about `rows` of `of`, None where nobody knows how many those are.

    `first`: the first ones that the server came to, not rows from everywhere.
    """

    rows: int
    of: int | None
    first: bool

    @property
    def words(self) -> str:
        """As in "counted in …". It is plain text."""
        if self.first:
            return f"the first {self.rows:,} rows"
        return f"a sample of about {self.rows:,}" + (f" of {self.of:,} rows" if self.of else " rows")


@dataclass(frozen=True)
class Source:
    """Rows to count: what stands behind FROM, called r, and a condition on it with its WHERE. `sample` None: all."""

    rows: psycopg2.sql.Composable
    condition: psycopg2.sql.Composable
    sample: Sample | None = None


def whole(relation: relations.Relation, where: psycopg2.sql.Composable | None = None) -> Source:
    """All rows of a relation, or those under a condition."""
    return Source(psycopg2.sql.SQL("{} AS r").format(relation.identifier), _condition(where))


def first(
    relation: relations.Relation,
    fields: Sequence[relations.Field],
    rows: int,
    where: psycopg2.sql.Composable | None = None,
) -> Source:
    """The first rows that the server comes to, and of these those under a condition."""
    inner = psycopg2.sql.SQL("(SELECT {} FROM {} AS r LIMIT {}) AS r").format(
        reading.listed(field.expression for field in fields), relation.identifier, psycopg2.sql.Literal(rows)
    )
    return Source(inner, _condition(where), Sample(rows, relation.rows, first=True))


def sources(
    connection: database.Connection,
    relation: relations.Relation,
    fields: Sequence[relations.Field],
    value: psycopg2.sql.Composable,
    where: psycopg2.sql.Composable | None = None,
) -> list[Source]:
    """Where to count `value`, the best first: each of the others takes less time than the one before it.

    Raises CatalogError when the relation or a column is not there.
    """
    cost, rows, foreign = _expected(connection, relation, value, None)
    own = cost if where is None else _expected(connection, relation, value, where)[0]
    found = [whole(relation, where)] if own <= QUICK else []
    for most in (ROWS, FEW) if not found else (FEW,):
        share = min(most / max(rows, 1), QUICK / max(cost, 1.0) * most / ROWS)
        if relation.kind not in SAMPLEABLE or foreign:
            found.append(first(relation, fields, most, where))
        elif share < 0.5:
            sampled = psycopg2.sql.SQL("{} AS r TABLESAMPLE SYSTEM ({}) REPEATABLE ({})").format(
                relation.identifier, psycopg2.sql.Literal(round(share * 100, 6)), psycopg2.sql.Literal(SEED)
            )
            about = Sample(_rounded(rows * share), _rounded(rows), first=False)
            found.append(Source(sampled, _condition(where), about))
    return found or [first(relation, fields, FEW, where)]


def ask(
    connection: database.Connection,
    relation: relations.Relation,
    found: Sequence[Source],
    seconds: float,
    question: Callable[[Source], T],
) -> T:
    """What `question` finds in the first of these sources that it gets through in time.

    Raises TooSlow where there is none, or somebody holds the relation exclusively.
    """
    until = time.monotonic() + seconds
    for number, source in enumerate(found):
        left = max(until - time.monotonic(), seconds / 10)
        share = left / 2 if number + 1 < len(found) else left
        with contextlib.suppress(psycopg2.errors.QueryCanceled), limited(connection, relation, share):
            return question(source)
    raise TooSlow(
        f"Counting this in {relation.label} takes longer than {seconds:g} s, even in a few of its rows. Narrow it down"
        " by a filter on a column that has an index."
    )


@contextlib.contextmanager
def limited(connection: database.Connection, relation: relations.Relation, seconds: float) -> Iterator[None]:
    """As `relations.within`; a table that somebody holds is said to be."""
    try:
        with relations.within(connection, max(1, int(seconds * 1000)), lock=LOCK_MILLISECONDS):
            yield
    except psycopg2.errors.LockNotAvailable as error:
        raise TooSlow(
            f"Somebody holds {relation.label} exclusively, as while it is altered; try again when that has ended."
        ) from error


def _expected(
    connection: database.Connection,
    relation: relations.Relation,
    value: psycopg2.sql.Composable,
    where: psycopg2.sql.Composable | None,
) -> tuple[float, int, bool]:
    """What reading a column costs, in units of the planner; how many rows there are, and whether some are elsewhere."""
    statement = queries.compose(SQL.expected, value=value, relation=relation.identifier, condition=_condition(where))
    with limited(connection, relation, 5.0):
        ((text,),) = reading.read(connection, relation, statement, given=where is not None)
    plan = (json.loads(text) if isinstance(text, str) else text)[0]["Plan"]
    return plan["Total Cost"], int(plan["Plan Rows"]), any(node["Node Type"] == "Foreign Scan" for node in _nodes(plan))


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _condition(where: psycopg2.sql.Composable | None) -> psycopg2.sql.Composable:
    return NOTHING if where is None else psycopg2.sql.SQL("WHERE {}").format(where)


def _rounded(rows: float) -> int:
    """A number that nobody knows exactly, to three digits."""
    return int(float(f"{rows:.3g}"))
