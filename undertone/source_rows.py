"""The rows of a source as scoring reads them: by ranges of keys, by lists of keys, or all of them for a survey.

What a person wrote, a saved query or a condition, goes through the read-only lane like any other statement of theirs;
all else through the pool of the reader's account.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2 import sql

from undertone import console, database, errors, lexer, queries, scores, template, watch

SQL = queries.load("source_rows")
READ_SECONDS = 300.0  # that one chunk's rows may take
SURVEY_SECONDS = 6 * 3600.0  # a sort of a hundred million keys takes minutes
# Of texts that are here at once. The connection waits while they are classified, and the reader's account is thrown out
# after five minutes of that.
SLICE_CHARACTERS = 2_000_000
FETCH_ROWS = 200
ENDLESS = 10**15
# The parser is slow for what is nested, and a list of a thousand keys is not.
LENGTH = 4_000_000
# Of SQLSTATEs: what the row is to blame for, not the statement.
ROW_CLASSES = ("22", "54", "XX")


class SourceError(errors.UndertoneError):
    """Rows that cannot be read as they are described; the message says what to do."""


@dataclass(frozen=True)
class Reader:
    """The ways to the data: a pool of the account that only reads, and the lane for what people write.

    `place` names the database, as sources do; empty: whatever they say.
    """

    data: database.Database
    lane: database.Database | None = None
    limits: console.Limits = dataclasses.field(default_factory=console.Limits)
    place: str = ""


@dataclass(frozen=True)
class Selection:
    """Which rows of a source: all, or those of a condition, or those from a value of a column on.

    `condition` is a person's SQL. `new_by` is the column by which new rows are told, `new_after` its value as text.
    """

    source: scores.Source
    condition: str = ""
    new_by: tuple[str, str] | None = None  # name, type
    new_after: str | None = None

    @property
    def guarded(self) -> bool:
        """Whether a person's SQL is a part of it."""
        return bool(self.source.statement is not None or self.condition)

    @property
    def whole(self) -> bool:
        """Whether no row of the source is left out."""
        return not self.condition and self.new_after is None


@dataclass(frozen=True)
class Row:
    """A row: key and context as text, the beginning of its text, how long that is as a whole, and its MD5."""

    key: scores.Values
    context: scores.Values
    text: str | None
    length: int
    hash: str


@dataclass(frozen=True)
class Range:
    """Keys after `after` (None: from the first) up to and with `last`."""

    after: scores.Values | None
    last: scores.Values


Place = Range | Sequence[scores.Values] | None  # a range, a list of keys, or all

# The hash of no text at all, which is not the hash of an empty one.
NO_TEXT = "00000000000000000000000000000000"
# What a text without anything but blanks has left, in characters. A null has nothing.
_SIZE = sql.SQL("coalesce(length(btrim({}, E' \\t\\n\\r')), 0)")
_HASH = sql.SQL("coalesce(md5({}), {})")


def slices(reader: Reader, selection: Selection, place: Place, most: int) -> Iterator[list[Row]]:
    """The rows at a place, in pieces of a few megabytes; texts come up to `most` characters.

    Raises DatabaseError or StatementError; UnicodeDecodeError for bytes that are no text.
    """
    source = selection.source
    kept = (*source.key, *source.context)
    names = [f"c{number}" for number in range(len(kept))]
    statement = queries.compose(
        SQL.rows,
        kept=listed(sql.SQL("{}::text").format(sql.Identifier("r", name)) for name in names),
        inner_columns=listed(
            sql.SQL("{} AS {}").format(column(one), sql.Identifier(name)) for one, name in zip(kept, names, strict=True)
        ),
        text=text(source),
        most=sql.Literal(most),
        origin=origin(source),
        condition=where(selection, place),
        key=listed(sql.Identifier("r", name) for name in names[: len(source.key)]),
    )
    length = len(source.key)
    piece: list[Row] = []
    characters = 0
    with contextlib.closing(ask(reader, selection, statement, READ_SECONDS)) as found:
        for *values, body, size, digest in found:
            row = Row(tuple(values[:length]), tuple(values[length:]), body, size or 0, digest or NO_TEXT)
            piece.append(row)
            characters += len(body or "")
            if characters >= SLICE_CHARACTERS:
                yield piece
                piece, characters = [], 0
    if piece:
        yield piece


