"""Which columns hold what people wrote, and which ones to see its scores by.

Judged from a few hundred values and from what the last ANALYZE noted. Names of columns only break ties: databases are
not all in English.
"""

from __future__ import annotations

import dataclasses
import re
import statistics
import unicodedata
from collections.abc import Iterable, Sequence

import psycopg2
import psycopg2.sql

from undertone import database, queries, reading, relations

SQL = relations.SQL
SAMPLE = 200  # values that a column is judged by
SAMPLE_CHARACTERS = 400  # of each
SAMPLE_MILLISECONDS = 1_000
MORE = 1_000  # rows to count distinct values in, where ANALYZE has not
CATEGORIES, NUMBERS = 5, 3  # proposed at most
CATEGORY_VALUES = 50  # with more distinct values than this it is no category
MOMENT = ("timestamp with time zone", "timestamp without time zone", "date")
# The moment at which somebody wrote comes before those at which a row was touched.
WRITTEN = re.compile(
    r"creat|writ|post|publish|submit|sent|receiv|answer|open|ask|review|comment|date|time|_at$|_on$", re.I
)
TOUCHED = re.compile(r"updat|modif|chang|delet|clos|expir|sync|import|load|due|end|birth", re.I)
RATING = re.compile(r"rat(e|ing)|score|star|grade|point|satisf|nps|csat|priorit|level|vote|helpful|likes?$", re.I)
IDENTIFIER = re.compile(r"(^|_)(id|uuid|guid|key|no|nr|number|code|hash|token)$|(?<=[a-z])(Id|ID|Uuid|UUID)$")
# Scripts that put no spaces between words; two characters of them are about one.
UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")

AROUND = re.compile(r"^[\W_]+|[\W_]+$")  # punctuation around a word
INSIDE = "'-\N{RIGHT SINGLE QUOTATION MARK}"


@dataclasses.dataclass(frozen=True)
class _Prose:
    """What a column's values are like, as texts."""

    words: float  # a value of the upper half has so many: among short "ok"s there may be few that are written out
    mean: float  # words a value, the longest ones counted as 60
    running: float  # share of words that do not begin with a capital: titles, names and addresses have few
    distinct: float  # share of the values that are unlike all before

    @property
    def likely(self) -> bool:
        return self.words >= 4 and self.running >= 0.45 and self.distinct >= 0.3

    @property
    def rank(self) -> float:
        return self.mean * self.distinct


def text_columns(connection: database.Connection, relation: relations.Relation) -> list[str]:
    """The columns that hold prose, what looks most like it first; ids, categories, names, addresses and links are none.

    Judged by some 200 values each, for at most a second, and by how many values differ; where that is not to be had in
    time, every text column without a length is listed. An empty relation has none. Raises CatalogError when it is gone.
    """
    fields = relations.fields(connection, relation)
    if not fields:
        relations.identity(connection, relation)
    texts = [field for field in fields if field.column.category == "text" and field.base != "name"]
    sampled = _samples(connection, relation, texts, SAMPLE)
    if sampled is None:
        return [field.column.name for field in texts if "(" not in field.column.type]
    counted = _distinct(connection, relation)
    judged: dict[str, _Prose] = {}
    for name, values in sampled.items():
        prose = _judge(values)
        if prose.likely and not (0 < counted.get(name, 0) <= 20 and len(values) >= 3 * counted[name]):
            judged[name] = prose
    return sorted(judged, key=lambda name: -judged[name].rank)


def propose_context(connection: database.Connection, relation: relations.Relation, text_column: str) -> list[str]:
    """Columns to see the scores of a text by: a time, up to five categories of few values, up to three numbers.

    Never the key or another unique column, a reference to another table, prose, or what looks like an identifier.
    Raises CatalogError when the relation or the text column is not there.
    """
    key, _ = relations.identity(connection, relation)
    fields = relations.fields(connection, relation)
    relations.pick(relation, fields, [text_column])
    taken = {
        text_column,
        *key,
        *(row[0] for row in SQL.references(connection, schema=relation.schema, name=relation.name)),
    }
    free = [field for field in fields if field.column.name not in taken]
    times = [field for field in free if field.column.category == "time"]
    groups = [field for field in free if field.column.category in ("text", "boolean", "number") or field.enum]
    groups = [field for field in groups if not IDENTIFIER.search(field.column.name)]
    sampled = _samples(connection, relation, [*times, *groups], MORE) or {}
    counted = _distinct(connection, relation)
    prose = {name for name, values in sampled.items() if _judge(values).likely}

    def distinct(field: relations.Field) -> float:
        """How many values there are; endlessly many where nearly every row has its own."""
        values = sampled.get(field.column.name, [])
        seen = len(set(values))
        known = max(counted.get(field.column.name, 0), seen)
        return known if len(values) >= 2 * seen or len(values) < 10 else max(known, float("inf"))

    categories = [
        field
        for field in groups
        if field.column.category != "number"
        and field.column.name not in prose
        and 2 <= distinct(field) <= CATEGORY_VALUES
        and max(map(len, sampled.get(field.column.name, [""])), default=0) <= 60
    ]
    numbers = [
        field
        for field in groups
        if field.column.category == "number"
        and (2 <= distinct(field) <= CATEGORY_VALUES or (RATING.search(field.column.name) and distinct(field) >= 2))
    ]
    numbers.sort(key=lambda field: not RATING.search(field.column.name))
    times = [field for field in times if sampled.get(field.column.name)]
    times.sort(key=_unlike_the_time_of_writing)
    proposed = [*times[:1], *categories[:CATEGORIES], *numbers[:NUMBERS]]
    return [field.column.name for field in proposed]


