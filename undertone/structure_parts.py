"""The parts that a relation is built of, as `structure.read` gives them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from undertone import relations


@dataclass(frozen=True)
class About:
    """What there is to say of all of it. `hides`: some of it may not be selected, or is made from what may not be.

    `counted_since`: since when the use of indexes is counted; None where that was never begun anew.
    """

    oid: int
    kind: str
    owner: str
    comment: str | None
    unlogged: bool
    whole: bool  # all of its columns may be selected, those to come, too
    options: tuple[str, ...]  # name=value
    partition_key: str | None
    bounds: str | None  # of a partition
    row_security: bool
    forced_security: bool
    server: str | None  # of a foreign table
    privileges: tuple[str, ...]
    populated: bool
    counted_since: datetime.datetime | None


@dataclass(frozen=True)
class Column:
    """A column. `identity` is "always", "by default" or ""; `generated` "stored", "virtual" or "".

    `default` is its default, or what it is generated from. `collation` and `storage` where they are not its type's.
    """

    name: str
    type: str
    nullable: bool
    default: str | None
    identity: str
    generated: str
    collation: str | None
    storage: str | None
    comment: str | None


@dataclass(frozen=True)
class Constraint:
    """A constraint; `kind` is "primary key", "unique", "exclusion", "check" or "foreign key"."""

    name: str
    kind: str
    definition: str
    validated: bool
    comment: str | None


@dataclass(frozen=True)
class Index:
    """An index and how much it is used. `behind`: a constraint of the same table has made it."""

    name: str
    method: str
    definition: str
    behind: bool
    unique: bool
    valid: bool
    condition: str | None  # of an index on some rows only
    bytes: int
    scans: int | None
    rows_read: int | None
    last_used: datetime.datetime | None
    comment: str | None


@dataclass(frozen=True)
class Reference:
    """A foreign key: `columns` of `relation` refer to `target_columns` of `target`."""

    name: str
    relation: relations.Relation
    columns: tuple[str, ...]
    target: relations.Relation
    target_columns: tuple[str, ...]
    on_update: str
    on_delete: str
    validated: bool


@dataclass(frozen=True)
class Trigger:
    """A trigger. `fires` is "origin", "always", "replica" or "disabled"."""

    name: str
    definition: str
    fires: str


@dataclass(frozen=True)
class Policy:
    """A policy of row security. No `roles` are all of them."""

    name: str
    permissive: bool
    command: str
    roles: tuple[str, ...]
    condition: str | None
    check: str | None


@dataclass(frozen=True)
class Definition:
    """A rule or a statistics object, as the server writes it."""

    name: str
    definition: str


@dataclass(frozen=True)
class Sequence:
    """The sequence that fills a column."""

    column: str
    identity: bool
    schema: str
    name: str
    type: str
    start: int
    increment: int
    least: int
    largest: int
    cache: int
    cycle: bool


@dataclass(frozen=True)
class Related:
    """A relation above or below by inheritance; `bounds` those of a partition below."""

    relation: relations.Relation
    bounds: str | None


@dataclass(frozen=True)
class Structure:
    """All of it. `view` is what a view selects; None for others, and where it may not be told."""

    relation: relations.Relation
    about: About
    columns: tuple[Column, ...]
    constraints: tuple[Constraint, ...]
    indexes: tuple[Index, ...]
    refers_to: tuple[Reference, ...]
    referred_by: tuple[Reference, ...]
    triggers: tuple[Trigger, ...]
    rules: tuple[Definition, ...]
    policies: tuple[Policy, ...]
    statistics: tuple[Definition, ...]
    sequences: tuple[Sequence, ...]
    above: tuple[Related, ...]
    below: tuple[Related, ...]
    view: str | None
    hides: bool
