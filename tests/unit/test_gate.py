"""What the gate promises: it takes a statement apart as the server does, and says in a sentence what it minds."""

from __future__ import annotations

import pytest

from undertone import gate, lexer

GUARDED = {
    "pg_sleep": [gate.Overload(1, 1)],
    "ts_rewrite": [gate.Overload(2, 2)],
    "total": [gate.Overload(1, 1, shadowed=True)],
    "either": [gate.Overload(1, 2), gate.Overload(4, None)],
    "value": [gate.Overload(1, 1, takes_row=False)],
    "row_or_value": [gate.Overload(1, 1, takes_row=True)],
}


def pieces(statement: str) -> list[tuple[str, str]]:
    return [(token.kind, token.text) for token in lexer.tokenise(statement)]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("", []),
        (" \t\n\r\f\v", []),
        ("SELECT Größe", [("word", "select"), ("word", "größe")]),
        ("ÄB", [("word", "Äb")]),  # only ASCII is folded
        ("a$b$c", [("word", "a$b$c")]),
        ('"A""b"', [("quoted", 'A"b')]),
        ('U&"d\\0061t"', [("unicode", "d\\0061t")]),
        ("u & 'x'", [("word", "u"), ("mark", "&"), ("string", "")]),
        ("'a''b' 'c'", [("string", ""), ("string", "")]),
        (r"'\' x", [("string", ""), ("word", "x")]),
        (r"E'\'' x", [("string", ""), ("word", "x")]),
        ("E'a' -- b\n '\\'' x", [("string", ""), ("word", "x")]),
        ("E'a' '\\' x", [("string", ""), ("string", ""), ("word", "x")]),  # on one line the second is not E'…'
        ("be'x'", [("word", "be"), ("string", "")]),
        ("$$ ' $a$ $$ x", [("string", ""), ("word", "x")]),
        ("$a$ $$ $b$ $a$x", [("string", ""), ("word", "x")]),
        ("$1.a", [("parameter", "$1"), ("mark", "."), ("word", "a")]),
        ("$1$$;$$", [("parameter", "$1"), ("string", "")]),
        ("1.5e-3.a", [("number", "1.5e-3"), ("mark", "."), ("word", "a")]),
        ("a/* b /* c */ d */e", [("word", "a"), ("comment", "/*"), ("comment", "/*"), ("word", "e")]),
        ("a--b\rc", [("word", "a"), ("word", "c")]),
        ("a-/**/-b", [("word", "a"), ("mark", "-"), ("comment", "/*"), ("mark", "-"), ("word", "b")]),
        ("'open", [("string", ""), ("open", "")]),
        ("/* /* */ open", [("comment", "/*"), ("comment", "/*"), ("open", "")]),
        ("$a$ open", [("string", ""), ("open", "")]),
    ],
)
def test_a_statement_is_taken_apart_as_the_server_does(statement: str, expected: list[tuple[str, str]]) -> None:
    assert pieces(statement) == expected


