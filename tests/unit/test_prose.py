"""Which columns are told to hold prose, and which are proposed to see its scores by."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest

from undertone import catalog, database, prose

Execute = Callable[..., list[tuple[object, ...]]]
DEMO = pathlib.Path(__file__).parent.parent.parent / "sql" / "demo"
TABLES = ["products", "customers", "orders", "order_items", "reviews", "support_tickets", "survey_answers"]


@pytest.fixture(params=["analysed", "never analysed"])
def demo(request: pytest.FixtureRequest, store_pool: database.Database, execute: Execute) -> None:
    with store_pool.lend() as connection, connection.cursor() as cursor:
        cursor.execute((DEMO / "schema.sql").read_text(encoding="utf-8"))
        for table in TABLES:
            with (DEMO / f"{table}.csv").open(encoding="utf-8") as file:
                cursor.copy_expert(f"COPY {table} FROM STDIN WITH (FORMAT csv, HEADER)", file)
        if request.param == "analysed":
            cursor.execute("ANALYZE")
        connection.commit()


@pytest.mark.usefixtures("demo")
def test_the_texts_of_the_demo_are_found(data_pool: database.Database) -> None:
    with data_pool.lend() as connection:
        found = {name: catalog.text_columns(connection, catalog.find(connection, name)) for name in TABLES}
    assert {name: columns for name, columns in found.items() if columns} == {
        "reviews": ["body", "title"],
        "support_tickets": ["body", "subject"],
        "survey_answers": ["answer"],
    }


@pytest.mark.usefixtures("demo")
def test_the_context_of_the_demo_is_proposed(data_pool: database.Database) -> None:
    with data_pool.lend() as connection:
        for table, text, context in [
            ("reviews", "body", ["written_at", "channel", "verified", "rating"]),
            ("support_tickets", "body", ["opened_at", "topic", "priority", "status", "channel"]),
            ("survey_answers", "answer", ["answered_at", "survey", "question", "channel", "score"]),
        ]:
            assert catalog.propose_context(connection, catalog.find(connection, table), text) == context


COLUMNS: dict[str, list[str]] = {
    "prose": [
        "The parcel came late and one cup was broken.",
        "ok",
        "Really happy with it, thank you so much!",
        "👍",
    ],
    "short_prose": [
        "nice cup, love it",
        "lid leaks badly, sent it back",
        "would not buy this again",
        "ok I guess",
    ],
    "shouted": [
        "GREAT CUP I love it so much",
        "do NOT buy this, it leaks",
        "arrived BROKEN and nobody answers me",
    ],
    "german": [
        "Die Tasse ist leider schon nach einer Woche zerbrochen.",
        "Sehr schön und genau wie beschrieben, danke!",
    ],
    "japanese": ["とても良い商品でした。また買いたいと思います。", "届いた時に割れていました。残念です。"],
    "russian": [
        "Чашка разбилась через неделю, очень жаль.",
        "Всё отлично, спасибо большое за быструю доставку!",
    ],
    "arabic": ["المنتج رائع جدا وأنصح به بشدة للجميع", "وصل الطرد متأخرا وكان مكسورا للأسف"],
    "hindi": ["यह कप बहुत अच्छा है और मुझे बहुत पसंद आया", "डिलीवरी में बहुत देर हो गई और कप टूटा हुआ था"],
    "html": ["<p>The cup is fine but the lid leaks.</p>", "<p>I would buy it again at once.</p>"],
    "email": ["anna.schmidt@example.org", "b.c@example.com", "info@example.net"],
    "url": [
        "https://example.org/a/b?c=d",
        "http://example.com/it-is-a-long-path/of-words",
        "https://example.net",
    ],
    "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000"],
    "person": ["Anna Maria Schmidt", "Jean-Luc de la Tour", "O. Brien", "Li Wei"],
    "product": [
        "Enamel Mug Green 350 ml",
        "Cast-Iron Pan 28 cm",
        "Oak Cutting Board",
        "Linen Apron Dark Blue",
    ],
    "address": [
        "221B Baker Street, London NW1 6XE",
        "Hauptstraße 5, 10115 Berlin",
        "12 Rue de Rivoli, 75001 Paris",
    ],
    "code": ["KP-10233", "KP-10234", "KP-10235"],
    "path": ["/usr/share/doc/some/long/path.txt", "/home/of/somebody/in/a/folder.md"],
    "document": [
        '{"the": "cup is very nice and I like it a lot"}',
        '{"or": "it may be some other one that I got"}',
    ],
    "moment": ["2024-01-01 12:00:00", "Mon, 1 Jan 2024 12:00:00 GMT"],
    "digest": ["d41d8cd98f00b204e9800998ecf8427e", "0cc175b9c0f1b6a831c399e269772661"],
    "phone": ["+49 30 123 45 67", "(555) 123-4567"],
    "blank": ["", "   ", "\n"],
}
PROSE = {"prose", "short_prose", "shouted", "german", "japanese", "russian", "arabic", "hindi", "html"}


def test_prose_is_told_from_what_is_none_in_any_script(data_pool: database.Database, execute: Execute) -> None:
    definition = ", ".join(f"{name} text" for name in COLUMNS)
    execute(f"CREATE TABLE t (id int PRIMARY KEY, {definition}, empty text)")
    for number in range(60):
        values = [
            values[number % len(values)] + ("" if number < len(values) else f" {number}") for values in COLUMNS.values()
        ]
        execute(f"INSERT INTO t VALUES (%s{', %s' * len(values)}, NULL)", (number, *values))
    with data_pool.lend() as connection:
        assert set(catalog.text_columns(connection, catalog.find(connection, "t"))) == PROSE


def test_sentences_of_which_there_are_only_a_few_are_a_category(data_pool: database.Database, execute: Execute) -> None:
    execute("""
        CREATE TABLE t (id int PRIMARY KEY, choice text, body varchar(500));
        INSERT INTO t SELECT i, (ARRAY['I am very happy with the service', 'I am not happy with it at all'])[i % 2 + 1],
            'this is what number ' || md5(i::text) || ' wrote about his new coffee cup'
            FROM generate_series(1, 300) AS i;
    """)
    with data_pool.lend() as connection:
        relation = catalog.find(connection, "t")
        assert catalog.text_columns(connection, relation) == ["body"]
        assert catalog.propose_context(connection, relation, "body") == ["choice"]


def test_a_column_that_begins_with_many_nulls_is_judged_by_what_it_has(
    data_pool: database.Database, execute: Execute
) -> None:
    execute("CREATE TABLE t (id int PRIMARY KEY, note text); INSERT INTO t SELECT generate_series(1, 5000)")
    execute(
        "INSERT INTO t SELECT 9000 + i, 'the customer said that it was number ' || i FROM generate_series(1, 9) AS i"
    )
    with data_pool.lend() as connection:
        assert catalog.text_columns(connection, catalog.find(connection, "t")) == ["note"]


def test_domains_views_and_other_text_types_are_judged_too(data_pool: database.Database, execute: Execute) -> None:
    execute("""
        CREATE EXTENSION citext; CREATE DOMAIN story AS text;
        CREATE TABLE t (id int PRIMARY KEY, a story, b citext, c char(60), d varchar(100), e jsonb, f name);
        INSERT INTO t SELECT i, s, s, s, s, to_jsonb(s), s
            FROM (SELECT i, 'what ' || i || ' people say of it is good' FROM generate_series(1, 50) AS i) AS x (i, s);
        CREATE VIEW v AS SELECT id, a, b FROM t;
    """)
    with data_pool.lend() as connection:
        assert set(catalog.text_columns(connection, catalog.find(connection, "t"))) == {"a", "b", "c", "d"}
        assert set(catalog.text_columns(connection, catalog.find(connection, "v"))) == {"a", "b"}


def test_a_relation_that_is_slow_or_fails_has_its_long_text_columns_listed(
    store_pool: database.Database, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prose, "SAMPLE_MILLISECONDS", 50)
    execute(
        "CREATE VIEW slow AS SELECT 1 AS n, 'a'::text AS body, 'b'::varchar(5) AS code, pg_sleep(30)::text AS slept"
    )
    execute("CREATE VIEW failing AS SELECT (1 / (random() * 0)::int)::text AS body, 'x'::text AS code")
    with store_pool.lend() as connection:
        assert catalog.text_columns(connection, catalog.find(connection, "slow")) == ["body", "slept"]
        assert catalog.text_columns(connection, catalog.find(connection, "failing")) == ["body", "code"]
        assert catalog.propose_context(connection, catalog.find(connection, "slow"), "body") == []


def test_context_is_never_the_key_a_reference_an_identifier_or_prose(
    data_pool: database.Database, execute: Execute
) -> None:
    execute("""
        CREATE TYPE mood AS ENUM ('sad', 'happy');
        CREATE TABLE shop (id int PRIMARY KEY); INSERT INTO shop SELECT generate_series(1, 3);
        CREATE TABLE t (
            region int, id int, shop int REFERENCES shop, "parentId" int, batch_id int, body text, other text,
            mail text, order_number text UNIQUE, mood mood, country char(2), plan text, tier text, kind text, lang text,
            extra text, updated_at timestamptz NOT NULL, created_at timestamp NOT NULL, born date,
            stars int, weight float8, constant int, doc jsonb, empty_at date, always text,
            PRIMARY KEY (region, id)
        );
        INSERT INTO t SELECT i % 2, i, i % 3 + 1, i % 4, i % 5, 'this is what ' || i || ' wrote to us about it',
            'and this is what ' || i || ' wrote on another day', i || '@example.org', 'N' || i,
            (ARRAY['sad', 'happy'])[i % 2 + 1]::mood, (ARRAY['DE', 'FR'])[i % 2 + 1],
            'p' || i % 3, 't' || i % 3, 'k' || i % 3, 'l' || i % 3, 'e' || i % 3,
            now(), now() - i * interval '1 hour', '2000-01-01'::date + i, i % 5 + 1, i * 1.37, 7,
            '{}', NULL, 'always' FROM generate_series(1, 400) AS i;
    """)
    with data_pool.lend() as connection:
        relation = catalog.find(connection, "t")
        proposed = catalog.propose_context(connection, relation, "body")
    assert proposed == ["created_at", "mood", "country", "plan", "tier", "kind", "stars"]


def test_a_table_without_rows_has_no_prose_and_no_context(data_pool: database.Database, execute: Execute) -> None:
    execute("CREATE TABLE t (id int PRIMARY KEY, body text, at timestamptz)")
    with data_pool.lend() as connection:
        relation = catalog.find(connection, "t")
        assert catalog.text_columns(connection, relation) == []
        assert catalog.propose_context(connection, relation, "body") == []
