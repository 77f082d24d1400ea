"""What the tree promises: all that may be selected and nothing else, each under what it is a part of, whoever waits."""

from __future__ import annotations

import contextlib
import json
import threading

import pytest

from tests.unit import superuser
from undertone import catalog, database, names, tree, tree_packing

READER = "undertone_reader"
WORLD = f"""
CREATE SCHEMA app; CREATE SCHEMA "Odd. ""50%"" x";
CREATE TABLE parts (id int, at date, country text) PARTITION BY RANGE (at);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (country);
CREATE TABLE parts_2_de PARTITION OF parts_2 FOR VALUES IN ('de');
CREATE TABLE app.parts_2_fr PARTITION OF parts_2 FOR VALUES IN ('fr');
INSERT INTO parts SELECT n, '2024-05-01', 'de' FROM generate_series(1, 700) n;
INSERT INTO parts SELECT n, '2025-05-01', 'de' FROM generate_series(1, 200) n;
INSERT INTO parts SELECT n, '2025-05-01', 'fr' FROM generate_series(1, 100) n;
CREATE TABLE base (id int PRIMARY KEY, kind text); CREATE TABLE child (more text) INHERITS (base);
INSERT INTO base VALUES (1); INSERT INTO child VALUES (2), (3);
CREATE VIEW seen AS SELECT 1 AS one; CREATE MATERIALIZED VIEW kept AS SELECT 1 AS one;
CREATE FOREIGN DATA WRAPPER away; CREATE SERVER far FOREIGN DATA WRAPPER away;
CREATE FOREIGN TABLE there (id int) SERVER far;
CREATE TABLE "Odd. ""50%"" x"."name. with ""all"" %s отзывы" ("a column" int, other text);
CREATE TABLE nothing ();
COMMENT ON COLUMN base.kind IS 'What sort it is';
COMMENT ON TABLE base IS 'A base.';
GRANT USAGE ON SCHEMA app, "Odd. ""50%"" x" TO {READER};
GRANT SELECT ON ALL TABLES IN SCHEMA app, "Odd. ""50%"" x", public TO {READER};
ANALYZE
"""


@pytest.fixture
def world(place: superuser.Place) -> superuser.Place:
    superuser.execute(place, WORLD)
    return place


def shape(known: tree.Tree) -> dict[str, str | None]:
    """The label of each node, and of the one above it."""
    return {
        node.relation.label: None if node.parent is None else known.nodes[node.parent].relation.label
        for node in known.nodes
    }


def test_everything_stands_under_what_it_is_a_part_of(world: superuser.Place, data_pool: database.Database) -> None:
    known = data_pool.ask(tree.read)
    assert shape(known) == {
        "base": None,
        "child": "base",
        "kept": None,
        "nothing": None,
        "parts": None,
        "parts_1": "parts",
        "parts_2": "parts",
        "parts_2_de": "parts_2",
        "seen": None,
        "there": None,
        '"Odd. ""50%"" x"."name. with ""all"" %s отзывы"': None,
        "app.parts_2_fr": "parts_2",
    }
    found = {node.relation.label: node for node in known.nodes}
    # Each counts by itself, and under its parent.
    rows = {label: node.relation.rows for label, node in found.items()}
    assert (rows["parts"], rows["parts_1"], rows["parts_2"], rows["app.parts_2_fr"]) == (1000, 700, 300, 100)
    assert (rows["base"], rows["child"], rows["seen"], rows["there"], rows["nothing"]) == (3, 2, None, None, 0)
    sizes = {label: node.relation.bytes or 0 for label, node in found.items()}
    assert sizes["parts"] == sizes["parts_1"] + sizes["parts_2"] > sizes["parts_2"] > sizes["app.parts_2_fr"] > 0
    assert found["there"].relation.bytes is None
    assert {node.relation.kind for node in known.nodes} == set(tree_packing.KINDS)
    assert found["base"].analysed is not None
    assert found["seen"].analysed is None
    assert found["base"].columns == (tree.Column("id", "integer", None), tree.Column("kind", "text", "What sort it is"))
    assert found["parts_1"].columns == ()
    assert known.complete
    # Whatever is in the tree is found by its label.
    for label, relation in known.by_label.items():
        assert data_pool.ask(catalog.find, label).label == label == relation.label


