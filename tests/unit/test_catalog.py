"""What the catalogue promises about relations, columns and keys, to an account that may only SELECT."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg2.sql
import pytest

from undertone import catalog, database, names, relations

Execute = Callable[..., list[tuple[object, ...]]]
READER = "undertone_reader"

WEIRD = [
    "Reviews",
    "weird name",
    'say "hi"',
    "a.b.c",
    "100%",
    "%s %(name)s",
    "{braces}",
    "back\\slash",
    "semi;colon--",
    "отзывы",
    "レビュー",
    "مراجعات",
    "😀",
    "select",
    "x" * 63,
    "é" * 31,
    " padded ",
    "$1",
    "1st",
    "new\nline",
]


def make(execute: Execute, name: str, columns: str = "id int PRIMARY KEY, body text") -> None:
    execute(psycopg2.sql.SQL("CREATE TABLE {} (" + columns + ")").format(psycopg2.sql.Identifier(name)))


def listed(pool: database.Database) -> dict[str, catalog.Relation]:
    return {relation.label: relation for relation in pool.ask(catalog.relations)}


def test_every_kind_of_relation_is_listed_public_first(data_pool: database.Database, execute: Execute) -> None:
    execute(f"""
        CREATE TABLE plain (id int PRIMARY KEY); COMMENT ON TABLE plain IS 'A table.';
        CREATE VIEW a_view AS SELECT 1 AS one;
        CREATE MATERIALIZED VIEW a_matview AS SELECT 1 AS one;
        CREATE TABLE split (id int) PARTITION BY RANGE (id);
        CREATE TABLE split_1 PARTITION OF split FOR VALUES FROM (0) TO (10);
        CREATE TABLE scores.plain (id int);
        CREATE SEQUENCE not_a_table; CREATE TYPE neither AS (x int);
        CREATE SCHEMA app; CREATE TABLE app.plain (id int);
        GRANT USAGE ON SCHEMA app TO {READER}; GRANT SELECT ON ALL TABLES IN SCHEMA app TO {READER};
    """)
    found = data_pool.ask(catalog.relations)
    assert [(relation.label, relation.kind) for relation in found] == [
        ("a_matview", "materialised view"),
        ("a_view", "view"),
        ("plain", "table"),
        ("split", "partitioned table"),
        ("app.plain", "table"),
        ("scores.plain", "table"),
    ]
    assert found[2].comment == "A table."
    assert found[1].rows is None
    assert found[1].bytes is None


def test_what_may_not_be_read_is_not_hinted_at(data_pool: database.Database, execute: Execute) -> None:
    execute(f"""
        CREATE TABLE secret (id int); REVOKE ALL ON secret FROM {READER};
        CREATE SCHEMA closed; CREATE TABLE closed.t (id int); GRANT SELECT ON closed.t TO {READER};
        CREATE TABLE halves (id int PRIMARY KEY, shown text, hidden text); REVOKE ALL ON halves FROM {READER};
        GRANT SELECT (shown) ON halves TO {READER};
    """)
    assert list(listed(data_pool)) == ["halves"]
    with data_pool.lend() as connection:
        halves = catalog.find(connection, "halves")
        assert [column.name for column in catalog.columns(connection, halves)] == ["shown"]
        assert catalog.key(connection, halves) == ()
        assert catalog.count(connection, halves) == 0
        assert catalog.page(connection, halves, size=5).rows == []
        for name in ("secret", "closed.t"):
            with pytest.raises(catalog.CatalogError, match="no table or view") as caught:
                catalog.find(connection, name)
            assert "Near" not in str(caught.value)


def test_temporary_tables_are_left_out(store_pool: database.Database) -> None:
    with store_pool.lend() as connection:
        connection.cursor().execute("CREATE TEMPORARY TABLE passing (id int)")
        assert "passing" not in {relation.name for relation in catalog.relations(connection)}


def test_rows_are_counted_where_they_are_few_and_estimated_where_analysed(
    data_pool: database.Database, execute: Execute
) -> None:
    execute("""
        CREATE TABLE few (id int) WITH (autovacuum_enabled = false); INSERT INTO few SELECT generate_series(1, 7);
        CREATE TABLE many (id int) WITH (autovacuum_enabled = false);
        INSERT INTO many SELECT generate_series(1, 50000); ANALYZE many;
        INSERT INTO many SELECT generate_series(1, 50000);
        CREATE TABLE split (id int) PARTITION BY RANGE (id);
        CREATE TABLE split_1 PARTITION OF split FOR VALUES FROM (0) TO (10);
        CREATE TABLE split_2 PARTITION OF split FOR VALUES FROM (10) TO (20);
        INSERT INTO split SELECT i % 20 FROM generate_series(1, 500) AS i; ANALYZE split;
        CREATE TABLE none (id int);
    """)
    found = listed(data_pool)
    assert found["few"].rows == 7
    assert found["many"].rows == pytest.approx(100_000, rel=0.01)
    assert found["many"].bytes == pytest.approx(3_600_000, rel=0.1)
    assert found["split"].rows == 500
    ((size,),) = execute("SELECT sum(pg_total_relation_size(r)) FROM unnest('{split_1,split_2}'::regclass[]) AS r")
    assert found["split"].bytes == size
    assert found["none"].rows == 0
    with data_pool.lend() as connection:
        assert catalog.count(connection, found["many"]) == 100_000


def test_a_large_table_never_analysed_is_listed_without_a_count(
    data_pool: database.Database, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relations, "COUNT_BYTES", 10_000)
    execute("CREATE TABLE large (id int) WITH (autovacuum_enabled = false)")
    execute("INSERT INTO large SELECT generate_series(1, 1000)")
    assert listed(data_pool)["large"].rows is None


def test_a_table_that_somebody_holds_is_listed_with_the_others(
    data_pool: database.Database, store_pool: database.Database, execute: Execute
) -> None:
    execute("CREATE TABLE held (id int); CREATE TABLE loose (id int); INSERT INTO held VALUES (1)")
    with store_pool.lend() as connection:
        connection.cursor().execute("LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
        assert list(listed(data_pool)) == ["held", "loose"]
        assert data_pool.ask(catalog.find, "held").name == "held"


def test_any_name_is_found_by_its_label_and_by_itself(data_pool: database.Database, execute: Execute) -> None:
    for name in (*WEIRD, "c", "B", "a"):
        make(execute, name)
    found = {relation.name: relation for relation in data_pool.ask(catalog.relations)}
    for name in WEIRD:
        relation = found[name]
        execute(f"SELECT * FROM {relation.label}")  # as SQL writes it
        with data_pool.lend() as connection:
            assert catalog.find(connection, relation.label) == relation
            assert catalog.find(connection, name) == relation
            assert catalog.find(connection, f"public.{name}") == relation
            assert catalog.columns(connection, relation)[1].name == "body"
            assert catalog.key(connection, relation) == ("id",)
            assert catalog.count(connection, relation) == 0
            assert catalog.page(connection, relation, size=5).rows == []


@pytest.mark.parametrize(
    ("schema", "name", "label"),
    [
        ("public", "reviews", "reviews"),
        ("app", "reviews", "app.reviews"),
        ("public", "a.b", '"a.b"'),
        ("My App", "Order", '"My App"."Order"'),
        ("public", "order", '"order"'),
        ("public", "отзывы", "отзывы"),
        ("public", "Отзывы", '"Отзывы"'),
        ("public", 'a"b', '"a""b"'),
    ],
)
def test_a_label_is_quoted_only_where_it_must_be(schema: str, name: str, label: str) -> None:
    assert catalog.Relation(schema, name, "table", None, None, None).label == label


def test_every_word_that_the_server_reserves_is_quoted(execute: Execute) -> None:
    for (word,) in execute("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')"):
        assert names.quoted(str(word)) == f'"{word}"'


def test_an_exact_name_goes_before_a_folded_one_and_public_before_the_rest(
    data_pool: database.Database, execute: Execute
) -> None:
    execute('CREATE TABLE reviews (id int); CREATE TABLE "Reviews" (id int); CREATE TABLE scores.reviews (id int)')
    execute('CREATE TABLE scores.once (id int); CREATE TABLE public."scores.reviews" (id int)')

    def found(name: str) -> tuple[str, str]:
        relation = data_pool.ask(catalog.find, name)
        return relation.schema, relation.name

    assert found("reviews") == ("public", "reviews")
    assert found("Reviews") == ("public", "Reviews")
    assert found("REVIEWS") == ("public", "reviews")
    assert found("PUBLIC.Reviews") == ("public", "reviews")
    assert found("scores.reviews") == ("scores", "reviews")
    assert found('"scores.reviews"') == ("public", "scores.reviews")
    assert found("once") == ("scores", "once")
    assert found(" once ") == ("scores", "once")


def test_a_name_that_is_in_several_schemas_asks_which(data_pool: database.Database, execute: Execute) -> None:
    execute(f"""
        CREATE SCHEMA one; CREATE SCHEMA two; CREATE TABLE one.t (id int); CREATE TABLE two.t (id int);
        GRANT USAGE ON SCHEMA one, two TO {READER}; GRANT SELECT ON one.t, two.t TO {READER};
    """)
    with pytest.raises(catalog.CatalogError, match=r"say which one: one\.t, two\.t"):
        data_pool.ask(catalog.find, "t")


@pytest.mark.parametrize("name", ["revews", "public.review", "REVIEW"])
def test_a_name_that_is_not_there_brings_the_near_ones(
    data_pool: database.Database, execute: Execute, name: str
) -> None:
    execute("CREATE TABLE reviews (id int); CREATE TABLE orders (id int); CREATE TABLE scores.reviews_body (id int)")
    with pytest.raises(catalog.CatalogError, match=r"Near to it: reviews\b") as caught:
        data_pool.ask(catalog.find, name)
    assert "orders" not in str(caught.value)


def test_no_name_breaks_the_search(data_pool: database.Database) -> None:
    for name in [
        "",
        ".",
        '"',
        '""',
        "a.b.c.d",
        "x\0y",
        "\ud83d",
        "%s",
        "'; DROP TABLE x",
        "a\nb",
        "x" * 300,
        "{}",
    ]:
        with pytest.raises(catalog.CatalogError, match="There is no table or view") as caught:
            data_pool.ask(catalog.find, name)
        assert "\n" not in str(caught.value)
        str(caught.value).encode()


def test_system_relations_and_partitions_are_found_by_name(data_pool: database.Database, execute: Execute) -> None:
    execute("CREATE TABLE split (id int) PARTITION BY RANGE (id)")
    execute("CREATE TABLE split_1 PARTITION OF split FOR VALUES FROM (0) TO (10)")
    assert data_pool.ask(catalog.find, "pg_catalog.pg_class").kind == "table"
    assert data_pool.ask(catalog.find, "information_schema.tables").kind == "view"
    assert data_pool.ask(catalog.find, "split_1").kind == "table"
    with pytest.raises(catalog.CatalogError):
        data_pool.ask(catalog.find, "pg_class")


def test_columns_say_their_type_category_default_and_comment(data_pool: database.Database, execute: Execute) -> None:
    execute("""
        CREATE EXTENSION citext;
        CREATE DOMAIN filled AS text NOT NULL; CREATE DOMAIN stars AS smallint;
        CREATE TYPE mood AS ENUM ('sad', 'happy');
        CREATE TABLE t (
            id bigint GENERATED ALWAYS AS IDENTITY, gone int, body filled, short varchar(10) NOT NULL, code char(3),
            ci citext, rating stars DEFAULT 3, price numeric(8, 2), f float8, o oid, at timestamptz DEFAULT now(),
            d date, clock time, span interval, yes boolean, j json, jb jsonb, raw bytea, m mood, tags text[],
            ip inet, u uuid, twice int GENERATED ALWAYS AS (gone * 2) STORED, n name
        );
        COMMENT ON COLUMN t.price IS 'In EUR.';
        ALTER TABLE t DROP COLUMN twice, DROP COLUMN gone;
        ALTER TABLE t ADD COLUMN doubled int GENERATED ALWAYS AS (rating * 2) STORED;
    """)
    with data_pool.lend() as connection:
        found = {column.name: column for column in catalog.columns(connection, catalog.find(connection, "t"))}
    assert {name: column.category for name, column in found.items()} == {
        "id": "number", "body": "text", "short": "text", "code": "text", "ci": "text", "rating": "number",
        "price": "number", "f": "number", "o": "number", "at": "time", "d": "time", "clock": "other", "span": "other",
        "yes": "boolean", "j": "json", "jb": "json", "raw": "bytes", "m": "other", "tags": "other", "ip": "other",
        "u": "other", "n": "text", "doubled": "number",
    }  # fmt: skip
    assert found["price"] == catalog.Column("price", "numeric(8,2)", "number", True, None, "In EUR.")
    assert found["short"] == catalog.Column("short", "character varying(10)", "text", False, None, None)
    assert found["body"].type == "filled"
    assert not found["body"].nullable
    assert found["at"].default == "now()"
    assert found["id"].default == "generated always as identity"
    assert "rating" in str(found["doubled"].default)


@pytest.mark.parametrize(
    ("definition", "key"),
    [
        ("id int PRIMARY KEY, other int NOT NULL UNIQUE", ("id",)),
        ("a int, b text, PRIMARY KEY (b, a)", ("b", "a")),
        ("a int NOT NULL, b int NOT NULL, c int NOT NULL UNIQUE, UNIQUE (a, b)", ("c",)),
        ("a int NOT NULL, b int NOT NULL, UNIQUE (a, b)", ("a", "b")),
        ("a int UNIQUE, b text", ()),
        ("a int NOT NULL, b int, UNIQUE (a, b)", ()),
        ("a int NOT NULL, b int NOT NULL, UNIQUE (a) INCLUDE (b)", ("a",)),
        ("a int", ()),
        ("", ()),
    ],
)
def test_the_key_is_the_primary_key_or_a_unique_one_without_nulls(
    data_pool: database.Database, execute: Execute, definition: str, key: tuple[str, ...]
) -> None:
    make(execute, "t", definition)
    with data_pool.lend() as connection:
        assert catalog.key(connection, catalog.find(connection, "t")) == key


def test_an_index_over_some_rows_or_over_expressions_is_no_key(data_pool: database.Database, execute: Execute) -> None:
    execute("""
        CREATE TABLE t (a int NOT NULL, b text NOT NULL);
        CREATE UNIQUE INDEX ON t (a) WHERE a > 0; CREATE UNIQUE INDEX ON t (lower(b)); CREATE INDEX ON t (a);
    """)
    with data_pool.lend() as connection:
        assert catalog.key(connection, catalog.find(connection, "t")) == ()


def test_a_key_that_heirs_repeat_is_none(data_pool: database.Database, execute: Execute) -> None:
    execute("CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE heir () INHERITS (parent)")
    execute("INSERT INTO parent VALUES (1); INSERT INTO heir VALUES (1)")
    with data_pool.lend() as connection:
        parent = catalog.find(connection, "parent")
        assert catalog.key(connection, parent) == ()
        assert len(catalog.page(connection, parent, size=5).rows) == 2


def test_a_partitioned_table_has_the_key_of_the_whole(data_pool: database.Database, execute: Execute) -> None:
    execute("CREATE TABLE split (id int PRIMARY KEY) PARTITION BY RANGE (id)")
    execute("CREATE TABLE split_1 PARTITION OF split FOR VALUES FROM (0) TO (10)")
    with data_pool.lend() as connection:
        assert catalog.key(connection, catalog.find(connection, "split")) == ("id",)


QUESTIONS: list[Callable[..., object]] = [
    catalog.columns,
    catalog.key,
    catalog.count,
    catalog.text_columns,
    lambda connection, relation: catalog.page(connection, relation, size=5),
    lambda connection, relation: catalog.propose_context(connection, relation, "body"),
    lambda connection, relation: catalog.rows_by_key(connection, relation, ["body"], [("1",)]),
]


@pytest.mark.parametrize("loss", ["DROP TABLE t", f"REVOKE SELECT ON t FROM {READER}", "ALTER TABLE t RENAME TO other"])
def test_a_table_that_went_between_two_clicks_is_one_clear_line(
    data_pool: database.Database, execute: Execute, loss: str
) -> None:
    make(execute, "t")
    relation = data_pool.ask(catalog.find, "t")
    execute(loss)
    for question in QUESTIONS:
        with pytest.raises(
            catalog.CatalogError, match=r"^t is no longer there, or this account may no longer"
        ) as caught:
            data_pool.ask(question, relation)
        assert "\n" not in str(caught.value)


def test_two_thousand_tables_are_listed(data_pool: database.Database, execute: Execute) -> None:
    for start in range(0, 2000, 500):
        execute(
            "DO $$ BEGIN FOR i IN %s..%s LOOP EXECUTE format('CREATE TABLE t_%%s (id int, body text)', i);"
            " END LOOP; END $$",
            (start, start + 499),
        )
    found = data_pool.ask(catalog.relations)
    assert len(found) == 2000
    assert {relation.rows for relation in found} == {0}


def test_a_short_question_leaves_the_transaction_as_it_was(store_pool: database.Database, execute: Execute) -> None:
    execute("CREATE TABLE t (id int)")
    with store_pool.lend() as connection, connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '77s'; INSERT INTO t VALUES (1)")
        with pytest.raises(psycopg2.errors.QueryCanceled), relations.within(connection, 20):
            cursor.execute("SELECT pg_sleep(5)")
        catalog.relations(connection)
        cursor.execute("SELECT count(*), current_setting('statement_timeout') FROM t")
        assert cursor.fetchone() == (1, "77s")


def test_a_connection_without_transactions_will_do(data_pool: database.Database, execute: Execute) -> None:
    make(execute, "t")
    with data_pool.lend() as connection:
        connection.autocommit = True
        relation = catalog.find(connection, "t")
        assert catalog.relations(connection) == [relation]
        assert catalog.page(connection, relation, size=5).rows == []
        assert catalog.text_columns(connection, relation) == []
        assert connection.info.transaction_status == psycopg2.extensions.TRANSACTION_STATUS_IDLE


def test_questions_run_side_by_side(data_pool: database.Database, execute: Execute) -> None:
    make(execute, "t")
    answers: list[list[catalog.Relation]] = []
    threads = [threading.Thread(target=lambda: answers.append(data_pool.ask(catalog.relations))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(answer) for answer in answers] == [1] * 10


def test_a_source_is_meant_before_its_scores(data_pool: database.Database, execute: Execute) -> None:
    execute("CREATE SCHEMA feedback")
    execute("GRANT USAGE ON SCHEMA feedback TO undertone_reader")
    for schema in ("feedback", "scores"):
        execute(f"CREATE TABLE {schema}.letters (id int PRIMARY KEY)")
        execute(f"GRANT SELECT ON {schema}.letters TO undertone_reader")
    with data_pool.lend() as connection:
        assert catalog.find(connection, "letters").label == "feedback.letters"
        assert catalog.find(connection, "scores.letters").label == "scores.letters"
