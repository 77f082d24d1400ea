"""The command about one row: its values in full, what it refers to and what refers to it, what models said of it."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from undertone import (
    catalog,
    cli_sql,
    database,
    names,
    output,
    references,
    row_copies,
    row_scores,
    rows,
    services,
    units,
)

Json = cli_sql.Json
SHOWN = 10_000  # characters of a value that a person is shown; --json has them all
Links = tuple[list[references.Target], list[references.Pointing]]


def row(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="The table, as SQL writes it.")],
    key: Annotated[
        list[str],
        typer.Argument(metavar="KEY…", help="The values of its key, in its order; behind -- where one is negative."),
    ],
    refer: Annotated[
        bool, typer.Option("--references", help="Add what the row refers to, and how many rows refer to it.")
    ] = False,
    scored: Annotated[bool, typer.Option("--scores", help="Add what models have said of it.")] = False,
    as_json: Json = False,
) -> None:
    """Show one row by its key, all of its values."""

    def ask(connection: database.Connection) -> tuple[rows.Row, str, Links]:
        found = rows.read(connection, catalog.find(connection, table), key)
        written = row_copies.as_json(connection, found) if as_json else ""
        links: Links = ([], [])
        if refer:
            links = references.outgoing(connection, found), references.incoming(connection, found)
        return found, written, links

    with cli_sql.opened() as opened:
        found, written, links = opened.data.ask(ask)
        said = _scores(opened, found) if scored else []
    if as_json:
        more: dict[str, Any] = {"table": found.relation.label}
        more["key"] = dict(zip(found.key_names, found.key, strict=True))
        if refer:
            more["refers_to"] = [_target(one) for one in links[0]]
            more["referred_to_by"] = [_pointing(one) for one in links[1]]
        if scored:
            more["scores"] = said
        # The row as the server wrote it, which no reading and writing here could give back to the digit.
        print(f'{output.line(more).removesuffix("}")}, "row": {written}}}')
        return
    print(output.harmless("\n".join(_lines(found))))
    if refer:
        _show_links(*links)
    if scored:
        _show_scores(said)


def counted(one: references.Pointing) -> str:
    """How many rows refer to a row, in words."""
    if one.count is None:
        return "not counted in time"
    return f"more than {one.count:,}" if one.more else f"{one.count:,}"


def _lines(found: rows.Row) -> Iterator[str]:
    """A line a value, its further lines below it; null apart from empty."""
    labels = [names.line(cell.name)[1:-1] for cell in found.cells]
    width = max(map(len, labels))
    for label, cell in zip(labels, found.cells, strict=True):
        text = "(null)" if cell.text is None else cell.text
        if cell.is_cut or len(text) > SHOWN:
            unit = "byte" if cell.field.base == "bytea" else "character"
            text = f"{text[:SHOWN]} … ({units.count(cell.length or 0, unit)})"
        yield f"{label:{width}}  {text}".rstrip().replace("\n", "\n" + " " * (width + 2))


def _show_links(targets: Sequence[references.Target], pointing: Sequence[references.Pointing]) -> None:
    print()
    output.table(
        ("refers by", "to", "key", "which is"),
        [(_columns(one.columns), one.relation.label, ", ".join(one.key or ()), one.words) for one in targets],
    )
    print()
    output.table(
        ("referred to by", "column", "rows"),
        [(one.relation.label, _columns(one.columns), counted(one)) for one in pointing],
        right=(2,),
    )


def _show_scores(said: Sequence[dict[str, Any]]) -> None:
    print()
    output.table(
        ("text", "model", "label", "confidence", "run", "scored", "the text since"),
        [
            (
                one["text"],
                one["model"],
                one["label"] or one["reason"],
                "" if one["confidence"] is None else f"{one['confidence']:.3f}",
                one["run"],
                one["scored_at"][:16].replace("T", " "),
                {True: "has changed", False: "is the same", None: "cannot be read"}[one["changed"]],
            )
            for one in said
        ],
        right=(3, 4),
    )


def _columns(columns: Sequence[str]) -> str:
    return ", ".join(names.quoted(name) for name in columns)


def _target(one: references.Target) -> dict[str, Any]:
    return {"columns": one.columns, "table": one.relation.label, "key": one.key, "words": one.words}


def _pointing(one: references.Pointing) -> dict[str, Any]:
    return {"columns": one.columns, "table": one.relation.label, "rows": one.count, "more": one.more}


def _scores(opened: services.Services, found: rows.Row) -> list[dict[str, Any]]:
    answer = []
    for scored in opened.store.ask(row_scores.of_row, found, opened.place):
        text = None
        with contextlib.suppress(catalog.CatalogError):  # a column of it is gone
            text = opened.data.ask(row_scores.text_of, found, scored.source, 0)
        for score in scored.scores:
            about = dataclasses.asdict(score)
            about["scored_at"] = about.pop("at").astimezone().isoformat()
            about["vanished_at"] = score.vanished_at and score.vanished_at.astimezone().isoformat()
            about["changed"] = None if text is None else text.changed_since(score)
            answer.append({"text": scored.source.text_column, **about})
    return answer
