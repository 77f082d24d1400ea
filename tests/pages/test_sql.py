"""The SQL page, with a text area for its editor: AppTest runs no components."""

from __future__ import annotations

import threading
import types
from collections.abc import Callable

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from elements import messages
from resources import asked, database, sessions
from tests import running
from tests.pages import conftest
from undertone import asking, audit, charts, console, doctor, library, parameters, sharing

ENDLESS = "SELECT count(*) FROM generate_series(1, 1e12::bigint)"
Ask = Callable[..., AppTest]


def opened(open_page: conftest.Open, **query: str) -> AppTest:
    app = open_page("sql", editor="plain", **query)
    assert not app.exception
    return app


def write(app: AppTest, statement: str) -> AppTest:
    return app.text_area(key="sql_text").set_value(statement).run()


def press(app: AppTest, key: str) -> AppTest:
    return answered(app.button(key=key).click().run())


def ask(app: AppTest, statement: str) -> AppTest:
    app.text_area(key="sql_text").set_value(statement)
    return press(app, "sql_run")


def keys(app: AppTest) -> set[str]:
    return {str(button.key) for button in app.button}


def answered(app: AppTest) -> AppTest:
    """The page, once what it asks has ended."""

    def look() -> bool:
        return "sql_cancel" not in keys(app) or "sql_cancel" not in keys(app.run())

    running.wait_until(look, "the statement has ended")
    assert not app.exception
    return app


def logged() -> list[audit.Entry]:
    return database.get_store().ask(audit.history, who=None)


def grid(app: AppTest) -> dict[str, list[object]]:
    """The columns of the answer; None is null."""
    return {
        str(name): [None if pd.isna(value) else value for value in values]
        for name, values in app.dataframe[0].value.items()
    }


def test_it_answers_and_shows_null_apart_from_empty(shop: conftest.Open) -> None:
    app = opened(shop)
    assert "The answer will be shown here" in conftest.texts(app)
    ask(app, "SELECT count(*), NULL AS nothing, '' AS empty FROM reviews")
    assert grid(app) == {"count": [321], "nothing": [None], "empty": [""]}
    assert "1 row in" in conftest.texts(app)


def test_it_shows_the_servers_words_and_the_place(shop: conftest.Open) -> None:
    app = ask(opened(shop), "SELECT 1,\n  wrong FROM reviews")
    assert messages.plain('column "wrong" does not exist') in app.error[0].value
    assert app.code[0].value == "line 2:\n  wrong FROM reviews\n  ^"


@pytest.mark.parametrize("statement", ["DELETE FROM reviews", "DROP TABLE reviews; SELECT 1", "SELECT 1 INTO x"])
def test_it_refuses_what_writes_and_says_so(shop: conftest.Open, statement: str) -> None:
    app = ask(opened(shop), statement)
    assert ":material/block:" in app.error[0].icon
    assert "It was not asked" in conftest.texts(app)
    assert not app.dataframe


