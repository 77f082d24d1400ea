"""What parameters promise: found where they are and nowhere else, sent as values, errors at the person's own places."""

from __future__ import annotations

import pytest

from undertone import outcomes, parameters

TEXT = parameters.Value("text", "x")


def names(statement: str) -> list[str]:
    return [found.name for found in parameters.find(statement)]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT :a", ["a"]),
        (":a:b :_c1 :Größe", ["a", "b", "_c1", "Größe"]),
        ("SELECT :a, :b, :a, :A", ["a", "b", "A"]),
        ("x=:a+:b", ["a", "b"]),
        ("a:n 1:m", ["n", "m"]),
        ("SELECT ': a', ':b', E'\\':c', $$:d$$, $t$:e$t$, U&':f', \":g\" -- :h\n /* :i /* :j */ :k */", []),
        ("SELECT 'a'\n':b', :c", ["c"]),
        ("SELECT x::text, :a::int, '1'::int::text", ["a"]),
        ("SELECT x :: text", []),
        ("SELECT f(a := 1, b => :b)", ["b"]),
        ("SELECT a[1:n], a[m:n], a[f(x):n], a[n+1:m], t.a[(1):n], (a)[1:n], a[1][2:n]", []),
        ("SELECT a[:n]", []),  # all up to n
        ("SELECT a[(:n)], a[1: :n], a[:n:m], a[x+:k], a[f(:i)]", ["n", "k", "i"]),
        ("SELECT ARRAY[:a, :b], ARRAY[[:c], [:d]], ARRAY[1, :e]", ["a", "b", "c", "d", "e"]),
        ("SELECT json_object('a':b, 'c': d, 'e': :f, KEY :g VALUE :h, f(:i) : :j)", ["f", "g", "h", "i", "j"]),
        ("SELECT doc @@ '$.a ? (@ == :x)' ? :y ?| :z", ["y", "z"]),
        ("SELECT :", []),
        ("SELECT : a, :1, :'a', :\"b\"", []),
        ("SELECT :a$b", []),  # to the server $ is a part of a name
        ("SELECT 'open :a", []),
        ("", []),
    ],
)
def test_parameters_are_found_where_they_are_and_nowhere_else(statement: str, expected: list[str]) -> None:
    assert names(statement) == expected


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("SELECT :p", "text"),
        ("SELECT :p::int", "integer"),
        ("SELECT :p::pg_catalog.int8", "integer"),
        ("SELECT CAST(:p AS bigint)", "integer"),
        ("SELECT :p :: double precision", "number"),
        ("SELECT :p::numeric(10, 2)", "number"),
        ("SELECT :p::boolean", "boolean"),
        ("SELECT :p::date", "date"),
        ("SELECT :p::timestamp with time zone", "timestamp"),
        ("SELECT :p::timestamptz", "timestamp"),
        ("SELECT :p::int[]", "text"),
        ("SELECT :p::int ARRAY", "text"),
        ("SELECT :p::timestamp with time zone[]", "text"),
        ("SELECT 1 LIMIT :p", "integer"),
        ("SELECT 1 OFFSET :p ROWS", "integer"),
        ("SELECT 1 FETCH FIRST :p ROWS ONLY", "integer"),
        ("SELECT :p, :p::date", "date"),
        ("SELECT :p::date, :p", "date"),
    ],
)
def test_a_kind_is_guessed_from_the_words_around(statement: str, kind: str) -> None:
    assert parameters.find(statement) == (parameters.Parameter("p", kind),)


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("SELECT :a, :b, :a", "SELECT $1, $2, $1"),
        ("SELECT :name+1", "SELECT $1   +1"),
        ("SELECT a:b", "SELECT a $1"),
        ("SELECT 1:b", "SELECT 1 $1"),
        ("SELECT $:b", "SELECT $ $1"),  # not the beginning of a dollar quote
        ("SELECT ':a', x::text", "SELECT ':a', x::text"),
    ],
)
def test_the_server_gets_numbers(statement: str, text: str) -> None:
    assert parameters.bind(statement, dict.fromkeys(("a", "b", "name"), TEXT)).text == text


