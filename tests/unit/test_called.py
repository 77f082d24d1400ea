"""What is found in the words of a statement: calls are tested with the gate (test_gate.py), here are the rest."""

from __future__ import annotations

import pytest

from undertone import called, lexer


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT 1", set()),
        ("2*-1", {"*", "-"}),
        ("2*--1\n-1", {"*", "-"}),
        ("2+/**/-1", {"+", "-"}),
        ("a@-b", {"@-"}),
        ("a - -b", {"-"}),
        ("a<>b, a!=b, a=-1, a<=-1", {"<>", "=", "-", "<="}),
        ("a OPERATOR(s.+#+) b", {"+#+"}),
        ("a OPERATOR(s.+)b", {"+"}),
        ("x?|y, x->>'a', x::int, a=>1", {"?|", "->>", "=>"}),
        ("'a+b', \"a*b\", $$a/b$$", set()),
        ("a!!b+", {"!!", "+"}),
        ("a++ +b", {"+"}),
    ],
)
def test_signs_are_taken_apart_as_the_server_does(statement: str, expected: set[str]) -> None:
    tokens = [token for token in lexer.tokenise(statement) if token.kind != "comment"]
    assert called.operators(tokens) == expected


def test_a_long_run_of_signs_takes_no_long_time() -> None:
    assert called.operators(lexer.tokenise("+" * 40_000 + "1")) == {"+"}


@pytest.mark.parametrize(
    ("overload", "attribute", "of_value", "may"),
    [
        (called.Overload(1, 1, shadowed=True), True, False, False),
        (called.Overload(1, 1, shadowed=True), True, True, True),
        (called.Overload(1, 1, shadowed=True), False, False, True),
        (called.Overload(1, 1, shadowed=True, any_row=True), True, False, True),
        (called.Overload(1, 1), True, False, True),
        (called.Overload(2, 2), True, True, False),
    ],
)
def test_an_attribute_is_a_column_only_where_it_can_be(
    overload: called.Overload, attribute: bool, of_value: bool, may: bool
) -> None:
    assert overload.may_take(called.Call("f", 1, attribute=attribute, of_value=of_value)) == may


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("SELECT x.f FROM t AS x", False),
        ("SELECT x.f, coalesce(1, 2) FROM t AS x", False),
        ("SELECT x.f FROM g(1) AS x", True),
        ("SELECT x.f FROM coalesce(1, 2) AS x", True),
        ("SELECT x.f FROM current_user x", True),
        ("SELECT current_user.f FROM current_user", True),
        ("SELECT btrim.f FROM trim('a')", True),
        ("SELECT text.f FROM CAST('a' AS text)", True),
        ("SELECT (x).f FROM t AS x", True),
        ("SELECT $1.f", True),
    ],
)
def test_what_may_be_a_value_is_known(statement: str, value: bool) -> None:
    (call,) = [call for call in called.calls(lexer.tokenise(statement)) if call.name == "f"]
    assert call.of_value == value


def test_in_a_body_arguments_are_values_and_rows_are_not_known() -> None:
    tokens = lexer.tokenise("SELECT a.f, b.f FROM b")
    assert [(call.of_row, call.of_value) for call in called.calls(tokens, ("a",))] == [(False, True), (False, False)]
