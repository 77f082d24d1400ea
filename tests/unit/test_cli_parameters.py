"""What the command line says of parameters, without a database; test_cli.py asks with them."""

from __future__ import annotations

import pytest
import typer

from undertone import cli_parameters, names_for_editor, parameters
from undertone.cli_parameters import Given

ALL = names_for_editor.CatalogNames({"public": {"reviews": (("rating", "integer"),)}}, (), ("public",))


def test_values_and_nulls_are_read() -> None:
    assert cli_parameters.read(["n=1", ":t:text=a=b", "e="], [":d:date", "x"]) == [
        Given("n", None, "1"),
        Given("t", "text", "a=b"),
        Given("e", None, ""),
        Given("d", "date", None),
        Given("x", None, None),
    ]


@pytest.mark.parametrize(
    ("valued", "nulls", "said"),
    [
        (["x"], [], "--null NAME"),
        (["=1"], [], "NAME=VALUE"),
        (["x:array=1"], [], "no kind 'array'"),
        ([], [""], "--null is NAME"),
        ([], ["x=1"], "--null is NAME"),
        ([], ["x:array"], "no kind 'array'"),
        (["x=1", "x=2"], [], "given twice"),
        (["x=1"], ["x"], "given twice"),
        ([], ["x", ":x:date"], "given twice"),
    ],
)
def test_what_is_not_written_so_is_named(valued: list[str], nulls: list[str], said: str) -> None:
    with pytest.raises(typer.BadParameter, match=said):
        cli_parameters.read(valued, nulls)


def test_a_value_is_of_the_kind_that_is_said_or_else_known() -> None:
    statement = "SELECT :a::date, :b, :c FROM reviews WHERE rating = :d"
    first = {"b": parameters.Value("number", "7"), "gone": parameters.Value("text", "")}
    given = [Given("a", None, None), Given("b", None, None), Given("c", "boolean", None), Given("d", None, "4")]
    assert cli_parameters.values(statement, given, first, ALL) == {
        "a": parameters.Value("date", None),
        "b": parameters.Value("number", None),
        "c": parameters.Value("boolean", None),
        "d": parameters.Value("integer", "4"),
    }
    assert cli_parameters.values(statement, [], first, ALL) == {"b": first["b"]}


@pytest.mark.parametrize(("statement", "there"), [("SELECT :x, :y", ":x, :y"), ("SELECT 1", "none")])
def test_what_the_statement_does_not_have_is_an_error(statement: str, there: str) -> None:
    with pytest.raises(typer.BadParameter, match=f"no parameter :z; it has {there}"):
        cli_parameters.values(statement, [Given("z", None, None)], {}, ALL)
