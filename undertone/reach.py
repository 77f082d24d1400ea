"""What a statement reaches: functions, and all that the server calls by itself, followed until nothing new is found.

A view calls what its question calls, a domain what its CHECK calls, a table what its policies call, an operator, a cast
and an aggregate their functions; and a function whatever its text names. PostgreSQL's word for a function, STABLE or
IMMUTABLE, is its author's and proves nothing. Everything is looked up in the catalogue for each statement anew: nothing
here can be out of date. Names are taken wherever they are, in any schema, so that no search_path leads past.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from undertone import bodies, called, database, gate, queries

SQL = queries.load("reach")
READABLE = ("sql", "plpgsql")
BY_NAME = bodies.Mentions((), frozenset(), frozenset(), domains=True)
DOES = "may do more than answer, such as wait, lock, write or run a text"
MOST_SHOWN = 8  # steps of the way to what is refused
VERBS = {"view": "reads", "materialised": "reads", "table": "reads", "function": "calls"}
IMPLIED = sorted(called.IMPLIED)
STARTS = {"view": "read", "materialised": "read", "table": "read", "function": "called"}


@dataclass(frozen=True)
class Node:
    """Something in the catalogue: a "function", "relation", "type" or "operator", and its number."""

    kind: str
    oid: int


@dataclass(frozen=True)
class Found:
    """A function that a name may mean."""

    node: Node
    name: str
    overload: called.Overload
    guarded: bool  # by the server's own account


class Reach:
    """What one statement reaches. Everything is asked of `connection`; `allowed` functions are not looked into."""

    def __init__(self, connection: database.Connection, allowed: Collection[str] = ()) -> None:
        self._connection = connection
        self._allowed = allowed
        self._from: dict[Node, Node | None] = {}
        self._new: list[Node] = []
        self.guarded: dict[str, list[called.Overload]] = {}

    def start(self, mentions: bodies.Mentions) -> None:
        """Take what the statement itself names; `guarded` then has those that the gate minds."""
        found = self._take([(None, mentions)])
        for function in found:
            if function.guarded:
                self.guarded.setdefault(function.name, []).append(function.overload)

    def refusal(self) -> str | None:
        """Why something that is reached must not be, in a sentence; None if nothing is."""
        while self._new:
            new, self._new = self._new, []
            numbers = {
                kind: [node.oid for node in new if node.kind == kind]
                for kind in ("function", "relation", "type", "operator")
            }
            if reason := self._functions(numbers["function"]):
                return reason
            if relations := numbers["relation"]:
                self._add("relation", SQL.from_relations(self._connection, oids=relations))
                self._add("relation", SQL.planned(self._connection, oids=relations))
            if types := numbers["type"]:
                self._add("type", SQL.from_types(self._connection, oids=types, implied=IMPLIED))
            if operators := numbers["operator"]:
                self._add("operator", SQL.from_operators(self._connection, oids=operators))
        return None

    def _functions(self, oids: list[int]) -> str | None:
        if not oids:
            return None
        followed: list[int] = []
        known: list[int] = []
        texts: list[tuple[Node | None, bodies.Mentions]] = []
        for row in SQL.functions(self._connection, oids=oids):
            oid, name, language, volatile, unsure, variables, text, aggregate = row
            node = Node("function", oid)
            if name in self._allowed:
                continue
            if language is None:
                if gate.HARMFUL.fullmatch(name) or (volatile and not gate.HARMLESS.fullmatch(name)):
                    return self._said(node, DOES)
                known.append(oid)
                if name in bodies.BY_NAME:
                    self._take([(node, BY_NAME)])
                continue
            if language not in READABLE and not aggregate:
                return self._said(node, f"is written in {language}, which cannot be looked into")
            if unsure:
                return self._said(node, "changes how texts are read, so that its own cannot be followed")
            mentions = bodies.of_body(text, tuple(variables), volatile)
            if mentions.unknown:
                return self._said(node, mentions.unknown)
            followed.append(oid)
            texts.append((node, mentions))
        if followed:
            self._add("function", SQL.from_functions(self._connection, oids=followed))
            self._take(texts)
        if known:
            self._add("function", SQL.types_of_functions(self._connection, oids=known))
        return None

    def _take(self, texts: Sequence[tuple[Node | None, bodies.Mentions]]) -> Iterable[Found]:
        """What texts name, each with what it is the text of. Returns the functions that any of their names may mean."""
        calls = [call for _, mentions in texts for call in mentions.calls if call.name not in self._allowed]
        names = sorted(frozenset(itertools.chain.from_iterable(mentions.names for _, mentions in texts)))
        signs = sorted(frozenset().union(*(mentions.operators for _, mentions in texts)) - called.IMPLIED)
        domains = any(mentions.domains for _, mentions in texts)
        functions: dict[str, list[Found]] = {}
        if called_ := sorted({call.name for call in calls}):
            attributes = sorted({call.name for call in calls if call.attribute})
            harmful = [name for name in called_ if gate.HARMFUL.fullmatch(name)]
            for oid, name, least, most, shadowed, takes_row, any_row, guarded in SQL.called(
                self._connection, names=called_, attributes=attributes, harmful=harmful
            ):
                overload = called.Overload(least, most, shadowed, takes_row, any_row)
                functions.setdefault(name, []).append(Found(Node("function", oid), name, overload, guarded))
        for origin, mentions in texts:
            for call in mentions.calls:
                for function in functions.get(call.name, ()):
                    if function.overload.may_take(call):
                        self._reach(origin, function.node)
        by_name: dict[str, list[Node]] = {}
        for kind, oid, name in SQL.named(
            self._connection, names=names, operators=signs, implied=IMPLIED, domains=domains
        ):
            by_name.setdefault(name, []).append(Node(kind, oid))
        for origin, mentions in texts:
            every = ("",) if mentions.domains else ()
            for name in (*mentions.names, *mentions.operators, *called.IMPLIED, *every):
                for node in by_name.get(name, ()):
                    self._reach(origin, node)
        return list(itertools.chain.from_iterable(functions.values()))

    def _add(self, kind: str, rows: Iterable[tuple[int, str, int]]) -> None:
        for oid, to, number in rows:
            self._reach(Node(kind, oid), Node(to, number))

    def _reach(self, origin: Node | None, node: Node) -> None:
        if node not in self._from:
            self._from[node] = origin
            self._new.append(node)

    def _said(self, node: Node, why: str) -> str:
        """The way from the statement to `node`, in a sentence."""
        way = [node]
        while (origin := self._from[way[-1]]) is not None:
            way.append(origin)
        way.reverse()
        shown = way if len(way) <= MOST_SHOWN else [*way[: MOST_SHOWN // 2], *way[-MOST_SHOWN // 2 :]]
        labels = [SQL.label(self._connection, kind=one.kind, oid=one.oid) or "something" for one in shown]
        kinds = [label.split(" ")[0] for label in labels]
        steps = [f"{VERBS.get(kind, 'uses')} the {label}" for kind, label in zip(kinds[1:], labels[1:], strict=True)]
        if len(shown) < len(way):
            steps[MOST_SHOWN // 2 - 1] = f"leads, {len(way) - len(shown)} steps on, to the {labels[MOST_SHOWN // 2]}"
        first = f"The {labels[0]} cannot be {STARTS.get(kinds[0], 'used')} here: it "
        return " ".join((first + ", which ".join([*steps, why]) + ".").split())
