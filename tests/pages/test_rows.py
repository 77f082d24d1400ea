"""The rows of a table on its page: from the address alone, in each of their states, on tables that are hostile."""

from __future__ import annotations

import datetime
import json
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy
import streamlit as st
from streamlit.testing.v1 import AppTest

from elements import columns, rows, rows_value
from resources import page_files
from tests.pages import conftest
from undertone import conditions, embedded, looks, outlook, relations
from undertone import rows as rows_domain

Execute = Callable[..., list[tuple[object, ...]]]
Open = Callable[..., AppTest]
ODD = '"**x** :red[y] ![x](http://127.0.0.1:9/x.png)"'
TABLES = f"""
CREATE TYPE mood AS ENUM ('sad', 'ok <b>');
CREATE TABLE odd (id bigint PRIMARY KEY, {ODD} text, n int, m mood, at timestamptz, long text);
INSERT INTO odd
SELECT g, CASE WHEN g = 7 THEN '=1+1 <b>' WHEN g % 2 = 0 THEN '' END, g % 10, (ARRAY['sad', 'ok <b>'])[1 + g % 2]::mood,
       timestamptz '2026-03-01 00:00:00+00' + g * interval '1 hour', repeat('x', 5000)
FROM generate_series(1, 130) AS g;
CREATE TABLE none_yet (id int PRIMARY KEY);
CREATE TABLE no_columns ();
CREATE TABLE "wide" (id int PRIMARY KEY, {", ".join(f"column_{number} int" for number in range(1, 200))});
CREATE VIEW seen AS SELECT n, long FROM odd;
CREATE VIEW lazy AS SELECT count(*) AS n FROM (SELECT generate_series(1, 10000000000)) AS numbers;
ANALYZE
"""


def script() -> None:
    from elements import filters, messages, place, rows
    from resources import browsing
    from undertone import errors

    look = place.current()
    try:
        relation = browsing.get_relation(look.table or "")
        about = browsing.get_about(relation)
    except errors.UndertoneError as error:
        messages.error(error)
        return
    filters.show(look, relation, about.fields)
    rows.show(look, relation, about.fields, about.key)


@pytest.fixture
def table(place: Callable[[str], sqlalchemy.URL], monkeypatch: pytest.MonkeyPatch, execute: Execute) -> Iterator[Open]:
    """Open a table at an address."""
    data, store = (place(role).render_as_string(hide_password=False) for role in (embedded.READER, embedded.OWNER))
    for name, value in (("DATABASE_URL", data), ("STORE_URL", store), ("UNDERTONE_LOCAL_WORKER", "false")):
        monkeypatch.setenv(name, value)
    # There is no page here for links to lead to.
    monkeypatch.setattr(st, "page_link", lambda page, *, label, **more: st.button(label, key=label))
    execute(TABLES)

    def open_table(name: str, **parameters: str) -> AppTest:
        app = AppTest.from_function(script, default_timeout=60)
        for key, value in {"table": name, **parameters}.items():
            app.query_params[key] = value
        return ran(app)

    yield open_table
    conftest.release()


