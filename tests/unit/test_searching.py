"""What searching promises: it finds rows by their texts, by the index that there is, and says where it looks."""

from __future__ import annotations

from collections.abc import Callable

import psycopg2.sql
import pytest

from undertone import catalog, database, queries, reading, relations, searching

ODD = '"W ""x"" 50%"'
Execute = Callable[..., list[tuple[object, ...]]]
ROWS = """
    INSERT INTO {} (id, title, body) VALUES
        (1, 'The printer burns', 'It was burning for 100% of the night'), (2, 'Burnt toast', 'night and day'),
        (3, 'Printer_2', NULL), (17, '', 'a'' b \\ c'), (100, 'Größe', 'NIGHT')
"""


def plan(connection: database.Connection, name: str) -> searching.Search:
    relation = catalog.find(connection, name)
    return searching.plan(connection, relation, relations.fields(connection, relation))


def ids(connection: database.Connection, name: str, text: str) -> list[object]:
    relation = catalog.find(connection, name)
    where = searching.compose(plan(connection, name), text)
    assert where is not None
    statement = queries.compose(
        relations.SQL.sample,
        columns=psycopg2.sql.SQL("id"),
        relation=relation.identifier,
        condition=psycopg2.sql.SQL("WHERE ") + where,
        limit=psycopg2.sql.Literal(100),
    )
    return sorted(row[0] for row in reading.read(connection, relation, statement))


def test_without_an_index_every_word_must_occur_in_some_text(data: database.Connection, execute: Execute) -> None:
    execute("CREATE TABLE plain (id int PRIMARY KEY, title text, n int, body varchar(99))")
    execute(ROWS.format("plain"))
    found = plan(data, "plain")
    assert (found.how, found.indexed, found.columns, found.others) == ("pattern", False, ("title", "body"), 0)
    assert found.words == "every row is compared, no index serves it: title, body"
    for text, expected in (
        ("PRINTER", [1, 3]),
        ("printer night", [1]),
        ('"printer night"', []),
        ('"of the night" BURN', [1]),
        ("100%", [1]),
        ("printer_", [3]),
        ("100", [1, 100]),
        (" 17 ", [17]),
        ("99999999999999999999", []),
        ("a'", [17]),
        ("\\", [17]),
        ("größe", [100]),
        ("{} %s", []),
        ('"', []),
        ("toast or", []),
    ):
        assert ids(data, "plain", text) == expected, text
    for text in ("", "  \n", "\t"):
        assert searching.compose(found, text) is None
    for text in ("\0", "a\0b", "\ud800", "x" * 501, "x " * 17):
        with pytest.raises(searching.SearchError):
            searching.compose(found, text)


def test_an_index_of_words_is_used_as_it_is_made(data: database.Connection, execute: Execute) -> None:
    execute(
        "CREATE TABLE spoken (id int PRIMARY KEY, title text, body text);"
        "CREATE INDEX ON spoken USING gin (to_tsvector('english', coalesce(title, '') || ' ' || coalesce(body, '')));"
        f'CREATE TABLE {ODD} (id int PRIMARY KEY, title text, body text, "it\'s" tsvector GENERATED ALWAYS AS'
        " (setweight(to_tsvector('german', coalesce(title, '')), 'A')) STORED);"
        f'CREATE INDEX ON {ODD} USING gist ("it\'s");'
        "CREATE TABLE apart (id text PRIMARY KEY, title text, body text, note text);"
        "CREATE INDEX ON apart USING gin (to_tsvector('simple', title), to_tsvector('simple', body))"
    )
    for table in ("spoken", ODD, "apart"):
        execute(ROWS.format(table))
    assert plan(data, "spoken").words == "full-text index on title, body"
    assert plan(data, "spoken").vectors[0].config == "english"
    for text, expected in (
        ("burn printers", [1]),
        ("burning -toast", [1]),
        ("toast or printer_2", [2, 3]),
        ('"night and day"', [2]),
        ("17", [17]),
        ("burn in the toaster'; --", []),
    ):
        assert ids(data, "spoken", text) == expected, text
    german = plan(data, ODD)
    assert (german.words, german.vectors[0].config) == ('full-text index on "it\'s"', "german")
    assert ids(data, ODD, "Größen") == [100]
    assert plan(data, "apart").words == "full-text indexes on title, body; 2 other texts are not"
    assert ids(data, "apart", "night") == ["1", "100", "2"]
    assert ids(data, "apart", "17") == ["17"]
    for table, text in (("spoken", "burn"), (ODD, "Größe"), ("apart", "night")):
        where = searching.compose(plan(data, table), text)
        assert where is not None
        assert "Index" in explained(data, table, where), table


