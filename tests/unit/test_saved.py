"""What the queries that ship promise: each can be asked as it is, and its header is true."""

from __future__ import annotations

import pytest

from tests.unit import asked, scored
from undertone import asking, charts, console, database, demo, gate, lexer, library, parameters, saved_files

SHIPPED = library.shipped()
GOOD = "-- name: N\n\nSELECT 1"


def test_there_are_enough_and_each_has_its_own_name() -> None:
    assert len(SHIPPED) == len(list(saved_files.FOLDER.glob("*.sql"))) >= 10
    assert len({library.fold(one.name) for one in SHIPPED}) == len(SHIPPED)
    assert [one.name for one in SHIPPED] == sorted((one.name for one in SHIPPED), key=library.fold)


@pytest.mark.parametrize("one", SHIPPED, ids=lambda one: one.name)
def test_the_header_is_true(one: library.Saved) -> None:
    assert one.id is None
    assert one.target in library.TARGETS
    assert one.description.endswith(".")
    assert one.tags
    assert all(tag == tag.lower() for tag in one.tags)
    # A statement that is copied without its header asks for values of the same kinds.
    assert {name: value.kind for name, value in one.parameters.items()} == {
        found.name: found.kind for found in parameters.find(one.statement)
    }
    assert gate.refusal(lexer.tokenise(one.statement)) is None
    if one.chart is not None:
        assert charts.Chart.from_dict(one.chart).to_dict() == one.chart


def test_each_can_be_asked_of_the_demo_as_it_is(data_pool: database.Database, store_pool: database.Database) -> None:
    assert demo.load_demo(store_pool)
    bench = scored.Bench(data_pool, store_pool)
    assert bench.run("reviews", context=None).state == "finished"
    opened = asked.opened(data_pool, store_pool)
    # What has changed since ANALYZE would not be known yet; the server's statistics are flushed as sessions end.
    with store_pool.lend() as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE products SET price = price; DELETE FROM survey_answers WHERE id % 2 = 0")
        cursor.execute("CREATE TABLE lonely (product_id bigint REFERENCES products)")
        connection.commit()
        cursor.execute("SELECT pg_stat_force_next_flush()")
        connection.commit()
    found = {}
    for one in SHIPPED:
        question = asking.Question(one.statement, tuple(one.parameters.items()), one.target, "ann")
        found[one.name] = asking.run(opened, question, console.Limits())
    for one in SHIPPED:
        said = found[one.name]
        # Thresholds of confidence are the real model's, not the fake one's, which is always as sure.
        assert said.rows or one.name == "Unsure scores", one.name
        assert said.truncated is None
        names = [column.name for column in said.columns]
        assert len(set(names)) == len(names)
        if one.chart is not None:
            chart = charts.Chart.from_dict(one.chart)
            assert {chart.x, chart.color, *chart.y} - {None} <= set(names), one.name
    shown = {row[0] for row in found["Foreign keys without an index"].rows}
    assert shown == {"lonely"}
    private = [name for name, said in found.items() for row in said.rows if any("undertone" in str(v) for v in row[:1])]
    assert private == []


def test_the_format() -> None:
    text = """\
-- name: A  name
-- description: What it tells: all,
--   on two lines.
-- tags: one, two ,
-- target: scores
-- parameter: days integer = 30
-- parameter: label text = a = b
-- parameter: none date
-- chart: {"kind": "number", "x": null, "y": ["n"], "color": null}

-- A comment of the statement's own
SELECT :days, :label, :none -- and another
"""
    one = saved_files.read("a.sql", text)
    assert one == library.Saved(
        id=None,
        name="A  name",
        description="What it tells: all, on two lines.",
        tags=("one", "two"),
        statement="-- A comment of the statement's own\nSELECT :days, :label, :none -- and another",
        parameters={
            "days": parameters.Value("integer", "30"),
            "label": parameters.Value("text", "a = b"),
            "none": parameters.Value("date", None),
        },
        chart={"kind": "number", "x": None, "y": ["n"], "color": None},
        target="scores",
        version=1,
        who="",
        at=None,
    )
    least = saved_files.read("a.sql", GOOD)
    assert (least.target, least.parameters, least.chart, least.tags) == ("data", {}, None, ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT 1", "it has no name"),
        ("", "it has no name"),
        ("-- name: N\n", "it has no statement"),
        ("-- name: N\n-- name: M\n\nSELECT 1", "a field is there twice"),
        ("-- nmae: N\n\nSELECT 1", "there is no field 'nmae'"),
        ("-- just a comment\n-- name: N\n\nSELECT 1", "no field: -- just a comment"),
        ("-- name: N\n-- parameter: days = 30\n\nSELECT 1", "written NAME KIND = VALUE"),
        ("-- name: N\n-- parameter: days int = 30\n\nSELECT 1", "written NAME KIND = VALUE"),
        ("-- name: N\n-- chart: {bar}\n\nSELECT 1", "the chart is not JSON"),
    ],
)
def test_a_file_that_is_none_is_named(text: str, said: str) -> None:
    with pytest.raises(library.LibraryError, match=said) as caught:
        saved_files.read("some.sql", text)
    assert str(caught.value).startswith("some.sql: ")
