"""What Python believes of the editor, and the text area that takes its place."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from elements import editor
from elements.editor import exchange
from undertone import statements

EVENT = {"number": 5, "text": None, "start": 10, "end": 18}
SAID = {"text": "SELECT 1; SELECT 2", "replace": 3, "start": 0, "end": 4, "event": EVENT}


def test_what_the_browser_says_is_read() -> None:
    assert exchange.heard(SAID) == exchange.Now(
        "SELECT 1; SELECT 2", 3, 0, 4, editor.Event(number=5, text="SELECT 1; SELECT 2", start=10, end=18)
    )
    assert exchange.heard(SAID | {"event": None, "replace": 3.0}) == exchange.Now("SELECT 1; SELECT 2", 3, 0, 4, None)


@pytest.mark.parametrize(
    "said",
    [
        None,
        "SELECT 1",
        [SAID],
        {},
        SAID | {"text": None},
        SAID | {"text": ["SELECT 1"]},
        SAID | {"text": "x" * (exchange.MOST + 1)},
        SAID | {"replace": "3"},
        SAID | {"replace": True},
        SAID | {"replace": 1.5},
        SAID | {"replace": float("nan")},
        SAID | {"replace": float("inf")},
        SAID | {"replace": 10**400},
    ],
)
def test_what_has_not_the_right_shape_is_nothing(said: Any) -> None:
    assert exchange.heard(said) is None


@pytest.mark.parametrize("wrong", [{"start": None}, {"start": 5}, {"end": -1}, {"end": "4"}, {"start": True}])
def test_a_selection_that_is_none_is_a_cursor_at_the_end(wrong: dict[str, Any]) -> None:
    now = exchange.heard(SAID | wrong)
    assert now is not None
    assert (now.start, now.end) == (18, 18)


def test_a_selection_is_within_the_text() -> None:
    now = exchange.heard(SAID | {"start": 10, "end": 900})
    assert now is not None
    assert (now.start, now.end) == (10, 18)


@pytest.mark.parametrize(
    "event",
    [
        "run",
        [EVENT],
        EVENT | {"number": "5"},
        EVENT | {"number": -1},
        EVENT | {"number": True},
        EVENT | {"number": 2**60},
        EVENT | {"start": None},
        EVENT | {"start": -1},
        EVENT | {"start": 19, "end": 18},
        EVENT | {"text": 1},
        EVENT | {"text": "x" * (exchange.MOST + 1)},
    ],
)
def test_an_event_that_has_not_the_right_shape_is_none(event: Any) -> None:
    now = exchange.heard(SAID | {"event": event})
    assert now is not None
    assert now.event is None


def test_an_event_keeps_the_text_that_it_was_about() -> None:
    now = exchange.heard(SAID | {"text": "SELECT 3", "event": EVENT | {"text": "-- 🐘\r\nSELECT 2", "start": 5}})
    assert now is not None
    assert now.text == "SELECT 3"
    assert now.event == editor.Event(5, "-- 🐘\nSELECT 2", 5, 13)


def test_texts_are_as_both_sides_count_them() -> None:
    assert exchange.whole("a\r\nb\rc\n🐘\ud83d") == "a\nb\nc\n🐘\ufffd"
    now = exchange.heard(SAID | {"text": "SELECT '\udc18'"})
    assert now is not None
    assert now.text.encode() == "SELECT '\ufffd'".encode()


def test_names_of_a_huge_catalogue_are_cut() -> None:
    columns = [(f"c{number}", "text") for number in range(1000)]
    tables = {f"t{number}": columns for number in range(200)}
    offered = exchange.offered(editor.Names({"other": tables, "public": tables}, ["f"] * 10_000, ["public"]))
    assert list(offered["schemas"]) == ["public", "other"]
    kept = [len(its) for relations in offered["schemas"].values() for its in relations.values()]
    assert kept[:19] == [1000] * 19
    assert sum(kept) <= exchange.MOST_COLUMNS
    assert len(kept) < 60
    assert len(offered["functions"]) == exchange.MOST_FUNCTIONS


def test_earlier_statements_come_once_and_none_that_is_huge() -> None:
    huge = "x" * (exchange.MOST_EARLIER + 1)
    assert exchange.earlier(["b", " ", huge, "a", "b", "c\r\nd"]) == ["b", "a", "c\nd"]
    assert len(exchange.earlier([str(number) for number in range(500)])) == exchange.MOST_HISTORY


def test_a_problem_is_cut_and_within_the_text() -> None:
    marked = exchange.marked(editor.Problem(-5, "x" * 10_000), 7)
    assert marked is not None
    assert marked["position"] == 0
    assert len(marked["message"]) < 2_100
    assert marked != exchange.marked(editor.Problem(-5, "x" * 10_000), 8), "after a run it is another"


def plain_page() -> None:
    import streamlit as st

    from elements import editor

    given = st.session_state.setdefault("given", {"text": "SELECT 1", "replace": 0, "insert": None, "problem": None})
    st.session_state.said = editor.editor(
        given["text"],
        key="it",
        names=editor.Names(),
        problem=given["problem"],
        replace=given["replace"],
        insert=given["insert"],
        plain=True,
    )


def meant(page: AppTest) -> str:
    """The statement that the area's cursor means."""
    written = page.session_state.said
    found = statements.chosen(written.text, statements.split(written.text), written.start, written.end)
    assert found is not None
    return found.statement