def keys(reader: Reader, selection: Selection, place: Place) -> list[scores.Values]:
    """The keys of the rows at a place, in their order; their texts are not looked at."""
    source = selection.source
    statement = queries.compose(
        SQL.keys,
        keys=listed(sql.SQL("{}::text").format(column(one)) for one in source.key),
        origin=origin(source),
        condition=where(selection, place),
        order=listed(map(column, source.key)),
    )
    return [tuple(row) for row in ask(reader, selection, statement, READ_SECONDS)]


def survey_question(selection: Selection, *, hashes: bool) -> sql.Composed:
    """The question of a survey: key, context, hash and size of every row; without `hashes` the texts are not read."""
    source = selection.source
    body = text(source)
    return queries.compose(
        SQL.survey,
        kept=listed(sql.SQL("{}::text").format(column(one)) for one in (*source.key, *source.context)),
        hash=_HASH.format(body, sql.Literal(NO_TEXT)) if hashes else sql.SQL("NULL"),
        size=_SIZE.format(body) if hashes else sql.SQL("1"),
        origin=origin(source),
        condition=where(selection, None),
        order=listed(map(column, source.key)),
    )


def size(source: scores.Source) -> sql.Composed:
    """How many characters a row's text has without the blanks around it."""
    return _SIZE.format(text(source))


def ask(reader: Reader, selection: Selection, statement: sql.Composed, seconds: float) -> Generator[Sequence[Any]]:
    """The rows of a statement of ours, through the way that the selection needs."""
    return _guarded(reader, statement, seconds) if selection.guarded else _plainly(reader, statement, seconds)


def _plainly(reader: Reader, statement: sql.Composed, seconds: float) -> Generator[Sequence[Any]]:
    with reader.data.lend() as connection:
        settle(connection, seconds)
        with connection.cursor(name="undertone_rows") as cursor:
            # The server has its own limit; a network that stalls says nothing.
            with watch.Watch(connection, seconds, None):
                cursor.execute(statement.as_string(connection).rstrip().rstrip(";"))
            while True:
                with watch.Watch(connection, seconds, None):
                    rows = cursor.fetchmany(FETCH_ROWS)
                if not rows:
                    return
                yield from rows


def _guarded(reader: Reader, statement: sql.Composed, seconds: float) -> Generator[Sequence[Any]]:
    if reader.lane is None:
        raise SourceError("A saved query or a condition can only be read where SQL can be asked")
    with reader.data.lend() as connection:  # quoting needs one
        written = statement.as_string(connection).rstrip().rstrip(";")
    limits = dataclasses.replace(reader.limits, seconds=seconds, rows=ENDLESS, bytes=ENDLESS, length=LENGTH)
    with console.stream(reader.lane, written, limits) as answer:
        for batch in answer:
            yield from batch


def settle(connection: database.Connection, seconds: float) -> None:
    """Let values be written in one way, and statements take so long."""
    with connection.cursor() as cursor:
        cursor.execute(queries.compose(SQL.plain, milliseconds=sql.Literal(int(seconds * 1000))))


def row_fault(error: BaseException) -> str | None:
    """What is wrong with a row, if it is the row that an error comes from; else None."""
    if isinstance(error, UnicodeDecodeError):
        return "it holds bytes that are no text in this database's encoding"
    cause = error.__cause__ if isinstance(error, database.DatabaseError) else error
    if isinstance(cause, psycopg2.Error) and (cause.pgcode or "").startswith(ROW_CLASSES):
        return " ".join((cause.diag.message_primary or str(cause)).split())
    if isinstance(error, console.StatementFailed) and (error.sqlstate or "").startswith(ROW_CLASSES):
        return str(error)
    return None


def origin(source: scores.Source) -> sql.Composable:
    """What rows are selected from."""
    if source.statement is None:
        return sql.Identifier(source.schema, source.relation)
    # On lines of its own: the query may end with a comment.
    return sql.SQL("(\n") + sql.SQL(bare(source.statement)) + sql.SQL("\n)")


