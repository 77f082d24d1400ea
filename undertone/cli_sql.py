"""The commands about people's statements: query, saved, history. All of them ask as the pages do (`asking.py`)."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import json
import os
import pathlib
import pwd
import shlex
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from undertone import (
    asking,
    audit,
    cli_parameters,
    console,
    database,
    export,
    library,
    names_for_editor,
    output,
    plans,
    services,
    settings,
)

DOWNLOAD_BYTES = 2_000_000_000  # of values in an answer that is written as it comes
Json = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


class Format(enum.StrEnum):
    """How `query` writes its answer."""

    table = enum.auto()
    csv = enum.auto()
    json = enum.auto()
    jsonl = enum.auto()
    parquet = enum.auto()
    xlsx = enum.auto()


class Target(enum.StrEnum):
    """Which database `query` asks."""

    data = enum.auto()
    scores = enum.auto()


@contextlib.contextmanager
def opened() -> Iterator[services.Services]:
    """What the settings name, for the length of a command."""
    with contextlib.closing(services.open_services(settings.load_settings())) as found:
        yield found


def account() -> str:
    """The operating system's account that runs this."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container's account may have no name
        return f"account {os.geteuid()}"


def check_text(**given: str | None) -> None:
    """Raises BadParameter for an option that is empty, or has bytes that are no text; None was not given."""
    for name, value in given.items():
        if value is not None and (not value.strip() or value.encode(errors="ignore").decode() != value):
            raise typer.BadParameter(f"{name.replace('_', '-')} is {'not UTF-8' if value.strip() else 'empty'}")


def query(
    statement: Annotated[
        str | None,
        typer.Argument(metavar="[SQL | -]", help="One read-only statement; - reads it from stdin. Default: -."),
    ] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="How to write the answer. Default: table, or as --output ends.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Rows at most. Default: UNDERTONE_QUERY_ROWS, to a file UNDERTONE_EXPORT_ROWS."),
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.001, help="Seconds at most. Default: UNDERTONE_QUERY_SECONDS, to a file UNDERTONE_EXPORT_SECONDS."
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option(metavar="NAME[:KIND]=VALUE", help="What :NAME in the statement stands for.")
    ] = None,
    null: Annotated[
        list[str] | None, typer.Option(metavar="NAME[:KIND]", help="Let :NAME in the statement stand for NULL.")
    ] = None,
    target: Annotated[
        Target | None, typer.Option(help="Which database to ask. Default: data, or what the saved query is for.")
    ] = None,
    saved: Annotated[str | None, typer.Option(metavar="NAME", help="Ask a saved query.")] = None,
    out: Annotated[
        pathlib.Path | None,
        typer.Option("--output", metavar="FILE", help="Write a file: CSV, JSON lines, Parquet or Excel."),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say how the server would answer.")] = False,
    analyze: Annotated[bool, typer.Option("--analyze", help="Ask, and say how the server has answered.")] = False,
) -> None:
    """Ask the data, or the scores, one read-only question."""
    if saved is not None and statement is not None:
        raise typer.BadParameter("a statement and --saved exclude each other")
    chosen_form = _form(form, out, explain or analyze)
    if saved is None and statement in (None, "-"):
        statement = sys.stdin.buffer.read().decode("utf-8", errors="surrogateescape")
    given = cli_parameters.read(parameter or (), null or ())
    with opened() as found:
        one = found.store.ask(library.find, saved) if saved is not None else None
        text = one.statement if one is not None else statement or ""
        asked = target.value if target else one.target if one else Target.data.value
        columns = names_for_editor.EMPTY
        if any(one.kind is None for one in given) and asked in found.consoles:
            columns = found.consoles[asked].ask(names_for_editor.read)
        question = asking.Question(
            text,
            tuple(cli_parameters.values(text, given, one.parameters if one else {}, columns).items()),
            target=asked,
            who=account(),
            how=asking.COMMAND,
        )
        if explain or analyze:
            plan = asking.explain(found, question, _limits(found.settings, limit, timeout, False), analyze=analyze)
            print(plan.json if chosen_form is Format.json else plans.text(plan))
        else:
            _answer(found, question, chosen_form, out, limit, timeout)


def _answer(
    found: services.Services,
    question: asking.Question,
    form: Format,
    out: pathlib.Path | None,
    limit: int | None,
    timeout: float | None,
) -> None:
    rows = 0
    if out is not None:
        limits = _limits(found.settings, limit, timeout, True)
        with asking.stream(found, question, limits) as answer:
            progress = output.Progress("rows")
            rows = export.write(
                answer,
                form.value,
                out,
                neutralise=found.settings.neutralise_formulas,
                go_on=lambda done: progress.show(done, 0),
            )
            progress.end()
        truncated = answer.truncated
    elif form in (Format.csv, Format.jsonl) and (limit or 0) > found.settings.query_rows:
        # More than anybody should wait for in one piece: written as it comes.
        with asking.stream(found, question, _limits(found.settings, limit, timeout, True)) as answer:
            rows = output.rows(answer.columns, answer, form.value)
        truncated = answer.truncated
    else:
        result = asking.run(found, question, _limits(found.settings, limit, timeout, False))
        rows, truncated = len(result.rows), result.truncated
        if form is Format.xlsx:
            whole = export.Batches(result.columns, [result.rows] if result.rows else [])
            export.dump(whole, form.value, sys.stdout.buffer, neutralise=found.settings.neutralise_formulas)
        else:
            output.result(result, form.value)
    if truncated:
        print(f"only the first {rows:,} rows: the limit of {truncated} was reached", file=sys.stderr)