def ran(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return ran(app)


def grid(app: AppTest) -> dict[str, Any]:
    """What the browser is given of the rows."""
    (element,) = [one for one in app.get("bidi_component") if "rows" in json.loads(one.proto.json)]
    found: dict[str, Any] = json.loads(element.proto.json)
    return found


def ids(app: AppTest) -> list[int]:
    """The first column of the page."""
    return [int(row[0]["text"]) for row in grid(app)["rows"]]


def said(element: Any) -> str:
    """Words as they are read: the backslashes of Markdown are gone."""
    return str(element.value).replace("\\", "")


def address(app: AppTest, name: str) -> str | None:
    value = app.query_params.get(name)
    return value[0] if isinstance(value, list) else value


def test_pages_follow_each_other_and_the_address_says_where_one_is(table: Open) -> None:
    app = table("odd")
    assert ids(app) == list(range(1, 51))
    assert "Rows 1 to 50 of about 130" in conftest.texts(app)
    app = press(app, "Next")
    assert (ids(app), address(app, "after")) == (list(range(51, 101)), '["50"]')
    assert "Rows 51 to 100 of about 130" in conftest.texts(app)
    app = press(press(app, "Last"), "Previous")
    assert ids(app) == list(range(31, 81))
    app = press(app, "First")
    assert (ids(app)[0], address(app, "before"), address(app, "at")) == (1, None, None)
    app = press(app, "Count exactly")
    for _ in range(100):
        if "of 130" in conftest.texts(app):
            break
        ran(app)
    assert "Rows 1 to 50 of 130" in conftest.texts(app)
    # A link opens the same: order, columns, what is pinned, place.
    app = table("odd", sort='["-n","+id"]', columns='["id","n"]', pin='["n"]', after='["9","9"]')
    data = grid(app)
    assert ([column["name"] for column in data["columns"]], data["pinned"]) == (["n", "id"], 1)
    assert [(row[0]["text"], row[1]["text"]) for row in data["rows"][:2]] == [("9", "19"), ("9", "29")]
    assert [column["order"] for column in data["columns"]] == ["descending", "ascending"]
    app.session_state["tables_link"] = True
    query = urllib.parse.urlsplit(ran(app).code[0].value).query
    assert looks.read(dict(urllib.parse.parse_qsl(query)))[0] == looks.Look(
        "odd",
        sorts=(looks.Sort("n", True), looks.Sort("id")),
        columns=("id", "n"),
        pinned=("n",),
        place=looks.Place("after", ("9", "9")),
    )


def test_a_filter_is_added_checked_worded_and_taken_away(table: Open) -> None:
    app = table("odd", q="<b>")
    assert ids(app) == [7]
    assert "Searched: every row is compared" in conftest.texts(app)
    app = table("odd")
    app.session_state["tables_filter"] = True
    app = ran(app)
    app.selectbox(key="tables_filter_column").select("n").run()
    value = next(one for one in app.selectbox if one.label == "Value")
    assert sorted(value.options) == [str(number) for number in range(10)]
    app.selectbox(key="tables_filter_column").select("m").run()
    next(one for one in app.selectbox if one.label.startswith("Condition")).select("eq").run()
    value = next(one for one in app.selectbox if one.label == "Value")
    assert value.options == ["sad", "ok <b>"]
    app = press(app, "Add")
    assert "Choose a value" in said(app.error[0])
    app.selectbox(key="tables_filter_column").select("at").run()
    operator = next(one for one in app.selectbox if one.label.startswith("Condition"))
    operator.select("le").run()
    app.date_input[0].set_value(datetime.date(2026, 3, 1))
    app.text_input[-1].set_value("25:00")
    app = press(app, "Add")
    (error,) = app.error
    assert "25:00" in said(error)
    assert (app.text_input[-1].value, address(app, "where")) == ("25:00", None)
    app.text_input[-1].set_value("03:00")
    app = press(app, "Add")
    assert not app.error
    assert json.loads(address(app, "where") or "") == [["at", "le", "2026-03-01 03:00:00+00:00"]]
    assert ids(app) == [1, 2, 3]
    # One more, of a column whose name would be Markdown; and one of a group.
    where = json.dumps(
        [["id", "le", "9"], [ODD.strip('"'), "contains", "<b>"], ["or", ["n", "eq", "1"], ["n", "null"]]]
    )
    app = table("odd", where=where)
    assert "No row matches" in conftest.texts(app)
    labels = [button.label for button in app.button]
    assert not any("![x]" in label or "<b>" in label for label in labels)
    assert any("n is 1 or n has no value" in label for label in labels)
    app = press(app, next(label for label in labels if "has no value" in label))
    assert ids(app) == [7]
    app.segmented_control[0].set_value(True).run()
    assert json.loads(address(app, "where") or "")[0] == "or"
    app = press(app, "Clear all")
    assert (address(app, "where"), len(ids(app))) == (None, 50)


def test_what_is_not_there_is_said_and_there_is_a_way_on(table: Open, execute: Execute) -> None:
    assert 'There is no table or view "gone"' in said(table("gone").error[0])
    assert "no columns" in said(table("no_columns").info[0])
    assert "has no rows" in said(table("none_yet").info[0])
    app = table("odd", where='[["id","gt","1000"]]')
    assert "No row matches" in said(app.info[0])
    assert len(ids(press(app, "Clear filters"))) == 50
    for parameters in (
        {"sort": '["+nope"]'},
        {"where": '[["nope","eq","1"]]'},
        {"where": '[["n","eq","x"]]'},
        {"after": '["x"]'},
        {"after": '["1","2"]'},
        {"q": "a\0b"},
    ):
        app = table("odd", **parameters)
        assert len(app.error) == 1, parameters
        app = press(app, "All rows, as they are")
        assert (len(app.error), len(ids(app))) == (0, 50)
    app = table("odd", columns='["id","nope","n"]', pin='["never"]')
    assert [column["name"] for column in grid(app)["columns"]] == ["id", "n"]
    assert "nope" in said(app.warning[0])
    # A table that is altered between two clicks.
    app = table("odd")
    execute("DROP VIEW seen; ALTER TABLE odd DROP COLUMN long")
    app = press(app, "Next")
    assert "changed meanwhile" in said(app.error[0])
    app = press(app, "Try again")
    assert (len(app.error), ids(app)[0], len(grid(app)["columns"])) == (0, 51, 5)
    execute("DROP TABLE odd")
    app = press(app, "Next")
    assert "no longer there" in said(app.error[0])
    assert 'There is no table or view "odd"' in said(press(app, "Try again").error[0])


def test_a_slow_order_is_said_before_it_is_asked_and_can_be_left(table: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlook, "SLOW", 0.0)
    app = table("odd", sort='["-n"]')
    assert "No index has this order" in said(app.warning[0])
    assert not app.get("bidi_component")
    app = press(app, "Sort anyway")
    for _ in range(100):
        if app.get("bidi_component"):
            break
        ran(app)
    assert ids(app)[0] == 129
    # The next page of the same order is not asked about again.
    app = press(app, "Next")
    assert not app.warning
    app = table("odd", sort='["+n"]')
    assert address(press(app, "Do not sort"), "sort") is None
    # What takes long is stopped at a click.
    app = press(press(table("lazy"), "Show anyway"), "Cancel")
    for _ in range(100):
        if app.info:
            break
        ran(app)
    assert "It was cancelled" in said(app.info[0])
    assert "Try again" in [button.label for button in app.button]


def test_a_wide_table_shows_some_columns_and_the_way_to_the_others(table: Open) -> None:
    app = table("wide")
    assert "has no rows" in said(app.info[0])
    assert "Columns 1 to 60 of 200" in conftest.texts(app)
    app = press(app, "The next 60 columns")
    assert json.loads(address(app, "columns") or "")[0] == "column_60"
    assert "Columns 61 to 120 of 200" in conftest.texts(app)
    fields = [
        relations.Field(
            relations.Column("é" * 31 + str(n), "int", "number", True, None, None), "integer", True, True, False
        )
        for n in range(1_600)
    ]
    window = columns._window(looks.Look("t"), [field.column.name for field in fields], 60)
    assert 1 < len(window) < columns.AT_FIRST
    looks.parameters(looks.Look("t", columns=window))


def test_files_and_sql_have_the_rows_that_are_shown_whole(table: Open) -> None:
    app = table("odd", where='[["id","between","6","7"]]', sort='["-id"]')
    shown = app.session_state[rows.SHOWN]
    assert shown.page.rows[0][-1].endswith(" …")
    written = page_files.writing(shown, "csv")().decode("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in written] == ["id", "7", "6"]
    assert written[1].split(",")[1] == "'=1+1 <b>"
    assert written[1].endswith("x" * 5_000)
    relation = shown.asked.relation
    statement = page_files.get_statement(relation, shown.asked.look, None)
    assert statement.splitlines()[-2:] == ["WHERE id BETWEEN 6 AND 7", "ORDER BY id DESC"]
    app = table("seen", sort='["+n"]', at="end")
    lines = page_files.writing(app.session_state[rows.SHOWN], "jsonl")().decode().splitlines()
    assert len(lines) == 50
    assert json.loads(lines[-1]) == {"n": 9, "long": "x" * 5_000}


def test_a_value_is_filtered_by_where_a_filter_can_hold_it() -> None:
    column = relations.Column("c", "text", "text", True, None, None)
    field = relations.Field(column, "text", True, True, False)

    def made(value: object, **more: Any) -> conditions.Condition | None:
        return rows_value.condition_of(rows_domain.Cell(field, value, None, **more))

    assert made(None) == conditions.Condition("c", "null")
    assert made("") == conditions.Condition("c", "eq", ("",))
    assert made(True) == conditions.Condition("c", "eq", ("true",))
    assert made("x" * 501) is None
    assert made("x", is_cut=True) is None
