"""The command line: the same functions as the pages, for cron, scripts and tests.

Exit codes: 0 done, 1 refused or failed with one clear line on stderr, 2 wrong usage.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import pathlib
import shlex
import signal
import sys
from typing import Annotated, NoReturn

import typer

from undertone import (
    cli_facets,
    cli_row,
    cli_rows,
    cli_runs,
    cli_scores,
    cli_sql,
    cli_structure,
    cli_tables,
    doctor,
    errors,
    load,
    output,
    planning,
    scoring,
    settings,
)

app = typer.Typer(
    name="undertone",
    help="Browse a PostgreSQL database, ask it anything read-only, score its texts.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Json = cli_sql.Json


def main() -> NoReturn:
    """Run the command line and exit."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    # Ctrl-C, kill and a closed terminal end a command in order: what it has started is ended, too.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # a reader who is gone is noticed here and not by Python's last words
    except errors.UndertoneError as error:
        _fail(str(error))
    except BrokenPipeError:
        # The reader, such as head, has had enough. Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    sys.exit(0)


def _stop(*_: object) -> NoReturn:
    _fail("stopped")


def _fail(message: str) -> NoReturn:
    print(" ".join(message.split()), file=sys.stderr)
    sys.exit(1)


app.command()(cli_tables.tables)
app.command()(cli_structure.structure)
app.command()(cli_facets.facets)
app.command()(cli_facets.profile)
app.command()(cli_rows.rows)
app.command()(cli_row.row)
app.command()(cli_sql.query)
app.command()(cli_sql.saved)
app.command()(cli_sql.history)


@app.command("load")
def load_command(
    file: Annotated[pathlib.Path, typer.Argument(help="CSV, TSV, JSON lines or Parquet.")],
    table: Annotated[str | None, typer.Option(help="Name of the new table. Default: from the file's name.")] = None,
    key: Annotated[
        str | None, typer.Option(help="Column that identifies a row. Default: a new column that counts.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring a file into a new table of the embedded database."""
    with cli_sql.opened() as opened:
        if opened.owner is None:
            raise load.LoadError(
                "A file can only be brought into the embedded database; unset DATABASE_URL and STORE_URL"
            )
        progress = output.Progress("bytes read")
        loaded = load.load_file(opened.owner, file, table=table, key=key, progress=progress.show)
        progress.end()
    if as_json:
        print(json.dumps(vars(loaded) | {"columns": dict(loaded.columns)}, indent=2))
        return
    columns = ", ".join(f"{name} {type_}" for name, type_ in loaded.columns)
    print(f"{loaded.rows:,} rows in the new table {loaded.table} ({columns}), {loaded.seconds:.1f} s")


app.command()(cli_runs.score)
app.command()(cli_runs.runs)
app.command("watches")(cli_runs.watches_command)
app.command()(cli_scores.current)
app.command("export")(cli_scores.export_command)
app.command()(cli_scores.publish)


@app.command()
def classify(
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT …]", help="Default: a text a line on stdin.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="The classifier. Default: UNDERTONE_MODEL.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say what each word did for the label.")] = False,
) -> None:
    """Classify texts; JSON lines out."""
    from undertone import classifier

    chosen = settings.load_settings()
    loaded = classifier.from_settings(chosen, model)
    given = texts if texts else output.stdin_lines()
    if explain:
        for text in given:
            found = loaded.explain(text)
            pieces = [vars(piece) for piece in found.pieces]
            print(output.line({"text": text, **vars(found.prediction), "pieces": pieces}))
        return
    for batch in output.batches(given, 256):
        for text, prediction in zip(batch, loaded.classify(batch), strict=True):
            print(output.line({"text": text, **vars(prediction)}))


@app.command()
def evaluate(
    file: Annotated[
        pathlib.Path, typer.Argument(help="CSV, TSV, JSON lines or Parquet with texts and their true labels.")
    ],
    text: Annotated[str, typer.Option(help="The column with the texts.")],
    label: Annotated[str, typer.Option(help="The column with the true labels, in any case.")],
    model: Annotated[str | None, typer.Option(help="The classifier. Default: UNDERTONE_MODEL.")] = None,
    as_json: Json = False,
) -> None:
    """Say how good the model is on labelled texts."""
    from undertone import classifier, evaluation

    chosen = settings.load_settings()
    texts, labels = evaluation.read(file, text, label)
    loaded = classifier.from_settings(chosen, model)
    progress = output.Progress("texts")
    report = evaluation.evaluate(loaded, texts, evaluation.truth(labels, loaded.labels), progress.show)
    progress.end()
    if as_json:
        print(json.dumps({"model": loaded.model_id, **dataclasses.asdict(report)}, indent=2))
        return
    print(f"{loaded.model_id} on {report.rows:,} texts of {file.name}, {report.unread:,} of them with nothing to read")
    figures = {
        "accuracy": report.accuracy,
        "macro F1": report.macro_f1,
        "macro recall": report.macro_recall,
        "expected calibration error": report.calibration_error,
    }
    rows = [(name, f"{it.value:.4f}", f"{it.low:.4f} – {it.high:.4f}") for name, it in figures.items()]
    output.table(("figure", "value", "95 % interval"), rows, right=(1,))
    print()
    classes = [
        (name, f"{report.precision[name]:.4f}", f"{report.recall[name]:.4f}", *counts)
        for name, counts in zip(report.labels, report.confusion, strict=True)
    ]
    header = ("true class", "precision", "recall", *(f"called {name}" for name in report.labels))
    output.table(header, classes, right=range(1, len(header)))


@app.command()
def worker(
    threads: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Processor threads of the model. Default: UNDERTONE_THREADS.")
    ] = None,
    queue: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help=f"Do runs of this queue only; may be repeated. Default: {planning.QUEUE}."),
    ] = None,
    local: Annotated[bool, typer.Option("--local", hidden=True)] = False,
    check: Annotated[bool, typer.Option("--check", help="Only say whether a worker is at work.")] = False,
) -> None:
    """Do scoring work until stopped."""
    from undertone import worker as working

    queues = tuple(dict.fromkeys(queue or ()))
    for name in queues:
        cli_sql.check_text(queue=name)
    if check:
        with cli_sql.opened() as opened:
            at_work = opened.store.ask(scoring.workers)
        found = [one for one in at_work if not queues or not set(queues).isdisjoint(one.queues)]
        if not found:
            option = "".join(f" --queue {shlex.quote(name)}" for name in queues)
            _fail(f"no worker is at work; start one with: python -m undertone worker{option}")
        print(f"{len(found)} at work")
        return

    logging.getLogger().setLevel(logging.INFO)
    # Its tracebacks may quote a row; what failed and why is logged by the tasks themselves, in a line.
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
    chosen = settings.load_settings(**({} if threads is None else {"threads": threads}))
    working.work(chosen, local=local, queues=queues or (planning.QUEUE,))


@app.command("doctor")
def doctor_command(as_json: Json = False) -> None:
    """Check everything, and prove the read-only promise by trying to break it."""
    findings = list(doctor.examine(settings.load_settings()))
    if as_json:
        print(json.dumps([vars(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            print(f"{'ok  ' if finding.good else 'BAD '} {finding.what}: {finding.found}")
    if bad := [finding.what for finding in findings if not finding.good]:
        _fail(f"not in order: {', '.join(bad)}")