def test_what_may_not_be_read_is_not_hinted_at(world: superuser.Place, data_pool: database.Database) -> None:
    superuser.execute(
        world,
        f"""
        REVOKE SELECT ON parts_2, base, parts_2_de FROM {READER}; REVOKE USAGE ON SCHEMA "Odd. ""50%"" x" FROM {READER};
        GRANT SELECT (id) ON base TO {READER}
        """,
    )
    known = data_pool.ask(tree.read)
    assert shape(known) == {
        "base": None,
        "child": "base",
        "kept": None,
        "nothing": None,
        "parts": None,
        "parts_1": "parts",
        "seen": None,
        "there": None,
        "app.parts_2_fr": "parts",  # the nearest above it that may be read
    }
    (base,) = (node for node in known.nodes if node.relation.name == "base")
    assert [column.name for column in base.columns] == ["id"]
    packed = tree_packing.pack(known).decode()
    assert not [hint for hint in ("parts_2_de", "Odd.", "What sort it is") if hint in packed]


def test_system_schemas_come_last_and_only_where_they_are_wanted(data_pool: database.Database) -> None:
    assert data_pool.ask(tree.read).nodes == ()
    known = data_pool.ask(tree.read, system=True)
    assert {node.relation.schema for node in known.nodes} == set(tree.SYSTEM)
    assert {"pg_catalog.pg_class", "information_schema.tables"} <= set(known.by_label)
    assert "pg_catalog.pg_authid" not in known.by_label
    (pg_class,) = (node for node in known.nodes if node.relation.name == "pg_class")
    assert "relname" in [column.name for column in pg_class.columns]


def test_a_table_that_somebody_holds_is_listed_at_once(world: superuser.Place, data_pool: database.Database) -> None:
    superuser.execute(world, f"CREATE TABLE young AS SELECT 1 AS id; GRANT SELECT ON young TO {READER}")
    found: list[tree.Tree] = []
    with contextlib.closing(superuser.connect(world)) as holder, holder.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE parts_1, base, young IN ACCESS EXCLUSIVE MODE")
        reading = threading.Thread(target=lambda: found.append(data_pool.ask(tree.read)), daemon=True)
        reading.start()
        reading.join(30)
        assert found, "it waits for the holder"
    rows = {node.relation.label: node.relation.rows for node in found[0].nodes}
    assert (rows["parts_1"], rows["base"]) == (700, 3)  # as last noted
    assert rows["young"] is None
    # What nobody holds is measured as ever: what was noted knows of no out-of-line values.
    sizes = {node.relation.label: node.relation.bytes for node in found[0].nodes}
    assert sizes["app.parts_2_fr"] == 16384
    assert sizes["parts_1"] == 4 * 8192


def test_words_find_tables_by_name_first_then_by_comment_and_columns(
    world: superuser.Place, data_pool: database.Database
) -> None:
    known = data_pool.ask(tree.read)

    def found(words: str) -> list[str]:
        return [node.relation.label for node in known.search(words)]

    assert found("BASE") == ["base"]
    assert found("parts_2 app") == ["app.parts_2_fr"]
    assert found("sort") == ["base"]
    assert found("kind") == ["base", "child"]
    assert found("отзывы") == ['"Odd. ""50%"" x"."name. with ""all"" %s отзывы"']
    assert found("a. child") == []
    assert len(found("")) == len(known.nodes)


def test_what_is_packed_is_what_was_read(world: superuser.Place, data_pool: database.Database) -> None:
    known = data_pool.ask(tree.read)
    packed = json.loads(tree_packing.pack(known))
    assert len(packed["nodes"]) == len(known.nodes)
    for node, row in zip(known.nodes, packed["nodes"], strict=True):
        schema, name, label, kind, rows, size, comment, analysed, parent, columns, comments = row
        relation = node.relation
        assert packed["schemas"][schema]["name"] == relation.schema
        assert packed["schemas"][schema]["prefix"] + names.quoted(name) == label == relation.label
        assert (packed["kinds"][kind], rows, size, comment) == (
            relation.kind,
            relation.rows,
            relation.bytes,
            relation.comment,
        )
        assert parent == node.parent
        assert (analysed is None) == (node.analysed is None)
        called, types = columns[::2], [packed["types"][number] for number in columns[1::2]]
        read = [
            tree.Column(name, type, comments.get(str(number)))
            for number, (name, type) in enumerate(zip(called, types, strict=True))
        ]
        assert tuple(read) == node.columns


def test_of_a_huge_database_the_first_columns_are_searched(
    world: superuser.Place, data_pool: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "MOST_COLUMNS", 3)
    known = data_pool.ask(tree.read)
    assert not known.complete
    assert [node.relation.name for node in known.nodes if node.columns] == ["base", "child"]
