"""The commands about what columns hold: `facets` counts values, times and numbers, `profile` describes columns."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Annotated, Any

import psycopg2
import psycopg2.sql
import typer

from undertone import (
    catalog,
    cli_looks,
    cli_sql,
    conditions,
    database,
    errors,
    facet_proposals,
    output,
    profiles,
    profiling,
    relations,
    sampling,
)
from undertone import facets as counting

Table = Annotated[str, typer.Argument(metavar="TABLE", help="A table or view, as SQL writes it, or its name.")]
Where = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CONDITION", help="Only rows that it holds for, as of `rows`. May be repeated; all must hold."
    ),
]
Zone = Annotated[
    str | None,
    typer.Option(metavar="ZONE", help="Where days begin and times without an offset are from. Default: UTC."),
]
Found = tuple[relations.Relation, list[relations.Field], psycopg2.sql.Composed | None]


class ProfileTooSlow(errors.UndertoneError):
    """Counting took longer than it may."""


def facets(
    table: Table,
    column: Annotated[str | None, typer.Argument(metavar="[COLUMN]", help="Default: those that are worth it.")] = None,
    where: Where = None,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="Values at most.")] = counting.MOST,
    zone: Zone = None,
    timeout: Annotated[float, typer.Option(min=0.001, help="Seconds for each column.")] = counting.SECONDS,
    as_json: cli_sql.Json = False,
) -> None:
    """Count the most frequent values of columns, their times or their numbers."""

    def ask(connection: database.Connection) -> list[counting.Facet]:
        relation, fields, condition = _found(connection, table, where, zone)
        wanted: list[tuple[str, str | None]] = [(column or "", None)]
        if column is None:
            wanted = [(one.column, one.kind) for one in facet_proposals.propose(connection, relation, fields)]
        return [
            counting.facet(
                connection, relation, fields, name, kind=kind, where=condition, zone=zone, seconds=timeout, most=most
            )
            for name, kind in wanted
        ]

    with cli_sql.opened() as opened:
        found = opened.data.ask(ask)
    if as_json:
        print(json.dumps([_facet(facet) for facet in found], indent=2))
        return
    if not found:
        print("No column has few values, times or numbers; name one to see its most frequent values.")
    for number, facet in enumerate(found):
        if number:
            print()
        output.table(
            (facet.column, "rows", "share"),
            [
                (_text(entry.text), f"{entry.count:,}", f"{entry.count / max(facet.rows, 1):.1%}")
                for entry in facet.entries
            ],
            right=(1, 2),
        )
        if facet.others:
            print(f"other values: {facet.others:,}")
        if facet.sample is not None:
            print(f"counted in {facet.sample.words}")


def profile(
    table: Table,
    columns: Annotated[list[str] | None, typer.Argument(metavar="[COLUMN…]", help="Default: all.")] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Read the rows. Default: what the server has noted.")] = False,
    where: Where = None,
    zone: Zone = None,
    timeout: Annotated[
        float | None, typer.Option(min=0.001, help="Seconds for each column. Default: UNDERTONE_QUERY_SECONDS.")
    ] = None,
    as_json: cli_sql.Json = False,
) -> None:
    """Describe columns: how many have no value, how many differ, between which values they lie, which are common."""
    if where and not exact:
        raise typer.BadParameter("--where needs --exact: what the server has noted is of all rows")

    def ask(connection: database.Connection, seconds: float) -> list[profiles.ColumnProfile]:
        relation, fields, condition = _found(connection, table, where, zone)
        names = columns or [field.column.name for field in fields]
        if not exact:
            chosen = relations.pick(relation, fields, names)
            known = {one.field: one for one in profiles.profile(connection, relation, fields, zone)}
            return [known[field] for field in chosen]
        found = []
        for name in names:
            try:
                with sampling.limited(connection, relation, seconds):
                    found.append(profiling.exact(connection, relation, fields, name, where=condition, zone=zone))
            except psycopg2.errors.QueryCanceled:
                raise ProfileTooSlow(
                    f"Counting {name} took longer than {seconds:g} s and was stopped; give it more by --timeout, or"
                    " fewer rows by --where."
                ) from None
        return found

    with cli_sql.opened() as opened:
        found = opened.data.ask(ask, timeout or opened.settings.query_seconds)
    if as_json:
        print(json.dumps([_profile(one) for one in found], indent=2))
        return
    header = ("column", "type", "no value", "distinct", "lowest", "highest", "mean", "most common")
    output.table(header, [_line(one) for one in found], right=(2, 3, 6))
    if found and not any(one.is_known for one in found):
        print("the server has no statistics of this; --exact reads the rows")


def _found(connection: database.Connection, table: str, where: Sequence[str] | None, zone: str | None) -> Found:
    relation = catalog.find(connection, table)
    fields = relations.fields(connection, relation)
    group = conditions.Group(tuple(cli_looks.condition(text) for text in where or ()))
    conditions.check(connection, relation, fields, group, zone=zone)
    return relation, fields, conditions.compose(fields, group, relation=relation, zone=zone)


def _line(one: profiles.ColumnProfile) -> tuple[str, ...]:
    common = ", ".join(f"{_text(common.entry.text)} {common.share:.0%}" for common in one.common[:3])
    return (
        one.field.column.name,
        one.field.column.type,
        "" if one.nulls is None else f"{one.nulls:.1%}",
        "" if one.distinct is None else f"{one.distinct:,.0f}",
        one.low or "",
        one.high or "",
        "" if one.mean is None else f"{one.mean:,.6g}",
        common,
    )


def _text(text: str | None) -> str:
    return "(null)" if text is None else text or '""'


def _facet(facet: counting.Facet) -> dict[str, Any]:
    return {
        "column": facet.column,
        "kind": facet.kind,
        "unit": facet.unit,
        "rows": facet.rows,
        "others": facet.others,
        "distinct": facet.distinct,
        "sample": facet.sample and dataclasses.asdict(facet.sample),
        "entries": [_entry(entry) for entry in facet.entries],
    }


def _entry(entry: counting.Entry) -> dict[str, Any]:
    """`where` is as a link has it; null where no filter can hold the value."""
    where = json.loads(conditions.pack(conditions.Group(entry.conditions))) if entry.conditions else None
    return {"value": entry.text, "rows": entry.count, "where": where}


def _profile(one: profiles.ColumnProfile) -> dict[str, Any]:
    return {
        "column": one.field.column.name,
        "type": one.field.column.type,
        "exact": one.is_exact,
        "analysed": one.at and one.at.astimezone().isoformat(),
        "rows": one.rows,
        "no_value": one.nulls,
        "empty": one.empty,
        "distinct": one.distinct,
        "lowest": one.low,
        "highest": one.high,
        "mean": one.mean,
        "quantiles": [{"share": share, "value": value} for share, value in one.quantiles],
        "common": [_entry(common.entry) | {"share": common.share} for common in one.common],
        "bins": [dataclasses.asdict(part) for part in one.bins],
        "lengths": one.lengths and dataclasses.asdict(one.lengths),
        "bytes": one.width,
        "correlation": one.correlation,
    }
