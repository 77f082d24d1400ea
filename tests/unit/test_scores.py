"""What the tables of scores promise: a name that is free, every value as it came, one row for each key."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from tests.unit import scored
from undertone import database, scores, writing

ODD = [
    "plain",
    "",
    " ",
    "tab\there",
    "line\nand\r\nreturn\r",
    r"back\slash \N \. \t \x00 \u0000 \0",
    r"\N",
    r"\.",
    "\\",
    "quote ' and \" and $$ and ''",
    "per cent %s %(x)s 100% :name {brace}",
    "👍🏳️‍🌈 評論 отзыв مراجعة נקודה é e\u0301 \u202e \ufeff",
    "\x01\x1b[31m\x7f",
    "NULL",
]


def source(connection: database.Connection, name: str, **options: Any) -> scores.Source:
    """A source with a text as key and a number as context, and its table."""
    kept = {
        "key": (scores.Kept("id", "text", "id", "text"),),
        "context": (scores.Kept("n", "integer", "n", "integer"),),
        "current_model": "default",
        "view_name": f"{name[:50]}_current",
    }
    made = scores.Source(1, name, "here", "public", name, "body", **(kept | options))
    scores.create(connection, made)
    return made


def score(
    one: str = "",
    n: str | None = "1",
    label: str | None = "POSITIVE",
    *,
    key: scores.Values | None = None,
    context: scores.Values | None = None,
    **options: Any,
) -> writing.Score:
    confidence = None if label is None else 0.75
    probabilities = None if label is None else '{"POSITIVE": 0.75, "NEGATIVE": 0.25}'
    share = None if label is None else 1.0
    answer = writing.Answer(label, confidence, probabilities, False, share, None, "onnx", "int8")
    return writing.Score(key or (one,), context or (n,), "0" * 32, dataclasses.replace(answer, **options))


def write(
    connection: database.Connection,
    made: scores.Source,
    found: Sequence[writing.Score],
    *,
    model: str = "default",
    model_id: str = "m",
    run_id: int = 1,
) -> None:
    writing.write(connection, made, found, model=model, model_id=model_id, run_id=run_id)


def ask(connection: database.Connection, statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


@pytest.mark.parametrize(
    ("wanted", "taken", "found"),
    [
        (["reviews"], set(), "reviews"),
        (["reviews", "reviews_body"], {"reviews"}, "reviews_body"),
        (["reviews", "reviews_body"], {"reviews", "reviews_body"}, "reviews_body_2"),
        (["a"], {"a", "a_2", "a_3"}, "a_4"),
        (['We"ird % name'], set(), 'We"ird % name'),
        (["x" * 63], set(), "x" * 63),
        (["x" * 64], set(), "x" * 63),
        (["x" * 63, "x" * 63 + "_body"], {"x" * 63}, "x" * 55 + "_2"),
        (["評" * 30], set(), "評" * 21),
        (["評" * 21], {"評" * 21}, "評" * 18 + "_2"),
        (["👍" * 16], set(), "👍" * 15),
    ],
)
def test_a_name_is_free_and_fits(wanted: list[str], taken: set[str], found: str) -> None:
    name = scores.free_name(wanted, taken)
    assert name == found
    assert name not in taken
    assert len(name.encode()) <= 63


def test_a_table_of_scores_explains_itself(store_pool: database.Database) -> None:
    with store_pool.lend() as connection:
        made = source(connection, 'it\'s 100% "odd"')
        columns = ask(
            connection,
            "SELECT a.attname, format_type(a.atttypid, a.atttypmod), col_description(a.attrelid, a.attnum)"
            " FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid"
            " WHERE c.relname = 'it''s 100% \"odd\"' AND a.attnum > 0 ORDER BY a.attnum",
        )
        assert [name for name, _, _ in columns] == ["id", "n", *scores.RESULT]
        assert {name: comment for name, _, comment in columns if comment} == scores.COMMENTS
        about = ask(connection, 'SELECT obj_description(\'scores."it\'\'s 100% ""odd"""\'::regclass)')
        assert about == [('Scores of body in public.it\'s 100% "odd"',)]
        assert made.scores == 'scores."it\'s 100% ""odd"""'
        assert made.address == 'public."it\'s 100% ""odd"""'


