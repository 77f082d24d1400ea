"""The statements that make a relation anew, for people to read and to run elsewhere.

They say all of `structure`: columns, constraints, indexes, comments, and so on. Not in them: rows, owner, rights, the
place on disk, and the options of a foreign table, which may hold a password. What is not in `public` is named by its
schema, so they are to be run with `SET search_path = public`, as it is by default.
"""

from __future__ import annotations

from collections.abc import Iterator

from undertone import names, structure_parts
from undertone.structure_parts import Column, Sequence, Structure

LARGEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
FIRES = {"disabled": "DISABLE", "always": "ENABLE ALWAYS", "replica": "ENABLE REPLICA"}
UNTOLD = "-- The rest is not told: it is made from what this account may not read."


def statement(built: Structure) -> str:
    """The statements, each ended by a semicolon; a view of which nothing may be told is only a comment."""
    return "\n".join(_statements(built)) + "\n"


def _statements(built: Structure) -> Iterator[str]:
    if built.about.kind in ("view", "materialised view"):
        yield from _view(built)
    else:
        yield from _table(built)
    for index in built.indexes:
        if not index.behind:
            yield f"{index.definition};"
    for one in built.statistics:
        yield f"{one.definition};"
    for constraint in _later(built):
        yield f"{_alter(built)} ADD CONSTRAINT {names.quoted(constraint.name)} {constraint.definition};"
    for above in built.above:
        yield _joined(built, above)
    yield from _attached(built)
    yield from _comments(built)
    if built.hides:
        yield UNTOLD


def _table(built: Structure) -> Iterator[str]:
    about, label = built.about, built.relation.label
    for sequence in built.sequences:
        if not sequence.identity:
            yield f"CREATE SEQUENCE {_name(sequence)} AS {sequence.type}{_counted(sequence)};"
    made = {sequence.column: sequence for sequence in built.sequences if sequence.identity}
    lines = [_column(column, made.get(column.name)) for column in built.columns]
    later = _later(built)
    lines += [f"CONSTRAINT {names.quoted(one.name)} {one.definition}" for one in built.constraints if one not in later]
    kind = "FOREIGN TABLE" if about.server is not None else "UNLOGGED TABLE" if about.unlogged else "TABLE"
    head = f"CREATE {kind} {label} ("
    tail = ")"
    if about.partition_key is not None:
        tail += f" PARTITION BY {about.partition_key}"
    if about.server is not None:
        tail += f" SERVER {names.quoted(about.server)}"
    tail += _options(about.options)
    yield head + ("\n    " + ",\n    ".join(lines) + "\n" if lines else "") + tail + ";"
    for sequence in built.sequences:
        if not sequence.identity:
            yield f"ALTER SEQUENCE {_name(sequence)} OWNED BY {label}.{names.quoted(sequence.column)};"
    for column in built.columns:
        if column.storage is not None:
            yield f"{_alter(built)} ALTER COLUMN {names.quoted(column.name)} SET STORAGE {column.storage};"


def _view(built: Structure) -> Iterator[str]:
    label, about = built.relation.label, built.about
    if built.view is None:
        yield f"-- {' '.join(label.split())} is a {about.kind}."
        return
    select = built.view.strip().removesuffix(";").rstrip()
    if about.kind == "view":
        yield f"CREATE VIEW {label}{_options(about.options)} AS\n{select};"
    else:
        empty = "" if about.populated else "\nWITH NO DATA"
        yield f"CREATE MATERIALIZED VIEW {label}{_options(about.options)} AS\n{select}{empty};"
    for column in built.columns:
        if column.default is not None:
            yield f"ALTER VIEW {label} ALTER COLUMN {names.quoted(column.name)} SET DEFAULT {column.default};"


def _column(column: Column, sequence: Sequence | None) -> str:
    words = [names.quoted(column.name), column.type]
    if column.collation is not None:
        words.append(f"COLLATE {column.collation}")
    if column.generated:
        if column.default is not None:
            words.append(f"GENERATED ALWAYS AS ({column.default})" + " STORED" * (column.generated == "stored"))
    elif column.identity:
        counted = _counted(sequence).strip() if sequence else ""
        words.append(f"GENERATED {column.identity.upper()} AS IDENTITY" + f" ({counted})" * bool(counted))
    elif column.default is not None:
        words.append(f"DEFAULT {column.default}")
    if not column.nullable:
        words.append("NOT NULL")
    return " ".join(words)


