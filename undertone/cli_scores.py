"""The commands about scores as tables: current, export, publish."""

from __future__ import annotations

import dataclasses
import enum
import json
import os
import pathlib
import sys
from typing import Annotated, Any, BinaryIO, cast

import typer

from undertone import (
    cli_sql,
    database,
    export,
    output,
    publishing,
    score_export,
    scores,
    scoring,
)

Json = cli_sql.Json
Name = Annotated[str, typer.Argument(metavar="SCORES", help="The scores, by the name of their table or view.")]


class Format(enum.StrEnum):
    """How `export` writes."""

    csv = enum.auto()
    jsonl = enum.auto()
    parquet = enum.auto()


def current(
    name: Name,
    model: Annotated[str | None, typer.Argument(help="The model whose scores are to be the current ones.")] = None,
    as_json: Json = False,
) -> None:
    """Say which models have scores of a source and which is the current one, or choose another."""

    def ask(connection: database.Connection) -> tuple[scores.Source, list[scores.Line]]:
        source = _find(connection, name)
        return source, scores.models(connection, source)

    with cli_sql.opened() as opened:
        if model is not None:
            with opened.store.lend() as connection:
                scoring.make_current(connection, _find(connection, name), model)
        source, lines = opened.store.ask(ask)
    if as_json:
        found = [
            {"model": line.model, "rows": line.rows, "last_at": line.last_at.isoformat()}
            | {"current": line.model == source.current_model}
            for line in lines
        ]
        print(json.dumps({"scores": source.scores, "view": source.current, "models": found}, indent=2))
        return
    output.table(
        ("model", "rows", "last scored", f"in {source.current}"),
        [
            (line.model, f"{line.rows:,}", output.time(line.last_at), "current" * (line.model == source.current_model))
            for line in lines
        ],
        right=(1,),
    )


def export_command(
    name: Name,
    form: Annotated[Format | None, typer.Option("--format", help="Default: csv, or as --output ends.")] = None,
    out: Annotated[
        pathlib.Path | None, typer.Option("--output", metavar="FILE", help="Write a file. Default: stdout.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="The scores of this model. Default: the current one.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Scores of vanished rows too, and without --model those of all models.")
    ] = False,
) -> None:
    """Write scores as CSV, JSON lines or Parquet, streaming."""
    chosen_form = _form(form, out)
    cli_sql.check_text(model=model)
    with cli_sql.opened() as opened:
        neutralise = opened.settings.neutralise_formulas
        source = opened.store.ask(_find, name)
        with score_export.stream(opened.store, source, score_export.Which(model, everything)) as answer:
            if out is None:
                _dump(answer, chosen_form, neutralise)
                return
            with output.progress("rows") as progress:
                rows = export.write(
                    answer, chosen_form, out, neutralise=neutralise, go_on=lambda done: progress.show(done, 0)
                )
    print(f"{rows:,} rows in {out}")


def _form(form: Format | None, out: pathlib.Path | None) -> str:
    if form is None and out is not None:
        suffix = out.suffix.lower().removeprefix(".")
        if suffix not in Format.__members__:
            raise typer.BadParameter(f"--output needs --format {', '.join(Format)}, or a name that ends so")
        return suffix
    if form is Format.parquet and out is None and sys.stdout.isatty():
        raise typer.BadParameter("Parquet is not for a terminal: give --output, or send it on")
    return (form or Format.csv).value


def _dump(answer: export.Rows, form: str, neutralise: bool) -> None:
    file = cast(BinaryIO, _Terminal() if sys.stdout.isatty() else sys.stdout.buffer)
    try:
        export.dump(answer, form, file, neutralise=neutralise)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is still to be written goes nowhere: Python would complain once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise export.ExportError(f"The scores cannot be written: {error.strerror or error}") from error


class _Terminal:
    """A person's terminal, which obeys control characters: stored texts must not reach it as orders."""

    def write(self, data: bytes) -> Any:
        """Show some lines."""
        return sys.stdout.write(output.harmless(data.decode().removeprefix("\ufeff").replace("\r\n", "\n")))


def publish(
    name: Name,
    schema: Annotated[str, typer.Option(metavar="NAME", help="The schema to publish into.")],
    table: Annotated[
        str | None, typer.Option(metavar="NAME", help="The table's name there. Default: that of the scores.")
    ] = None,
    create_schema: Annotated[
        bool, typer.Option("--create-schema", help="Make the schema where it is not there.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Copy the current scores into a database of yours, at the address in PUBLISH_URL, for this command alone."""
    address = publishing.take_address(os.environ)
    with cli_sql.opened() as opened, output.progress("rows") as progress:
        done = publishing.publish(
            opened.store,
            opened.store.ask(_find, name),
            address,
            schema=schema,
            table=table,
            create_schema=create_schema,
            connect_seconds=opened.settings.connect_seconds,
            go_on=lambda rows: progress.show(rows, 0),
        )
    if as_json:
        print(json.dumps(dataclasses.asdict(done), indent=2))
        return
    replaced = ", in place of the last ones" if done.replaced else ""
    print(output.harmless(f"{done.rows:,} rows in {done.sql} at {done.place}{replaced}"))


def _find(connection: database.Connection, name: str) -> scores.Source:
    """The source whose scores have this name. Raises ScoringError, also where somebody has dropped their table."""
    source = scoring.find_source(connection, name)
    score_export.list_columns(connection, source, gone=True)
    return source