def test_making_it_again_keeps_the_rows_and_adds_context(store_pool: database.Database) -> None:
    with store_pool.lend() as connection:
        made = source(connection, "reviews")
        write(connection, made, [score("a")], model_id="m", run_id=1)
        connection.commit()
        made = source(connection, "reviews", context=(scores.Kept("at", "date", "at", "date"),))
        write(connection, made, [score("b", "2024-02-29")], model_id="m", run_id=1)
        assert ask(connection, "SELECT id, n, at::text FROM scores.reviews ORDER BY id") == [
            ("a", 1, None),
            ("b", None, "2024-02-29"),
        ]


def test_every_table_has_its_own_index_however_alike_the_names_are(store_pool: database.Database) -> None:
    with store_pool.lend() as connection:
        names = ["x" * 62 + "1", "x" * 62 + "2", "reviews", "reviews_label_idx"]
        for name in names:
            source(connection, name)
        found = dict(
            ask(
                connection,
                "SELECT tablename, count(*) FROM pg_indexes WHERE schemaname = 'scores'"
                " AND indexdef LIKE '%(model, label, confidence)' GROUP BY 1",
            )
        )
        assert found == dict.fromkeys(names, 1)


def test_every_value_arrives_as_it_was(store_pool: database.Database) -> None:
    with store_pool.lend() as connection:
        made = source(connection, "odd", context=(scores.Kept("c", "text", "c", "text"),))
        rows = [score(value, value, value, reason=value) for value in ODD]
        rows.append(score("nothing", None, None, reason=None))
        write(connection, made, rows, model_id=ODD[4], run_id=7)
        connection.commit()
        found = {
            row[0]: row[1:] for row in ask(connection, "SELECT id, c, label, reason, model_id, run_id FROM scores.odd")
        }
        assert found == {value: (value, value, value, ODD[4], 7) for value in ODD} | {
            "nothing": (None, None, None, ODD[4], 7)
        }


def test_a_key_has_one_row_and_it_is_the_last(store_pool: database.Database) -> None:
    with store_pool.lend() as connection:
        made = source(connection, "reviews")
        write(connection, made, [score("a"), score("b")], model_id="one", run_id=1)
        connection.commit()
        write(connection, made, [score("b", "5", None, reason="empty", truncated=True)], model_id="two", run_id=2)
        connection.commit()
        columns = "id, n, label, confidence, probabilities, truncated, share_read, reason, model_id, run_id"
        assert ask(connection, f"SELECT {columns} FROM scores.reviews ORDER BY id") == [
            ("a", 1, "POSITIVE", 0.75, {"POSITIVE": 0.75, "NEGATIVE": 0.25}, False, 1.0, None, "one", 1),
            ("b", 5, None, None, None, True, None, "empty", "two", 2),
        ]


def test_the_share_that_was_read_arrives_as_it_was(store_pool: database.Database) -> None:
    with store_pool.lend() as connection:
        made = source(connection, "reviews")
        shares = {"a": 1.0, "b": 0.0, "c": 1 / 3, "d": 0.5, "e": 1e-9, "f": 0.99999, "g": None}
        rows = [score(key, truncated=share != 1, share_read=share) for key, share in shares.items()]
        write(connection, made, rows, model_id="m", run_id=1)
        connection.commit()
        found = dict(ask(connection, "SELECT id, share_read FROM scores.reviews"))
        assert found == pytest.approx(shares)
        assert ask(connection, "SELECT id FROM scores.reviews WHERE NOT truncated OR share_read >= 1") == [("a",)]
        assert ask(connection, "SELECT pg_typeof(share_read)::text FROM scores.reviews LIMIT 1") == [("real",)]


def test_what_is_not_committed_is_not_there(store_pool: database.Database) -> None:
    with store_pool.lend() as connection:
        made = source(connection, "reviews")
        connection.commit()
    with store_pool.lend() as connection:
        write(connection, made, [score("a")], model_id="m", run_id=1)
    assert store_pool.ask(scores.summary, made) == scores.Summary(0, {})


