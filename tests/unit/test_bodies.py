"""What is read from the text of a function: what it names, and what stands against believing that."""

from __future__ import annotations

import pytest

from undertone import bodies, lexer


def unknown(text: str, *, volatile: bool = True) -> str | None:
    return bodies.of_body(text, (), volatile).unknown


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("BEGIN EXECUTE x; END", "EXECUTE"),
        ("BEGIN RETURN QUERY execute 'SELECT 1'; END", "EXECUTE"),
        ("BEGIN FOR x IN /* */ EXECUTE y LOOP END LOOP; END", "EXECUTE"),
        ("BEGIN OPEN c FOR EXECUTE y; END", "EXECUTE"),
        ("BEGIN DO $$ BEGIN END $$; END", "DO"),
        ("BEGIN DO LANGUAGE plpgsql 'BEGIN END'; END", "DO"),
        ('SELECT U&"\\0061"()', "U&"),
        ("SELECT 'open", "quote"),
        ("LOCK t", "LOCK"),
        ("BEGIN LOCK TABLE t; END", "LOCK"),
        ("BEGIN IF a THEN NOTIFY x; END IF; END", "NOTIFY"),
        ("BEGIN <<here>> COPY (SELECT 1) TO '/tmp/x'; END", "COPY"),
        ("BEGIN ANALYZE; END", "ANALYZE"),
        ("BEGIN LOAD 'x'; END", "LOAD"),
    ],
)
def test_what_cannot_be_known_is_said(text: str, words: str) -> None:
    said = unknown(text)
    assert said is not None
    assert words in said


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN RETURN 'EXECUTE x'; -- EXECUTE y\nEND",
        "SELECT has_function_privilege('f()', 'EXECUTE'), t.execute FROM t",
        "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
        "SELECT lock, copy, t.load FROM t",
        "SELECT CASE WHEN a THEN lock ELSE copy END",
        "SELECT 'LOCK t'; SELECT $$DO 'x'$$",
        "BEGIN RAISE EXCEPTION 'a' USING HINT = 'do'; END",
    ],
)
def test_what_only_looks_so_is_believed(text: str) -> None:
    assert unknown(text) is None


def test_a_function_that_is_not_volatile_cannot_give_commands() -> None:
    assert unknown("LOCK t", volatile=False) is None
    assert unknown("EXECUTE t", volatile=False) is not None


def test_names_are_those_of_the_server() -> None:
    found = bodies.of_body("SELECT Pg_Sleep(1), \"A b\" -- gone()\n, 'not()', x.KILLÉ(1)", (), False)
    assert {"pg_sleep", "A b", "killÉ", "killé"} <= found.names
    assert found.names.isdisjoint({"gone", "not"})
    assert {call.name for call in found.calls} >= {"pg_sleep", "killÉ", "killé"}


@pytest.mark.parametrize("call", ["pg_input_is_valid('a', 'b')", "domain_in('a', 1, 1)", "Record_In('a', 1, 1)"])
def test_a_type_that_is_not_named_is_noticed(call: str) -> None:
    assert bodies.of_statement(lexer.tokenise(f"SELECT {call}")).domains
    assert not bodies.of_statement(lexer.tokenise(f"SELECT {call.replace('_', '__')}")).domains
