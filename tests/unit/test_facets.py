"""What facets promise: clicks find what they say, columns are proposed with sense, samples say that they are some."""

from __future__ import annotations

import datetime
import decimal
import itertools
import zoneinfo
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2.sql
import pytest

from undertone import (
    catalog,
    conditions,
    database,
    facet_clicks,
    facet_proposals,
    facets,
    histograms,
    paging,
    relations,
    sampling,
)
from undertone import time_units as units
from undertone.conditions import Condition, Group

Execute = Callable[..., list[tuple[object, ...]]]
SHOP = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN price AS numeric CHECK (VALUE > -1e306);
CREATE DOMAIN tag AS varchar(20);
CREATE TABLE makers (id int PRIMARY KEY);
INSERT INTO makers SELECT generate_series(1, 20);
CREATE TABLE shop (
    id bigint PRIMARY KEY, maker int REFERENCES makers, status text, "odd ""%s' {}" tag, mood mood, sold boolean,
    stars smallint, price price, weight float8, thin real, big bigint, o oid, at timestamptz, local timestamp, day date,
    doc jsonb, body text, raw bytea, tags text[], ip inet, j json, p point, span int4range, gap interval, code uuid,
    fixed char(5),
    alike text, nothing text, t time, x xml
);
INSERT INTO shop
SELECT n, n % 20 + 1, (ARRAY['open', 'closed', '', NULL, 'it''s "50%"'])[n % 5 + 1],
       (ARRAY['a', E'b\\n<b>**x**</b>', '😀'])[n % 3 + 1], (ARRAY['sad', 'ok', NULL]::mood[])[n % 3 + 1], n % 7 = 0,
       n % 5 + 1, CASE n WHEN 1 THEN 'NaN' WHEN 2 THEN 1e305 WHEN 3 THEN NULL ELSE n * 0.1 END,
       CASE n WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' WHEN 3 THEN 1e308 WHEN 4 THEN '-0' ELSE n * 0.3 END, n * 0.1,
       CASE n WHEN 1 THEN 9223372036854775807 WHEN 2 THEN -9223372036854775808 ELSE n END, 4294967295 - n,
       CASE n WHEN 1 THEN 'infinity' WHEN 2 THEN '0044-03-15 BC' WHEN 3 THEN NULL
              ELSE timestamptz '2025-09-01 22:00Z' + n * interval '7 hours' END,
       timestamp '2026-01-01 00:00' + n * interval '11.5 seconds',
       CASE n WHEN 1 THEN 'infinity' WHEN 2 THEN '9999-12-31' ELSE date '1950-01-01' + n * 90 END,
       jsonb_build_object('n', n % 3), repeat('long text ', n), decode(to_hex(n % 4 + 16), 'hex'), ARRAY[n % 3]::text[],
       ('10.0.0.' || n % 4)::inet, ('{"n":' || n % 2 || '}')::json, point(n % 2, 0), int4range(n % 3, 10),
       n % 4 * interval '1 hour', md5((n % 6)::text)::uuid, 'ab', 'same', NULL, time '10:00' + n * interval '1 min',
       NULL
