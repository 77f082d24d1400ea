"""What the structure promises: all that a relation is built of, nothing of what may not be read, never a long wait."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable

import pytest

from tests.unit import superuser
from undertone import catalog, database, ddl, diagram, relations, structure, structure_parts

Read = Callable[[str], structure.Structure]
READER = "undertone_reader"
WORLD = f"""
CREATE SCHEMA app;
CREATE TABLE app.customers (id int PRIMARY KEY, name text NOT NULL, secret_code text, CHECK (secret_code <> 'x'));
CREATE TABLE products (a int, b int, UNIQUE (a, b));
CREATE TABLE orders (
    id int PRIMARY KEY, customer int REFERENCES app.customers ON DELETE CASCADE, a int, b int, "above. %" int,
    FOREIGN KEY (a, b) REFERENCES products (a, b), FOREIGN KEY ("above. %") REFERENCES orders
);
CREATE TABLE lines (id int PRIMARY KEY, "order" int REFERENCES orders);
CREATE TABLE hidden (id int PRIMARY KEY, "order" int REFERENCES orders);
ALTER TABLE orders ADD COLUMN veiled int REFERENCES hidden;
CREATE INDEX orders_customer ON orders (customer); CREATE INDEX orders_some ON orders (a) WHERE b > 1;
CREATE VIEW totals AS SELECT customer, count(*) FROM orders GROUP BY 1;
CREATE VIEW veiled_view AS SELECT count(*) AS number FROM hidden;
CREATE POLICY watch ON orders USING (EXISTS (SELECT FROM hidden WHERE hidden.id = orders.veiled));
CREATE POLICY open ON orders USING (true);
CREATE TABLE apart (id int PRIMARY KEY);
GRANT USAGE ON SCHEMA app TO {READER}; GRANT SELECT ON ALL TABLES IN SCHEMA app, public TO {READER};
REVOKE ALL ON hidden, app.customers FROM {READER}; GRANT SELECT (id, name) ON app.customers TO {READER};
INSERT INTO orders (id) SELECT n FROM generate_series(1, 1000) n; ANALYZE orders
"""


@pytest.fixture
def read(place: superuser.Place, data_pool: database.Database) -> Read:
    superuser.execute(place, WORLD)

    def read(label: str) -> structure.Structure:
        relation = data_pool.ask(catalog.find, label)
        return data_pool.ask(structure.read, relation)

    return read


def test_what_refers_to_what_is_told_both_ways_and_what_is_hidden_is_not(
    read: Read, place: superuser.Place, data_pool: database.Database
) -> None:
    orders = read("orders")
    assert [(one.columns, one.target.label, one.target_columns, one.on_delete) for one in orders.refers_to] == [
        (("a", "b"), "products", ("a", "b"), "NO ACTION"),
        (("above. %",), "orders", ("id",), "NO ACTION"),
        (("customer",), "app.customers", ("id",), "CASCADE"),
    ]
    assert {(one.relation.label, one.columns) for one in orders.referred_by} == {
        ("lines", ("order",)),
        ("orders", ("above. %",)),
    }
    assert [policy.name for policy in orders.policies] == ["open"]
    assert orders.hides
    told = ddl.statement(orders)
    assert ddl.UNTOLD in told
    for words in (repr(orders), told, data_pool.ask(_dot, "orders")):
        assert "hidden" not in words
    customers = read("app.customers")
    assert [column.name for column in customers.columns] == ["id", "name"]
    assert [one.kind for one in customers.constraints] == ["primary key"]
    assert "secret_code" not in repr(customers) + ddl.statement(customers)
    assert read("totals").view is not None
    veiled = read("veiled_view")
    assert (veiled.view, veiled.hides) == (None, True)
    assert "hidden" not in repr(veiled) + ddl.statement(veiled)
    # To whoever may read all of it, all of it is told.
    with contextlib.closing(superuser.connect(place)) as connection:
        all_of_it = structure.read(connection, orders.relation)
    assert "hidden" in ddl.statement(all_of_it)
    assert {policy.name for policy in all_of_it.policies} == {"open", "watch"}
    assert not all_of_it.hides


def _dot(connection: database.Connection, label: str) -> str:
    return diagram.dot(diagram.graph(connection, relations.find(connection, label), depth=2))


def test_an_index_says_how_large_it_is_and_how_much_it_is_used(read: Read, place: superuser.Place) -> None:
    with contextlib.closing(superuser.connect(place)) as connection, connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off; SET enable_bitmapscan = off; SELECT id FROM orders WHERE id = 5")
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT 1")
        cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orders_customer'::regclass")
    orders = read("orders")
    found = {index.name: index for index in orders.indexes}
    assert set(found) == {"orders_pkey", "orders_customer", "orders_some"}
    key, customer, some = found["orders_pkey"], found["orders_customer"], found["orders_some"]
    assert (key.behind, key.unique, key.valid, key.method) == (True, True, True, "btree")
    assert key.bytes >= 4 * 8192
    assert (key.scans or 0) >= 1
    assert key.last_used is not None
    assert (customer.scans, customer.last_used, customer.behind) == (0, None, False)
    assert not customer.valid
    assert some.condition == "b > 1"
    assert orders.about.privileges == ("SELECT",)
    assert orders.about.owner == "postgres"


def test_what_is_gone_or_held_is_one_clear_error(
    read: Read, place: superuser.Place, data_pool: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(structure, "LOCK_MILLISECONDS", 100)
    relation = data_pool.ask(catalog.find, "orders")
    with contextlib.closing(superuser.connect(place)) as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(structure.RelationHeld, match="orders is held by somebody"):
            data_pool.ask(structure.read, relation)
        cursor.execute("DROP TABLE orders CASCADE; COMMIT")
    for question in (structure.read, diagram.graph):
        with pytest.raises(catalog.CatalogError, match="no longer there"):
            data_pool.ask(question, relation)


def test_a_diagram_goes_as_far_as_it_is_asked(
    read: Read, data_pool: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def around(label: str, depth: int) -> diagram.Graph:
        return data_pool.ask(diagram.graph, data_pool.ask(catalog.find, label), depth)

    assert set(around("lines", 1).labels) == {"lines", "orders"}
    far = around("lines", 2)
    assert far.labels[0] == "lines"
    assert set(far.labels) == {"lines", "orders", "products", "app.customers"}
    assert len(far.references) == 4
    assert not far.more
    assert around("apart", 2) == diagram.Graph(("apart",), (), False)
    monkeypatch.setattr(diagram, "MOST", 2)
    near = around("lines", 2)
    assert set(near.labels) == {"lines", "orders"}
    assert {one.name for one in near.references} == {"lines_order_fkey", "orders_above. %_fkey"}
    assert near.more


NASTY = ['a"b', "back\\slash \\N \\l", "<b>&amp;</b>", "new\nline", "]; n1 -> n2 [", "%s {x}", "отзывы 用户", "x" * 63]


@pytest.mark.parametrize("name", NASTY)
def test_no_name_breaks_out_of_a_diagram(name: str) -> None:
    one = relations.Relation("public", name, "table", None, None, None)
    reference = structure_parts.Reference(name, one, (name,), one, (name,), "NO ACTION", "NO ACTION", True)
    text = diagram.dot(diagram.Graph((one.label,), (reference,), False))
    # Between its quotes a text has no quote, no sign of HTML, and of backslashes only pairs.
    strings = re.findall(r'"((?:[^"\\]|\\.)*)"', text)
    assert not [
        words for words in strings if re.search(r"[<>\n]|(?<!\\)(?:\\\\)*\\[^\\]|&(?!amp;|lt;|gt;|quot;)", words)
    ]
    # What is left outside is what we have written.
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
    assert outside.count("->") == 1
    assert outside.count("\nn0 [") == 1
    assert re.fullmatch(r"[\w\s\[\]{}=,\"\->]*", outside)