def _unlike_the_time_of_writing(field: relations.Field) -> tuple[bool, bool, bool, int]:
    name = field.column.name
    return (
        bool(TOUCHED.search(name)),
        field.column.nullable,
        not WRITTEN.search(name),
        MOMENT.index(field.base),
    )


def _judge(values: Sequence[str]) -> _Prose:
    counts: list[float] = []
    running = words = 0
    for value in values:
        found = list(_words(value))
        unspaced = len(UNSPACED.findall(value)) / 2
        counts.append(len(found) + unspaced)
        words += len(found) + int(unspaced)
        running += sum(not unicodedata.category(word[0]).startswith(("Lu", "Lt")) for word in found) + int(unspaced)
    if not counts or not words:
        return _Prose(0, 0, 0, 0)
    upper = sorted(counts)[len(counts) * 3 // 4]
    mean = statistics.fmean(min(count, 60) for count in counts)
    return _Prose(upper, mean, running / words, len(set(values)) / len(values) if len(values) >= 8 else 1.0)


def _words(value: str) -> Iterable[str]:
    """What stands between spaces and is made of letters, but for the punctuation around: no link, number or path."""
    if value[:1] in "{[":
        return
    for token in value.split():
        word = AROUND.sub("", token)
        if (
            word
            and all(c.isalpha() or c in INSIDE or unicodedata.combining(c) for c in word)
            and not UNSPACED.search(word)
        ):
            yield word


def _samples(
    connection: database.Connection,
    relation: relations.Relation,
    fields: Sequence[relations.Field],
    most: int,
) -> dict[str, list[str]] | None:
    """Some values of each column as text, those that are NULL or blank left out. None where the time was not enough."""
    if not fields:
        return {}
    sampled: dict[str, list[str]] = {}
    try:
        with relations.within(connection, SAMPLE_MILLISECONDS):
            for field, values in zip(fields, _sample(connection, relation, fields, most), strict=True):
                sampled[field.column.name] = values
        for field in fields:
            if len(sampled[field.column.name]) < 20:  # perhaps the rows that were looked at are the empty ones
                with relations.within(connection, SAMPLE_MILLISECONDS // 4):
                    (sampled[field.column.name],) = _sample(connection, relation, [field], most, filled=True)
    except psycopg2.Error:  # a view may fail in any way, and this is only a proposal
        if connection.closed:
            raise
        return sampled or None
    return sampled


def _sample(
    connection: database.Connection,
    relation: relations.Relation,
    fields: Sequence[relations.Field],
    most: int,
    *,
    filled: bool = False,
) -> list[list[str]]:
    condition = (
        psycopg2.sql.SQL("WHERE {} IS NOT NULL").format(fields[0].expression) if filled else psycopg2.sql.SQL("")
    )
    head = psycopg2.sql.SQL("left(({})::text, {})")
    length = psycopg2.sql.Literal(SAMPLE_CHARACTERS)
    statement = queries.compose(
        SQL.sample,
        columns=reading.listed(head.format(field.expression, length) for field in fields),
        relation=relation.identifier,
        condition=condition,
        limit=psycopg2.sql.Literal(most),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        found = cursor.fetchall()
    return [[row[n] for row in found if row[n] and not row[n].isspace()] for n in range(len(fields))]


def _distinct(connection: database.Connection, relation: relations.Relation) -> dict[str, float]:
    """How many distinct values the last ANALYZE found; where it found a share of the rows, endlessly many."""
    rows = SQL.statistics(connection, schema=relation.schema, name=relation.name)
    return {name: distinct if distinct > 0 else float("inf") for name, _, distinct in rows}
