"""Scores on their way out: which of them leave, with their types, in the order of their key, with flat memory."""

from __future__ import annotations

import csv
import io
import json
import pathlib
import tracemalloc
from typing import Any

import pyarrow.parquet
import pytest

from tests.unit import scored
from undertone import database, export, score_export, scores, scoring


@pytest.fixture
def bench(data_pool: database.Database, store_pool: database.Database) -> scored.Bench:
    return scored.Bench(data_pool, store_pool)


@pytest.fixture
def source(bench: scored.Bench, execute: scored.Execute) -> scores.Source:
    """Twenty texts with scores of two models; two rows have vanished since."""
    execute("CREATE TABLE texts (id int PRIMARY KEY, body text, price numeric, at timestamptz, note text)")
    execute(
        "INSERT INTO texts SELECT n, CASE WHEN n % 5 > 0 THEN 'good ' || n END, n * 1.50,"
        " timestamptz '2026-01-01 10:00:00.123456+00', '=1+' || n FROM generate_series(1, 20) AS n"
    )
    bench.run("texts", context=["price", "at", "note"])
    bench.model = scored.Fake(model_id="other@1")
    bench.run("texts", context=["price", "at", "note"], model="other")
    execute("DELETE FROM texts WHERE id > 18")
    run = bench.run("texts", context=["price", "at", "note"])
    assert run.vanished == 4, "scores, of both models"
    return run.source


def taken(bench: scored.Bench, source: scores.Source, *which: Any) -> list[dict[str, Any]]:
    with score_export.stream(bench.store, source, score_export.Which(*which)) as answer:
        names = [column.name for column in answer.columns]
        return [dict(zip(names, row, strict=True)) for batch in answer for row in batch]


def test_the_current_scores_are_those_of_the_view(
    bench: scored.Bench, source: scores.Source, execute: scored.Execute
) -> None:
    rows = taken(bench, source)
    assert [row["id"] for row in rows] == list(range(1, 19))
    assert {row["model"] for row in rows} == {source.current_model}
    shown = execute(f"SELECT id, label FROM {source.current} ORDER BY id")
    assert [(row["id"], row["label"]) for row in rows] == shown
    assert not {"vanished_at", "vanished_by"} & set(rows[0])
    with bench.store.lend() as connection:
        scoring.make_current(connection, source, "other")
        chosen = scoring.find_source(connection, "texts")
    assert {row["model"] for row in taken(bench, chosen)} == {"other"}


def test_a_models_scores_and_those_of_vanished_rows(bench: scored.Bench, source: scores.Source) -> None:
    assert {row["model"] for row in taken(bench, source, "other")} == {"other"}
    assert len(taken(bench, source, "other")) == 18
    everything = taken(bench, source, None, True)
    assert [(row["id"], row["model"]) for row in everything] == sorted(
        (n, model) for n in range(1, 21) for model in ("default", "other")
    )
    gone = [row["id"] for row in taken(bench, source, "default", True) if row["vanished_at"]]
    assert gone == [19, 20]
    with pytest.raises(scoring.ScoringError, match="has no scores of third; it has: default, other"):
        taken(bench, source, "third")


def test_values_keep_their_types_in_every_file(
    bench: scored.Bench, source: scores.Source, tmp_path: pathlib.Path
) -> None:
    for form in ("csv", "jsonl", "parquet"):
        with score_export.stream(bench.store, source) as answer:
            assert export.write(answer, form, tmp_path / f"scores.{form}") == 18
    lines = [json.loads(line) for line in (tmp_path / "scores.jsonl").read_text().splitlines()]
    first, fifth = lines[0], lines[4]
    assert (first["id"], first["price"], first["confidence"], first["truncated"]) == (1, 1.5, 0.75, False)
    assert (first["note"], first["probabilities"]) == ("=1+1", {"POSITIVE": 0.75, "other": 0.25})
    assert (fifth["label"], fifth["confidence"], fifth["reason"]) == (None, None, "empty")
    read = list(csv.DictReader(io.StringIO((tmp_path / "scores.csv").read_text("utf-8-sig"))))
    assert (read[0]["note"], read[0]["truncated"], read[4]["label"]) == ("'=1+1", "false", "")
    table = pyarrow.parquet.read_table(tmp_path / "scores.parquet")
    types = {field.name: str(field.type) for field in table.schema}
    assert (types["id"], types["confidence"], types["truncated"]) == ("int32", "float", "bool")
    assert (types["price"], types["at"], types["run_id"]) == ("decimal128(4, 2)", "timestamp[us, tz=UTC]", "int64")


def test_neither_an_empty_table_nor_a_dropped_view_is_an_error(
    bench: scored.Bench, source: scores.Source, execute: scored.Execute, tmp_path: pathlib.Path
) -> None:
    execute(f"DROP VIEW {source.current}")
    assert len(taken(bench, source)) == 18
    execute(f"DELETE FROM {source.scores}")
    for form in ("csv", "jsonl", "parquet"):
        with score_export.stream(bench.store, source) as answer:
            assert export.write(answer, form, tmp_path / form) == 0
    assert (tmp_path / "csv").read_bytes().startswith(b"\xef\xbb\xbfid,")
    execute(f"DROP TABLE {source.scores} CASCADE")
    with pytest.raises(scoring.ScoringError, match=r"The table scores\.texts is gone"):
        taken(bench, source)


def test_what_stops_an_export_leaves_no_file_and_a_clean_connection(
    bench: scored.Bench, source: scores.Source, tmp_path: pathlib.Path
) -> None:
    def stop(rows: int) -> None:
        raise SystemExit(1)

    with pytest.raises(SystemExit), score_export.stream(bench.store, source) as answer:
        export.write(answer, "csv", tmp_path / "scores.csv", go_on=stop)
    assert list(tmp_path.iterdir()) == []
    assert len(taken(bench, source)) == 18


def test_memory_stays_flat(bench: scored.Bench, source: scores.Source, execute: scored.Execute) -> None:
    class Nowhere(io.RawIOBase):
        def write(self, data: Any) -> int:
            return len(data)

    peaks = []
    for rows in (20_000, 100_000):
        execute(
            f"INSERT INTO {source.scores} (id, note, label, model, run_id, probabilities)"
            " SELECT n, repeat('x', 200), 'POSITIVE', 'default', 1, '{}'"
            f" FROM generate_series({rows}, {2 * rows}) AS n ON CONFLICT DO NOTHING"
        )
        tracemalloc.start()
        with score_export.stream(bench.store, source) as answer:
            assert export.dump(answer, "jsonl", Nowhere()) > rows  # type: ignore[arg-type]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5


@pytest.mark.parametrize("name", ['"quoted"', "scores.dotted", "per%cent {brace}", "評論\nzwei", "Capital Letters"])
def test_scores_are_found_by_every_name_that_they_have(bench: scored.Bench, execute: scored.Execute, name: str) -> None:
    quoted = name.replace('"', '""')
    execute(f'CREATE TABLE "{quoted}" ("k%{{" int PRIMARY KEY, body text)')
    execute(f"INSERT INTO \"{quoted}\" VALUES (1, 'good')")
    source = bench.run(f'"{quoted}"').source
    for called in {source.name, source.view_name or "", source.scores, source.current, f"scores.{source.name}"}:
        assert bench.store.ask(scoring.find_source, called).id == source.id
    assert [(row["k%{"], row["label"]) for row in taken(bench, source)] == [(1, "POSITIVE")]
