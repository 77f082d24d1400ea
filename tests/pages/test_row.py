"""The page of a row in each of its states, on a database that is hostile to whoever shows it."""

from __future__ import annotations

import json
import urllib.parse
import zoneinfo
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy
import streamlit as st
from streamlit.testing.v1 import AppTest

from elements import json_tree, row_cells, row_values
from tests.pages import conftest
from tests.unit import scored
from undertone import conditions, database, embedded, looks

Execute = Callable[..., list[tuple[object, ...]]]
Open = Callable[..., AppTest]
NAME = "t ![x](http://127.0.0.1:9/x.png) :red[r] 50%"
QUOTED = f'"{NAME}"'
TABLES = f"""
CREATE TABLE people (id bigint PRIMARY KEY, name text);
INSERT INTO people VALUES (1, '**Ann** <b>'), (9007199254740993, 'Bo');
CREATE TABLE codes (id int PRIMARY KEY, code text UNIQUE);
INSERT INTO codes VALUES (1, 'a&b=c');
CREATE TABLE {QUOTED} (
    "k <b>" text, n int, "body **b**" text, who bigint REFERENCES people, code text REFERENCES codes (code),
    at timestamptz, js json, raw bytea, nothing text, empty text, f float8, PRIMARY KEY ("k <b>", n)
);
COMMENT ON COLUMN {QUOTED}.f IS 'a <i>comment</i>';
INSERT INTO {QUOTED} VALUES
    (E'it''s "%/\\n', 1, E'good <img src=x onerror=alert(1)>\\n  **bold**', 9007199254740993, 'a&b=c',
     '2024-07-01 12:00:00.5+00', '{{"a": [12345678901234567890.10, "<b>"], "a": {{}}}}', '\\x00ff41', NULL, '', 'NaN'),
    ('z', 2, repeat('x', 2000000), NULL, NULL, 'infinity', '5', convert_to(repeat('a', 30000), 'UTF8'), NULL, NULL,
     1e22);
CREATE VIEW seen AS SELECT * FROM people;
"""
KEY = ("it's \"%/\n", "1")


@pytest.fixture
def row(place: Callable[[str], sqlalchemy.URL], monkeypatch: pytest.MonkeyPatch, execute: Execute) -> Iterator[Open]:
    """Open the page of a row of a table by its key."""
    data, store = (place(role).render_as_string(hide_password=False) for role in (embedded.READER, embedded.OWNER))
    open_page = conftest.opener(monkeypatch, DATABASE_URL=data, STORE_URL=store)
    execute(TABLES)

    def open_row(table: str, *key: str) -> AppTest:
        app = open_page("row", **looks.row_parameters(table, key))
        assert not app.exception
        return app

    yield open_row
    conftest.release()


def shown(app: AppTest) -> dict[str, dict[str, Any]]:
    """What the browser is given of each value, by column."""
    (element,) = [one for one in app.get("bidi_component") if "cells" in json.loads(one.proto.json)]
    return {cell["name"]: cell for cell in json.loads(element.proto.json)["cells"]}


def pages(app: AppTest) -> dict[str, tuple[str, dict[str, str]]]:
    """Where the links of a page lead: page and parameters, by label."""
    return {
        one.proto.label: (one.proto.page, dict(urllib.parse.parse_qsl(one.proto.query_string)))
        for one in app.get("page_link")
    }


