"""The command about the rows of a table: as Tables shows them, for scripts: filtered, sorted, page by page or all."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import shlex
import sys
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from undertone import (
    asking,
    catalog,
    cli_looks,
    cli_sql,
    conditions,
    console,
    database,
    export,
    looks,
    matching,
    output,
    paging,
    relations,
    row_statement,
    searching,
    services,
)

EVERY = 1 << 40  # rows and bytes that nobody has: a download of all ends with the rows
LONG = 1_000_000  # bytes of a statement, which may name 1,600 columns


@dataclass(frozen=True)
class _Found:
    """A relation, and what somebody wants to see of it."""

    relation: relations.Relation
    fields: list[relations.Field]
    look: looks.Look
    search: searching.Search | None
    zone: str | None


def rows(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="A table or view, as SQL writes it, or its name.")],
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONDITION",
            help="COLUMN OPERATOR [VALUE …] in one argument, with quotes as in a shell: 'rating ge 4',"
            " 'status in open new', '\"my column\" null'; or the JSON of a link. May be repeated."
            f" Operators: {cli_looks.OPERATORS}.",
        ),
    ] = None,
    any_of: Annotated[bool, typer.Option("--any", help="One of the conditions is enough. Default: all.")] = False,
    search: Annotated[str, typer.Option(metavar="TEXT", help="Only rows with this text in them.")] = "",
    sort: Annotated[
        list[str] | None,
        typer.Option(metavar="[-]COLUMN", help="Order by this, downwards with a -. May be repeated. Default: the key."),
    ] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="COLUMN,…", help="Only these, in this order; quoted as in CSV.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Rows at most. Default: 50, with --all every one.")] = None,
    after: Annotated[str | None, typer.Option(metavar="JSON", help="The page after a place, as it was told.")] = None,
    before: Annotated[str | None, typer.Option(metavar="JSON", help="The page before a place.")] = None,
    end: Annotated[bool, typer.Option("--end", help="The last page.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Every matching row, as they come.")] = False,
    count: Annotated[bool, typer.Option("--count", help="Only how many rows match, exactly.")] = False,
    statement: Annotated[bool, typer.Option("--sql", help="Only the statement of the same rows.")] = False,
    link: Annotated[bool, typer.Option("--link", help="Only the address of the same rows on Tables.")] = False,
    zone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Where times without an offset are from, as Europe/Berlin.")
    ] = None,
    form: Annotated[
        cli_sql.Format | None,
        typer.Option("--format", help="How to write them. Default: table, with --all csv, or as --output ends."),
    ] = None,
    out: Annotated[
        pathlib.Path | None,
        typer.Option("--output", metavar="FILE", help="Write all of them to a file: CSV, JSON lines, Parquet, Excel."),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(min=0.001, help="Seconds at most. Default: UNDERTONE_QUERY_SECONDS, for all _EXPORT_SECONDS."),
    ] = None,
) -> None:
    """Show rows of a table: filtered, sorted, a page or all of them."""
    every = every or out is not None
    if (after is not None) + (before is not None) + end + every + count + statement + link > 1:
        raise typer.BadParameter(
            "of --after, --before, --end, --all (or --output), --count, --sql and --link there can be one"
        )
    chosen = _file_form(form, out) if every else form or cli_sql.Format.table
    cli_sql.check_text(columns=columns, zone=zone, after=after, before=before)
    place = looks.LAST if end else cli_looks.place("after", after) or cli_looks.place("before", before)
    look = looks.Look(
        search=search,
        where=conditions.Group(tuple(cli_looks.condition(text) for text in where or ()), any_of),
        sorts=tuple(cli_looks.sort(text) for text in sort or ()),
        columns=cli_looks.columns(columns),
        place=place or looks.FIRST,
    )

    def find(connection: database.Connection) -> _Found:
        relation = catalog.find(connection, table)
        fields = relations.fields(connection, relation)
        relations.pick(relation, fields, [*(one.column for one in look.sorts), *(look.columns or ())])
        conditions.check(connection, relation, fields, look.where, zone=zone)
        searched = searching.plan(connection, relation, fields) if search.strip() else None
        own = dataclasses.replace(look, table=relation.label, where=conditions.anchored(fields, look.where, zone))
        return _Found(relation, fields, own, searched, zone)

    with cli_sql.opened() as opened:
        found = opened.data.ask(find)
        if link:
            print("tables?" + urllib.parse.urlencode(looks.parameters(found.look), quote_via=urllib.parse.quote))
        elif statement:
            print(output.harmless(_statement(opened, found, limit)))
        elif count:
            asked = opened.data.ask(
                row_statement.count, found.relation, found.fields, found.look, found.search, zone=zone
            )
            limits = console.limits(opened.settings)
            limits = dataclasses.replace(limits, seconds=timeout or limits.seconds, length=LONG)
            answer = asking.run(opened, asking.Question(asked, who=cli_sql.account(), how=asking.COMMAND), limits)
            print(answer.rows[0][0])
        elif every:
            _all(opened, found, chosen, out, limit, timeout)
        else:
            _page(opened, found, chosen, limit or 50, timeout)


def _page(opened: services.Services, found: _Found, form: cli_sql.Format, size: int, timeout: float | None) -> None:
    seconds = timeout or opened.settings.query_seconds

    def ask(connection: database.Connection) -> paging.Page:
        look = found.look
        return paging.page(
            connection,
            found.relation,
            size=size,
            sorts=look.sorts,
            where=matching.compose(found.fields, look, relation=found.relation, search=found.search, zone=found.zone),
            columns=look.columns,
            after=look.place.cursor if look.place.kind == "after" else None,
            before=look.place.cursor if look.place.kind == "before" else None,
            at_end=look.place.kind == "last",
            cut=None,
            seconds=seconds,
        )

    page = opened.data.ask(ask)
    columns = tuple(console.Column(column.name, column.type) for column in page.columns)
    result = console.Result(columns, page.rows, None, 0.0)
    if form is cli_sql.Format.xlsx:
        whole = export.Batches(columns, [page.rows] if page.rows else [])
        export.dump(whole, form.value, sys.stdout.buffer, neutralise=opened.settings.neutralise_formulas)
    else:
        output.result(result, form.value)
    sys.stdout.flush()
    if page.stopped is not None:
        option = "before" if found.look.place.kind in ("before", "last") else "after"
        print(
            f"looked through {page.examined:,} rows in {seconds:g} seconds; look on with --{option}"
            f" {_written(page.stopped)}",
            file=sys.stderr,
        )
        return
    if page.start is not None and not page.first:
        print(f"rows before: --before {_written(page.start)}", file=sys.stderr)
    if page.end is not None and not page.last:
        print(f"rows after: --after {_written(page.end)}", file=sys.stderr)


def _all(
    opened: services.Services,
    found: _Found,
    form: cli_sql.Format,
    out: pathlib.Path | None,
    limit: int | None,
    timeout: float | None,
) -> None:
    """Every matching row, as it comes: memory stays flat at any size."""
    limits = dataclasses.replace(
        console.limits(opened.settings),
        seconds=timeout or opened.settings.export_seconds,
        rows=EVERY,
        bytes=EVERY,
        length=LONG,
    )
    question = asking.Question(_statement(opened, found, limit), who=cli_sql.account(), how=asking.COMMAND)
    neutralise = opened.settings.neutralise_formulas
    with asking.stream(opened, question, limits) as answer:
        if out is not None:
            with output.progress("rows") as progress:
                export.write(answer, form.value, out, neutralise=neutralise, go_on=lambda done: progress.show(done, 0))
        elif form in (cli_sql.Format.csv, cli_sql.Format.jsonl):
            output.rows(answer.columns, answer, form.value)
        else:
            export.dump(answer, form.value, sys.stdout.buffer, neutralise=neutralise)


def _statement(opened: services.Services, found: _Found, limit: int | None) -> str:
    return opened.data.ask(
        row_statement.statement,
        found.relation,
        found.fields,
        found.look,
        found.search,
        zone=found.zone,
        limit=limit,
    )


def _file_form(form: cli_sql.Format | None, out: pathlib.Path | None) -> cli_sql.Format:
    """How all rows are written. Raises BadParameter for what does not hold any number of them."""
    named = {one.suffix: name for name, one in export.FORMATS.items()}
    if form is None and out is not None and out.suffix.lower() not in named:
        raise typer.BadParameter(f"--output needs --format {', '.join(export.FORMATS)}, or a name that ends so")
    name = form.value if form else named[out.suffix.lower()] if out else "csv"
    if name not in export.FORMATS:
        raise typer.BadParameter(f"all rows are written as {', '.join(export.FORMATS)}, not as {name}")
    return cli_sql.Format(name)


def _written(cursor: Sequence[str | None]) -> str:
    """A place as a shell takes it back."""
    return shlex.quote(json.dumps(cursor))