def test_it_says_what_was_cut_and_how_to_raise_the_limit(shop: conftest.Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERTONE_QUERY_ROWS", "7")
    app = ask(opened(shop), "SELECT * FROM generate_series(1, 1000)")
    assert len(app.dataframe[0].value) == 7
    assert "Only the first 7 rows" in app.warning[0].value
    assert "UNDERTONE_QUERY_ROWS" in app.warning[0].value


def test_a_limit_looks_like_one_and_can_be_tried_again(shop: conftest.Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERTONE_QUERY_SECONDS", "0.5")
    app = ask(opened(shop), ENDLESS)
    assert messages.plain("UNDERTONE_QUERY_SECONDS") in app.warning[0].value
    assert not app.error
    press(app, "sql_again")
    assert messages.plain("UNDERTONE_QUERY_SECONDS") in app.warning[0].value
    assert [entry.outcome for entry in logged()[:2]] == ["limited", "limited"]


def test_an_answer_is_shared_for_a_while_and_asked_anew_when_wanted(shop: conftest.Open) -> None:
    statement = "SELECT clock_timestamp()"
    app = ask(opened(shop), statement)
    first = grid(app)
    asked_before = len(logged())
    other = ask(opened(shop), statement)
    assert grid(other) == first
    assert "shared answer" in conftest.texts(other)
    assert len(logged()) == asked_before
    press(other, "sql_again")
    assert grid(other) != first
    assert "shared answer" not in conftest.texts(other)
    assert len(logged()) == asked_before + 1
    # The scores are another database, whatever the statement.
    other.segmented_control(key="sql_target").set_value("scores").run()
    press(other, "sql_run")
    assert "shared answer" not in conftest.texts(other)
    assert logged()[0].target == "scores"


def test_nothing_is_shared_where_a_setting_says_so(shop: conftest.Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERTONE_QUERY_CACHE_SECONDS", "0")
    app = ask(opened(shop), "SELECT clock_timestamp()")
    first = grid(app)
    assert grid(press(app, "sql_run")) != first


def test_a_failure_is_never_kept(shop: conftest.Open) -> None:
    app = ask(opened(shop), "SELECT 1 / 0")
    press(app, "sql_run")
    assert [(entry.outcome, entry.statement) for entry in logged()[:2]] == [("failed", "SELECT 1 / 0")] * 2


def test_each_parameter_has_an_input_of_its_kind_and_is_sent_as_a_value(shop: conftest.Open) -> None:
    app = write(opened(shop), "SELECT :n::int + 1 AS n, :t AS t, :b::bool AS b, ':no' AS no, :d::date AS d")
    app.text_input(key="sql_parameter_n_integer_typed").set_value("41")
    app.text_input(key="sql_parameter_t_text_typed").set_value("'; DROP TABLE reviews; --")
    app.selectbox(key="sql_parameter_b_boolean").set_value("true")
    app.checkbox(key="sql_parameter_d_null").check()
    assert len(app.date_input) == 1
    press(app, "sql_run")
    assert grid(app) == {"n": [42], "t": ["'; DROP TABLE reviews; --"], "b": ["true"], "no": [":no"], "d": [None]}
    assert set(logged()[0].parameters or {}) == {"n", "t", "b", "d"}


def test_of_several_statements_one_is_run_explained_and_asked_for_its_parameters(shop: conftest.Open) -> None:
    whole = "SELECT :n::int AS n;\nSELECT ';' AS t, :other AS o;\nSELECT wrong"
    app = write(opened(shop), whole)
    box = app.selectbox(key="sql_statement")
    assert box.options == ["1. SELECT :n::int AS n", "2. SELECT ';' AS t, :other AS o", "3. SELECT wrong"]
    assert "Statement 1 of 3" in conftest.texts(app)
    app.text_input(key="sql_parameter_n_integer_typed").set_value("41")
    assert grid(press(app, "sql_run")) == {"n": [41]}
    assert set(logged()[0].parameters or {}) == {"n"}

    app.selectbox(key="sql_statement").select_index(1).run()
    assert "Statement 2 of 3" in conftest.texts(app)
    assert [text.key for text in app.text_input if str(text.key).startswith("sql_parameter")] == [
        "sql_parameter_other_text_typed"
    ]
    app.text_input(key="sql_parameter_other_text_typed").set_value("x")
    press(app, "sql_explain")
    assert (logged()[0].statement, logged()[0].how) == ("SELECT ';' AS t, :other AS o", "explain")
    assert grid(press(app, "sql_run")) == {"t": [";"], "o": ["x"]}
    # What is kept or shared is the whole, with the values of all.
    app.button(key="sql_share_open").click().run()
    (link,) = [code.value for code in app.code if "?share=" in code.value]
    shared = sharing.unpack(link.split("?share=")[1])
    assert shared.statement == whole
    assert {name: value.value for name, value in shared.parameters.items()} == {"n": "41", "other": "x"}

    app.selectbox(key="sql_statement").select_index(2).run()
    press(app, "sql_run")
    assert messages.plain('column "wrong" does not exist') in app.error[0].value
    assert app.code[0].value.startswith("line 3:\nSELECT wrong\n")
    # Back at the first one its value is still there.
    app.selectbox(key="sql_statement").select_index(0).run()
    assert app.text_input(key="sql_parameter_n_integer_typed").value == "41"


def test_nothing_is_no_statement(shop: conftest.Open) -> None:
    before = len(logged())
    app = press(write(opened(shop), " -- only a comment\n"), "sql_run")
    assert [toast.value for toast in app.toast] == ["Write a statement first."]
    assert len(logged()) == before


def test_a_parameter_without_a_value_is_named(shop: conftest.Open) -> None:
    app = ask(opened(shop), "SELECT :rating::int")
    assert messages.plain(":rating has no value") in app.error[0].value


def test_the_kind_of_a_parameter_can_be_changed(shop: conftest.Open) -> None:
    app = write(opened(shop), "SELECT pg_typeof(:x)::text AS type")
    app.selectbox(key="sql_parameter_x_kind_text").set_value("date").run()
    app.date_input(key="sql_parameter_x_date").set_value("2026-01-31")
    press(app, "sql_run")
    assert grid(app) == {"type": ["date"]}


def test_a_link_fills_the_page_and_runs_nothing(shop: conftest.Open) -> None:
    given = {"n": parameters.Value("integer", "3"), "d": parameters.Value("date", "infinity")}
    link = sharing.pack(sharing.Shared("SELECT :n::int AS n, :d::date AS d", given, None, "scores"))
    app = opened(shop, share=link)
    assert app.text_area(key="sql_text").value == "SELECT :n::int AS n, :d::date AS d"
    assert app.text_input(key="sql_parameter_n_integer_typed").value == "3"
    assert "came with a link" in app.info[0].value
    assert not app.dataframe
    assert all(entry.statement != "SELECT :n::int AS n, :d::date AS d" for entry in logged())
    press(app, "sql_run")
    assert grid(app) == {"n": [3], "d": ["infinity"]}
    assert logged()[0].target == "scores"


def test_a_broken_link_is_one_clear_line(shop: conftest.Open) -> None:
    app = opened(shop, share="1.AAAA")
    assert [messages.plain(sharing.BROKEN)] == [error.value for error in app.error]
    assert app.text_area(key="sql_text").value == ""
    other = opened(shop, share=sharing.pack(sharing.Shared("SELECT 1", target="nowhere")))
    assert "cannot be asked here" in other.error[0].value
    assert grid(press(other, "sql_run")) == {"?column?": [1]}


def test_the_links_of_other_pages_fill_it_too(shop: conftest.Open) -> None:
    app = opened(shop, statement="SELECT 7 AS seven")
    assert not app.dataframe
    assert grid(press(app, "sql_run")) == {"seven": [7]}


def test_the_schema_is_searched_inserted_and_looked_into(shop: conftest.Open) -> None:
    app = write(opened(shop), "SELECT * FROM ")
    assert {"sql_relation_public.reviews", "sql_relation_public.orders"} <= keys(app)
    app.text_input(key="sql_schema_search").set_value("revi").run()
    assert "sql_relation_public.orders" not in keys(app)
    app.button(key="sql_relation_public.reviews").click().run()
    app.button(key="sql_schema_insert").click().run()
    assert app.text_area(key="sql_text").value == "SELECT * FROM reviews"
    press(app, "sql_schema_preview")
    assert len(app.dataframe[0].value) == 10
    assert app.text_area(key="sql_text").value == "SELECT * FROM reviews"


def test_a_saved_query_is_found_and_opened_with_its_parameters_and_chart(shop: conftest.Open) -> None:
    app = opened(shop)
    chart = charts.Chart("number", None, ("n",), None)
    one = library.Saved(
        id=None,
        name="Five *stars*",
        description="![x](http://127.0.0.1:9/x.png)",
        tags=("daily",),
        statement="SELECT :n::int AS n",
        parameters={"n": parameters.Value("integer", "5")},
        chart=chart.to_dict(),
        target="scores",
        version=1,
        who="somebody",
        at=None,
    )
    with database.get_store().lend() as connection:
        library.save(connection, one)
    app.session_state["sql_side"] = "Saved"
    app.run()
    app.text_input(key="sql_saved_search").set_value("stars daily").run()
    (button,) = [button for button in app.button if button.label == messages.plain(one.name)]
    assert one.description not in button.help
    button.click().run()
    assert app.text_area(key="sql_text").value == one.statement
    assert app.text_input(key="sql_parameter_n_integer_typed").value == "5"
    assert not app.dataframe
    assert grid(press(app, "sql_run")) == {"n": [5]}
    assert logged()[0].target == "scores"
    draft = app.session_state["sql_draft"]
    assert draft.chart == chart
    assert draft.saved.name == one.name


def test_a_removed_query_is_found_looked_at_and_restored(shop: conftest.Open) -> None:
    one = library.Saved(None, "Gone *away*", "", ("old",), "SELECT 7 AS seven", {}, None, "data", 1, "somebody", None)
    app = opened(shop)
    app.session_state["sql_side"] = "Saved"
    app.run()
    with database.get_store().lend() as connection:
        kept = library.save(connection, one)
    assert f"sql_saved_own_{kept.id}" in keys(app.run())
    with database.get_store().lend() as connection:
        library.remove(connection, kept.id or 0, who="![x](http://127.0.0.1:9/x.png)")
    assert f"sql_saved_own_{kept.id}" not in keys(app.run())
    assert "![x]" not in conftest.texts(app)
    assert app.button(key=f"sql_removed_{kept.id}").label == messages.plain(one.name)
    app.button(key=f"sql_removed_{kept.id}").click().run()
    assert app.text_area(key="sql_text").value == one.statement
    # Its name was taken meanwhile: it stays where it is, and says so.
    with database.get_store().lend() as connection:
        other = library.save(connection, one)
    app.button(key=f"sql_restore_{kept.id}").click().run()
    assert any("already" in error.value for error in app.error)
    with database.get_store().lend() as connection:
        library.remove(connection, other.id or 0)
    app.button(key=f"sql_restore_{kept.id}").click().run()
    assert [toast.value for toast in app.toast] == [messages.plain(f"Restored: {one.name}")]
    assert f"sql_saved_own_{kept.id}" in keys(app)
    assert f"sql_restore_{kept.id}" not in keys(app)
    assert f"sql_restore_{other.id}" in keys(app)
    assert database.get_store().ask(library.find, one.name).version == 3


def test_what_stands_beside_can_be_hidden_and_the_text_stays(shop: conftest.Open) -> None:
    app = ask(opened(shop), "SELECT 1 AS one")
    app.button(key="sql_fold").click().run()
    assert not app.tabs or "Schema" not in {tab.label for tab in app.tabs}
    assert app.text_area(key="sql_text").value == "SELECT 1 AS one"
    assert grid(app) == {"one": [1]}
    app.button(key="sql_fold").click().run()
    assert "Schema" in {tab.label for tab in app.tabs}
    assert app.text_area(key="sql_text").value == "SELECT 1 AS one"


def test_the_shipped_queries_open_and_run(shop: conftest.Open) -> None:
    app = opened(shop)
    app.session_state["sql_side"] = "Saved"
    app.run()
    shipped = [button.key for button in app.button if str(button.key).startswith("sql_saved_shipped")]
    assert len(shipped) > 3
    app.button(key=shipped[0]).click().run()
    assert app.text_area(key="sql_text").value


def test_the_history_is_ones_own_and_comes_back_with_a_click(shop: conftest.Open) -> None:
    app = ask(opened(shop), "SELECT 'remembered' AS word")
    ask(app, "SELECT wrong_column FROM reviews")
    app.session_state["sql_side"] = "History"
    app.run()
    labels = {button.label: button for button in app.button if str(button.key).startswith("sql_history_")}
    assert len(labels) == 2
    assert "1 row" in conftest.texts(app)
    assert "failed" in conftest.texts(app)
    labels[messages.plain("SELECT 'remembered' AS word")].click().run()
    assert app.text_area(key="sql_text").value == "SELECT 'remembered' AS word"
    assert grid(app) if app.dataframe else True  # nothing new was asked
    assert len([entry for entry in logged() if "remembered" in entry.statement]) == 1
    other = opened(shop)
    other.session_state["sql_side"] = "History"
    other.run()
    assert "will be listed here" in conftest.texts(other)
    assert messages.plain("SELECT 'remembered' AS word") not in {button.label for button in other.button}


def test_cancel_stops_it_and_frees_the_only_slot(shop: conftest.Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERTONE_QUERY_SLOTS", "1")
    app = opened(shop)
    app.text_area(key="sql_text").set_value(ENDLESS)
    app.button(key="sql_run").click().run()
    press(app, "sql_cancel")
    assert "was cancelled" in conftest.texts(app)
    assert logged()[0].outcome == "cancelled"
    assert grid(ask(app, "SELECT 1 AS one")) == {"one": [1]}


def test_another_page_stops_nothing_and_another_statement_does(shop: conftest.Open) -> None:
    app = opened(shop)
    app.text_area(key="sql_text").set_value(ENDLESS)
    app.button(key="sql_run").click().run()
    app.switch_page("pages/tables.py").run()
    app.switch_page("pages/sql.py").run()
    assert "sql_cancel" in keys(app)
    assert app.text_area(key="sql_text").value == ENDLESS
    assert logged()[0].outcome == "running"
    ask(app, "SELECT 'the second' AS word")
    assert grid(app) == {"word": ["the second"]}
    running.wait_until(
        lambda: next(entry.outcome for entry in logged() if entry.statement == ENDLESS) == "cancelled",
        "the first one has been cancelled",
    )


def test_the_end_of_a_session_cancels_what_it_asked(shop: conftest.Open) -> None:
    opened(shop)
    session = asked.Session("gone")
    running_one = asked.Running(asking.Question(ENDLESS), "rows")
    services = database.get_services()
    limits = console.limits(services.settings)

    def ask_it(cancel: threading.Event) -> console.Result:
        return asking.run(services, running_one.question, limits, cancel=cancel)

    thread = threading.Thread(target=running_one.run, args=(lambda: running_one.ask(ask_it, "key"), "the statement"))
    thread.start()
    session.running = running_one
    session.leave()
    assert not running_one.cancelled  # it may have been the network
    thread.join(20)
    assert isinstance(running_one.error, console.StatementCancelled)


def test_a_connection_that_is_back_in_a_moment_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    known = types.SimpleNamespace(is_active_session=lambda name: name == "back")
    monkeypatch.setattr(sessions, "runtime", types.SimpleNamespace(exists=lambda: True, get_instance=lambda: known))
    monkeypatch.setattr(sessions, "GRACE_SECONDS", 0.0)
    for name, stopped in (("back", False), ("gone", True)):
        session = asked.Session(name)
        session.running = asked.Running(asking.Question(ENDLESS), "rows")
        session.leave()
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                thread.join(20)
        assert session.running.cancelled == stopped


def test_explain_shows_the_plan_and_runs_nothing(shop: conftest.Open) -> None:
    app = write(opened(shop), "SELECT count(*) FROM reviews WHERE rating = :rating::int")
    app.text_input(key="sql_parameter_rating_integer_typed").set_value("3")
    press(app, "sql_explain")
    assert not app.error
    assert logged()[0].how == "explain"
    press(app, "sql_analyze")
    assert not app.error
    assert logged()[0].how == "analyze"
    assert "what it did" in conftest.texts(app)


def test_texts_of_other_people_are_never_markdown(shop: conftest.Open) -> None:
    bad = "![x](http://127.0.0.1:9/x.png)"
    app = ask(opened(shop), f"SELECT '{bad}'")
    app.session_state["sql_side"] = "History"
    app.run()
    for button in app.button:
        assert bad not in button.label
        assert bad not in (button.help or "")


def test_what_the_account_could_do_cannot_be_missed(shop: conftest.Open, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(shop)
    assert not app.error
    monkeypatch.setattr(doctor, "warnings", lambda pool: ["somebody_ *is* a superuser."])
    conftest.st.cache_data.clear()
    app.run()
    assert [error.value for error in app.error] == [messages.plain("somebody_ *is* a superuser.")]
