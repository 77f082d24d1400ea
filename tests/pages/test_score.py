"""The Score page in each of its states: empty, planned, running, paused, failed, undone, scheduled, crowded."""

from __future__ import annotations

import dataclasses
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy
from streamlit.testing.v1 import AppTest

from elements import finished, score_runs
from resources import model
from tests.pages import conftest
from tests.unit import scored
from undertone import again, classifier, database, embedded, library, looks, scoring, watches

Execute = Callable[..., list[tuple[object, ...]]]
NASTY = '![x](http://127.0.0.1:9/x) <b>it"s</b> :red[r]'


class Picky(scored.Fake):
    """A model that fails at some texts."""

    def _one(self, text: object) -> classifier.Prediction:
        if isinstance(text, str) and "poison" in text:
            raise ValueError(text)
        return super()._one(text)


@dataclasses.dataclass
class Desk:
    """A database of a test's own: the page on it, and the means to do what workers do."""

    bench: scored.Bench
    place: str
    execute: Execute
    open_page: conftest.Open

    def open(self, name: str = "score", **query: Any) -> AppTest:
        app = self.open_page(name, **query)
        assert not app.exception
        return app

    def table(self, name: str, *texts: str | None, key: str = "id integer PRIMARY KEY") -> None:
        quoted = '"' + name.replace('"', '""') + '"'
        self.execute(f"CREATE TABLE {quoted} ({key}, body text, at timestamptz DEFAULT now())".replace("%", "%%"))
        column = key.split()[0]
        for number, text in enumerate(texts, 1):
            statement = f"INSERT INTO {quoted} ({column}, body) VALUES (%s, %s)"
            self.execute(statement, (number, text))
        self.execute(f"CREATE INDEX ON {quoted} (at)")

    def plan(self, relation: str, column: str = "body", **options: Any) -> scoring.Run:
        return self.bench.plan(relation, column, place=self.place, **options)

    def run(self, relation: str, column: str = "body", **options: Any) -> scoring.Run:
        return self.bench.work(self.plan(relation, column, **options))


@pytest.fixture
def desk(
    place: Callable[[str], sqlalchemy.URL],
    monkeypatch: pytest.MonkeyPatch,
    execute: Execute,
    data_pool: database.Database,
    store_pool: database.Database,
) -> Iterator[Desk]:
    data, store = (place(role).render_as_string(hide_password=False) for role in (embedded.READER, embedded.OWNER))
    open_page = conftest.opener(monkeypatch, DATABASE_URL=data, STORE_URL=store)
    bench = scored.Bench(data_pool, store_pool, Picky())
    monkeypatch.setattr(model, "get_classifier", lambda: bench.model)
    address = place(embedded.OWNER)
    yield Desk(bench, f"{address.host}:{address.port}/{address.database}", execute, open_page)
    conftest.release()


def metric(app: AppTest, name: str) -> str:
    return next(one.value for one in app.metric if one.label == name)


def rows(app: AppTest, *columns: str, grid: int = 0) -> list[tuple[object, ...]]:
    frame = app.dataframe[grid].value
    return list(zip(*(list(frame[column]) for column in columns), strict=True))


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def sure(app: AppTest, button: str, answer: str) -> None:
    """Answer a dialog. AppTest makes the whole page anew, so the button that opens it must be pressed in it, too."""
    app.button(key=button).click()
    app.button(key=answer).click().run()
    assert not app.exception


