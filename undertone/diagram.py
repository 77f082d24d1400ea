"""Which relations refer to which around one of them, as a graph in Graphviz's DOT."""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass

from undertone import database, looks, relations, structure, structure_parts

MOST = 40  # relations in a drawing that can still be read
LONGEST = 40  # characters of a name
# Graphviz reads entities in labels, and a backslash begins an escape: N would be the node's name.
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\\": "\\\\", '"': "&quot;"})


@dataclass(frozen=True)
class Colours:
    """What it is drawn in, each as #rrggbb."""

    text: str = "#1d2529"
    line: str = "#6b7780"
    fill: str = "#f3f5f6"
    accent: str = "#2f6f8f"


@dataclass(frozen=True)
class Graph:
    """The relations by label, the one in the middle first, and what refers to what. `more`: not all are in it."""

    labels: tuple[str, ...]
    references: tuple[structure_parts.Reference, ...]
    more: bool


def graph(connection: database.Connection, relation: relations.Relation, depth: int = 1) -> Graph:
    """What refers to what around a relation, up to so many steps away, as far as this account may read it.

    Raises CatalogError when the relation is gone.
    """
    oid = structure.SQL.oid(connection, schema=relation.schema, name=relation.name)
    if oid is None:
        raise relations.gone(relation)
    reached, found, more = {int(oid): relation.label}, {}, False
    edge = [int(oid)]
    for _ in range(depth):
        rows = structure.SQL.references_of(connection, oids=edge)
        edge = []
        for row in rows:
            reference = structure.reference(row)
            for oid, end in ((row[2], reference.relation), (row[7], reference.target)):
                if oid not in reached and len(reached) < MOST:
                    reached[oid] = end.label
                    edge.append(oid)
            if row[2] in reached and row[7] in reached:
                found[row[0]] = reference
            else:
                more = True
    return Graph(tuple(reached.values()), tuple(found.values()), more)


def dot(drawn: Graph, colours: Colours | None = None) -> str:
    """The graph in DOT. A box leads to its relation's page; an arrow goes from what refers to what is referred to."""
    colours = colours or Colours()
    lines = [
        "digraph {",
        'graph [rankdir="LR", bgcolor="transparent", nodesep="0.25", ranksep="0.9"]',
        f'node [shape="box", style="rounded,filled", fontname="sans-serif", fontsize="11", height="0.35",'
        f' fontcolor="{colours.text}", color="{colours.line}", fillcolor="{colours.fill}"]',
        f'edge [fontname="sans-serif", fontsize="9", fontcolor="{colours.text}", color="{colours.line}",'
        ' arrowsize="0.7"]',
    ]
    numbers = {label: f"n{number}" for number, label in enumerate(drawn.labels)}
    for label, number in numbers.items():
        address = "?" + urllib.parse.urlencode(looks.parameters(looks.Look(label, part="structure")))
        middle = f', color="{colours.accent}", penwidth="2"' if number == "n0" else ""
        lines.append(
            f'{number} [label="{escaped(label)}", URL="{escaped(address)}", target="_self",'
            f' tooltip="{escaped(label)}"{middle}]'
        )
    for one in drawn.references:
        columns = _pairs(one)
        lines.append(
            f"{numbers[one.relation.label]} -> {numbers[one.target.label]}"
            f' [label="{escaped(columns)}", tooltip="{escaped(one.name)}"]'
        )
    return "\n".join([*lines, "}"]) + "\n"


def escaped(text: str) -> str:
    """A text as DOT has it between quotes, and that is drawn as exactly these characters."""
    words = re.sub(r"[\x00-\x1f\x7f]", " ", text)
    words = words if len(words) <= LONGEST or text.startswith("?") else words[: LONGEST - 1] + "…"
    return words.translate(_ENTITIES)


def _pairs(one: structure_parts.Reference) -> str:
    return ", ".join(_same(here, there) for here, there in zip(one.columns, one.target_columns, strict=True))


def _same(here: str, there: str) -> str:
    return here if here == there else f"{here} → {there}"
