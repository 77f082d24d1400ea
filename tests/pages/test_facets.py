"""Facets and profiles on Tables, on a database that is hostile to whoever shows it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy
from streamlit.testing.v1 import AppTest

from elements import bars, facets, profile
from tests.pages import conftest
from undertone import (
    conditions,
    database,
    embedded,
    facet_clicks,
    keyset,
    looks,
    profiles,
    relations,
    sampling,
    structure,
)
from undertone import facets as counting
from undertone.conditions import Condition, Group

Execute = Callable[..., list[tuple[object, ...]]]
Open = Callable[..., AppTest]
HOSTILE = "![x](http://127.0.0.1:9/x.png) <b>:red[r]</b>"
TABLES = f"""
CREATE TABLE visits (id int PRIMARY KEY, "k **b** 50%" text, at timestamptz, note text);
INSERT INTO visits SELECT n, (ARRAY['{HOSTILE}', '', NULL])[n % 3 + 1], timestamptz '2026-01-01' + n * interval '1 h',
    repeat('x', 300) || n FROM generate_series(1, 300) AS n;
COMMENT ON COLUMN visits.at IS 'when *it* was';
ANALYZE visits;
CREATE VIEW seen AS SELECT * FROM visits;
CREATE TABLE bare ();
"""


@pytest.fixture
def tables(place: Callable[[str], sqlalchemy.URL], monkeypatch: pytest.MonkeyPatch, execute: Execute) -> Iterator[Open]:
    """Open Tables on a look."""
    data, store = (place(role).render_as_string(hide_password=False) for role in (embedded.READER, embedded.OWNER))
    open_page = conftest.opener(monkeypatch, DATABASE_URL=data, STORE_URL=store)
    execute(TABLES)

    def open_look(table: str, **changes: Any) -> AppTest:
        app = open_page("tables", **looks.parameters(looks.Look(table, **changes)))
        assert not app.exception
        return app

    yield open_look
    conftest.release()


def drawn(app: AppTest) -> dict[str, dict[str, Any]]:
    """What the browser is given of each of the pictures, by title."""
    found = [json.loads(one.proto.json) for one in app.get("bidi_component") if one.proto.json]
    return {one["title"]: one for one in found if isinstance(one, dict) and "bins" in one}


def test_facets_stand_beside_the_rows_and_are_only_text(tables: Open) -> None:
    column = "k **b** 50%"
    app = tables("visits")
    found = drawn(app)
    assert list(found) == [column, "at"]
    assert {(one["text"], one["amount"]) for one in found[column]["rows"]} == {
        (HOSTILE, "100"),
        (bars.EMPTY, "100"),
        (bars.NO_VALUE, "100"),
    }
    assert sum(float(one["share"]) for one in found["at"]["bins"]) == pytest.approx(1)
    assert HOSTILE not in conftest.texts(app)
    # What is filtered by is chosen; its own values are all to be seen still, of others what is left.
    app = tables("visits", where=Group((Condition(column, "eq", ("",)), Condition("note", "starts", ("x",)))))
    found = drawn(app)
    assert [(one["text"], one["chosen"]) for one in found[column]["rows"]].count((bars.EMPTY, True)) == 1
    assert (len(found[column]["rows"]), found[column]["clear"], found["at"]["clear"]) == (3, True, False)
    assert sum(int(one["amount"]) for one in found["at"]["bins"]) == 100
    assert found["note"]["foot"].startswith("Other values: ")
    assert not any(one["clickable"] for one in found["note"]["rows"])  # too long to filter by
    # Others can be added, and all of them closed and opened again.
    app.selectbox(key=next(box.key for box in app.selectbox if box.label == "Add a facet")).select("id").run()
    assert "id" in drawn(app)
    app.button(key="tables_facets_close").click().run()
    assert drawn(app) == {}
    app.button(key="tables_facets_open").click().run()
    assert column in drawn(app)


def test_columns_are_described_and_counted_exactly_on_request(tables: Open) -> None:
    app = tables("visits", part="profile")
    said = conftest.texts(app)
    assert "no row is read for them" in said
    table = app.dataframe[0].value
    assert list(table["Column"]) == ["id", "k **b** 50%", "at", "note"]
    assert list(table["No value"]) == [0, pytest.approx(1 / 3), 0, 0]
    assert "100" not in {one["amount"] for one in drawn(app)["Most common values"]["rows"]}
    (button,) = [one for one in app.button if one.label == "Count exactly"]
    button.click().run()
    assert not app.exception
    for _ in range(20):
        if any(one.label == "Count again" for one in app.button):
            break
        app.run()
    assert any(one.label == "Count again" for one in app.button)
    assert ("counted", "300") in {tuple(row) for row in app.dataframe[1].value.itertuples(index=False)}
    # A link names the column; one that is not there leaves the first.
    for name, shown in (("note", "note"), ("gone", "id")):
        app.query_params["column"] = name
        app.run()
        assert not app.exception
        assert [one.value for one in app.subheader] == [shown]
    # Of a view nothing is known before; with filters the count is of what they let pass.
    app = tables("seen", part="profile", where=Group((Condition("id", "le", ("30",)),)))
    said = conftest.texts(app)
    assert "keeps no statistics of a view" in said
    assert "of those that the filters let pass" in said
    assert "may read none" in conftest.texts(tables("bare", part="profile"))


@pytest.mark.parametrize(
    ("part", "said", "shown"),
    [
        ("rows", "Somebody holds visits exclusively", "Rows 1 to 50"),
        ("profile", "no row is read for them", "no row is read for them"),
        ("structure", "visits is held by somebody", "4 columns"),
    ],
)
def test_a_table_that_somebody_holds_locked_is_said_and_is_there_afterwards(
    tables: Open, store_pool: database.Database, monkeypatch: pytest.MonkeyPatch, part: str, said: str, shown: str
) -> None:
    for module in (keyset, structure):
        monkeypatch.setattr(module, "LOCK_MILLISECONDS", 200)
    with store_pool.lend() as holder:
        holder.cursor().execute("LOCK TABLE visits IN ACCESS EXCLUSIVE MODE")
        app = tables("visits", part=part)
        assert said in conftest.texts(app)
        holder.rollback()
    app.run()
    assert not app.exception
    assert not app.error
    assert shown in conftest.texts(app)


def test_a_picture_says_what_it_was_counted_in() -> None:
    sample = sampling.Sample(100_000, 10_000_000, first=False)
    entries = (
        counting.Entry("a", 90_000, (Condition("c", "eq", ("a",)),)),
        counting.Entry(None, 9_995, (Condition("c", "null"),)),
    )
    facet = counting.Facet("c", counting.VALUES, entries, 100_000, 5, 7, sample=sample)
    picture = facets.picture(facet, facet_clicks.toggled(conditions.EVERY, "c", entries[0]))
    assert [(bar.amount, bar.is_chosen) for bar in picture.bars] == [("90 %", True), ("10 %", False)]
    assert picture.note == "at least 7 values"
    assert picture.foot == "Other values: < 0.1 %. From a sample of about 100,000 of 10,000,000 rows."
    assert not picture.is_cleared
    exact = facets.picture(counting.Facet("c", counting.VALUES, entries, 99_995, 0, 1), conditions.EVERY)
    assert (exact.bars[0].amount, exact.foot, exact.is_cleared) == ("90,000", "", True)
    assert facets.picture(counting.Facet("c", counting.VALUES, (), 0), conditions.EVERY).foot == "No rows."


def test_figures_leave_out_what_is_not_known() -> None:
    column = relations.Column("c", "text", "text", True, None, None)
    field = relations.Field(column, "text", True, False, False)
    assert profile.figures(profiles.ColumnProfile(field)) == []
    lengths = profiles.Lengths("character", 0, 2.5, 9)
    one = profiles.ColumnProfile(
        field, True, rows=10, nulls=0.5, distinct=3.0, low="", high="z", empty=0.1, lengths=lengths
    )
    assert profile.figures(one) == [
        *(("counted", "10"), (bars.NO_VALUE, "50 %"), (bars.EMPTY, "10 %"), ("distinct values", "3"), ("lowest", "")),
        *(("highest", "z"), ("characters, fewest", "0"), ("characters, mean", "2.5"), ("characters, most", "9")),
    ]