@pytest.mark.parametrize("statement", ["SELECT x:a, :long_name || :b /* ü */ || y", "SELECT :a:b:a", ":a x"])
def test_each_place_leads_back_to_the_persons_own(statement: str) -> None:
    # Many names before it, so that the numbers become longer than the names.
    statement = "SELECT " + ", ".join(f":{letter}" for letter in "cdefghijklm") + ", " + statement
    bound = parameters.bind(statement, {found.name: TEXT for found in parameters.find(statement)})
    assert len(bound.text) > len(statement)
    for position, character in enumerate(bound.text):
        original = bound.original(position)
        assert statement[original] == character or statement[original] == ":" or statement[original - 1] == ":"
    assert bound.original(len(bound.text)) == len(statement)
    words = [
        (token.text, statement[token.start : token.end].lower()) for token in bound.tokens() if token.kind == "word"
    ]
    assert all(found == there for found, there in words)


def test_a_message_names_parameters_and_not_numbers() -> None:
    bound = parameters.bind("SELECT :a, :b", {"a": TEXT, "b": TEXT})
    assert bound.message('syntax error at or near "$2", $1, $3, $12') == 'syntax error at or near ":b", :a, $3, $12'
    assert parameters.bind("SELECT 1", {}).message("near $1") == "near $1"


@pytest.mark.parametrize(
    ("statement", "value", "words"),
    [
        ("SELECT :p", None, ":p has no value"),
        ("SELECT :p", parameters.Value("colour", "red"), ":p is of no kind"),
        ("SELECT :p", parameters.Value("integer", "1.5"), ":p is no whole number"),
        ("SELECT :p", parameters.Value("integer", str(2**63)), ":p is no whole number"),
        ("SELECT :p", parameters.Value("integer", "9" * 5000), ":p is no whole number"),
        ("SELECT :p", parameters.Value("integer", ""), ":p is no whole number"),
        ("SELECT :p", parameters.Value("number", "1,5"), ":p is no number"),
        ("SELECT :p", parameters.Value("boolean", "maybe"), ":p is no boolean"),
        ("SELECT :p", parameters.Value("date", " "), ":p is no date"),
        ("SELECT :p", parameters.Value("text", "a\0b"), "value 0"),
        ("SELECT :p", parameters.Value("text", "\ud83d"), "not valid text"),
        ("SELECT :p", parameters.Value("text", "x" * 1_000_001), "longer than 1,000,000 bytes"),
        ("SELECT :p, $2", TEXT, r"\$2 at character 12"),
    ],
)
def test_what_is_no_value_is_refused_by_name(statement: str, value: parameters.Value | None, words: str) -> None:
    with pytest.raises(parameters.ParameterError, match=words) as caught:
        parameters.bind(statement, {"p": value} if value else {})
    assert isinstance(caught.value, outcomes.StatementRefused)
    assert "\n" not in str(caught.value)


def test_too_many_parameters_are_refused() -> None:
    statement = "SELECT " + ", ".join(f":p{number}" for number in range(201))
    with pytest.raises(parameters.ParameterError, match="201 parameters; at most 200"):
        parameters.bind(statement, {f"p{number}": TEXT for number in range(201)})


def test_values_that_nobody_asks_for_are_left_out() -> None:
    assert parameters.bind("SELECT 1", {"p": TEXT}) == parameters.Bound("SELECT 1")


def test_places_in_a_long_text_are_found_again() -> None:
    statement = "SELECT " + ":a, " * 10_000 + "x:a"
    bound = parameters.bind(statement, {"a": TEXT})
    assert bound.text.count("$1") == 10_001
    assert bound.tokens()[-1].start == len(statement) - 2