def test_what_is_known_of_rows_is_told_by_key(store_pool: database.Database) -> None:
    with store_pool.lend() as connection:
        made = source(connection, "odd")
        rows = [*(score(value, str(n)) for n, value in enumerate(ODD)), score("null", None)]
        write(connection, made, rows, model_id="m", run_id=1)
        asked: list[tuple[scores.Values, scores.Values]] = [((value,), (str(n),)) for n, value in enumerate(ODD)]
        asked += [(("null",), (None,)), (("unknown",), ("1",)), (("plain",), ("99",)), (("null",), ("1",))]
        found = writing.existing(connection, made, "default", asked)
        digest = "00000000-0000-0000-0000-000000000000"
        same = writing.Existing(digest, "m", 1, empty=False, truncated=False, same=True)
        other = same._replace(same=False)
        assert found == dict.fromkeys(range(len(ODD) + 1), same) | {len(ODD) + 2: other, len(ODD) + 3: other}
        assert writing.existing(connection, made, "default", []) == {}


def test_values_are_the_same_by_their_type_not_by_how_they_are_written(store_pool: database.Database) -> None:
    with store_pool.lend() as connection:
        kinds = ["timestamp with time zone", "double precision", "jsonb", "interval"]
        kept = tuple(scores.Kept(kind, kind, kind, kind) for kind in kinds)
        made = source(connection, "kinds", key=kept[:1], context=kept[1:])
        stored = score(key=("2024-03-31 01:30:00.000001+00",), context=("0.1", '{"a": 1}', "36:00:00"))
        write(connection, made, [stored], model_id="m", run_id=1)
        asked = [(("2024-03-31 03:30:00.000001+02",), ("1e-1", '{"a":1}', "PT36H"))]
        assert [row.same for row in writing.existing(connection, made, "default", asked).values()] == [True]


def test_summary_and_extremes(store_pool: database.Database) -> None:
    with store_pool.lend() as connection:
        made = source(connection, "reviews")
        rows = [score(f"p{n}", confidence=n / 10) for n in range(1, 6)]
        rows += [score("n", label="NEGATIVE"), score("e", label=None, reason="empty")]
        write(connection, made, rows, model_id="m", run_id=1)
        assert scores.summary(connection, made) == scores.Summary(7, {"POSITIVE": 5, "NEGATIVE": 1, None: 1})
        found = scores.extremes(connection, made, "POSITIVE", 3)
        assert [key for key, _ in found] == [("p5",), ("p4",), ("p3",)]
        assert [confidence for _, confidence in found] == pytest.approx([0.5, 0.4, 0.3])
        assert scores.extremes(connection, made, "it's % \\ not there", 3) == []


def test_names_of_columns_may_be_anything(store_pool: database.Database) -> None:
    with store_pool.lend() as connection:
        names = ['K"ey %s', "評 %(x)s", "select", "n", "s", "k0", "asked"]
        kept = [scores.Kept(name, "text", name, "text") for name in names]
        made = source(connection, "named", key=tuple(kept[:2]), context=tuple(kept[2:]))
        row = score(key=("a", "b"), context=("1", "2", "3", "4", "5"))
        write(connection, made, [row], model_id="m", run_id=1)
        found = writing.existing(connection, made, "default", [(row.key, row.context), (("a", "x"), row.context)])
        assert {n: row.same for n, row in found.items()} == {0: True}
        assert scores.extremes(connection, made, "POSITIVE", 1) == [(("a", "b"), 0.75)]


def test_the_reader_may_read_scores_and_not_write_them(
    store_pool: database.Database, data_pool: database.Database, execute: scored.Execute
) -> None:
    with store_pool.lend() as connection:
        made = source(connection, "reviews")
        write(connection, made, [score("a")], model_id="m", run_id=1)
        connection.commit()
    assert data_pool.ask(scores.summary, made).rows == 1
    with pytest.raises(database.DatabaseError, match=r"permission denied|read-only"):
        data_pool.ask(ask, "DELETE FROM scores.reviews RETURNING id")