def test_the_text_area_does_without_the_program() -> None:
    page = AppTest.from_function(plain_page).run()
    assert page.session_state.said == editor.Written("SELECT 1", 8, 8)
    page.text_area(key="it_text").set_value("  SELECT 2 ").run()
    assert page.session_state.said == editor.Written("  SELECT 2 ", 11, 11)
    assert meant(page) == "SELECT 2"
    assert not page.selectbox, "there is nothing to choose"
    assert not page.exception


def test_the_text_area_offers_its_statements() -> None:
    page = AppTest.from_function(plain_page).run()
    page.text_area(key="it_text").set_value(f"-- a\nSELECT 1;\n\nSELECT '{'*x* ' * 50}';SELECT 3").run()
    box = page.selectbox(key="it_statement")
    assert [box.options[0], box.options[2]] == ["1. -- a SELECT 1", "3. SELECT 3"]
    assert box.options[1].startswith("2. SELECT '*x* *x* ")
    assert box.options[1].endswith("…")
    assert len(box.options[1]) < 80
    assert meant(page) == "-- a\nSELECT 1"
    box.select_index(1).run()
    assert meant(page).startswith("SELECT '*x*")
    page.selectbox(key="it_statement").select_index(2).run()
    assert meant(page) == "SELECT 3"
    page.text_area(key="it_text").set_value("SELECT 4; SELECT 5").run()
    assert meant(page) in ("SELECT 4", "SELECT 5"), "the third one is gone"
    page.text_area(key="it_text").set_value("SELECT 6").run()
    assert meant(page) == "SELECT 6"
    assert not page.exception


def test_the_text_area_takes_replacements_and_insertions_once() -> None:
    page = AppTest.from_function(plain_page).run()
    page.text_area(key="it_text").set_value("SELECT 2 FROM").run()
    page.session_state.given = {"text": "x", "replace": 0, "insert": (1, "reviews"), "problem": editor.Problem(9, "no")}
    page.run()
    assert page.session_state.said.text == "SELECT 2 FROM reviews"
    assert [caption.value for caption in page.caption] == ["Line 1, column 10"]
    page.run()
    assert page.session_state.said.text == "SELECT 2 FROM reviews"
    page.session_state.given = {"text": "SELECT\r\n3", "replace": 1, "insert": (1, "reviews"), "problem": None}
    page.run()
    assert page.session_state.said.text == "SELECT\n3"
    assert not page.exception


def test_without_the_build_there_is_a_text_area(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editor, "PROGRAM", editor.PROGRAM.with_name("none.js"))
    assert editor._mounts() is None
