"""What a row's page says of its scores: each model's, what they rest on, and whether that is still so."""

from __future__ import annotations

import hashlib

import pytest

from tests.unit import scored
from undertone import catalog, database, row_scores, rows


@pytest.fixture
def bench(data_pool: database.Database, store_pool: database.Database) -> scored.Bench:
    return scored.Bench(data_pool, store_pool)


def read(bench: scored.Bench, name: str, *key: str) -> rows.Row:
    with bench.data.lend() as connection:
        return rows.read(connection, catalog.find(connection, name), key)


def of_row(bench: scored.Bench, row: rows.Row, place: str = "") -> list[row_scores.Scored]:
    return bench.store.ask(row_scores.of_row, row, place or bench.place)


def test_every_model_and_column_that_is_scored_is_listed(bench: scored.Bench, execute: scored.Execute) -> None:
    execute(
        'CREATE TABLE "50% of" (at timestamptz, "k.1" text, body text, title text, PRIMARY KEY (at, "k.1"));'
        "INSERT INTO \"50% of\" VALUES ('2024-05-01 10:00:00.000001+02', 'a''b', 'good ' || repeat('x', 1500), 'bad'),"
        " ('2024-05-01 10:00:00.000002+02', 'a''b', '', 'good')"
    )
    label, first, second = '"50% of"', "2024-05-01 08:00:00.000001+00", "2024-05-01 08:00:00.000002+00"
    row = read(bench, label, first, "a'b")
    assert of_row(bench, row) == []
    run = bench.run(label)
    bench.run(label, "title")
    other = bench.run(label, model="other")
    bench.run(label, "{title}: {body}", template=True)
    found = {one.source.text_column: one for one in of_row(bench, row)}
    assert set(found) == {"body", "title", "{title}: {body}"}
    current, beside = found["body"].scores
    assert (current.model, current.is_current, current.run) == ("default", True, run.id)
    assert (beside.model, beside.is_current, beside.run) == ("other", False, other.id)
    assert (current.label, current.confidence) == ("POSITIVE", 0.75)
    assert current.probabilities == {"POSITIVE": 0.75, "other": 0.25}
    assert (current.truncated, current.engine, current.precision, current.reason) == (True, "fake", "exact", None)
    assert current.share_read == pytest.approx(1000 / 1505)
    assert current.text_hash == hashlib.md5(b"good " + b"x" * 1500).hexdigest()
    assert (found["title"].scores[0].label, found["title"].scores[0].truncated) == ("NEGATIVE", False)
    (empty,) = [one for one in of_row(bench, read(bench, label, second, "a'b")) if one.source.text_column == "body"]
    assert (empty.scores[0].label, empty.scores[0].reason) == (None, "empty")

    # Scores of another database's table of this name, of a saved query, or of another relation are not this row's.
    assert of_row(bench, row, "elsewhere") == []
    # A row that has come since has none, and its source says that there could be.
    execute("INSERT INTO \"50% of\" VALUES ('infinity', 'a''b', 'new')")
    assert [one.scores for one in of_row(bench, read(bench, label, "infinity", "a'b"))] == [(), (), ()]
    # A column of the key that is called something else now leads to no score, and to no error.
    execute('ALTER TABLE "50% of" RENAME "k.1" TO renamed')
    assert of_row(bench, read(bench, label, first, "a'b")) == []
    execute('ALTER TABLE "50% of" RENAME renamed TO "k.1"; ALTER TABLE "50% of" DROP COLUMN at')
    execute("ALTER TABLE \"50% of\" ADD COLUMN at text DEFAULT 'no time'; DELETE FROM \"50% of\" WHERE body <> 'new'")
    execute('ALTER TABLE "50% of" ADD PRIMARY KEY (at, "k.1")')
    assert [one.scores for one in of_row(bench, read(bench, label, "no time", "a'b"))] == [(), (), ()]


def test_a_changed_text_is_told_from_the_one_that_was_scored(bench: scored.Bench, execute: scored.Execute) -> None:
    execute("CREATE TABLE t (id int PRIMARY KEY, body text, title text)")
    execute("INSERT INTO t VALUES (1, 'good ü', NULL), (2, NULL, NULL), (3, '', 'x')")
    bench.run("t")
    bench.run("t", "{title}: {body}", template=True)

    def texts(key: str, most: int = 100) -> dict[str, tuple[str | None, int, bool]]:
        row, found = read(bench, "t", key), {}
        for one in of_row(bench, row):
            text = bench.data.ask(row_scores.text_of, row, one.source, most)
            found[one.source.text_column] = (text.text, text.length, text.changed_since(one.scores[0]))
        return found

    assert texts("1", 4) == {"body": ("good", 6, False), "{title}: {body}": (": go", 8, False)}
    assert texts("2") == {"body": (None, 0, False), "{title}: {body}": (None, 0, False)}
    assert texts("3") == {"body": ("", 0, False), "{title}: {body}": ("x: ", 3, False)}
    execute("UPDATE t SET body = coalesce(body, '') || '!', title = 'y' WHERE id < 3")
    execute("UPDATE t SET body = NULL WHERE id = 3")
    assert texts("1") == {"body": ("good ü!", 7, True), "{title}: {body}": ("y: good ü!", 10, True)}
    assert texts("2") == {"body": ("!", 1, True), "{title}: {body}": ("y: !", 4, True)}
    assert texts("3") == {"body": (None, 0, True), "{title}: {body}": ("x: ", 3, False)}

    row = read(bench, "t", "1")
    (source,) = [one.source for one in of_row(bench, row) if not one.source.template]
    execute("ALTER TABLE t DROP COLUMN body")
    with pytest.raises(catalog.CatalogError, match="t has changed meanwhile"):
        bench.data.ask(row_scores.text_of, row, source, 100)
    execute("DELETE FROM t; ALTER TABLE t ADD COLUMN body text")
    with pytest.raises(rows.RowError, match="There is no row of t with this key any more"):
        bench.data.ask(row_scores.text_of, row, source, 100)
