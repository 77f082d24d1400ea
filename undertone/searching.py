"""Free text over the rows of a relation: in the way that its indexes serve, else by comparing every row.

1. Full text, where there is an index of words (a tsvector, or an expression that makes one): the words in any form of
   theirs, all of them in one text; `or`, `-word` and "a phrase" as in a web search. Words that the language says in
   every sentence are not looked for.
2. Trigrams, where columns have an index of those, and else
3. patterns: every word occurs in some of the columns, in any case, also as a part of another word; "a phrase" as it
   stands.

Only what an index covers is looked through where there is one; `Search.words` says so. A search that is a value of a
relation's key of one column finds the row that has it, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import psycopg2.sql

from undertone import condition_sql, database, errors, names, queries, relations

SQL = queries.load("searching")
MOST_COLUMNS = 32  # that patterns are looked for in
MOST_WORDS, MOST_CHARACTERS = 16, 500
FULL_TEXT, TRIGRAM, PATTERN, NOTHING = "full text", "trigram", "pattern", "nothing"
TERM = re.compile(r'"([^"]*\S[^"]*)"|(\S+)')
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
SHOWN = 5  # names in words


class SearchError(errors.UndertoneError):
    """A text that cannot be searched for, or a relation in which nothing can be."""


@dataclass(frozen=True)
class Vector:
    """Something indexed as words: a column, or an expression of the server's own text; its configuration, if known."""

    field: relations.Field | None
    expression: str | None
    config: str | None


@dataclass(frozen=True)
class Search:
    """How a relation is searched: FULL_TEXT, TRIGRAM, PATTERN, or NOTHING where it has no text.

    `columns` are those that are looked through, `others` how many more texts there are. `indexed`: an index serves it.
    """

    label: str
    how: str
    columns: tuple[str, ...]
    others: int
    fields: tuple[relations.Field, ...] = ()
    vectors: tuple[Vector, ...] = ()
    key: relations.Field | None = None

    @property
    def indexed(self) -> bool:
        """Whether an index serves it."""
        return self.how in (FULL_TEXT, TRIGRAM)

    @property
    def words(self) -> str:
        """How it is searched, in words, to stand in a sentence. It is plain text."""
        if self.how == NOTHING:
            return "there is no text to search in"
        listed = ", ".join(names.quoted(name) for name in self.columns[:SHOWN])
        if len(self.columns) > SHOWN:
            listed += f" and {len(self.columns) - SHOWN} more"
        if self.how == PATTERN:
            first = f"; only the first {MOST_COLUMNS} texts are" if self.others else ""
            return f"every row is compared, no index serves it: {listed}{first}"
        kind = "full-text" if self.how == FULL_TEXT else "trigram"
        plural = "es" if len(self.vectors or self.fields) > 1 else ""
        others = {0: "", 1: "; another text is not searched"}.get(self.others, f"; {self.others} other texts are not")
        return f"{kind} index{plural} on {listed}{others}"


def plan(connection: database.Connection, relation: relations.Relation, fields: Sequence[relations.Field]) -> Search:
    """How to search a relation, from its catalogue alone. Raises CatalogError when it is gone."""
    found = SQL.indexes(connection, schema=relation.schema, name=relation.name)
    by_name = {field.column.name: field for field in fields}
    key = [by_name[name] for name in relations.key(connection, relation) if name in by_name]
    number = key[0] if len(key) == 1 else None
    texts = [field for field in fields if field.column.category == "text"]

    vectors = dict.fromkeys(
        (Vector(by_name.get(column), expression, config.replace("''", "'") if config else None), tuple(made))
        for words, column, expression, config, made in found
        if words
    )
    if vectors:
        columns = tuple(dict.fromkeys(name for _, made in vectors for name in made))
        # Of a column of vectors nobody knows what texts they come from.
        unknown = any(vector.field is not None for vector, _ in vectors)
        others = 0 if unknown else sum(field.column.name not in columns for field in texts)
        only = tuple(vector for vector, _ in vectors)
        return Search(relation.label, FULL_TEXT, columns, others, vectors=only, key=number)

    served = {column for words, column, *_ in found if not words and column in by_name}
    chosen = [field for field in texts if field.column.name in served] or texts[:MOST_COLUMNS]
    how = (TRIGRAM if served else PATTERN) if chosen else NOTHING
    listed = tuple(field.column.name for field in chosen)
    return Search(relation.label, how, listed, len(texts) - len(chosen), fields=tuple(chosen), key=number)


def compose(search: Search, text: str) -> psycopg2.sql.Composed | None:
    """That a row has the text, as a condition of SQL about the relation, which is called r there; None for no text.

    An expression of an index names columns without the r, so there may be nothing else in the statement that has any.
    Raises SearchError for a text that no server could read, or that is too long, and where there is nothing to search.
    """
    if not text.strip():
        return None
    if "\0" in text or text.encode(errors="ignore").decode() != text:
        raise SearchError("The search has a character that no text in a database has; type it again.")
    terms = [phrase.strip() or word for phrase, word in TERM.findall(text)]
    if len(terms) > MOST_WORDS or len(text) > MOST_CHARACTERS:
        raise SearchError(
            f"At most {MOST_WORDS} words and {MOST_CHARACTERS} letters can be searched for at once; shorten it, or put"
            " a phrase in double quotes."
        )
    found: list[psycopg2.sql.Composable] = []
    if search.vectors:
        found = [_words(vector, text) for vector in search.vectors]
    elif search.fields:
        found = [_all(_some(search.fields, term) for term in terms)]
    if (same := _same(search.key, text.strip(), search.fields)) is not None:
        found.append(same)
    if not found:
        raise SearchError(f"{search.label} has no column of texts to search in.")
    return _any(found)


def _words(vector: Vector, text: str) -> psycopg2.sql.Composed:
    if vector.field is not None:
        made: psycopg2.sql.Composable = vector.field.expression
    else:
        # As the index has it, or it would not serve. Its columns have no r in front, and need none.
        made = psycopg2.sql.SQL("({})").format(psycopg2.sql.SQL(vector.expression or ""))
    config = psycopg2.sql.SQL("")
    if vector.config is not None:
        config = psycopg2.sql.SQL("{}::regconfig, ").format(psycopg2.sql.Literal(vector.config))
    return psycopg2.sql.SQL("{} @@ websearch_to_tsquery({}{})").format(made, config, psycopg2.sql.Literal(text))


def _some(fields: Sequence[relations.Field], term: str) -> psycopg2.sql.Composed:
    like = psycopg2.sql.SQL("{} ILIKE {}")
    pattern = condition_sql.pattern("%{}%", term)
    return _any([like.format(condition_sql.text_of(field), pattern) for field in fields])


def _same(key: relations.Field | None, text: str, searched: Sequence[relations.Field]) -> psycopg2.sql.Composed | None:
    """That it is the row with this key, where the text could be one."""
    if key is None or key in searched:
        return None
    if (
        key.column.category == "text"
        or (key.base in condition_sql.INTEGERS and condition_sql.WHOLE.fullmatch(text))
        or (key.base == "uuid" and UUID.fullmatch(text))
    ):
        return condition_sql.compose(key, "eq", [text])
    return None


def _any(parts: Sequence[psycopg2.sql.Composable]) -> psycopg2.sql.Composed:
    joined = psycopg2.sql.SQL(" OR ").join(parts)
    return joined if len(parts) == 1 else psycopg2.sql.SQL("({})").format(joined)


def _all(parts: Iterable[psycopg2.sql.Composable]) -> psycopg2.sql.Composed:
    return psycopg2.sql.SQL(" AND ").join(list(parts))
