"""A table's structure as it is shown: every section, of odd names and of what has nothing to show, all as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest

from elements import messages
from resources import structure as resource
from tests.pages import conftest
from tests.unit import superuser
from undertone import embedded

READER = "undertone_reader"
LINK = "![x](http://127.0.0.1:9/x.png)"
LABEL = f'"{LINK} 50%"'
PAGE = """
import streamlit as st

from elements import place, structure
from resources import browsing

look = place.current()
structure.show(look, browsing.get_relation(look.table))
"""
WORLD = f"""
CREATE TABLE other (id int PRIMARY KEY);
CREATE TABLE {LABEL} (
    id int PRIMARY KEY, "{LINK}" int REFERENCES other, twice int GENERATED ALWAYS AS (id * 2) STORED,
    CONSTRAINT "{LINK} check" CHECK (id > 0)
);
ALTER TABLE {LABEL} ADD CONSTRAINT young CHECK (id < 9) NOT VALID;
CREATE INDEX "{LINK} index" ON {LABEL} ("{LINK}");
UPDATE pg_index SET indisvalid = false WHERE indexrelid = '"{LINK} index"'::regclass;
COMMENT ON TABLE {LABEL} IS '{LINK}'; COMMENT ON COLUMN {LABEL}.id IS '{LINK}';
CREATE POLICY "{LINK} policy" ON {LABEL} USING (id > 0); ALTER TABLE {LABEL} ENABLE ROW LEVEL SECURITY;
CREATE TABLE nothing ();
CREATE TABLE parts (id int) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parts FOR VALUES FROM (1) TO (2);
CREATE TABLE secret (id int); CREATE VIEW veiled AS SELECT count(*) FROM secret;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}; REVOKE ALL ON secret FROM {READER}
"""
Open = Callable[..., AppTest]


@pytest.fixture
def structure(place: superuser.Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Open a section of a table's structure."""
    data, store = (place(role).render_as_string(hide_password=False) for role in (embedded.READER, embedded.OWNER))
    for name, value in {"DATABASE_URL": data, "STORE_URL": store, "UNDERTONE_LOCAL_WORKER": "false"}.items():
        monkeypatch.setenv(name, value)
    superuser.execute(place, WORLD)

    def open_section(table: str, section: str = "") -> AppTest:
        app = AppTest.from_string(PAGE, default_timeout=conftest.SECONDS)
        app.query_params["table"] = table
        app.query_params["part"] = "structure"
        if section:
            app.query_params["section"] = section
        app.run()
        assert not app.exception
        return app

    yield open_section
    conftest.release()


def cells(app: AppTest) -> list[dict[str, object]]:
    """The rows of the grids."""
    return [row for grid in app.dataframe for row in grid.value.to_dict("records")]


def test_every_section_shows_a_table_of_odd_names_as_it_is(structure: Open) -> None:
    columns = cells(structure(LABEL))
    assert [row["column"] for row in columns] == ["id", LINK, "twice"]
    assert columns[0]["comment"] == LINK
    assert columns[2]["default"] == "generated, stored: (id * 2)"
    assert "collation" not in columns[0]  # what no column has is left out
    constraints = {row["constraint"]: row for row in cells(structure(LABEL, "Constraints"))}
    assert constraints[f"{LINK} check"]["definition"] == "CHECK (id > 0)"
    assert constraints["young"]["remark"] == "older rows were never checked"
    app = structure(LABEL, "Indexes")
    indexes = {row["index"]: row for row in cells(app)}
    assert indexes[f"{LINK} index"]["remark"] == "invalid: rebuild or drop it"
    assert str(indexes[f"{LABEL[1:-1]}_pkey"]["remark"]).startswith("never used")
    assert messages.plain(f"{LINK} index is invalid") in app.warning[0].value
    app = structure(LABEL, "References")
    assert "digraph" in app.get("graphviz_chart")[0].proto.spec
    assert [button.label for button in app.button] == ["other"]
    assert f'CONSTRAINT "{LINK} check" CHECK (id > 0)' in structure(LABEL, "DDL").code[0].value
    app = structure(LABEL, "More")
    assert [row["name"] for row in cells(app)] == [f"{LINK} policy"]
    assert "Row security" in conftest.texts(app)
    # A link that names no section shows the first.
    assert cells(structure(LABEL, "nowhere")) == columns
    for section in ("Columns", "Constraints", "Indexes", "References", "DDL", "More"):
        app = structure(LABEL, section)
        # Code and grids show it as it is; nothing else may hold it without its backslashes.
        shown = [app.markdown, app.caption, app.error, app.warning, app.info, app.subheader]
        texts = [str(element.value) for elements in shown for element in elements]
        assert not [text for text in [*texts, *(button.label for button in app.button)] if LINK in text], section


def test_what_has_nothing_to_show_says_so(structure: Open) -> None:
    for section in ("Columns", "Constraints", "Indexes", "References"):
        assert structure("nothing", section).info[0].value
    assert structure("nothing", "DDL").code[0].value == "CREATE TABLE nothing ();"
    app = structure("parts", "More")
    assert [button.label for button in app.button] == ["part"]
    assert messages.plain("FOR VALUES FROM (1) TO (2)") in conftest.texts(app)
    app = structure("veiled", "DDL")
    assert "secret" not in app.code[0].value
    assert "what this account may read" in app.caption[0].value


def test_a_table_that_is_gone_meanwhile_is_one_clear_message(structure: Open, place: superuser.Place) -> None:
    app = structure("part")
    superuser.execute(place, "DROP TABLE parts")
    resource.get_structure.clear()
    app.run()
    assert "no longer there" in app.error[0].value
    assert not app.exception
