"""The command that tells how a table is built."""

from __future__ import annotations

import dataclasses
import datetime
import json
from typing import Annotated, Any

import typer

from undertone import catalog, cli_sql, database, ddl, diagram, names, output, relations, units
from undertone import structure as building


def structure(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="The table, as SQL writes it.")],
    statements: Annotated[bool, typer.Option("--ddl", help="As the statements that make it anew.")] = False,
    dot: Annotated[bool, typer.Option("--dot", help="What refers to what around it, as a graph for Graphviz.")] = False,
    as_json: cli_sql.Json = False,
) -> None:
    """Tell how a table is built: columns, constraints, indexes, references."""
    if statements + dot + as_json > 1:
        raise typer.BadParameter("choose one of --ddl, --dot and --json")

    def ask(connection: database.Connection) -> building.Structure | diagram.Graph:
        relation = catalog.find(connection, table)
        return diagram.graph(connection, relation) if dot else building.read(connection, relation)

    with cli_sql.opened() as opened:
        found = opened.data.ask(ask)
    if isinstance(found, diagram.Graph):
        print(diagram.dot(found), end="")
    elif statements:
        print(output.harmless(ddl.statement(found)), end="")
    elif as_json:
        print(json.dumps(_plain(found), indent=2))
    else:
        _show(found)


def _show(found: building.Structure) -> None:
    output.table(
        ("column", "type", "null", "default", "comment"),
        [
            (one.name, one.type, "" if one.nullable else "not null", one.default or one.identity, one.comment)
            for one in found.columns
        ],
    )
    if found.constraints:
        print()
        output.table(
            ("constraint", "kind", "definition"), [(one.name, one.kind, one.definition) for one in found.constraints]
        )
    if found.indexes:
        print()
        output.table(
            ("index", "method", "size", "scans", "last used", "remark"),
            [
                (
                    one.name,
                    one.method,
                    units.size(one.bytes),
                    "" if one.scans is None else f"{one.scans:,}",
                    output.time(one.last_used),
                    "" if one.valid else "invalid",
                )
                for one in found.indexes
            ],
            right=(2, 3),
        )
    if found.refers_to or found.referred_by:
        print()
        output.table(
            ("table", "columns", "refers to", "columns there"),
            [
                (one.relation.label, _listed(one.columns), one.target.label, _listed(one.target_columns))
                for one in dict.fromkeys((*found.refers_to, *found.referred_by))
            ],
        )


def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(names.quoted(name) for name in columns)


def _plain(value: Any) -> Any:
    """A structure as JSON has it: a relation by its label."""
    if isinstance(value, relations.Relation):
        return value.label
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, datetime.datetime):
        return value.astimezone().isoformat()
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
