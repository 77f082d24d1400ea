"""Planning a run: what is to be scored, checked before anything is written. How much work it is: `estimating.py`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2 import sql

from undertone import (
    catalog,
    console,
    database,
    gate,
    lexer,
    library,
    queries,
    relations,
    scores,
    scoring,
    source_rows,
    template,
)

SQL = scoring.SQL
QUEUE = "scoring"
TEXTS = ("text", "json")
_TEXT_TYPES = ("text", "character varying", "character", "bpchar", "citext", "json", "jsonb", "name", '"char"')


@dataclass(frozen=True)
class Wish:
    """What somebody wants scored.

    `relation` is a relation's name, or with `saved` a saved query's. `text` is a column, or with `template` several
    columns joined, as `{title}: {body}`. `key` is needed where there is none of its own; `context` None proposes some
    columns. `condition` is SQL as behind WHERE. `new_by` is a column by which new rows are told from old ones, and
    `new_after` from which of its values on.
    """

    relation: str
    text: str
    model: str
    chunk_rows: int
    key: tuple[str, ...] = ()
    context: tuple[str, ...] | None = None
    saved: bool = False
    template: bool = False
    condition: str = ""
    queue: str = QUEUE
    new_by: str | None = None
    new_after: str | None = None
    who: str = ""


@dataclass(frozen=True)
class Checked:
    """A wish that can be granted: the texts, their key and context with their types in the data."""

    wish: Wish
    schema: str
    name: str
    statement: str | None
    key: tuple[tuple[str, str], ...]
    context: tuple[tuple[str, str], ...]
    new_by: tuple[str, str] | None

    @property
    def label(self) -> str:
        """What it is called in a message."""
        return f"{self.name} · {self.wish.text}"


def check(reader: source_rows.Reader, store: database.Database, wish: Wish) -> Checked:
    """Look whether a wish can be granted. Raises CatalogError, ScoringError, and others that say what is wrong."""
    if wish.saved:
        saved = store.ask(library.find, wish.relation)
        statement: str | None = saved.statement
        columns = query_columns(reader, saved)
        relation: catalog.Relation | None = None
        own_key: tuple[str, ...] = ()
        schema, name, label = "", saved.name, f"The saved query {saved.name}"
    else:
        statement = None
        with reader.data.lend() as connection:
            relation = catalog.find(connection, wish.relation)
            columns = {column.name: column for column in catalog.columns(connection, relation)}
            own_key = catalog.key(connection, relation)
        schema, name, label = relation.schema, relation.name, relation.label
    texts = template.columns(wish.text) if wish.template else [wish.text]
    key = tuple(dict.fromkeys(wish.key)) or own_key
    context = wish.context
    if context is None:
        context = _proposed(reader, relation, texts[0]) if texts[0] in columns else ()
    for one in (*texts, *key, *context, *([wish.new_by] if wish.new_by else [])):
        if one not in columns:
            raise scoring.ScoringError(f"{label} has no column {one!r}; it has: {', '.join(columns) or 'none'}")
    if not wish.template and columns[wish.text].category not in TEXTS:
        raise scoring.ScoringError(f"The column {wish.text} of {label} holds no text: it is {columns[wish.text].type}")
    if not key:
        raise scoring.ScoringError(f"{label} has no primary key; name the columns that identify a row (--key COLUMN)")
    alone = None if wish.template else wish.text  # nobody's text is copied
    checked = Checked(
        wish,
        schema,
        name,
        statement,
        tuple((one, columns[one].type) for one in key),
        tuple((one, columns[one].type) for one in dict.fromkeys(context) if one not in (*key, alone)),
        (wish.new_by, columns[wish.new_by].type) if wish.new_by else None,
    )
    if wish.condition:
        source_rows.check_piece(wish.condition, "condition")
        _ask(reader, checked, source_rows.SQL.try_condition, condition=source_rows.where(selection_of(checked), None))
    if checked.new_by:
        _check_new_by(reader, relation, label, checked.new_by)
    if key != own_key:
        _check_key(reader, checked, label)
    return checked


def start(
    reader: source_rows.Reader, store: database.Database, wish: Wish, *, place: str, watch: int | None = None
) -> scoring.Run:
    """Plan a run and hand it to the workers. `place` names the database that `reader` leads to. Raises as `check`."""
    checked = check(reader, store, wish)
    with store.lend() as connection:
        source = _source(connection, checked, place)
        run = SQL.add_run(
            connection,
            source_id=source.id,
            model=wish.model,
            chunk_rows=wish.chunk_rows,
            condition=wish.condition.strip(),
            statement=checked.statement,
            queue=wish.queue,
            who=wish.who,
            watch_id=watch,
            new_by=json.dumps({"name": checked.new_by[0], "type": checked.new_by[1]}) if checked.new_by else None,
            new_after=wish.new_after,
        )
        scoring.enqueue_in(connection)
        connection.commit()
        return scoring.get(connection, run)


def query_columns(reader: source_rows.Reader, saved: library.Saved) -> dict[str, catalog.Column]:
    """The columns of a saved query. Raises ScoringError for one that cannot be scored."""
    if saved.parameters:
        raise scoring.ScoringError(
            f"The saved query {saved.name} has parameters; save one that has values in their place to score it"
        )
    if saved.target != "data":
        raise scoring.ScoringError(f"The saved query {saved.name} asks the {saved.target}; only the data is scored")
    if reader.lane is None:
        raise scoring.ScoringError("A saved query can only be scored where SQL can be asked")
    if refused := gate.refusal(lexer.tokenise(saved.statement)):
        raise scoring.ScoringError(f"The saved query {saved.name} cannot be asked: {refused}")
    source_rows.check_piece(source_rows.bare(saved.statement), "saved query")
    dummy = scores.Source(0, "", "", "", saved.name, "", (), (), statement=saved.statement)
    with reader.data.lend() as connection:
        asked = queries.compose(source_rows.SQL.columns_of, origin=source_rows.origin(dummy)).as_string(connection)
    found = console.run(reader.lane, asked.strip().rstrip(";"), reader.limits)
    names = [column.name for column in found.columns]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise scoring.ScoringError(f"The saved query {saved.name} has two columns called {twice[0]}; rename one")
    return {
        column.name: catalog.Column(
            column.name, column.type, "text" if column.type in _TEXT_TYPES else "other", True, None, None
        )
        for column in found.columns
    }


def _proposed(reader: source_rows.Reader, relation: catalog.Relation | None, text: str) -> tuple[str, ...]:
    if relation is None:
        return ()
    with reader.data.lend() as connection:
        return tuple(catalog.propose_context(connection, relation, text))


def selection_of(checked: Checked) -> source_rows.Selection:
    """The rows of a wish, of a source that need not be noted yet."""
    wish = checked.wish
    source = scores.Source(
        0,
        "",
        "",
        checked.schema,
        checked.name,
        wish.text,
        tuple(scores.Kept(name, type_, name, type_) for name, type_ in checked.key),
        tuple(scores.Kept(name, type_, name, type_) for name, type_ in checked.context),
        template=wish.template,
        statement=checked.statement,
    )
    return source_rows.Selection(source, wish.condition.strip(), checked.new_by, wish.new_after)


def _ask(
    reader: source_rows.Reader, checked: Checked, statement: object, **parts: sql.Composable
) -> list[Sequence[object]]:
    selection = selection_of(checked)
    composed = queries.compose(statement, origin=source_rows.origin(selection.source), **parts)
    return list(source_rows.ask(reader, selection, composed, source_rows.READ_SECONDS))


def _check_key(reader: source_rows.Reader, checked: Checked, label: str) -> None:
    """Raises ScoringError unless the columns tell all rows apart and are never null."""
    columns = [sql.Identifier("r", name) for name, _ in checked.key]
    ((rows, distinct, nulls),) = _ask(
        reader,
        dataclasses.replace(checked, wish=dataclasses.replace(checked.wish, condition="")),
        source_rows.SQL.unique,
        names=source_rows.listed(columns),
        null=sql.SQL(" OR ").join(sql.SQL("{} IS NULL").format(column) for column in columns),
    )
    listed = ", ".join(name for name, _ in checked.key)
    rows, distinct, nulls = int(str(rows)), int(str(distinct)), int(str(nulls))
    if nulls:
        raise scoring.ScoringError(f"{listed} is null in {nulls:,} rows of {label}, so it cannot be the key")
    if distinct < rows:
        raise scoring.ScoringError(
            f"{listed} is the same in {rows - distinct:,} rows of {label}, so it cannot be the key"
        )


def _check_new_by(
    reader: source_rows.Reader, relation: catalog.Relation | None, label: str, new_by: tuple[str, str]
) -> None:
    """Raises ScoringError for a column by which new rows cannot be found without reading all."""
    name, type_ = new_by
    if not source_rows.kind(type_):
        raise scoring.ScoringError(
            f"New rows of {label} cannot be told by {name}, which is {type_}: it takes a time or a growing number"
        )
    if relation is None:
        return
    with reader.data.lend() as connection:
        fields = relations.fields(connection, relation)
    if relation.kind != "view" and not any(field.column.name == name and field.indexed for field in fields):
        raise scoring.ScoringError(
            f"No index of {label} begins with {name}, so all rows would be read to find the new ones; leave it out:"
            " changed rows are then found by their hashes"
        )


def find(connection: database.Connection, checked: Checked, place: str) -> scores.Source | None:
    """The source of a wish, if it has one. Raises ScoringError where that has another key."""
    found = SQL.find_source(
        connection,
        database=place,
        schema_name=checked.schema,
        relation=checked.name,
        text_column=checked.wish.text,
        template=checked.wish.template,
    )
    if not found:
        return None
    source = scoring.as_source(found)
    if [kept.name for kept in source.key] != [name for name, _ in checked.key]:
        raise scoring.ScoringError(
            f"{source.title} has been scored by the key {', '.join(kept.name for kept in source.key)};"
            " its scores cannot take another"
        )
    return source


def _source(connection: database.Connection, checked: Checked, place: str) -> scores.Source:
    """The source of a wish with its table, made where there is none. The caller commits."""
    SQL.lock_names(connection)
    types = {name: SQL.known_type(connection, type=type_) or "text" for name, type_ in (*checked.key, *checked.context)}
    found = find(connection, checked, place)
    taken = {row[0] for row in SQL.taken_names(connection)}
    if found is not None:
        if active := SQL.active_run(connection, source_id=found.id):
            raise scoring.ScoringError(f"Run {active} of {found.title} has not ended; wait for it or cancel it")
        name, view = found.name, found.view_name or scores.view_name(found.name, taken)
    else:
        name = _name(checked, taken)
        view = scores.view_name(name, taken | {name})
    kept = _kept([*checked.key, *checked.context], types, found)
    key_columns, context_columns = kept[: len(checked.key)], kept[len(checked.key) :]
    number = SQL.add_source(
        connection,
        name=name,
        view_name=view,
        database=place,
        schema_name=checked.schema,
        relation=checked.name,
        text_column=checked.wish.text,
        template=checked.wish.template,
        statement=checked.statement,
        model=checked.wish.model,
        key_columns=scoring.kept_json(key_columns),
        context_columns=scoring.kept_json(context_columns),
    )
    if found is not None and found.current_model is not None and not scores.has_current(connection, found):
        SQL.set_current(connection, id=number, model=checked.wish.model)  # rather than go on showing nothing
    source = scoring.get_source(connection, number)
    scores.create(connection, source)
    return source


def _name(checked: Checked, taken: set[str]) -> str:
    """What the table of scores is called."""
    wish = checked.wish
    text = "_".join(template.columns(wish.text)) if wish.template else wish.text
    wanted = [checked.name, f"{checked.name}_{text}"]
    if checked.schema:
        wanted.append(f"{checked.schema}_{checked.name}_{text}")
    return scores.free_name(wanted, taken)


def _kept(wanted: Sequence[tuple[str, str]], types: dict[str, str], source: scores.Source | None) -> list[scores.Kept]:
    """Under which names columns are kept: their own, unless a column of the result has it."""
    known = {kept.name: kept for kept in (*source.key, *source.context)} if source else {}
    taken = {*scores.RESULT, *scores.SYSTEM} | {kept.stored for kept in known.values()}
    kept = []
    for name, type_ in wanted:
        if name in known:
            kept.append(known[name])
            continue
        stored = scores.free_name([name, f"source_{name}"], taken)
        taken.add(stored)
        kept.append(scores.Kept(name, type_, stored, types[name]))
    return kept