def explained(connection: database.Connection, table: str, where: psycopg2.sql.Composable) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(psycopg2.sql.SQL(f"EXPLAIN SELECT FROM {table} AS r WHERE ") + where)
        return "\n".join(row[0] for row in cursor.fetchall())


def test_an_index_of_trigrams_is_used(data: database.Connection, execute: Execute) -> None:
    execute(
        "CREATE EXTENSION pg_trgm; CREATE TABLE threes (id int PRIMARY KEY, title text, body varchar, note text);"
        "CREATE INDEX ON threes USING gin (title gin_trgm_ops, body gin_trgm_ops)"
    )
    execute(ROWS.format("threes"))
    found = plan(data, "threes")
    assert found.words == "trigram indexes on title, body; another text is not searched"
    assert (found.how, found.indexed) == ("trigram", True)
    assert ids(data, "threes", "rinte BURN") == [1]
    where = searching.compose(found, "rinte night")
    assert where is not None
    assert "Bitmap Index Scan" in explained(data, "threes", where)


def test_an_index_that_does_not_serve_every_row_and_every_reader_is_none(
    data: database.Connection, execute: Execute
) -> None:
    execute(
        "CREATE FUNCTION public.mine(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1';"
        "CREATE TABLE part (id int PRIMARY KEY, title text, body text, secret text);"
        "CREATE INDEX ON part USING gin (to_tsvector('english', title)) WHERE id > 5;"
        "CREATE INDEX ON part USING gin (to_tsvector('english', mine(title)));"
        "CREATE DOMAIN checked AS text CHECK (mine(value) <> '');"
        "CREATE INDEX ON part USING gin (to_tsvector('english', (title::checked)::text));"
        "CREATE INDEX ON part USING gin (to_tsvector('english', secret));"
        "REVOKE SELECT ON part FROM PUBLIC, undertone_reader; GRANT SELECT (id, title) ON part TO undertone_reader"
    )
    found = plan(data, "part")
    assert (found.how, found.columns) == ("pattern", ("title",))


def test_no_more_columns_are_compared_than_there_is_time_for(data: database.Connection, execute: Execute) -> None:
    execute(f"CREATE TABLE wide (id int, {', '.join(f'c{number} text' for number in range(40))})")
    execute("CREATE TABLE none (id int PRIMARY KEY); INSERT INTO none VALUES (5); CREATE TABLE nothing ()")
    found = plan(data, "wide")
    assert (len(found.columns), found.others) == (32, 8)
    assert found.words.endswith("c0, c1, c2, c3, c4 and 27 more; only the first 32 texts are")
    assert ids(data, "wide", "x") == []
    assert plan(data, "none").words == "there is no text to search in"
    assert ids(data, "none", "5") == [5]
    for table in ("none", "nothing"):
        with pytest.raises(searching.SearchError, match=f"{table} has no column of texts"):
            searching.compose(plan(data, table), "x")
    relation = catalog.find(data, "none")
    data.rollback()
    execute("DROP TABLE none")
    with pytest.raises(catalog.CatalogError, match="no longer there"):
        searching.plan(data, relation, [])
