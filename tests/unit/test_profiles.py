"""What profiles promise: the truth about rows, an honest estimate from statistics, and no type that makes them fail."""

from __future__ import annotations

import dataclasses
import datetime
import math
import statistics
from collections.abc import Callable

import pytest

from undertone import catalog, conditions, database, facets, paging, profiles, profiling, relations
from undertone.conditions import Condition, Group

Execute = Callable[..., list[tuple[object, ...]]]
# Values of types that have any to be seen; of all others there are only rows without one.
SAMPLES = {
    "bool": "t", "bytea": "\\x00ff", "char": "a", "name": "n%", "int8": "9223372036854775807", "int2": "-32768",
    "int4": "2147483647", "regproc": "now", "text": "50% {x} '\"", "oid": "4294967295", "tid": "(1,2)", "xid": "3",
    "json": '{"a": [1]}', "jsonb": '{"a": null}', "point": "(1,2)", "lseg": "[(1,2),(3,4)]", "path": "((1,2),(3,4))",
    "box": "(1,2),(3,4)", "polygon": "((1,2),(3,4))", "line": "{1,2,3}", "circle": "<(1,2),3>", "float4": "-Infinity",
    "float8": "1e308", "money": "-1.5", "macaddr": "08:00:2b:01:02:03", "inet": "::1", "cidr": "10.0.0.0/8",
    "bpchar": "a ", "varchar": "é😀", "date": "infinity", "time": "24:00", "timestamp": "0044-03-15 BC",
    "timestamptz": "294276-01-01", "interval": "-1 mon 3 days", "timetz": "10:00+02", "bit": "1", "varbit": "",
    "numeric": "NaN", "uuid": "00000000-0000-0000-0000-000000000000", "pg_lsn": "0/1", "tsvector": "a:1",
    "tsquery": "a & b", "jsonpath": "$.a", "txid_snapshot": "1:2:", "int4range": "[1,2)", "numrange": "empty",
    "datemultirange": "{}", "_int4": "{{1,2},{3,4}}", "_text": "{a,NULL}", "_point": '{"(1,2)"}', "_json": "{1}",
    "macaddr8": "08:00:2b:01:02:03:04:05", "xid8": "5", "int2vector": "1 2", "oidvector": "1 2", "refcursor": "c",
}  # fmt: skip
TYPES = """
SELECT t.typname::text, format('%I.%I', n.nspname, t.typname)
FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
LEFT JOIN pg_class AS c ON c.oid = t.typrelid
LEFT JOIN pg_type AS e ON e.oid = t.typelem AND t.typcategory = 'A'
WHERE t.typtype <> 'p' AND n.nspname IN ('pg_catalog', 'public') AND (c.oid IS NULL OR c.relname = 'pair')
  AND coalesce(e.typtype, 'b') NOT IN ('c', 'p')
ORDER BY t.oid
"""


def asked(
    connection: database.Connection, name: str, column: str, *where: Condition, zone: str | None = None
) -> profiles.ColumnProfile:
    relation = catalog.find(connection, name)
    fields = relations.fields(connection, relation)
    condition = conditions.compose(fields, Group(where), relation=relation)
    return profiling.exact(connection, relation, fields, column, where=condition, zone=zone)


def known(connection: database.Connection, name: str, zone: str | None = None) -> dict[str, profiles.ColumnProfile]:
    connection.rollback()  # the server keeps its own numbers as they are for the length of a transaction
    relation = catalog.find(connection, name)
    fields = relations.fields(connection, relation)
    found = profiles.profile(connection, relation, fields, zone)
    assert [one.field for one in found] == fields
    return {one.field.column.name: one for one in found}


