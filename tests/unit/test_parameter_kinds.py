"""A parameter is of the kind of the column that it is compared with, where that is sure."""

from __future__ import annotations

import pytest

from undertone import names_for_editor, parameter_kinds, parameters

NAMES = names_for_editor.CatalogNames(
    {
        "public": {
            "reviews": (
                ("id", "bigint"),
                ("rating", "smallint"),
                ("price", "numeric(10,2)"),
                ("written_at", "timestamp with time zone"),
                ("day", "date"),
                ("public", "boolean"),
                ("body", "text"),
                ("marks", "integer[]"),
                ("Mixed Case", "integer"),
            ),
            "orders": (("id", "text"), ("rating", "integer")),
        },
        "other": {"reviews": (("day", "text"),)},
    },
    (),
    ("public",),
)


@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        ("rating >= :x", "integer"),
        ("rating <> :x", "integer"),
        ("rating != :x", "integer"),
        (":x <= r.rating", "integer"),
        ("r.price = :x", "number"),
        ("written_at > :x", "timestamp"),
        ("public = :x", "boolean"),
        ('"Mixed Case" = :x', "integer"),
        ("rating BETWEEN :x AND 5", "integer"),
        ("rating BETWEEN 1 AND :x", "integer"),
        ("rating = 1 AND :x = body", "text"),
        ("body = :x", "text"),
        ("day = :x", "text"),  # two relations of that name, two types
        ("marks = :x", "text"),
        ("rating = :x::date", "date"),
        ("rating = :x AND body = :x", "text"),
        ("rating = :x AND id = :x", "integer"),
        (":x < rating(1)", "text"),
        ("nothing = :x", "text"),
        ("length(body) > :x", "text"),
        (":x", "text"),
    ],
)
def test_a_parameter_is_of_its_columns_kind(condition: str, kind: str) -> None:
    statement = f"SELECT * FROM reviews r WHERE {condition}"
    (found,) = parameter_kinds.refined(statement, parameters.find(statement), NAMES)
    assert found == parameters.Parameter("x", kind)


def test_only_relations_that_are_named_count() -> None:
    for statement, kind in (
        ("SELECT * FROM orders WHERE id = :x", "text"),
        ("SELECT * FROM reviews WHERE id = :x", "integer"),
        ("SELECT * FROM reviews JOIN orders USING (id) WHERE id = :x", "text"),
        ("SELECT :x = id", "text"),
    ):
        (found,) = parameter_kinds.refined(statement, parameters.find(statement), NAMES)
        assert found.kind == kind, statement


@pytest.mark.parametrize("statement", [":x", ": x", ":x =", "= :x", "between :x", "x between", ":x = a.", "and :x"])
def test_pieces_of_statements_break_nothing(statement: str) -> None:
    parameter_kinds.refined(statement, parameters.find(statement), NAMES)
