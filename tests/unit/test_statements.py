"""Which statement of a text is run: the editor, the text area and every button ask here."""

from __future__ import annotations

import pytest

from undertone import gate, lexer, statements

HIDDEN = "SELECT ';', E'\\';', $x$;$x$, \";\" /* ; /* ; */ ; */ -- ;\n, 2"
SPLIT: list[tuple[str, list[str]]] = [
    ("", []),
    (" \n", []),
    (";;\n;", []),
    ("-- nothing\n/* to ask */", []),
    ("SELECT 1", ["SELECT 1"]),
    ("  SELECT 1 ;\n\n; ;SELECT 2\n", ["SELECT 1", "SELECT 2"]),
    (f"{HIDDEN}; SELECT 3", [HIDDEN, "SELECT 3"]),
    (
        "-- first\nSELECT 1; -- of the first\n-- second\nSELECT 2 -- ;",
        ["-- first\nSELECT 1", "-- second\nSELECT 2 -- ;"],
    ),
    ("SELECT 1; /* a */ SELECT 2", ["SELECT 1", "/* a */ SELECT 2"]),
    ("SELECT '🐘;'; SELECT 2", ["SELECT '🐘;'", "SELECT 2"]),
    ("SELECT 'never ends; SELECT 2", ["SELECT 'never ends; SELECT 2"]),
]


@pytest.mark.parametrize(("text", "expected"), SPLIT)
def test_the_statements_of_a_text(text: str, expected: list[str]) -> None:
    assert [text[part.start : part.end] for part in statements.split(text)] == expected


@pytest.mark.parametrize("text", [text for text, _ in SPLIT])
def test_the_gate_agrees_that_each_is_one(text: str) -> None:
    for part in statements.split(text):
        refusal = gate.refusal(lexer.tokenise(text[part.start : part.end]))
        assert "one statement" not in (refusal or "")


@pytest.mark.parametrize(
    ("text", "statement", "number"),
    [
        ("|", None, 0),
        ("-- no|", None, 0),
        ("|SELECT 1", "SELECT 1", 1),
        ("SELECT 1\n\n|", "SELECT 1", 1),
        ("SEL|ECT 1; SELECT 2", "SELECT 1", 1),
        ("SELECT 1|; SELECT 2", "SELECT 1", 1),
        ("SELECT 1;|SELECT 2", "SELECT 1", 1),
        ("SELECT 1; | SELECT 2", "SELECT 1", 1),
        ("SELECT 1; S|ELECT 2", "SELECT 2", 2),
        ("SELECT 1; -- to the fir|st\nSELECT 2", "SELECT 1", 1),
        ("SELECT 1;\n|\nSELECT 2", "SELECT 2", 2),
        ("SELECT 1;\n-- to the sec|ond\nSELECT 2", "-- to the second\nSELECT 2", 2),
        ("SELECT 1;\nSELECT 2;\n\n|", "SELECT 2", 2),
        ("SELECT ';|'; SELECT 2", "SELECT ';'", 1),
    ],
)
def test_the_statement_of_a_cursor(text: str, statement: str | None, number: int) -> None:
    cursor = text.index("|")
    text = text.replace("|", "")
    found = statements.chosen(text, statements.split(text), cursor, cursor)
    assert (found.statement, found.number) == (statement, number) if found else statement is None
    if found:
        assert found.whole == text
        assert text.startswith(found.statement, found.start)
        assert found.count == len(statements.split(text))


def test_a_selection_is_run_as_it_is_and_white_space_is_none() -> None:
    text = "SELECT 1; SELECT 2 ;\n SELECT 3"
    parts = statements.split(text)
    assert statements.chosen(text, parts, 9, 21) == statements.Chosen(text, "SELECT 2 ;", 10, 0, 3)
    assert statements.chosen(text, parts, 0, 18) == statements.Chosen(text, "SELECT 1; SELECT 2", 0, 0, 3)
    blank = statements.chosen(text, parts, 20, 22)
    assert blank is not None
    assert (blank.statement, blank.number) == ("SELECT 3", 3)
    # No white space to the server, so it stays.
    kept = statements.chosen("\u00a0SELECT 1", (), 0, 9)
    assert kept is not None
    assert kept.start == 0
