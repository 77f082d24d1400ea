from __future__ import annotations

from collections.abc import Callable

import pytest

from undertone import database, names_for_editor


def test_names_are_those_that_the_account_may_read(
    execute: Callable[..., object], data_pool: database.Database
) -> None:
    execute(
        'CREATE TABLE reviews (id bigint, "Stars" numeric(3, 1), secret text); CREATE VIEW best AS SELECT 1 AS one;'
        "CREATE TABLE hidden (id int); REVOKE ALL ON hidden, reviews FROM PUBLIC, undertone_reader;"
        'GRANT SELECT (id, "Stars") ON reviews TO undertone_reader'
    )
    found = data_pool.ask(names_for_editor.read)
    assert found.schemas["public"] == {
        "best": (("one", "integer"),),
        "reviews": (("id", "bigint"), ("Stars", "numeric(3,1)")),
    }
    assert ("relname", "name") in found.schemas["pg_catalog"]["pg_class"]
    assert found.complete
    assert "public" in found.search_path


def test_functions_are_those_that_help(execute: Callable[..., object], data_pool: database.Database) -> None:
    execute("CREATE FUNCTION greet() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'hello' $$")
    execute("GRANT EXECUTE ON FUNCTION greet() TO undertone_reader")
    functions = data_pool.ask(names_for_editor.read).functions
    assert {"count", "lower", "date_trunc", "generate_series", "row_number", "jsonb_agg", "random", "greet"} <= set(
        functions
    )
    assert not {"int4pl", "texteq", "boolin", "plpgsql_call_handler", "pg_sleep", "int4larger"} & set(functions)
    assert len(functions) == len(set(functions))


def test_of_many_tables_as_many_columns_are_listed_as_an_editor_can_hold(
    execute: Callable[..., object], data_pool: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute("DO $$ BEGIN FOR n IN 1..200 LOOP EXECUTE format('CREATE TABLE t%s (a int, b text)', n); END LOOP; END $$")
    assert len(data_pool.ask(names_for_editor.read).schemas["public"]) == 200
    monkeypatch.setattr(names_for_editor, "MOST_COLUMNS", 99)
    found = data_pool.ask(names_for_editor.read)
    assert not found.complete
    assert sum(len(columns) for columns in found.schemas["public"].values()) == 99
    assert set(found.schemas) == {"public"}  # what is a person's own comes first


def test_a_search_finds_tables_by_their_name_then_by_their_columns() -> None:
    columns = (("id", "bigint"), ("review_id", "bigint"))
    found = names_for_editor.CatalogNames(
        {
            "public": {"answers": columns, "Reviews": (("id", "bigint"),)},
            "shop": {"old reviews": ()},
            "pg_catalog": {"pg_reviews": ()},
        },
        (),
        (),
    )
    assert found.relations() == [("public", "answers"), ("public", "Reviews"), ("shop", "old reviews")]
    assert found.relations("REVIEW") == [("public", "Reviews"), ("shop", "old reviews"), ("public", "answers")]
    assert found.relations("review shop") == [("shop", "old reviews")]
    assert found.relations("nothing") == []


def test_a_relation_is_written_as_a_statement_needs_it(
    execute: Callable[..., object], data_pool: database.Database
) -> None:
    execute('CREATE SCHEMA "My shop"; CREATE TABLE "My shop"."select" AS SELECT 1 AS one')
    execute(
        'GRANT USAGE ON SCHEMA "My shop" TO undertone_reader; GRANT SELECT ON "My shop"."select" TO undertone_reader'
    )
    statement = names_for_editor.preview("My shop", "select")
    assert statement == 'TABLE "My shop"."select" LIMIT 10'
    with data_pool.lend() as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.fetchall() == [(1,)]
    assert names_for_editor.written("public", "reviews") == "reviews"
