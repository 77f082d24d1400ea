"""The command that lists the tables, as the tree on Tables does."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from undertone import catalog, cli_sql, database, output, tree, units

PARTITIONED = "partitioned table"
Node = tree.Node


def tables(
    search: Annotated[
        str | None, typer.Option(metavar="WORDS", help="Only those with all of the words in name, comment or columns.")
    ] = None,
    partitions: Annotated[bool, typer.Option("--partitions", help="Partitions, too, each after its parent.")] = False,
    system: Annotated[bool, typer.Option("--system", help="pg_catalog and information_schema, too.")] = False,
    exact: Annotated[
        bool, typer.Option("--exact", help="Count the rows, which takes as long as reading them.")
    ] = False,
    as_json: cli_sql.Json = False,
) -> None:
    """List the tables."""
    cli_sql.check_text(search=search)
    with cli_sql.opened() as opened:
        known = opened.data.ask(tree.read, system=system)
        nodes = list(known.nodes) if search is None else known.search(search)
        if not partitions:
            nodes = [node for node in nodes if not _is_partition(known, node)]
        elif search is None:
            nodes = _below(known)
        counted = opened.data.ask(_count, nodes) if exact else {}
    labels = [node.relation.label for node in known.nodes]
    if as_json:
        found = [
            vars(node.relation)
            | {
                "label": node.relation.label,
                "rows": counted.get(node.relation.label, node.relation.rows),
                "parent": None if node.parent is None else labels[node.parent],
                "analysed": node.analysed and node.analysed.astimezone().isoformat(),
            }
            for node in nodes
        ]
        print(json.dumps(found, indent=2))
        return
    rows = []
    for node in nodes:
        relation = node.relation
        number = counted.get(relation.label, relation.rows)
        rows.append(
            (
                relation.label,
                relation.kind,
                "" if number is None else f"{number:,}",
                units.size(relation.bytes),
                relation.comment or "",
            )
        )
    output.table(("table", "kind", "rows" if exact else "rows (estimate)", "size", "comment"), rows, right=(2, 3))


def _is_partition(known: tree.Tree, node: Node) -> bool:
    return node.parent is not None and known.nodes[node.parent].relation.kind == PARTITIONED


def _below(known: tree.Tree) -> list[Node]:
    """All nodes, each after the one that it is under."""
    under: dict[int | None, list[int]] = {}
    for number, node in enumerate(known.nodes):
        under.setdefault(node.parent, []).append(number)
    ordered: list[Node] = []
    left = under.get(None, [])[::-1]
    while left:
        number = left.pop()
        ordered.append(known.nodes[number])
        left += under.get(number, [])[::-1]
    return ordered


def _count(connection: database.Connection, nodes: list[Node]) -> dict[str, int]:
    return {node.relation.label: catalog.count(connection, node.relation) for node in nodes}