FROM generate_series(1, 400) AS n;
CREATE TABLE empty (id int, at timestamptz, n float8, status text);
CREATE TABLE bare ();
CREATE VIEW shopping AS SELECT * FROM shop;
"""
ZONE = "America/St_Johns"


class Table:
    """A relation of a database, and facets of it."""

    def __init__(self, connection: database.Connection, name: str) -> None:
        self.connection = connection
        self.relation = catalog.find(connection, name)
        self.fields = relations.fields(connection, self.relation)

    def where(self, *parts: Condition | Group) -> psycopg2.sql.Composed | None:
        return conditions.compose(self.fields, Group(parts), relation=self.relation)

    def facet(self, column: str, *parts: Condition | Group, **options: Any) -> facets.Facet:
        where = self.where(*parts)
        return facets.facet(self.connection, self.relation, self.fields, column, where=where, **options)

    def propose(self) -> dict[str, str]:
        found = facet_proposals.propose(self.connection, self.relation, self.fields)
        return {proposal.column: proposal.kind for proposal in found}

    def count(self, *parts: Condition | Group) -> int:
        return paging.count(self.connection, self.relation, self.where(*parts))


@pytest.fixture
def table(data_pool: database.Database, execute: Execute) -> Iterator[Callable[[str], Table]]:
    execute(SHOP)
    with data_pool.lend() as connection:
        yield lambda name: Table(connection, name)


def test_a_click_finds_as_many_rows_as_was_said(table: Callable[[str], Table]) -> None:
    shop = table("shop")
    some = (Condition("id", "ge", ("1",)), Condition("stars", "in", ("1", "2", "3")))
    for field in shop.fields:
        for kind in facets.kinds(field):
            for where in ((), some):
                facet = shop.facet(field.column.name, *where, kind=kind, zone=ZONE)
                assert facet.kind == kind
                assert facet.sample is None
                assert facet.rows == shop.count(*where) == sum(one.count for one in facet.entries) + facet.others
                for entry in facet.entries:
                    if entry.conditions:
                        assert shop.count(*where, *entry.conditions) == entry.count, (field.column.name, entry)
                    else:
                        assert entry.text is not None
                        assert len(entry.text) > facets.CUT
    assert [len(shop.facet(name).entries) for name in ("nothing", "alike", "sold")] == [1, 1, 2]
    assert shop.facet("nothing").entries[0].text is None
    status = shop.facet("status")
    assert {entry.text for entry in status.entries} == {"open", "closed", "", None, 'it\'s "50%"'}
    assert (status.distinct, status.others) == (4, 0)
    body = shop.facet("body", most=3)
    assert (body.distinct, body.others, len(body.entries)) == (400, 397, 3)


def test_histograms_have_edges_that_people_like_in_the_zone_of_the_reader(table: Callable[[str], Table]) -> None:
    shop = table("shop")
    at = shop.facet("at", zone=ZONE)
    assert at.unit == "week"
    low = datetime.datetime.fromisoformat(at.entries[1].conditions[0].values[0])
    assert low.astimezone(zoneinfo.ZoneInfo(ZONE)).strftime("%a %H:%M") == "Mon 00:00"
    # What lies far out, and infinity, is outside of all bins and can be clicked all the same.
    assert [entry.text for entry in at.entries][:2] == ["before week of 2025-09-01", "week of 2025-09-01"]
    assert [entry.text for entry in at.entries][-2:] == ["week of 2025-12-29 and later", None]
    stars = shop.facet("stars", kind=facets.NUMBERS)
    assert [(entry.text, entry.count) for entry in stars.entries] == [(str(star), 80) for star in range(1, 6)]
    price = shop.facet("price")
    assert [entry.text for entry in price.entries][:2] == ["0 to below 2", "2 to below 4"]
    assert shop.facet("day").unit == "year"
    assert shop.facet("local").unit == "minute"
    for name in ("at", "n", "status"):
        nothing = table("empty").facet(name)
        assert (nothing.entries, nothing.rows, nothing.others) == ((), 0, 0)


@pytest.mark.parametrize(
    ("low", "high"),
    [
        *((1, 1), (0, 0), (-5, 17), ("0.001", "0.0011"), ("-1e300", "1e300"), (2**63 - 1, 2**63 - 1)),
        *(("1e-300", "2e-300"), (-1, 0), (0, "1e-9"), ("123456789.123", "123456789.124")),
    ],
)
def test_edges_hold_what_they_are_for(low: str | int, high: str | int) -> None:
    first, last = decimal.Decimal(low), decimal.Decimal(high)
    for whole in {False, first == int(first) and last == int(last)}:
        edges = histograms.nice(first, last, whole=whole)
        assert edges[0] <= first <= last < edges[-1]
        assert edges == sorted(set(edges))
        assert 2 <= len(edges) <= 2 * histograms.BINS + 2
        assert not whole or all(edge == int(edge) for edge in edges)


@pytest.mark.parametrize("zone", [None, "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_every_moment_is_in_one_unit_of_time(zone: str | None) -> None:
    place = units.zone(zone) if zone else None
    texts = ("2026-03-29 00:59:59", "2026-10-25 02:30:00", "0001-02-01 00:00:00", "9998-12-30 12:00")
    for text, (unit, _) in itertools.product(texts, units.UNITS):
        moment = units.read(f"{text}+00:00", place) if place else datetime.datetime.fromisoformat(text)
        start = units.floor(moment, unit)
        end = units.following(start, unit)
        assert start <= moment < end
        if end.year < 9999:
            assert units.floor(end, unit) == end
            # An hour may come twice on a clock.
            assert units.called(start, unit) != units.called(end, unit) or unit in ("hour", "minute", "second")


def test_columns_are_proposed_that_tell_something(table: Callable[[str], Table], execute: Execute) -> None:
    guessed = table("shop").propose()
    execute("ANALYZE")
    known = table("shop").propose()
    for found in (guessed, known):
        assert len(found) == facet_proposals.MOST_PROPOSED
        assert {"status": "values", "mood": "values", "sold": "values", "at": "times"}.items() <= found.items()
        assert facets.NUMBERS in found.values()
        never = {"id", "maker", "body", "doc", "raw", "tags", "j", "p", "x", "alike", "nothing", "fixed", "code", "o"}
        assert not never & found.keys()
    assert table("shopping").propose().keys() - guessed.keys() <= {"maker"}  # a view has no key and refers to nothing
    assert table("empty").propose() == {}
    assert table("bare").propose() == {}


def test_large_tables_are_counted_in_a_sample_that_says_so(
    table: Callable[[str], Table], execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(
        "CREATE TABLE large AS SELECT n AS id, n % 4 AS place, md5(n::text) AS word, n % 100 = 0 AS rare"
        " FROM generate_series(1, 40000) AS n; CREATE UNIQUE INDEX ON large (id); ANALYZE large;"
        "CREATE VIEW seen AS SELECT * FROM large;"
        "CREATE TABLE parts (LIKE large) PARTITION BY RANGE (id);"
        "CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (0) TO (20000);"
        "CREATE TABLE part_2 PARTITION OF parts DEFAULT; INSERT INTO parts SELECT * FROM large; ANALYZE parts;"
        "CREATE TABLE hollow AS TABLE large; ANALYZE hollow; DELETE FROM hollow;"
    )
    monkeypatch.setattr(sampling, "QUICK", 200.0)
    monkeypatch.setattr(sampling, "ROWS", 4000)
    monkeypatch.setattr(sampling, "FEW", 400)
    for name in ("large", "parts"):
        large = table(name)
        facet = large.facet("place", kind=facets.VALUES)
        assert facet.sample is not None
        assert facet.sample.words == f"a sample of about {facet.sample.rows:,} of 40,000 rows"
        assert facet.rows < 20_000
        assert {entry.text for entry in facet.entries} == {"0", "1", "2", "3"}
        assert facet == large.facet("place", kind=facets.VALUES)
    seen = table("seen").facet("place", kind=facets.VALUES)
    assert seen.sample is not None
    assert (seen.sample.words, seen.rows) == ("the first 4,000 rows", 4000)
    # What an index finds at once is counted exactly.
    few = table("large").facet("place", Condition("id", "between", ("100", "199")), kind=facets.VALUES)
    assert (few.sample, few.rows) == (None, 100)
    # No row is where the sample looks, or none at all.
    assert table("hollow").facet("place").rows == 0
    assert table("large").facet("rare", Condition("word", "eq", ("none",))).rows == 0


def test_what_takes_too_long_is_asked_of_fewer_rows_and_ends(
    table: Callable[[str], Table], execute: Execute, store_pool: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute(
        "CREATE VIEW slow AS SELECT n AS id, CASE WHEN n > 50 THEN (SELECT count(*) + n"
        " FROM generate_series(1, 9999999)) END AS x FROM generate_series(1, 1000000) AS n;"
        "CREATE VIEW endless AS SELECT count(*) AS x FROM (SELECT generate_series(1, 10 ^ 15::numeric)) AS s"
    )
    slow = table("slow")
    monkeypatch.setattr(sampling, "FEW", 50)
    facet = slow.facet("x", seconds=1.0)
    assert facet.sample == sampling.Sample(50, None, first=True)
    with pytest.raises(sampling.TooSlow, match=r"takes longer than 0\.2 s"):
        table("endless").facet("x", seconds=0.2)
    shop = table("shop")
    assert shop.facet("sold").rows == 400  # the transaction is as good as before
    with store_pool.lend() as holder, holder.cursor() as cursor:
        cursor.execute("LOCK TABLE shop")
        with pytest.raises(sampling.TooSlow, match="holds shop exclusively"):
            shop.facet("sold")


def test_what_is_gone_or_was_never_there_is_one_clear_error(table: Callable[[str], Table], execute: Execute) -> None:
    shop = table("shop")
    with pytest.raises(catalog.CatalogError, match="no column"):
        shop.facet("sttus")
    execute("DROP TABLE shop CASCADE")
    for ask in (lambda: shop.facet("status"), shop.propose):
        with pytest.raises(catalog.CatalogError, match="no longer there"):
            ask()
        shop.connection.rollback()


def test_clicks_add_values_of_one_column_and_undo_themselves() -> None:
    field = relations.Field(relations.Column("s", "text", "text", True, None, None), "text", True, False, False)
    a, b, null = (facets.entry(field, text, 1) for text in ("a", "b", None))
    other = Condition("n", "ge", ("3",))
    where = Group((other,))
    steps: list[tuple[facets.Entry, Condition | Group]] = [
        (a, Condition("s", "eq", ("a",))),
        (b, Condition("s", "in", ("a", "b"))),
        (null, Group((Condition("s", "in", ("a", "b")), Condition("s", "null")), any=True)),
        (a, Group((Condition("s", "eq", ("b",)), Condition("s", "null")), any=True)),
        (b, Condition("s", "null")),
    ]
    for entry, expected in steps:
        where = facet_clicks.toggled(where, "s", entry)
        assert where == Group((other, expected))
        assert conditions.unpack(conditions.pack(where)) == where
        assert facet_clicks.apart(where, "s") == Group((other,))
        assert facet_clicks.chosen(where, "n") == ()
    assert [facet_clicks.is_chosen(where, "s", entry) for entry in (a, b, null)] == [False, False, True]
    assert facet_clicks.toggled(where, "s", null) == Group((other,))
    # Filters of which one is enough stay together.
    either = Group((other, Condition("s", "eq", ("a",))), any=True)
    assert facet_clicks.toggled(either, "s", b) == Group((either, Condition("s", "eq", ("b",))))
    assert not facet_clicks.is_chosen(either, "s", a)
    assert facet_clicks.apart(either, "s") == either
    long = facets.entry(field, "x" * 300, 1)
    assert facet_clicks.toggled(where, "s", long) == where


def test_bins_narrow_and_take_the_place_of_wider_ones(table: Callable[[str], Table]) -> None:
    shop = table("shop")
    for column in ("weight", "stars", "at", "day", "local", "thin"):
        bins = [entry for entry in shop.facet(column).entries if entry.text is not None]
        first, last = bins[1], bins[-2]
        made = facet_clicks.spanned(first, last)
        where = facet_clicks.narrowed(Group(), made)
        middle = bins[1:-1]
        assert shop.count(*where.parts) == sum(entry.count for entry in middle)
        inner = facet_clicks.toggled(where, column, middle[len(middle) // 2])
        assert inner == Group(middle[len(middle) // 2].conditions)
        assert facet_clicks.is_chosen(inner, column, middle[len(middle) // 2])
        assert facet_clicks.toggled(inner, column, middle[len(middle) // 2]) == Group()
    narrow = Group((Condition("weight", "between", ("13", "14")), Condition("stars", "ge", ("1",))))
    wide = facet_clicks.narrowed(narrow, (Condition("weight", "ge", ("10",)), Condition("weight", "lt", ("20",))))
    assert wide.parts[:2] == narrow.parts  # what somebody has narrowed further stays