def test_every_type_has_a_profile_and_facets(
    data: database.Connection, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(
        "CREATE TYPE pair AS (a int, b text); CREATE TYPE mood AS ENUM ('sad', 'o''k');"
        "CREATE DOMAIN age AS int CHECK (VALUE > 0); CREATE DOMAIN pairs AS pair[];"
    )
    samples = SAMPLES | {"pair": '(1,"x")', "mood": "o'k", "age": "7", "_mood": "{sad}", "_age": "{1}", "pairs": "{}"}
    types = execute(TYPES)
    assert samples.keys() <= {name for name, _ in types}
    assert len(types) > 150
    columns = ", ".join(f"c{number} {type}" for number, (_, type) in enumerate(types))
    values = [samples.get(str(name)) for name, _ in types]
    execute(f"CREATE TABLE types ({columns})")
    for row in (values, [None] * len(values), values):
        execute(f"INSERT INTO types VALUES ({', '.join(['%s'] * len(types))})", row)
    execute("ANALYZE types")
    relation = catalog.find(data, "types")
    fields = relations.fields(data, relation)
    for field, (name, _), value, estimate in zip(
        fields, types, values, profiles.profile(data, relation, fields), strict=True
    ):
        found = profiling.exact(data, relation, fields, field.column.name)
        assert (found.rows, found.distinct) == (3, float(value is not None)), name
        assert found.nulls == (1 if value is None else pytest.approx(1 / 3)), name
        assert estimate.nulls == pytest.approx(found.nulls), name
        for one in found.common:
            assert one.entry.count == 2
            where = conditions.compose(fields, Group(one.entry.conditions), relation=relation)
            assert paging.count(data, relation, where) == 2, name
        with monkeypatch.context() as patch:
            patch.setattr(profiling, "MANY", -1)  # as of a column of very many values
            sorted = profiling.exact(data, relation, fields, field.column.name)
        assert dataclasses.replace(sorted, common=found.common) == found, name
        assert sorted.common in (found.common, ()), name
        for kind in facets.kinds(field):
            facet = facets.facet(data, relation, fields, field.column.name, kind=kind)
            assert facet.rows == 3, name
            assert sum(entry.count for entry in facet.entries) + facet.others == 3, name


@pytest.mark.parametrize("many", [profiling.MANY, -1])
def test_an_exact_profile_is_the_truth_about_the_rows(
    data: database.Connection, execute: Execute, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(profiling, "MANY", many)
    execute(
        "CREATE TABLE t AS SELECT n AS id, CASE WHEN n % 10 > 0 THEN (n * 37 % 501) * 0.5 END AS price,"
        " CASE WHEN n % 10 = 0 THEN NULL WHEN n % 10 = 1 THEN '' ELSE repeat('é', n % 7) END AS word,"
        " ARRAY[n, 2] AS list, timestamptz '2026-01-01 00:00Z' + n * interval '1 hour' AS at, n % 3 = 0 AS flag,"
        " CASE n WHEN 7 THEN 'NaN' WHEN 8 THEN 'Infinity' ELSE n::float8 END AS odd"
        " FROM generate_series(1, 1000) AS n"
    )
    values = sorted((n * 37 % 501) * 0.5 for n in range(1, 1001) if n % 10)
    price = asked(data, "t", "price")
    assert (price.rows, price.nulls, price.distinct) == (1000, 0.1, len(set(values)))
    assert [float(text or "") for text in (price.low, price.high)] == [values[0], values[-1]]
    assert price.mean == pytest.approx(statistics.fmean(values))
    for share, text in price.quantiles:
        assert float(text) == values[max(0, math.ceil(share * len(values)) - 1)]
    assert sum(one.share for one in price.bins) == pytest.approx(1)
    assert price.bins[0].share == pytest.approx(sum(value < 20 for value in values) / 900)
    assert price.bins[0].text == "0 to below 20"

    word = asked(data, "t", "word")
    empty = sum(n % 10 == 1 or (n % 10 > 1 and not n % 7) for n in range(1, 1001))
    assert (word.nulls, word.empty, word.distinct) == (0.1, empty / 1000, 7)
    assert word.lengths is not None
    assert (word.lengths.unit, word.lengths.shortest, word.lengths.longest) == ("character", 0, 6)
    assert [one.text for one in word.lengths.bins] == ["0", "1", "2 to 4", "5 to 9"]
    assert (word.low, word.high) == ("", "é" * 6)
    assert [one.entry.count for one in word.common] == sorted((one.entry.count for one in word.common), reverse=True)
    assert sum(one.share for one in word.common) == pytest.approx(0.9)

    assert asked(data, "t", "list").lengths == profiles.Lengths("element", 2, 2.0, 2)
    odd = asked(data, "t", "odd")
    assert (odd.low, odd.high) == ("1", "NaN")
    assert odd.mean == pytest.approx((500500 - 15) / 998)
    assert sum(one.share for one in odd.bins) == pytest.approx(1)
    at = asked(data, "t", "at", zone="Asia/Tokyo")
    assert at.bins[0].text == "2026-01-01"
    assert at.bins[0].share == pytest.approx(14 / 1000)
    assert {one.entry.text: one.share for one in asked(data, "t", "flag").common} == {"false": 0.667, "true": 0.333}
    # Of the rows that filters let pass, which may be none.
    some = asked(data, "t", "price", Condition("id", "le", ("100",)))
    assert (some.rows, some.nulls) == (100, 0.1)
    none = asked(data, "t", "price", Condition("id", "lt", ("0",)))
    assert (none.rows, none.nulls, none.distinct, none.low, none.quantiles, none.bins) == (0, 0, 0, None, (), ())
    with pytest.raises(catalog.CatalogError, match="no column"):
        asked(data, "t", "prise")


def test_statistics_give_an_estimate_of_all_columns_at_once(data: database.Connection, execute: Execute) -> None:
    execute(
        "CREATE TABLE t AS SELECT n AS id, CASE WHEN n % 4 > 0 THEN n % 100 END AS few,"
        " (n * 7919 % 5000)::numeric / 8 AS price,"
        " date '2020-01-01' + n % 1461 AS day, (ARRAY['b', 'a', 'a'])[n % 3 + 1] AS word, repeat('x', n % 500) AS long,"
        " CASE WHEN n % 2 = 0 THEN 'infinity' ELSE timestamp '2026-01-01' + n * interval '1 min' END AS at,"
        " NULL::int AS hole,"
        " json_build_object('n', n) AS doc, 5 AS same"
        " FROM generate_series(1, 10000) AS n"
    )
    before = known(data, "t")
    assert not any(one.is_known for one in before.values())
    execute("ANALYZE t")
    found = known(data, "t")
    for name, one in found.items():
        assert one.is_known
        assert not one.is_exact
        assert one.at is not None
        assert datetime.datetime.now(datetime.UTC) - one.at < datetime.timedelta(minutes=5)
        exact = asked(data, "t", name)
        assert one.nulls == pytest.approx(exact.nulls, abs=0.001)
        if name != "doc":
            assert one.distinct == pytest.approx(exact.distinct, rel=0.05)
    for name in ("id", "few", "price", "same"):
        one, exact = found[name], asked(data, "t", name)
        assert one.mean == pytest.approx(exact.mean, rel=0.02)
        assert (float(one.low or ""), float(one.high or "")) == (float(exact.low or ""), float(exact.high or ""))
        for (_, value), (_, truth) in zip(one.quantiles, exact.quantiles, strict=True):
            assert float(value) == pytest.approx(float(truth), rel=0.03, abs=7)
        assert [part.text for part in one.bins] == [part.text for part in exact.bins]
        for part, true in zip(one.bins, exact.bins, strict=True):
            assert part.share == pytest.approx(true.share, abs=0.02)
    assert (found["day"].low, found["day"].high) == ("2020-01-01", "2023-12-31")
    assert sum(part.share for part in found["day"].bins) == pytest.approx(1)
    assert (found["word"].low, found["word"].high) == ("a", "b")
    assert [(one.entry.text, round(one.share, 3)) for one in found["word"].common] == [("a", 0.667), ("b", 0.333)]
    assert found["at"].low == "2026-01-01 00:01:00"
    assert (found["hole"].nulls, found["hole"].distinct, found["hole"].low) == (1, 0, None)
    assert found["id"].correlation == pytest.approx(1)
    assert (found["long"].high or "").endswith("…")


def test_a_profile_of_many_columns_is_one_look_at_the_catalogue(data: database.Connection, execute: Execute) -> None:
    columns = ", ".join(f"n % {number + 2} AS c{number}" for number in range(300))
    execute(
        f"CREATE TABLE wide AS SELECT {columns} FROM generate_series(1, 500) AS n; ANALYZE wide;"
        "CREATE TABLE none (); CREATE VIEW seen AS SELECT * FROM wide"
    )
    relation = catalog.find(data, "wide")
    fields = relations.fields(data, relation)
    with data.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 5000")
    found = profiles.profile(data, relation, fields)
    assert len(found) == 300
    assert all(one.is_known and one.bins for one in found)
    assert known(data, "none") == {}
    assert not any(one.is_known for one in known(data, "seen").values())
    assert asked(data, "seen", "c7").distinct == 9