def labels(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


def said(app: AppTest) -> str:
    """What a page says, without the backslashes that keep stored text from being Markdown."""
    progress = " ".join(str(each.proto.text) for each in app.get("progress"))
    return (conftest.texts(app) + progress).replace("\\", "")


def test_where_nothing_was_scored_the_first_run_is_proposed(desk: Desk) -> None:
    desk.table("reviews", "good", "bad")
    app = desk.open()
    assert app.session_state["score_part"] == "new"
    for part, will_be in (("runs", "Runs will be listed here"), ("sources", "will be listed here, with their tables")):
        app = desk.open(part=part)
        assert will_be in said(app)
        assert app.session_state["score_part"] == part
        press(app, "New run")
        assert app.session_state["score_part"] == "new"


def test_a_run_is_planned_before_it_starts_and_only_what_was_planned_starts(desk: Desk) -> None:
    desk.table("reviews", "good", "bad", "good", None, " ")
    app = desk.open(table="reviews")
    assert app.button(key="score_start").disabled
    press(app, "Plan")
    assert [metric(app, name) for name in ("Rows", "To score", "Unchanged", "Empty")] == ["5", "3", "0", "2"]
    assert not app.button(key="score_start").disabled
    app.text_input(key="score_new_where_reviews_table").set_value("id > 1").run()
    assert app.button(key="score_start").disabled
    assert "has changed since it was planned" in said(app)
    press(app, "Plan")
    assert metric(app, "Rows") == "4"
    press(app, "Start")
    assert app.query_params["run"] == "1"
    (run,) = desk.bench.store.ask(scoring.runs)
    assert (run.condition, run.source.title) == ("id > 1", "reviews · body")
    assert run.who == app.session_state["visitor"]
    assert "a worker will take it in a moment" in said(app)
    assert "No worker of the queue scoring is at work" in said(app)


def test_what_is_scored_already_is_seen_in_the_plan(desk: Desk) -> None:
    desk.table("reviews", "good", "bad", "fine")
    desk.run("reviews", context=("at",))
    desk.execute("UPDATE reviews SET body = 'changed' WHERE id = 2")
    app = press(desk.open(part="new", table="reviews"), "Plan")
    assert [metric(app, name) for name in ("Rows", "To score", "Unchanged")] == ["3", "1", "2"]


def test_a_form_is_kept_in_the_address_and_filled_from_it(desk: Desk) -> None:
    desk.table("reviews", "good")
    app = desk.open(table="reviews", where="id < 5", template="{id}: {body}", new_by="at")
    assert app.text_input(key="score_new_where_reviews_table").value == "id < 5"
    assert app.text_input(key="score_new_template_reviews_table").value == "{id}: {body}"
    assert app.selectbox(key="score_new_by_reviews_table").value == "at"
    app.text_input(key="score_new_where_reviews_table").set_value("id < 7").run()
    assert app.query_params["where"] == "id < 7"
    press(press(app, "Plan"), "Start")
    (run,) = desk.bench.store.ask(scoring.runs)
    assert (run.source.text_column, run.source.template, run.new_by) == ("{id}: {body}", True, "at")


def test_a_template_proposes_as_its_first_column_does(desk: Desk) -> None:
    desk.table("reviews", "good")
    app = desk.open(table="reviews", template="{body} ({id})")
    assert app.multiselect(key="score_new_context_reviews_table_body").value == ["at"]
    app.text_input(key="score_new_template_reviews_table").set_value("{body").run()
    press(app, "Plan")
    assert "The template cannot be read" in said(app)


def test_a_link_to_what_is_gone_says_so(desk: Desk) -> None:
    desk.table("reviews", "good")
    assert "There is no table nothing any more" in said(desk.open(table="nothing"))
    assert "There is no saved query nothing" in said(desk.open(query="nothing"))


def test_a_wish_that_cannot_be_granted_is_one_line_and_starts_nothing(desk: Desk) -> None:
    desk.table("reviews", "good")
    app = press(desk.open(table="reviews", where="nothing = 1"), "Plan")
    assert 'column "nothing" does not exist' in app.error[0].value.replace("\\", "")
    assert app.button(key="score_start").disabled
    app = press(press(desk.open(table="reviews"), "Plan"), "Start")
    app = press(press(desk.open(part="new", table="reviews"), "Plan"), "Start")
    assert "has not ended" in app.error[0].value
    assert len(desk.bench.store.ask(scoring.runs)) == 1


def test_a_relation_without_a_key_asks_for_one(desk: Desk) -> None:
    desk.table("notes", "good", "bad", key="id integer")
    app = desk.open(table="notes")
    assert "there is no key of its own" in said(app)
    assert "Plan" not in labels(app)
    app.multiselect(key="score_new_key_notes_table").set_value(["id"]).run()
    press(press(app, "Plan"), "Start")
    assert [kept.name for kept in desk.bench.store.ask(scoring.runs)[0].source.key] == ["id"]


def test_a_saved_query_is_scored_and_its_texts_are_shown(desk: Desk) -> None:
    desk.table("reviews", "good one", "bad one")
    one = library.Saved(
        None, "Short ones", "", (), "SELECT id, body FROM reviews -- all", {}, None, "data", 1, "ann", None
    )
    with desk.bench.store.lend() as connection:
        library.save(connection, one)
    app = desk.open(query="Short ones")
    app.selectbox(key="score_new_text_Short ones_query").set_value("body").run()
    app.multiselect(key="score_new_key_Short ones_query").set_value(["id"]).run()
    press(press(app, "Plan"), "Start")
    desk.bench.work(desk.bench.store.ask(scoring.get, 1))
    app = desk.open(run="1")
    assert "What came out" in said(app)
    assert ("1", "good one") in rows(app, "id", "body", grid=-1)


def test_a_run_that_looks_through_the_rows_says_how_far_it_is(desk: Desk) -> None:
    desk.table("reviews", "good")
    desk.plan("reviews")
    desk.execute("UPDATE undertone.runs SET rows_surveyed = 12345")
    app = desk.open()
    assert "planned: looks through the rows, 12,345 so far" in said(app)
    assert {"Pause", "Cancel"} <= labels(app)
    assert not {"Undo", "Retry", "Resume"} & labels(app)


def test_a_running_run_shows_rows_rate_time_left_and_counts(desk: Desk) -> None:
    desk.table("reviews", *["good"] * 3, "bad", None, "good", "fine", "bad")
    run = desk.plan("reviews", chunk_rows=4)
    desk.bench.cut(run)
    desk.bench.score(run, 1)
    app = desk.open()
    assert "running: 4 of 8 rows" in said(app)
    assert "rows a second" in said(app)
    assert " left" in said(app)
    assert metric(app, "Scored") == "4"
    assert "What came out" in said(app)
    assert rows(app, "run", "state", "rows", "done") == [(1, "running", 8, "50 %")]


def test_a_run_is_paused_and_resumed(desk: Desk) -> None:
    desk.table("reviews", "good")
    desk.plan("reviews")
    app = press(desk.open(), "Pause")
    assert "paused" in said(app)
    assert "Pause" not in labels(app)
    press(app, "Resume")
    assert desk.bench.store.ask(scoring.get, 1).state == "planned"


def test_cancel_and_undo_ask_first(desk: Desk) -> None:
    desk.table("reviews", "good", "bad")
    desk.run("reviews")
    desk.plan("reviews")
    app = press(desk.open(run="2"), "Cancel")
    assert "It cannot be resumed" in said(app)
    assert desk.bench.store.ask(scoring.get, 2).state == "planned"
    sure(app, "score_cancel_2", "score_sure_cancel")
    assert desk.bench.store.ask(scoring.get, 2).state == "cancelled"
    app = press(desk.open(run="1"), "Undo")
    assert "2 scores that this run has written will be removed" in said(app)
    sure(app, "score_undo_1", "score_unsure_undo")
    assert desk.bench.store.ask(scoring.get, 1).undone_at is None
    press(app, "Undo")
    sure(app, "score_undo_1", "score_sure_undo")
    assert desk.bench.store.ask(scoring.get, 1).undone_at is not None
    assert "its scores are gone, what they had replaced is back" in said(app)
    assert not {"Undo", "Retry"} & labels(app)
    assert rows(app, "run", "state") == [(2, "cancelled"), (1, "undone")]


def test_what_somebody_else_did_meanwhile_is_an_error_and_no_traceback(desk: Desk) -> None:
    desk.table("reviews", "good")
    run = desk.plan("reviews")
    app = desk.open()
    desk.bench.change(run, "cancel")
    press(app, "Pause")
    assert "cancelled" in said(app)


def test_failed_rows_have_their_key_the_reason_and_a_link_that_selects_them(desk: Desk) -> None:
    desk.table("reviews", "good", "poison")
    key = 'O\'Neil\n%s \\ "x"'
    desk.execute('CREATE TABLE "Odd ""%%" ("k %%" text PRIMARY KEY, body text)', ())
    desk.execute('INSERT INTO "Odd ""%%" VALUES (%s, %s), (%s, %s)', (key, "poison", "b", "good"))
    run = desk.run('"Odd ""%"')
    assert run.failed == 1
    app = desk.open(show="Errors")
    assert metric(app, "Failed") == "1"
    assert "Retry" in labels(app)
    ((shown, reason, link),) = rows(app, "k %", "reason", "row", grid=-1)
    assert shown == key
    assert reason == "the model failed at it: ValueError"
    page, _, query = str(link).partition("?")
    assert page == "row"
    given = dict(urllib.parse.parse_qsl(query))
    assert looks.read_key(given) == (key,)
    app = desk.open("row", **given)
    assert not app.error
    assert '"Odd ""%"' in app.title[0].value.replace("\\", "")


def test_a_failed_row_of_a_view_is_selected_by_a_statement(desk: Desk) -> None:
    desk.table("reviews", "good", "poison")
    key = 'O\'Neil\n%s \\ "x"'
    desk.execute("CREATE VIEW seen AS SELECT %s::text || id AS k, body FROM reviews", (key,))
    run = desk.run("seen", key=["k"])
    assert run.failed == 1
    app = desk.open(show="Errors")
    ((shown, link),) = rows(app, "k", "row", grid=-1)
    page, _, query = str(link).partition("?")
    assert page == "sql"
    ((name, statement),) = urllib.parse.parse_qsl(query)
    assert name == "statement"
    with desk.bench.data.lend() as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.fetchall() == [(shown, "poison")]
    # And the SQL page takes it, without running it.
    app = desk.open("sql", statement=statement)
    assert app.session_state["sql_draft"].text == statement
    assert "came with a link" in said(app)


def test_chunks_that_were_given_up_are_listed_with_their_error(desk: Desk) -> None:
    desk.table("reviews", "good")
    run = desk.plan("reviews")
    desk.bench.cut(run)
    desk.bench.give_up(run, 1, f"it broke at {NASTY}")
    app = desk.open(show="Errors")
    assert rows(app, "chunk", "error", grid=-1) == [(1, f"it broke at {NASTY}")]
    assert "1 of 1 chunks failed" in said(app)
    press(app, "Retry")
    assert desk.bench.get(run).state == "running"


def test_reused_vanished_and_unchanged_are_told_apart(desk: Desk) -> None:
    desk.table("reviews", "good", "bad", "fine")
    desk.run("reviews")
    desk.execute("DELETE FROM reviews WHERE id = 3; INSERT INTO reviews VALUES (4, 'good')")
    desk.run("reviews")
    app = desk.open(run="2")
    assert [metric(app, name) for name in ("Scored", "Unchanged", "Vanished")] == ["1", "2", "1"]
    assert next(one for one in app.metric if one.label == "Scored").delta == "1 of them reused"


def test_another_model_is_made_the_current_one(desk: Desk) -> None:
    desk.table("reviews", "good", "bad")
    desk.run("reviews")
    desk.bench.model = Picky(model_id="other@1")
    desk.run("reviews", model="other")
    app = desk.open()
    assert {"default", "other"} <= {text.value for text in app.text}
    press(app, "Make current")
    assert desk.bench.store.ask(scoring.get, 1).source.current_model == "other"
    assert not app.error


def test_a_source_is_scheduled_paused_resumed_and_let_go(desk: Desk) -> None:
    desk.table("reviews", "good")
    desk.run("reviews")
    app = desk.open(show="Schedule")
    assert "compares the hashes" in said(app)
    app.selectbox(key="score_schedule_1_default_new_by").set_value("at").run()
    assert "Changes to older rows and rows that have vanished are not noticed" in said(app)
    app.number_input(key="score_schedule_1_default_every").set_value(2).run()
    press(app, "Schedule")
    (watch,) = desk.bench.store.ask(watches.watches)
    assert (str(watch.pace), watch.wish.new_by, watch.who) == ("every 2 hours", "at", app.session_state["visitor"])
    assert "every 2 hours" in said(app)
    press(app, "Pause schedule")
    assert not desk.bench.store.ask(watches.get, watch.id).active
    press(app, "Resume schedule")
    assert desk.bench.store.ask(watches.get, watch.id).active
    # What its runs come to, and why there are none.
    desk.execute("UPDATE undertone.watches SET next_at = now() - interval '1 minute'")
    watches.start_due(desk.bench.reader, desk.bench.store, place=desk.place)
    desk.execute("UPDATE undertone.watches SET error = %s", (f"no {NASTY}",))
    app = desk.open(run="1", show="Schedule")
    assert "Its last run, 2: planned." in said(app)
    assert "http://" not in "".join(error.value for error in app.error)
    assert "The last run could not be started: no" in said(app)
    press(app, "Show it")
    assert app.query_params["run"] == "2"
    app = press(desk.open(run="1", show="Schedule"), "Remove")
    assert desk.bench.store.ask(watches.watches) == []


def test_a_cron_line_shows_the_next_times_or_what_is_wrong_with_it(desk: Desk) -> None:
    desk.table("reviews", "good")
    desk.run("reviews")
    app = desk.open(show="Schedule")
    kind = next(one for one in app.get("button_group") if one.key == "score_schedule_1_default_kind")
    kind.set_value("cron").run()
    assert said(app).count(" 02:00") == 3
    app.text_input(key="score_schedule_1_default_cron").set_value("every night").run()
    assert "it has five fields" in said(app)
    assert app.button(key="score_schedule_put_1").disabled


def test_a_run_is_started_and_kept_up_at_once(desk: Desk) -> None:
    desk.table("reviews", "good")
    app = press(desk.open(table="reviews"), "Plan")
    app.toggle(key="score_keep").set_value(True).run()
    press(app, "Start and schedule")
    (watch,) = desk.bench.store.ask(watches.watches)
    assert str(watch.pace) == "every hour"
    assert desk.bench.store.ask(scoring.get, 1).source.id == watch.source.id


def test_hundreds_of_runs_are_filtered_and_an_old_one_is_still_found(desk: Desk) -> None:
    desk.table("reviews", "good")
    desk.table("tickets", "bad")
    for relation in ("reviews", "tickets"):
        desk.run(relation)
    desk.execute(
        "INSERT INTO undertone.runs (source_id, model, chunk_rows, state, who, finished_at)"
        " SELECT 1 + n %% 2, 'default', 10, (ARRAY['finished', 'failed', 'cancelled'])[1 + n %% 3],"
        " (ARRAY['ann', 'bob'])[1 + n %% 2], now() FROM generate_series(1, 300) AS n",
        (),
    )
    app = desk.open(run="1")
    assert len(app.dataframe[0].value) == 200
    assert list(app.dataframe[0].value["run"]) == sorted(app.dataframe[0].value["run"], reverse=True)
    assert "There are older ones" in said(app)
    assert "finished: 1 of 1 row" in said(app)
    app.selectbox(key="score_filter_state").set_value("failed")
    app.selectbox(key="score_filter_who").set_value("ann")
    app.selectbox(key="score_filter_source").set_value("reviews")
    app.run()
    shown = rows(app, "state", "who", "source")
    assert len(shown) == 50
    assert set(shown) == {("failed", "ann", "reviews · body")}
    assert app.query_params["state"] == "failed"
    # A reload, a second tab, another user: the same list and the same run.
    again_open = desk.open(run="1", state="failed", who="ann", source="reviews")
    assert rows(again_open, "run") == rows(app, "run")
    assert "finished: 1 of 1 row" in said(again_open)
    app.text_input(key="score_filter_find").set_value("no such \0 thing").run()
    assert "No run is like that" in said(app)
    assert "finished: 1 of 1 row" in said(app)


def test_a_click_counts_more_than_an_address_that_is_behind(desk: Desk) -> None:
    desk.table("reviews", "good")
    desk.table("tickets", "bad")
    for relation in ("reviews", "tickets"):
        desk.run(relation)
    app = desk.open(part="runs")
    assert app.subheader[0].value == "Run 2"
    # The browser looked again before it had heard of what was clicked.
    app.session_state[score_runs.CHOSEN] = 1
    app.query_params["run"] = "2"
    app.run()
    assert app.subheader[0].value == "Run 1"
    assert app.query_params["run"] == "1"
    app.run()
    assert app.subheader[0].value == "Run 1"


def test_a_run_that_is_not_there_is_said_so(desk: Desk) -> None:
    desk.table("reviews", "good")
    desk.run("reviews")
    app = desk.open(run="77")
    assert "There is no run 77" in said(app)
    app = desk.open(run="<b>")
    assert "finished: 1 of 1 row" in said(app)


def test_a_name_is_shown_as_it_is_and_never_obeyed(desk: Desk) -> None:
    desk.table(NASTY, "good", "bad")
    written = '"' + NASTY.replace('"', '""') + '"'
    desk.run(written)
    for query in ({}, {"part": "sources"}, {"show": "About"}, {"show": "Schedule"}, {"part": "new"}):
        app = desk.open(**query)
        for kind in ("markdown", "caption", "subheader", "error", "info", "warning"):
            for element in app.get(kind):
                assert "![x]" not in str(element.value)
                assert "<b>" not in str(element.value)
                assert ":red[" not in str(element.value)
    app = desk.open(part="sources")
    assert NASTY in str(app.dataframe[0].value["source"][0])


def test_sources_have_their_labels_models_tables_runs_and_schedule(desk: Desk) -> None:
    desk.table("Two words", "good", "bad", None)
    run = desk.run('"Two words"')
    wish = again.wish(run, who="ann")
    with desk.bench.store.lend() as connection:
        watches.put(connection, run, wish, watches.Pace(every_minutes=60))
    app = desk.open(part="sources")
    assert rows(app, "source", "current model", "state", "schedule") == [
        ("Two words · body", "default", "finished", "every hour")
    ]
    assert "python -m undertone export 'Two words'" in said(app)
    assert 'scores."Two words"' in said(app)
    assert 'FROM scores."Two words_current"' in said(app)
    assert "and 1 with nothing to read" in said(app)
    assert app.query_params["scores"] == "Two words"
    press(app, "All its runs")
    assert app.query_params["source"] == "Two words"
    assert app.session_state["score_part"] == "runs"


def test_a_run_can_be_planned_again_from_what_it_was(desk: Desk) -> None:
    desk.table("reviews", "good", "bad")
    desk.run("reviews", condition="id > 1", new_by="at")
    app = press(desk.open(show="About"), "Plan it again")
    assert app.session_state["score_part"] == "new"
    assert app.selectbox(key="score_new_table").value == "reviews"
    press(app, "Plan")
    assert [metric(app, name) for name in ("Rows", "To score", "Unchanged")] == ["1", "0", "1"]
    press(app, "Start")
    run = desk.bench.store.ask(scoring.get, 2)
    assert (run.condition, run.new_by) == ("id > 1", "at")


def test_the_end_of_ones_own_run_is_told_once(desk: Desk) -> None:
    """On the home page: AppTest runs no frame around the others; see tests/browser/test_score.py."""
    desk.table("reviews", "good", "bad", "poison")
    app, other = desk.open(""), desk.open("")
    run = desk.plan("reviews", who=app.session_state["visitor"])
    app.run()
    assert not app.toast
    desk.bench.work(run)
    app.run()
    (toast,) = app.toast
    assert toast.value.replace("\\", "") == "Run 1 over reviews · body finished: 2 rows scored, 1 failed"
    app.run()
    assert not app.toast
    # Somebody else's is none of theirs.
    other.run()
    assert not other.toast


def test_the_end_of_a_run_that_ends_at_once_is_told(desk: Desk) -> None:
    desk.table("reviews", "good")
    app = desk.open("")
    run = desk.plan("reviews", who=app.session_state["visitor"])
    app.session_state[finished.WAITED] = {run.id}  # as starting it does, before the frame has seen it under way
    desk.bench.work(run)
    assert len(app.run().toast) == 1


def test_a_run_of_a_watch_is_not_told(desk: Desk) -> None:
    desk.table("reviews", "good")
    app = desk.open("")
    run = desk.plan("reviews", who=app.session_state["visitor"])
    desk.execute("UPDATE undertone.runs SET watch_id = 1")
    app.run()
    desk.bench.work(run)
    assert not app.run().toast


def test_home_leads_to_the_run_that_is_under_way(desk: Desk) -> None:
    desk.table("reviews", "good")
    desk.plan("reviews")
    app = desk.open("")
    assert "Run 1 over reviews · body is planned" in said(app)
    links = [link.proto.query_string for link in app.get("page_link") if "how far" in link.proto.label]
    assert links == ["run=1"]


def test_status_shows_every_worker_what_it_does_and_how_fast(desk: Desk) -> None:
    desk.table("reviews", *["good"] * 120)
    run = desk.plan("reviews", chunk_rows=100)
    desk.bench.cut(run)
    desk.bench.score(run, 1)  # by the worker called test
    desk.execute(
        "INSERT INTO undertone.workers (name, queues, threads, device, engine, doing, started_at, seen_at) VALUES"
        " ('test', '{scoring}', 2, 'cpu', 'openvino bfloat16', 'run 1, chunk 2', now() - interval '1 hour', now()),"
        " ('idle', '{scoring,big}', 0, '', '', 'waits for work', now(), now()),"
        " ('dead', '{scoring}', 2, 'cpu', '', '', now() - interval '1 hour', now() - interval '31 seconds')"
    )
    app = desk.open("status")
    assert rows(app, "worker", "does", "rows a second", "engine", "device", "queues") == [
        ("idle", "waits for work", 0, "not loaded yet", "", "scoring, big"),
        ("test", "run 1, chunk 2", 1.7, "openvino bfloat16", "cpu", "scoring"),
    ]
    assert [
        metric(app, name) for name in ("Workers", "Rows a second", "Rows in the last minute", "Runs under way")
    ] == [
        "2",
        "1.7",
        "100",
        "1",
    ]
    assert list(app.dataframe[0].value["threads"].fillna(0)) == [0, 2]


def test_status_without_a_worker_says_how_to_start_one(desk: Desk) -> None:
    assert "python -m undertone worker" in said(desk.open("status"))
