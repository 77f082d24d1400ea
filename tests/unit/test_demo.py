"""What the demo shop promises: loaded once, over nothing, and worth looking at."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg2.errors
import pytest

from undertone import database, demo

Execute = Callable[..., list[tuple[object, ...]]]
TEXTS = """
    SELECT body AS text FROM reviews UNION ALL SELECT body FROM support_tickets
    UNION ALL SELECT answer FROM survey_answers
"""
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"


def test_it_is_loaded_once_and_what_was_dropped_stays_away(store_pool: database.Database, execute: Execute) -> None:
    assert demo.load_demo(store_pool)
    assert {name for (name,) in execute(TABLES)} == set(demo.TABLES)
    assert not demo.load_demo(store_pool)
    execute("DROP TABLE reviews")
    assert not demo.load_demo(store_pool)
    execute(f"DROP TABLE {', '.join(set(demo.TABLES) - {'reviews'})}")
    assert not demo.load_demo(store_pool)
    assert execute(TABLES) == []


@pytest.mark.parametrize("taken", ["TABLE survey_answers (mine text)", "VIEW orders AS SELECT 'mine' AS mine"])
def test_it_is_left_out_for_good_where_a_name_is_taken(
    store_pool: database.Database, execute: Execute, taken: str
) -> None:
    execute(f"CREATE {taken}")
    assert not demo.load_demo(store_pool)
    assert execute("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(1,)]
    kind, name = taken.split()[:2]
    execute(f"DROP {kind} {name}")
    assert not demo.load_demo(store_pool)
    assert execute(TABLES) == []


def test_two_at_once_load_it_once(store_pool: database.Database, execute: Execute) -> None:
    found: list[bool] = []
    threads = [threading.Thread(target=lambda: found.append(demo.load_demo(store_pool))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False, False, True]


def test_a_load_that_fails_leaves_nothing_and_may_be_tried_again(
    store_pool: database.Database, execute: Execute
) -> None:
    execute("CREATE TYPE public.survey_answers AS (i int)")  # not a table, yet its name is taken
    execute("DROP TYPE public.survey_answers")
    execute("CREATE DOMAIN public.reviews AS text")  # a table has a type of its name, too
    with pytest.raises(database.DatabaseError):
        demo.load_demo(store_pool)
    assert execute(TABLES) == []
    execute("DROP DOMAIN public.reviews")
    assert demo.load_demo(store_pool)


@pytest.fixture
def shop(store_pool: database.Database, execute: Execute) -> Execute:
    demo.load_demo(store_pool)
    return execute


def test_it_holds_texts_worth_scoring(shop: Execute) -> None:
    ((count, unlike),) = shop(f"SELECT count(*), count(DISTINCT lower(btrim(text))) FROM ({TEXTS}) WHERE text ~ '\\S'")
    assert isinstance(count, int)
    assert count >= 600
    assert count == unlike
    ((empty, missing, longest, foreign),) = shop(
        "SELECT count(*) FILTER (WHERE text !~ '\\S'), count(*) FILTER (WHERE text IS NULL), max(length(text)),"
        f" count(*) FILTER (WHERE text ~ '[äöüßéèñçœ]') FROM ({TEXTS})"
    )
    assert empty
    assert missing
    assert isinstance(longest, int)
    assert longest > 2000
    assert foreign
    assert shop(f"SELECT text FROM ({TEXTS}) WHERE text ~ '\\uFFFD|Ã.|â€'") == []  # no byte went astray
    ((emoji,),) = shop(f"SELECT count(*) FROM ({TEXTS}) WHERE text ~ '[\\U0001F300-\\U0001FAFF]'")
    assert emoji


def test_it_covers_two_years_without_a_gap(shop: Execute) -> None:
    for column in (
        "reviews.written_at",
        "support_tickets.opened_at",
        "survey_answers.answered_at",
        "orders.ordered_at",
    ):
        table, name = column.split(".")
        ((months, days),) = shop(
            f"SELECT count(DISTINCT date_trunc('month', {name})), extract(day FROM max({name}) - min({name}))::int"
            f" FROM {table}"
        )
        assert isinstance(days, int)
        assert 700 <= days <= 740, column
        assert months in (24, 25), column


def test_its_numbers_are_sound(shop: Execute) -> None:
    assert shop("SELECT DISTINCT rating FROM reviews ORDER BY 1") == [(1,), (2,), (3,), (4,), (5,)]
    assert shop("SELECT count(DISTINCT channel) FROM reviews") == [(4,)]
    # The totals are what the items cost, with or without shipping.
    wrong = """
        SELECT o.id FROM orders AS o JOIN order_items AS i ON i.order_id = o.id GROUP BY o.id
        HAVING o.total NOT IN (sum(i.quantity * i.unit_price), sum(i.quantity * i.unit_price) + 4.90)
    """
    assert shop(wrong) == []
    assert shop("SELECT id FROM orders WHERE id NOT IN (SELECT order_id FROM order_items)") == []


def test_the_reader_sees_it(shop: Execute, data_pool: database.Database) -> None:
    with data_pool.lend() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM reviews JOIN products ON products.id = product_id")
        (count,) = cursor.fetchone()
        assert count > 100
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
            cursor.execute("DELETE FROM reviews")
