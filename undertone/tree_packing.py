"""The tree as a browser gets it: JSON, every type and schema written once, for columns may be tens of thousands."""

from __future__ import annotations

import json

from undertone import relations, tree

KINDS = ("table", "partitioned table", "view", "materialised view", "foreign table")


def pack(known: tree.Tree) -> bytes:
    """The tree as UTF-8.

    {"kinds": […], "types": […], "schemas": [{"name", "prefix", "system"}, …], "complete": bool, "nodes": [[schema,
    name, label, kind, rows, bytes, comment, seconds since 1970 when it was analysed, number of the node above or null,
    [name, type, name, type, …], {"number of a column": its comment}], …]}, where schema, kind and type are places in
    the lists before. `prefix` is what stands before the name in a label.
    """
    types: dict[str, int] = {}
    schemas: dict[str, int] = {}
    nodes = []
    for node in known.nodes:
        relation = node.relation
        columns: list[str | int] = []
        for column in node.columns:
            columns += (column.name, types.setdefault(column.type, len(types)))
        nodes.append(
            (
                schemas.setdefault(relation.schema, len(schemas)),
                relation.name,
                relation.label,
                KINDS.index(relation.kind),
                relation.rows,
                relation.bytes,
                relation.comment,
                node.analysed and int(node.analysed.timestamp()),
                node.parent,
                columns,
                {number: column.comment for number, column in enumerate(node.columns) if column.comment},
            )
        )
    packed = {
        "kinds": KINDS,
        "types": list(types),
        "schemas": [{"name": name, "prefix": _prefix(name), "system": name in tree.SYSTEM} for name in schemas],
        "nodes": nodes,
        "complete": known.complete,
    }
    return json.dumps(packed, ensure_ascii=False, separators=(",", ":")).encode()


def _prefix(schema: str) -> str:
    return relations.Relation(schema, "x", "table", None, None, None).label.removesuffix("x")