def _later(built: Structure) -> list[structure_parts.Constraint]:
    """Constraints that are added to a table that is there: those of rows that were never checked."""
    return [one for one in built.constraints if not one.validated]


def _joined(built: Structure, above: structure_parts.Related) -> str:
    if built.about.bounds is not None:
        return f"ALTER TABLE {above.relation.label} ATTACH PARTITION {built.relation.label} {built.about.bounds};"
    return f"{_alter(built)} INHERIT {above.relation.label};"


def _attached(built: Structure) -> Iterator[str]:
    label = built.relation.label
    for rule in built.rules:
        yield rule.definition
    for trigger in built.triggers:
        yield f"{trigger.definition};"
        if trigger.fires in FIRES:
            yield f"{_alter(built)} {FIRES[trigger.fires]} TRIGGER {names.quoted(trigger.name)};"
    if built.about.row_security:
        yield f"{_alter(built)} ENABLE ROW LEVEL SECURITY;"
    if built.about.forced_security:
        yield f"{_alter(built)} FORCE ROW LEVEL SECURITY;"
    for policy in built.policies:
        words = f"CREATE POLICY {names.quoted(policy.name)} ON {label}"
        words += "" if policy.permissive else " AS RESTRICTIVE"
        words += "" if policy.command == "ALL" else f" FOR {policy.command}"
        words += f" TO {', '.join(policy.roles)}" if policy.roles else ""
        words += f" USING ({policy.condition})" if policy.condition is not None else ""
        words += f" WITH CHECK ({policy.check})" if policy.check is not None else ""
        yield words + ";"


def _comments(built: Structure) -> Iterator[str]:
    label = built.relation.label
    kind = _kind(built)
    if built.about.comment is not None:
        yield f"COMMENT ON {kind} {label} IS {literal(built.about.comment)};"
    for column in built.columns:
        if column.comment is not None:
            yield f"COMMENT ON COLUMN {label}.{names.quoted(column.name)} IS {literal(column.comment)};"
    for constraint in built.constraints:
        if constraint.comment is not None:
            named = names.quoted(constraint.name)
            yield f"COMMENT ON CONSTRAINT {named} ON {label} IS {literal(constraint.comment)};"
    prefix = label.removesuffix(names.quoted(built.relation.name))
    for index in built.indexes:
        if index.comment is not None:
            yield f"COMMENT ON INDEX {prefix}{names.quoted(index.name)} IS {literal(index.comment)};"


def literal(text: str) -> str:
    """A text as a statement has it."""
    return "'" + text.replace("'", "''") + "'"


def _kind(built: Structure) -> str:
    if built.about.kind == "materialised view":
        return "MATERIALIZED VIEW"
    return {"view": "VIEW", "foreign table": "FOREIGN TABLE"}.get(built.about.kind, "TABLE")


def _alter(built: Structure) -> str:
    return f"ALTER {_kind(built)} {built.relation.label}"


def _options(options: tuple[str, ...]) -> str:
    if not options:
        return ""
    pairs = (option.partition("=") for option in options)
    return " WITH (" + ", ".join(f"{name}={literal(value)}" for name, _, value in pairs) + ")"


def _name(sequence: Sequence) -> str:
    name = names.quoted(sequence.name)
    return name if sequence.schema == "public" else f"{names.quoted(sequence.schema)}.{name}"


def _counted(sequence: Sequence) -> str:
    """How a sequence counts, where that is not as they do."""
    up = sequence.increment > 0
    largest = LARGEST.get(sequence.type, 0)
    usual = (1, largest) if up else (-largest - 1, -1)
    start = sequence.least if up else sequence.largest
    words = ""
    if sequence.increment != 1:
        words += f" INCREMENT BY {sequence.increment}"
    if sequence.least != usual[0]:
        words += f" MINVALUE {sequence.least}"
    if sequence.largest != usual[1]:
        words += f" MAXVALUE {sequence.largest}"
    if sequence.start != start:
        words += f" START WITH {sequence.start}"
    if sequence.cache != 1:
        words += f" CACHE {sequence.cache}"
    return words + " CYCLE" * sequence.cycle
