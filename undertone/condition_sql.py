"""One condition as SQL, written so that an index on its column can serve it, and so that people can read it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import psycopg2.sql

from undertone import names, operators, reading, relations

# What a value may be written as without quotes: nothing but digits ever gets there.
WHOLE, DECIMAL = re.compile(r"-?[0-9]{1,18}"), re.compile(r"-?[0-9]{1,100}(\.[0-9]{1,100})?")
INTEGERS = ("smallint", "integer", "bigint")
DECIMALS = ("numeric", "double precision")  # not real: it would be compared as double precision, and never be equal
TEXTS = ("text", "character varying")
SPAN = re.compile(r"[0-9]{1,9}")
# A JSON path that is true or false by itself, as `$.price > 10`: what compares outside a filter. Filters, names and
# texts are skipped.
_PATH = re.compile(
    r'"(?:\\.|[^"\\])*"|\.\s*\w+|\$\w*|(?P<filter>\?\s*\()|(?P<open>[(\[])|(?P<close>[)\]])'
    r"|(?P<says>==?|!=?|<>|[<>]=?|&&|\|\||\blike_regex\b|\bstarts\b|\bexists\b|\bunknown\b)|\w+|.",
    re.DOTALL,
)
COMPARISONS = {"eq": "=", "ne": "IS DISTINCT FROM", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
LIKE = {"contains": "%{}%", "lacks": "%{}%", "starts": "{}%", "ends": "%{}"}


def compose(field: relations.Field, operator: str, values: Sequence[str]) -> psycopg2.sql.Composed:
    """A condition about a column. Raises ConditionError where it does not fit, or a value could not even be sent."""
    name = names.line(field.column.name)
    operators.check(name, operator, tuple(values))
    if operator not in operators.operators(field):
        raise operators.ConditionError(
            f"{name} holds {field.column.type}: “{operators.OPERATORS[operator].words}” does not go with that."
        )
    for text in values:
        if "\0" in text or text.encode(errors="ignore").decode() != text:
            raise operators.ConditionError(
                f"{name}: {names.line(text)} has a character that no text in a database has; type it again."
            )
    return _composed(field, operator, values)


def probes(
    field: relations.Field, operator: str, values: Sequence[str]
) -> Iterator[tuple[str, psycopg2.sql.Composable]]:
    """The values that the server may refuse, each with what it is read as, by itself."""
    kind = operators.OPERATORS[operator].values
    for text in values:
        if kind == "typed":
            yield text, _value(field, text)
        elif kind == "element":
            yield text, _elements(field, [text])
        elif kind == "pattern":
            yield text, psycopg2.sql.SQL("'' ~* {}").format(psycopg2.sql.Literal(text))
        elif kind == "path":
            yield text, _path(text)
    if kind == "span":
        yield " ".join(values), psycopg2.sql.SQL("now() - {}").format(_span(field, values))


def misfit(field: relations.Field, operator: str, value: str, said: str) -> str:
    """What is wrong with a value, in a sentence."""
    wanted = {"pattern": "regular expression", "path": "JSON path", "span": "span of time"}.get(
        operators.OPERATORS[operator].values, f"value of {field.column.type}"
    )
    return f"{names.line(field.column.name)}: {names.line(value)} is no {wanted} ({' '.join(said.split())})."


def text_of(field: relations.Field) -> psycopg2.sql.Composable:
    """A column as text, as itself where it is one, so that a trigram index can serve it."""
    return field.expression if field.base in TEXTS else psycopg2.sql.SQL("({})::text").format(field.expression)


def pattern(form: str, text: str) -> psycopg2.sql.Literal:
    """A text in a pattern of LIKE, in which `{}` stands for it and none of its letters for anything else."""
    return psycopg2.sql.Literal(form.replace("{}", re.sub(r"([\\%_])", r"\\\1", text)))


def _composed(field: relations.Field, operator: str, values: Sequence[str]) -> psycopg2.sql.Composed:
    expression, _ = reading.ordering(field)
    if operator in COMPARISONS:
        sign = psycopg2.sql.SQL(COMPARISONS[operator])
        return _form("{} {} {}", expression, sign, _value(field, values[0]))
    if operator == "between":
        return _form("{} BETWEEN {} AND {}", expression, *(_value(field, text) for text in values))
    if operator in ("in", "notin"):
        form = "{} IN ({})" if operator == "in" else "({} IN ({})) IS NOT TRUE"
        return _form(form, expression, reading.listed(_value(field, text) for text in dict.fromkeys(values)))
    if operator in LIKE:
        form = "({} ILIKE {}) IS NOT TRUE" if operator == "lacks" else "{} ILIKE {}"
        return _form(form, text_of(field), pattern(LIKE[operator], values[0]))
    if operator == "regex":
        return _form("{} ~* {}", text_of(field), psycopg2.sql.Literal(values[0]))
    if operator in ("null", "notnull"):
        # A composite of which every part is NULL "IS NULL", and is a value all the same.
        plain = field.sortable or field.column.category == "json"
        form = "{} IS NULL" if operator == "null" else "{} IS NOT NULL"
        return _form(form, field.expression if plain else text_of(field))
    if operator == "empty":
        if field.base.endswith("[]"):
            return _form("cardinality({}) = 0", field.expression)
        return _form("{} = ''", field.expression if field.base == "bytea" else text_of(field))
    if operator == "last":
        now = {"date": "current_date", "timestamp without time zone": "localtimestamp"}.get(field.base, "now()")
        # Of days, today is one; what lies in the future is in none.
        form = "{} {} {} - {} AND {} <= {}"
        after, until = psycopg2.sql.SQL(">" if field.base == "date" else ">="), psycopg2.sql.SQL(now)
        return _form(form, expression, after, until, _span(field, values), expression, until)
    if operator in ("has", "hasall"):
        return _form("{} @> {}", field.expression, _elements(field, values))
    document = field.expression if field.base == "jsonb" else _form("({})::jsonb", field.expression)
    if operator == "haskey":
        return _form("{} ? {}", document, psycopg2.sql.Literal(values[0]))
    # Both of them pass over what a path cannot be applied to, and a GIN index can serve them.
    return _form("{} @@ {}" if _says(values[0]) else "{} @? {}", document, _path(values[0]))


def _form(form: str, *parts: psycopg2.sql.Composable) -> psycopg2.sql.Composed:
    return psycopg2.sql.SQL(form).format(*parts)


def _value(field: relations.Field, text: str) -> psycopg2.sql.Composable:
    """A value to compare with, with no more around it than needed to be one of the column's type."""
    if not field.sortable or field.base in TEXTS:
        return psycopg2.sql.Literal(text)
    digits = WHOLE if field.base in INTEGERS else DECIMAL if field.base in DECIMALS else None
    if (digits and digits.fullmatch(text)) or (field.base == "boolean" and text in ("true", "false")):
        return psycopg2.sql.SQL(text)
    return reading.typed(text, psycopg2.sql.SQL(field.base))


