"""What each page shows and does, and what it says when there is nothing to show or something is wrong."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from elements import messages
from tests import running
from tests.pages import conftest

PAGES = ["", "tables", "sql", "score", "try_it", "status"]


def column(app: AppTest, name: str, grid: int = 0) -> list[object]:
    return list(app.dataframe[grid].value[name])


def given(app: AppTest, name: str) -> str:
    """A parameter of the address: AppTest has a list where the test gave it, and a text where the page did."""
    value = app.query_params[name]
    return value[0] if isinstance(value, list) else value


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens(shop: conftest.Open, name: str) -> None:
    app = shop(name)
    assert not app.exception
    assert not app.error
    assert len(app.title) == 1


def test_home_lists_the_tables_and_proposes_to_score_the_reviews(shop: conftest.Open) -> None:
    app = shop()
    assert {"customers", "orders", "products", "reviews", "support_tickets"} <= set(column(app, "table"))
    assert "**reviews** has texts in body" in conftest.texts(app)


def test_tables_steps_forward_and_back_and_to_the_end(shop: conftest.Open) -> None:
    """What the rows look like: test_rows.py in browser."""
    app = shop("tables", table="reviews")
    assert app.title[0].value == "reviews"
    buttons = {button.label: button for button in app.button}
    assert buttons["First"].disabled
    assert buttons["Previous"].disabled
    assert "Rows 1 to 50 of about 321" in conftest.texts(app)
    buttons["Next"].click().run()
    assert "Rows 51 to 100 of about 321" in conftest.texts(app)
    assert given(app, "after") == '["50"]'
    {button.label: button for button in app.button}["Previous"].click().run()
    assert "Rows 1 to 50" in conftest.texts(app)
    {button.label: button for button in app.button}["Last"].click().run()
    assert given(app, "at") == "end"
    assert {button.label: button for button in app.button}["Next"].disabled


def test_tables_says_when_the_table_of_a_link_is_gone(shop: conftest.Open) -> None:
    app = shop("tables", table="no ![x](http://example.com) such")
    assert app.title[0].value == "Tables"
    assert "There is no table" in app.error[0].value
    assert "![x]" not in app.error[0].value


@pytest.mark.parametrize("part", ["rows", "profile", "structure"])
def test_tables_shows_each_part_of_a_table_and_of_a_catalogue(shop: conftest.Open, part: str) -> None:
    for table in ("orders", "pg_catalog.pg_class", "information_schema.tables"):
        app = shop("tables", table=table, part=part)
        assert not app.exception, table
        assert not app.error, table
        assert len(app.title) == 1, table
        conftest.release()


def test_tables_leaves_out_what_it_cannot_read_of_a_link_and_says_so(shop: conftest.Open) -> None:
    app = shop("tables", table="reviews", where="[[", sort='["-rating"', part="everything")
    assert [warning.value.split("“")[1].split("”")[0] for warning in app.warning] == ["part", "where", "sort"]
    assert "Rows 1 to 50 of about 321" in conftest.texts(app)


def test_score_proposes_what_to_score_and_what_to_keep_beside_it(shop: conftest.Open) -> None:
    """What becomes of it: test_score.py."""
    app = shop("score", table="survey_answers")
    assert app.selectbox(key="score_new_table").value == "survey_answers"
    assert app.selectbox(key="score_new_text_survey_answers_table").value == "answer"
    assert app.text_input(key="score_new_own_survey_answers_table").value == "id"
    assert "answered_at" in app.multiselect(key="score_new_context_survey_answers_table_answer").value
    assert app.button(key="score_start").disabled


def test_try_it_classifies_what_is_typed(shop: conftest.Open) -> None:
    app = shop("try_it")
    app.text_area(key="try_it_text").set_value("I love this kettle, best thing I ever bought!").run()
    assert not app.exception
    assert "POSITIVE" in conftest.texts(app)
    app.text_area(key="try_it_text").set_value("   ").run()
    assert "will be shown here" in conftest.texts(app)


def test_status_finds_nothing_wrong(shop: conftest.Open) -> None:
    app = shop("status")
    assert not app.error
    assert set(column(app, "good", grid=-1)) == {"✓"}


@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_something_to_say_about_an_empty_database(bare: conftest.Open, name: str) -> None:
    app = bare(name)
    assert not app.exception
    if name in ("", "tables", "score"):
        assert app.info
    if name != "status":  # an account that may read nothing is a finding there
        assert not app.error


def test_an_address_that_is_wrong_is_one_clear_line_without_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    app = conftest.opener(monkeypatch, DATABASE_URL="postgresql://somebody:hunter2@localhost:5x/shop")()
    assert not app.exception
    assert app.title[0].value == "Undertone cannot start"
    assert "DATABASE" in app.error[0].value
    assert "hunter2" not in conftest.texts(app)


def test_a_database_that_is_down_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    down = f"postgresql://somebody:hunter2@127.0.0.1:{running.free_port()}/shop"
    app = conftest.opener(monkeypatch, DATABASE_URL=down, STORE_URL=down)()
    assert not app.exception
    assert "cannot be reached" in app.error[0].value
    assert "hunter2" not in conftest.texts(app)


@pytest.mark.parametrize(
    "text",
    [
        "![x](http://example.com/x.png)",
        "<b>bold</b>",
        ":red[red]",
        "$x^2$",
        "`code`",
        "http://example.com",
        "# title",
        "a >= b",
        "a -> b",
        "-- x",
    ],
)
def test_stored_text_in_a_message_is_never_markdown(text: str) -> None:
    shown = messages.plain(text)
    assert shown.replace("\\", "").replace(messages.JOINER, "") == text
    assert all(shown[index - 1] == "\\" for index, letter in enumerate(shown) if letter in "![](){}<>:$`#*_~|")


def test_a_page_outlives_the_server(shop: conftest.Open, shop_home: running.Home) -> None:
    """The embedded server is killed between two clicks: it is started again, and nobody sees an error."""
    app = shop("tables", table="orders")
    for process in shop_home.processes("bin/postgres", "-D"):
        process.kill()
        process.wait(10)
    {button.label: button for button in app.button}["Next"].click().run()
    assert not app.exception
    assert not app.error
    assert "Rows 51 to 100" in conftest.texts(app)
