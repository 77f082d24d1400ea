"""What a template promises: columns joined as they are written, whatever they are called, and clear errors."""

from __future__ import annotations

import psycopg2.sql
import pytest

from tests.unit import scored
from undertone import template

ODD = 'Te\'xt %s ! a:b [0] \\ .x "q" 評'


def test_its_columns_each_once() -> None:
    assert template.columns("{title}: {body} ({title})") == ["title", "body"]
    assert template.columns(f"{{{ODD}}}") == [ODD]


def test_its_pieces() -> None:
    assert template.parse("{a}") == [("", "a")]
    assert template.parse("a: {a}{b}!") == [("a: ", "a"), ("", "b"), ("!", None)]
    assert template.parse("{{a}} {{{a}}} }}") == [("{a} {", "a"), ("} }", None)]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "names no column; write one as {title}: {body}"),
        ("no column", "names no column"),
        ("{{title}}", "names no column"),
        ("{}", "has {} without a column's name in it"),
        ("{a} {}", "has {} without a column's name in it"),
        (
            "{a",
            "cannot be read: the { at character 1 stands alone; write columns as {title}: {body}, and a brace as {{",
        ),
        ("{a} }", "cannot be read: the } at character 5 stands alone"),
        ("{a}}", "cannot be read: the } at character 4 stands alone"),
        ("{a{b}}", "cannot be read: the { at character 1 stands alone"),
    ],
)
def test_what_is_no_template_is_told(written: str, said: str) -> None:
    with pytest.raises(template.TemplateError) as caught:
        template.expression(written)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_null_is_nothing_and_nothing_but_nulls_is_null(execute: scored.Execute) -> None:
    name = psycopg2.sql.Identifier(ODD)
    execute(psycopg2.sql.SQL("CREATE TABLE texts (id int, n numeric(5,2), {} text)").format(name))
    rows = [(1, 1.5, "it's"), (2, None, "%s {} \\ 👍"), (3, 2, None), (4, None, None), (5, None, "")]
    for row in rows:
        execute("INSERT INTO texts VALUES (%s, %s, %s)", row)
    expression = template.expression(f"%s {{{{n}}}} it's {{n}}: {{{ODD}}}\\")
    found = execute(psycopg2.sql.SQL("SELECT {} FROM texts AS r ORDER BY id").format(expression))
    assert [row[0] for row in found] == [
        "%s {n} it's 1.50: it's\\",
        "%s {n} it's : %s {} \\ 👍\\",
        "%s {n} it's 2.00: \\",
        None,
        "%s {n} it's : \\",
    ]
