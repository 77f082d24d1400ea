"""What was scored once, to be scored again: the wish that a run came from, and the rows that it was about."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg2 import sql

from undertone import catalog, database, listing, planning, queries, relations, scores, scoring, source_rows, template

MOST_CHARACTERS = 6_000  # of a statement in a link; proxies refuse addresses beyond 8 KB
CUT = 2_000  # characters of a text that a page shows


def wish(run: scoring.Run, *, who: str = "") -> planning.Wish:
    """The wish that would start a run like this one, by `who`."""
    source = run.source
    return planning.Wish(
        relation=source.address,
        text=source.text_column,
        model=run.model,
        chunk_rows=run.chunk_rows,
        key=tuple(kept.name for kept in source.key),
        context=tuple(kept.name for kept in source.context),
        saved=not source.schema,
        template=source.template,
        condition=run.condition,
        queue=run.queue,
        new_by=run.new_by,
        who=who,
    )


def row_statements(
    connection: database.Connection, source: scores.Source, keys: Sequence[scores.Values]
) -> list[str | None]:
    """For each key a statement that selects its row in the data, for a person; None where it would be too long.

    The connection is only there for the quoting. A value is an untyped literal, which PostgreSQL takes for a value of
    the key's type.
    """
    origin = source_rows.origin(source)
    if source.statement is not None:
        origin = sql.SQL("{} AS r").format(origin)
    found: list[str | None] = []
    for key in keys:
        condition = sql.SQL(" AND ").join(
            sql.SQL("{} = {}").format(sql.Identifier(kept.name), sql.Literal(value))
            for kept, value in zip(source.key, key, strict=True)
        )
        composed = queries.compose(listing.SQL.one_row, origin=origin, condition=condition)
        written = composed.as_string(connection).strip().rstrip(";")
        found.append(written if len(written) <= MOST_CHARACTERS else None)
    return found


def texts(
    reader: source_rows.Reader, source: scores.Source, keys: Sequence[scores.Values]
) -> dict[scores.Values, str | None]:
    """The beginnings of the texts of some rows, by key; what is gone is not in the answer.

    Raises CatalogError, DatabaseError or StatementError.
    """
    if not keys:
        return {}
    if source.statement is not None:
        rows = source_rows.slices(reader, source_rows.Selection(source), keys, CUT)
        return {row.key: row.text for piece in rows for row in piece}
    columns = template.columns(source.text_column) if source.template else [source.text_column]
    with reader.data.lend() as connection:
        found = catalog.rows_by_key(
            connection,
            catalog.find(connection, source.address),
            columns,
            [tuple(str(value) for value in key) for key in keys],
            key=[kept.name for kept in source.key],
            cut=CUT,
        )
    return {key: _joined(source, columns, row) for key, row in found.items()}


def _joined(source: scores.Source, columns: Sequence[str], row: Sequence[object]) -> str | None:
    """The text of a row, as the template's SQL would have it."""
    if all(value is None for value in row):
        return None
    if not source.template:
        return str(row[0])
    values = dict(zip(columns, row, strict=True))
    return "".join(
        literal + ("" if name is None or values[name] is None else str(values[name]))
        for literal, name in template.parse(source.text_column)
    )


def new_by_columns(connection: database.Connection, relation: relations.Relation) -> list[str]:
    """The columns of a relation by which new rows can be found without reading all: times and numbers with an index."""
    return [
        field.column.name
        for field in relations.fields(connection, relation)
        if source_rows.kind(field.column.type) and (field.indexed or relation.kind == "view")
    ]