def _limits(chosen: settings.Settings, limit: int | None, timeout: float | None, streamed: bool) -> console.Limits:
    limits = console.limits(chosen)
    if streamed:
        limits = dataclasses.replace(
            limits, rows=chosen.export_rows, seconds=chosen.export_seconds, bytes=DOWNLOAD_BYTES
        )
    return dataclasses.replace(limits, rows=limit or limits.rows, seconds=timeout or limits.seconds)


def _form(form: Format | None, out: pathlib.Path | None, explained: bool) -> Format:
    """How to write it. Raises BadParameter for what does not go together."""
    if explained:
        if out is not None or form not in (None, Format.table, Format.json):
            raise typer.BadParameter("a plan is written as --format table or json, and to no file")
    elif out is not None:
        suffixes = {one.suffix: name for name, one in export.FORMATS.items()}
        name = form.value if form else suffixes.get(out.suffix.lower(), "")
        if name not in export.FORMATS:
            raise typer.BadParameter(f"--output needs --format {', '.join(export.FORMATS)}, or a name that ends so")
        return Format(name)
    return form or Format.table


def saved(
    name: Annotated[str | None, typer.Argument(help="Show this one. Default: list all.")] = None,
    search: Annotated[str, typer.Option(help="Only those with this text in them.")] = "",
    tag: Annotated[str | None, typer.Option(help="Only those with this tag.")] = None,
    removed: Annotated[bool, typer.Option("--removed", help="Those that were removed, instead.")] = False,
    restore: Annotated[bool, typer.Option("--restore", help="Bring the removed one of this name back.")] = False,
    as_json: Json = False,
) -> None:
    """List the saved queries, those that ship and people's own, show one, or bring a removed one back."""
    if restore and name is None:
        raise typer.BadParameter("--restore needs the name of a query; see them with --removed")
    with opened() as found:
        if name is not None:
            one = found.store.ask(library.find_removed if removed or restore else library.find, name)
            if restore:
                with found.store.lend() as connection:
                    one = library.restore(connection, one, who=account(), length=found.settings.query_length)
            print(json.dumps(_described(one), indent=2) if as_json else _shown(one))
            return
        if removed:
            those = library.matching(found.store.ask(library.removed), search, tag)
        else:
            own = found.store.ask(library.saved, search, tag)
            those = [*own, *library.matching(library.shipped(), search, tag)]
    if as_json:
        print(json.dumps([_described(one) for one in those], indent=2))
        return
    rows = [
        (one.name, one.who if one.id is not None else "ships", one.version, ", ".join(one.tags), one.description)
        for one in those
    ]
    output.table(("name", "by", "version", "tags", "description"), rows, right=(2,))


def _described(one: library.Saved) -> dict[str, Any]:
    return dataclasses.asdict(one) | {"at": one.at.isoformat() if one.at else None}


def _shown(one: library.Saved) -> str:
    about = [one.name, one.description, f"tags: {', '.join(one.tags)}" if one.tags else "", f"asks: {one.target}"]
    about += [
        f"--null {name}:{value.kind}"
        if value.value is None
        else f"--parameter {shlex.quote(f'{name}:{value.kind}={value.value}')}"
        for name, value in one.parameters.items()
    ]
    if one.id is not None:
        gone = "removed in " if one.removed else ""
        about.append(f"{gone}version {one.version} by {one.who or 'somebody'}, {output.time(one.at)}")
    return output.harmless("\n".join([*filter(None, about), "", one.statement]))


def history(
    search: Annotated[str, typer.Option(help="Only statements with this text in them.")] = "",
    everybody: Annotated[bool, typer.Option("--everybody", help="Not only your own.")] = False,
    most: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Statements at most.")] = 50,
    as_json: Json = False,
) -> None:
    """List what was asked, the newest first."""

    def ask(connection: database.Connection) -> list[audit.Entry]:
        return audit.history(connection, who=None if everybody else account(), search=search, most=most)

    with opened() as found:
        entries = found.store.ask(ask)
    if as_json:
        print(json.dumps([vars(entry) | {"at": entry.at.isoformat()} for entry in entries], indent=2))
        return
    output.table(
        ("at", "who", "how", "asked", "outcome", "seconds", "rows", "statement"),
        [
            (
                output.time(entry.at),
                entry.who,
                entry.how,
                entry.target,
                entry.outcome,
                "" if entry.seconds is None else f"{entry.seconds:.2f}",
                "" if entry.rows is None else f"{entry.rows:,}",
                entry.statement,
            )
            for entry in entries
        ],
        right=(5, 6),
    )