def followed(link: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """Where a link in a value leads: page and parameters."""
    page, _, query = link["address"].partition("?")
    return page, dict(urllib.parse.parse_qsl(query))


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def test_all_values_of_a_row_are_shown_as_what_they_are(row: Open, execute: Execute) -> None:
    app = row(QUOTED, *KEY)
    assert not app.error
    cells = shown(app)
    assert list(cells)[:3] == ["k <b>", "n", "body **b**"]
    assert [name for name, cell in cells.items() if cell["key"]] == ["k <b>", "n"]
    assert cells["body **b**"]["text"] == "good <img src=x onerror=alert(1)>\n  **bold**"
    assert (cells["at"]["kind"], cells["at"]["exact"]) == ("time", "2024-07-01 12:00:00.5+00")
    assert cells["at"]["text"] == "2024-07-01 12:00:00.5 UTC"
    assert cells["js"]["tree"]["object"][0][1]["array"][0] == {"is": "12345678901234567890.10", "kind": "number"}
    assert cells["raw"]["text"].split() == ["000000", "00", "ff", "41", "..A"]
    assert (cells["raw"]["note"], cells["f"]["text"], cells["f"]["comment"]) == ("3 B", "NaN", "a <i>comment</i>")
    assert (cells["nothing"]["kind"], cells["empty"]["kind"]) == ("null", "empty")
    # Where its foreign keys lead: to a row by its key, and else to the rows of a table.
    (there,) = cells["who"]["links"]
    assert (there["text"], there["words"]) == ("people", "Bo")
    address, _, query = there["address"].partition("?")
    assert (address, dict(urllib.parse.parse_qsl(query))) == (
        "row",
        looks.row_parameters("people", ("9007199254740993",)),
    )
    (there,) = cells["code"]["links"]
    page, parameters = followed(there)
    assert (page, looks.read(parameters)[0].where) == (
        "tables",
        conditions.Group((conditions.Condition("code", "eq", ("a&b=c",)),)),
    )
    # Nothing of it is Markdown: what is said elsewhere has backslashes before every sign.
    assert "![x]" not in conftest.texts(app)
    assert not any("![x]" in label or "<b>" in label for label in pages(app))
    assert next(iter(pages(app).values())) == ("tables", {"table": QUOTED})

    app = press(app, "Next")
    assert app.query_params["key"] == '["z","2"]' or app.query_params["key"] == ['["z","2"]']
    cells = shown(app)
    assert (cells["at"], cells["js"]["text"]) == (cells["at"] | {"kind": "text", "text": "infinity"}, "5")
    assert (cells["who"]["kind"], cells["who"]["links"], cells["f"]["text"]) == ("null", [], "1e+22")
    assert cells["body **b**"]["note"] == "the first 1,000,000 of 2,000,000 characters"
    assert cells["raw"]["note"] == "30 kB, the first 1.0 kB of them"
    assert len(app.get("download_button")) == 2
    assert {button.label: button.disabled for button in app.button} == {"Previous": False, "Next": True}
    press(app, "Previous")
    assert shown(app)["n"]["text"] == "1"


def test_rows_that_refer_to_one_are_counted_and_linked(row: Open) -> None:
    app = row("people", "9007199254740993")
    found = {label: to for label, to in pages(app).items() if "by who" in label}
    ((page, parameters),) = found.values()
    look, troubles = looks.read(parameters)
    assert (page, look.table, troubles) == ("tables", QUOTED, [])
    assert [(one.column, one.operator, one.values) for one in look.where.parts] == [
        ("who", "eq", ("9007199254740993",))
    ]
    assert not any("![x]" in label for label in found)
    assert "1 row" in [caption.value for caption in app.caption]
    app = row("people", "1")
    assert "no row" in [caption.value for caption in app.caption]
    assert not [label for label in pages(app) if "by who" in label]


def test_a_link_to_no_row_says_so_and_leads_on(row: Open) -> None:
    for table, key, said in (
        ("people", "7", "There is no row of people with this key any more"),
        ("people", "x", "This link names no row of people"),
        ("seen", "1", "The rows of seen have no page of their own"),
        ("no ![x](http://127.0.0.1:9/x)", "1", "There is no table or view"),
    ):
        app = row(table, key)
        assert said in app.error[0].value.replace("\\", "")
        assert "![x]" not in app.error[0].value
        assert list(pages(app).values()) == [("tables", {"table": table})]


def test_the_scores_of_a_row_say_what_they_rest_on(
    row: Open,
    execute: Execute,
    data_pool: database.Database,
    store_pool: database.Database,
    place: Callable[[str], sqlalchemy.URL],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    execute(f"UPDATE {QUOTED} SET \"body **b**\" = 'good' WHERE n = 2")
    assert "so there is nothing to score" in conftest.texts(row(QUOTED, *KEY))
    execute(
        f'INSERT INTO {QUOTED} ("k <b>", n, "body **b**")'
        " SELECT 'more', n, 'What somebody wrote of the ' || n || ' things that they had bought.'"
        " FROM generate_series(10, 60) AS n"
    )
    st.cache_data.clear()
    app = row(QUOTED, *KEY)
    assert "No text of this table has been scored yet." in conftest.texts(app)
    assert pages(app)["Score it"] == ("score", {"part": "new", "table": QUOTED})
    bench = scored.Bench(data_pool, store_pool)
    address = place(embedded.OWNER)
    here = f"{address.host}:{address.port}/{address.database}"
    for name in ("default", "**other**"):
        bench.run(QUOTED, "body **b**", model=name, place=here, key=["k <b>", "n"])
    st.cache_data.clear()
    app = row(QUOTED, *KEY)
    said = conftest.texts(app)
    assert "75.0% sure" in said
    assert "has changed" not in said
    assert {
        "Run 1": ("score", {"part": "runs", "run": "1"}),
        "Run 2": ("score", {"part": "runs", "run": "2"}),
    }.items() <= (pages(app).items())
    execute(f"UPDATE {QUOTED} SET \"body **b**\" = 'another'")
    st.cache_data.clear()
    app.run()
    assert "The text has changed since it was scored." in conftest.texts(app)
    assert pages(app)["Score it"] == ("score", {"part": "new", "table": QUOTED, "text": "body **b**"})
    execute(f"INSERT INTO {QUOTED} VALUES ('new', 3, 'new')")
    app = row(QUOTED, "new", "3")
    assert "it has no score yet" in conftest.texts(app)


def test_a_row_becomes_json_when_it_is_asked_for(row: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    app = row(QUOTED, *KEY)
    assert not app.code
    app.session_state["row_json"] = True
    app.run()
    assert not app.exception
    assert json.loads(app.code[0].value)["who"] == 9007199254740993
    assert '"a": [12345678901234567890.10, "<b>"]' in app.code[0].value


# What the browser is given


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("2024-07-01 12:00:00+00", "2024-07-01 14:00:00 CEST"),
        ("2024-01-01 12:00:00.000001-03:30", "2024-01-01 16:30:00.000001 CET"),
        ("0044-03-15 12:00:00+00 BC", None),
        ("10000-01-01 00:00:00+00", None),
        ("9999-12-31 23:59:59+00", None),
        ("infinity", None),
    ],
)
def test_a_moment_is_shown_in_the_zone_of_the_reader(text: str, local: str | None) -> None:
    assert row_cells.moment(text, zoneinfo.ZoneInfo("Europe/Berlin")) == local


def test_a_zone_that_is_not_known_is_utc() -> None:
    assert [str(row_cells.zone(name)) for name in (None, "", "Europe/Berlin", "../etc", "Nowhere/Land")] == [
        "UTC",
        "UTC",
        "Europe/Berlin",
        "UTC",
        "UTC",
    ]


@pytest.mark.parametrize("text", ["5", '"a"', "null", "{", "[" * 100_000, "[" * 99 + "]" * 99, json.dumps([0] * 6_000)])
def test_what_cannot_be_folded_is_text(text: str) -> None:
    assert json_tree.tree(text) is None


def test_json_keeps_every_name_and_every_digit() -> None:
    assert json_tree.tree('{"a": 1.10, "a": [true, null, "\\u00e9"]}') == {
        "object": [
            ["a", {"is": "1.10", "kind": "number"}],
            [
                "a",
                {
                    "array": [
                        {"is": "true", "kind": "literal"},
                        {"is": "null", "kind": "literal"},
                        {"is": '"é"', "kind": "string"},
                    ]
                },
            ],
        ]
    }


def test_nothing_is_ever_parsed_as_html() -> None:
    for parser in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval("):
        assert parser not in row_values.JS