def test_names_are_cut_where_the_server_cuts_them() -> None:
    (token,) = lexer.tokenise("N" * 100)
    assert token.text == "n" * 63
    (token,) = lexer.tokenise('"' + "ü" * 40 + '"')
    assert token.text == "ü" * 31  # 62 bytes: the next would be half of one


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (
            "delete from t",
            "Only questions can be asked here: a statement that starts with SELECT, WITH, VALUES, TABLE, SHOW or"
            " EXPLAIN. This one starts with DELETE.",
        ),
        ("\\d t", "This one starts with \\."),
        ("'x'", "This one starts with a literal."),
        ("-- nothing", "There is nothing to ask yet"),
        ("SELECT 1; SELECT 2", "Only one statement can be asked at a time; there is more after the semicolon at 9."),
        ('SELECT 1; ";"', "Only one statement"),
        ("EXPLAIN (ANALYZE) UPDATE t SET a = 1", "EXPLAIN can be asked of a query only .* not of UPDATE."),
        ("EXPLAIN ANALYZE VERBOSE CREATE TABLE t AS SELECT 1", "not of CREATE."),
        ("WITH a AS (DELETE FROM t RETURNING 1) SELECT 1", "DELETE at character 12 would write"),
        ("WITH a AS (SELECT 1) UPDATE t SET a = 1", "UPDATE at character 22 would write"),
        ("SELECT 1 INTO t", "INTO at character 10 would write"),
        ('SELECT U&"a"', "write the name itself, in double quotes"),
    ],
)
def test_a_refusal_says_why(statement: str, sentence: str) -> None:
    reason = gate.refusal(lexer.tokenise(statement))
    assert reason is not None
    assert "\n" not in reason
    first, _, rest = sentence.partition(".*")
    assert first.strip() in reason
    assert rest.strip() in reason


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1;",
        "((SELECT 1));;",
        "SELECT ';'",
        "SELECT insert, delete, t.into, 1 AS into FROM update AS t",
        "WITH a AS (SELECT 1), b(x) AS (VALUES (1)) SELECT count(*) merge FROM b",
        "EXPLAIN (ANALYZE, FORMAT JSON) (SELECT 1)",
        "EXPLAIN ((SELECT 1) UNION (SELECT 2))",
        "EXPLAIN ANALYZE VERBOSE TABLE t",
        "EXPLAIN",
        "SELECT 'natural join " + "natural join " * 300 + "'",
        "SELECT $$" + "/*" * 300 + "$$",
        "SELECT 'open",
    ],
)
def test_what_may_be_a_question_passes(statement: str) -> None:
    assert gate.refusal(lexer.tokenise(statement)) is None


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_sleep(1)",
        "SELECT PG_Sleep /* */ (now())",
        'SELECT x."pg_sleep"',
        "SELECT (1).pg_sleep, 2",
        "SELECT (1) . pg_sleep;",
        "SELECT f(a, (pg_sleep(1)))",
        "SELECT pg_sleep(",
        "SELECT ts_rewrite(a, 'SELECT 1')",
        "SELECT total(t) FROM t",
        "SELECT either(1, 2), 3",
        "SELECT either(1, 2, 3, 4, 5)",
        "SELECT query_to_xml('x', true, true, '')",
        "SELECT set_config('a', 'b', true)",
        "SELECT * FROM dblink('a', 'b')",
        'TABLE "pg_stat_activity"',
        # In FROM, what is a value and not a row:
        "SELECT x.value FROM generate_series(30, 31) x",
        "SELECT x.value FROM generate_series(30, 31) AS x",
        "SELECT x.value FROM generate_series(30, 31) AS x (y), t",
        "SELECT x.value FROM generate_series(30, 31) x (y)",
        'SELECT "x".value FROM generate_series(30, 31) X',
        "SELECT generate_series.value FROM generate_series(30, 31)",
        "SELECT generate_series.value FROM pg_catalog.generate_series(30, 31), t generate_series",
        "SELECT x.value FROM f(1) WITH ORDINALITY x",
        "SELECT x.value FROM f(1) WITH ORDINALITY AS x(a, b)",
        "SELECT x.value FROM ROWS FROM (f(1)) x",
        "SELECT x.value FROM ROWS FROM (f(1)) AS x(y)",
        "SELECT x.value FROM (SELECT 1) y, LATERAL f(y) x",
        "SELECT x.value FROM t x, (SELECT x.value FROM f(1) AS x) y",
        "SELECT (SELECT 1) text, text.value FROM CAST('30' AS text)",
        "SELECT 1 AS x, x.value FROM current_user x",
        "SELECT btrim.value FROM trim('30')",
        "SELECT x.value FROM f((SELECT 1)) x",
        "SELECT x.value FROM f(/* (SELECT */ 1) x",
        "SELECT (x).value FROM t x",
        "SELECT (1).value",
        "SELECT a[1].value",
        "SELECT $1.value",
        "SELECT '1'::a.value",
        "SELECT x.row_or_value FROM t x",
        "SELECT x.row_or_value FROM (SELECT 1) x",
        "SELECT x.dblink FROM current_user AS x",
    ],
)
def test_names_that_do_more_than_answer_are_found(statement: str) -> None:
    reason = gate.forbidden(lexer.tokenise(statement), GUARDED)
    assert reason is not None
    assert "here" in reason


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_sleep FROM t",
        "SELECT 'pg_sleep(1)', $$pg_sleep(1)$$ -- pg_sleep(1)",
        "SELECT pg_sleep()",  # the server has none
        "SELECT ts_rewrite(a, f(b, c), ARRAY[d, e])",
        "SELECT t.total FROM t",
        "SELECT either(1, 2, 3), either()",
        "SELECT random(), pg_total_relation_size('t'), 'pg_stat_activity'",
        "SELECT Pg_Sleep2(1), x.pg_sleep2",
        # A row cannot be what these are called with:
        "SELECT x.value FROM t x",
        "SELECT t.value, s.t.value FROM s.t, t AS u ORDER BY t.value",
        "SELECT x.value FROM (SELECT 1 AS value) x",
        "SELECT x.value FROM ((SELECT 1 AS value) UNION SELECT 2) AS x",
        "SELECT x.value FROM (VALUES (1)) AS x(value)",
        "WITH x(value) AS (SELECT 1), y AS (SELECT 2 AS value) SELECT y.value, q.value FROM y, x AS q",
        "SELECT x.value FROM t CROSS JOIN LATERAL (SELECT 1) x(value), generate_series(1, 2) g",
        "SELECT x.set_config, x.dblink FROM t x",
    ],
)
def test_other_names_are_not(statement: str) -> None:
    assert gate.forbidden(lexer.tokenise(statement), GUARDED) is None


def test_a_function_may_be_allowed() -> None:
    tokens = lexer.tokenise("SELECT pg_sleep(1)")
    assert gate.forbidden(tokens, GUARDED, allowed={"pg_sleep"}) is None