def bare(query: str) -> str:
    """A query without the semicolons at its end, as it can stand between parentheses."""
    tokens = lexer.tokenise(query)
    end = len(query)
    while tokens and (tokens[-1].mark == ";" or tokens[-1].kind == "comment"):
        token = tokens.pop()
        end = token.start if token.mark == ";" else end
    return query[:end].strip()


def column(kept: scores.Kept) -> sql.Identifier:
    """A column of the source; its relation is called r, or ORDER BY would take a text that is selected by its name."""
    return sql.Identifier("r", kept.name)


def text(source: scores.Source) -> sql.Composed:
    """The text of a row."""
    if source.template:
        return template.expression(source.text_column)
    return sql.SQL("{}::text").format(sql.Identifier("r", source.text_column))


def where(selection: Selection, place: Place) -> sql.Composable:
    """The condition for the rows of a selection at a place."""
    parts: list[sql.Composable] = []
    if selection.condition:
        parts.append(sql.SQL("(\n") + sql.SQL(selection.condition) + sql.SQL("\n)"))
    if selection.new_by is not None and selection.new_after is not None:
        name, type_ = selection.new_by
        parts.append(
            sql.SQL("{} >= CAST({} AS {}) - {}").format(
                sql.Identifier("r", name), sql.Literal(selection.new_after), sql.SQL(type_), OVERLAP[kind(type_)]
            )
        )
    if isinstance(place, Range):
        parts.append(_between(selection.source, place))
    elif place is not None:
        parts.append(_among(selection.source, place))
    return sql.SQL("WHERE ") + sql.SQL(" AND ").join(parts) if parts else sql.SQL("")


# How far behind the newest row that was seen the next survey begins: transactions that take their time or their number
# first may well commit last.
OVERLAP = {"time": sql.SQL("interval '10 minutes'"), "number": sql.SQL("1000")}


def kind(type_: str) -> str:
    """Whether a column that tells new rows is a time or a number, by its type; "" if it is neither."""
    type_ = re.sub(r"\([0-9,]+\)", "", type_)  # numeric(10,0), timestamp(3) with time zone
    if type_ in scores.TIMES:
        return "time"
    return "number" if type_ in ("smallint", "integer", "bigint", "numeric") else ""


def check_piece(piece: str, what: str) -> None:
    """Raises SourceError unless a piece of SQL can stand between parentheses of ours: a condition, or a query."""
    depth = 0
    for token in lexer.tokenise(piece):
        depth += (token.mark == "(") - (token.mark == ")")
        if depth < 0 or token.mark == ";" or token.kind == "open":
            raise SourceError(f"The {what} must be a single one, without a semicolon and with all it opens closed")
    if depth:
        raise SourceError(f"The {what} has a parenthesis that is not closed")


def _between(source: scores.Source, place: Range) -> sql.Composed:
    key = sql.SQL("({})").format(listed(map(column, source.key)))
    upper = sql.SQL("{} <= ({})").format(key, _typed(source, place.last))
    if place.after is None:
        return upper
    return sql.SQL("{} > ({}) AND {}").format(key, _typed(source, place.after), upper)


def _among(source: scores.Source, wanted: Sequence[scores.Values]) -> sql.Composed:
    # The first row has the types; the others take them over.
    rows = [_typed(source, values) if not number else _untyped(values) for number, values in enumerate(wanted)]
    return sql.SQL("({}) IN (VALUES {})").format(
        listed(map(column, source.key)), listed(sql.SQL("({})").format(row) for row in rows)
    )


def _typed(source: scores.Source, values: scores.Values) -> sql.Composed:
    return listed(
        sql.SQL("CAST({} AS {})").format(sql.Literal(value), sql.SQL(kept.type))
        for value, kept in zip(values, source.key, strict=True)
    )


def _untyped(values: scores.Values) -> sql.Composed:
    return listed(map(sql.Literal, values))


def listed(parts: Any) -> sql.Composed:
    """Several things with commas between them."""
    return sql.SQL(", ").join(parts)
