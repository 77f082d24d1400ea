"""The commands about runs: score, runs, watches. They do what the Score page does (`planning.py`, `watches.py`)."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from undertone import cli_plan, cli_sql, following, output, planning, scoring, template, units, watches

Json = cli_sql.Json
ACTIONS = ("pause", "resume", "cancel", "retry", "undo")
WATCH_ACTIONS = ("pause", "resume", "remove")
CRON = "'0 2 * * *'"


def score(
    table: Annotated[
        str | None, typer.Argument(help="The table or view whose texts are scored. Not with --query.")
    ] = None,
    text: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column with the texts.")] = None,
    template_: Annotated[
        str | None,
        typer.Option("--template", metavar="TEXT", help="Several columns joined, as in '{title}: {body}'."),
    ] = None,
    query: Annotated[
        str | None, typer.Option("--query", metavar="NAME", help="Score what a saved query returns.")
    ] = None,
    where: Annotated[
        str | None, typer.Option(metavar="CONDITION", help="Only rows of which this is true, in SQL.")
    ] = None,
    new_by: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="With --every or --cron: find new rows by this time or growing number, without reading the others.",
        ),
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="Columns that identify a row. Default: the primary key.")
    ] = None,
    context: Annotated[
        list[str] | None, typer.Option(help="Columns to keep beside the scores. Default: proposed.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="The classifier. Default: UNDERTONE_MODEL.")] = None,
    queue: Annotated[str, typer.Option(metavar="NAME", help="Which workers do it.")] = planning.QUEUE,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what there would be to do.")] = False,
    every: Annotated[
        int | None,
        typer.Option(min=1, max=watches.MOST_MINUTES, metavar="MINUTES", help="Keep the scores up from now on."),
    ] = None,
    cron: Annotated[
        str | None, typer.Option(metavar="LINE", help=f"The same by a cron line, in UTC, as in {CRON}.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the run to its end.")] = True,
    as_json: Json = False,
) -> None:
    """Start a run over a column of texts and follow it; keep its scores up, if you like."""
    pace = _pace(every, cron)
    _check_texts(table, query, text, template_)
    cli_sql.check_text(table=table, query=query, template=template_, where=where, queue=queue, model=model)
    if plan and (pace or not wait):
        raise typer.BadParameter("--plan starts nothing: it goes with none of --every, --cron and --no-wait")
    if new_by is not None and not (pace or plan):
        raise typer.BadParameter("--new-by says how new rows are found later: it goes with --every or --cron")
    with cli_sql.opened() as opened:
        chosen = opened.settings
        wish = planning.Wish(
            table or query or "",
            text or template_ or "",
            model=model or chosen.model,
            chunk_rows=chosen.chunk_rows,
            key=tuple(key or ()),
            context=None if context is None else tuple(context),
            saved=query is not None,
            template=template_ is not None,
            condition=where or "",
            queue=queue,
            new_by=new_by,
            who=cli_sql.account(),
        )
        if plan:
            cli_plan.show(opened, wish, as_json)
            return
        run = planning.start(opened.reader, opened.store, wish, place=opened.place)
        watch = None
        if pace is not None:
            with opened.store.lend() as connection:
                watch = watches.put(connection, run, wish, pace)
        if wait:
            run = following.follow(opened, run)
        following.show(opened, run, for_program=as_json, watch=watch)
    if run.state in ("failed", "cancelled"):
        raise scoring.ScoringError(f"run {run.id} {run.state}: {run.error or 'see runs'}")


def _pace(every: int | None, cron: str | None) -> watches.Pace | None:
    if every is None and cron is None:
        return None
    pace = watches.Pace(every, cron)
    try:
        watches.check_pace(pace)
    except watches.WatchError as error:
        raise typer.BadParameter(str(error)) from None
    return pace


def _check_texts(table: str | None, query: str | None, text: str | None, joined: str | None) -> None:
    """Raises BadParameter for options that do not go together, before anything is opened."""
    if (table is None) == (query is None):
        raise typer.BadParameter("name a TABLE, or a saved query by --query; one of the two")
    if (text is None) == (joined is None):
        raise typer.BadParameter("say where the texts are by --text COLUMN or --template TEXT; one of the two")
    if joined is not None:
        try:
            template.columns(joined)
        except template.TemplateError as error:
            raise typer.BadParameter(str(error)) from None


def runs(
    what: Annotated[
        list[str] | None, typer.Argument(metavar="[[pause|resume|cancel|retry|undo] RUN]", help="Default: list all.")
    ] = None,
    most: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Runs at most.")] = 200,
    as_json: Json = False,
) -> None:
    """List the runs, show one, or pause, resume, cancel, retry or undo it."""
    action, number = _action(what, ACTIONS, "RUN")
    with cli_sql.opened() as opened:
        if number is not None:
            with opened.store.lend() as connection:
                run = scoring.change(connection, number, action) if action else scoring.get(connection, number)
            following.show(opened, run, for_program=as_json)
            return
        found = opened.store.ask(scoring.runs, most=most + 1)
        if len(found) > most:
            found.pop()
            print(f"only the newest {units.count(most, 'run')}; --limit shows more", file=sys.stderr)
        if as_json:
            print(json.dumps(following.list_described(opened, found), indent=2, default=str))
            return
        output.table(
            ("run", "source", "state", "rows", "of", "scored", "failed", "started", "scores"),
            [
                (
                    run.id,
                    run.source.title,
                    "undone" if run.undone_at else run.state,
                    f"{run.rows:,}",
                    "" if run.rows_total is None else f"{run.rows_total:,}",
                    f"{run.scored:,}",
                    f"{run.failed:,}",
                    output.time(run.started_at),
                    run.source.scores,
                )
                for run in found
            ],
            right=(0, 3, 4, 5, 6),
        )


def _action(what: list[str] | None, possible: Sequence[str], noun: str) -> tuple[str, int | None]:
    """An action ("" for none) and a number from the words that were given, in either order."""
    words = what or []
    numbers = [int(word) for word in words if word.isdecimal()]
    actions = [word for word in words if not word.isdecimal()]
    if len(actions) > 1 or len(numbers) > 1 or (actions and not numbers) or not set(possible).issuperset(actions):
        raise typer.BadParameter(f"expected {noun}, or one of {', '.join(possible)} and {noun}")
    return "".join(actions), numbers[0] if numbers else None


def watches_command(
    what: Annotated[
        list[str] | None, typer.Argument(metavar="[pause|resume|remove WATCH]", help="Default: list all.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the sources that are kept up, or pause, resume or remove one of these watches."""
    action, number = _action(what, WATCH_ACTIONS, "WATCH")
    with cli_sql.opened() as opened, opened.store.lend() as connection:
        if action and number is not None:
            watches.change(connection, number, action)
            if action == "remove":
                number = None
        found = watches.watches(connection) if number is None else [watches.get(connection, number)]
    if as_json:
        described = [following.watch_described(watch) for watch in found]
        print(json.dumps(described, indent=2, default=str))
        return
    output.table(
        ("watch", "source", "model", "how often", "next", "last run", "error"),
        [
            (
                watch.id,
                watch.source.title,
                watch.model,
                watch.pace,
                output.time(watch.next_at) if watch.active else "paused",
                "" if watch.last_run is None else f"{watch.last_run} {watch.last_state}",
                watch.error,
            )
            for watch in found
        ],
        right=(0,),
    )