def _elements(field: relations.Field, values: Sequence[str]) -> psycopg2.sql.Composed:
    listed = reading.listed(psycopg2.sql.Literal(text) for text in values)
    return psycopg2.sql.SQL("ARRAY[{}]::{}").format(listed, psycopg2.sql.SQL(field.base))


def _path(text: str) -> psycopg2.sql.Composed:
    return reading.typed(text, psycopg2.sql.SQL("jsonpath"))


def _span(field: relations.Field, values: Sequence[str]) -> psycopg2.sql.Composed:
    number, unit = values
    units = operators.DAY_UNITS if field.base == "date" else operators.UNITS
    if not (SPAN.fullmatch(number) and int(number) and unit in units):
        raise operators.ConditionError(
            f"{names.line(field.column.name)}: “{operators.OPERATORS['last'].words}” takes a whole number and one of"
            f" {', '.join(units)}, not {names.line(' '.join(values))}."
        )
    return reading.typed(f"{number} {unit}", psycopg2.sql.SQL("interval"))


def _says(path: str) -> bool:
    """Whether a JSON path is true or false by itself, rather than leading to values."""
    filters: list[bool] = []  # for each parenthesis that is open, whether a filter or a subscript is around
    for token in _PATH.finditer(path):
        if token["filter"] or token["open"]:
            filters.append(bool(token["filter"]) or token["open"] == "[" or any(filters[-1:]))
        elif token["close"] and filters:
            filters.pop()
        elif token["says"] and not any(filters[-1:]):
            return True
    return False
