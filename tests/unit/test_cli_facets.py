"""The commands about columns: they say what the pages show, for people and for programs."""

from __future__ import annotations

import json
import pathlib

from tests.unit import command_line

TABLE = """
DROP TABLE IF EXISTS visits;
CREATE TABLE visits (id int PRIMARY KEY, "what %" text, at timestamptz, score numeric);
INSERT INTO visits SELECT n, (ARRAY['a', '', NULL, E'\\x1b[31m'])[n % 4 + 1],
    timestamptz '2026-01-01 00:00Z' + n * interval '6 h', n / 4.0 FROM generate_series(1, 200) AS n;
GRANT SELECT ON visits TO undertone_reader
"""


def test_facets_are_counted_for_people_and_programs(run: command_line.Run, home: pathlib.Path) -> None:
    command_line.as_owner(home, TABLE)
    shown = run("facets", "visits")
    assert (shown.code, shown.err) == (0, "")
    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    assert {"what % rows share", '"" 50 25.0%', "(null) 50 25.0%", "�[31m 50 25.0%"} <= set(lines)
    (found,) = run("facets", "visits", "at", "--zone", "Asia/Tokyo", "--where", "id le 30", "--json").json
    assert (found["kind"], found["unit"], found["rows"], found["sample"]) == ("times", "day", 30, None)
    assert found["entries"][0] == {
        "value": "2026-01-01",
        "rows": 2,
        "where": [["at", "between", "2026-01-01 00:00:00+09:00", "2026-01-01 23:59:59.999999+09:00"]],
    }
    where = json.dumps(found["entries"][0]["where"])
    assert run("rows", "visits", "--where", where, "--count").out.strip() == "2"
    assert "has no column" in run("facets", "visits", "wat").line
    assert "is no value of integer" in run("facets", "visits", "--where", "id eq x").line
    assert run("facets").code == 2


def test_profiles_are_told_from_statistics_and_exactly(run: command_line.Run, home: pathlib.Path) -> None:
    command_line.as_owner(home, TABLE)
    assert "the server has no statistics of this" in run("profile", "visits").out
    (exact,) = run("profile", "visits", "score", "--exact", "--where", "id gt 100", "--json").json
    assert (exact["exact"], exact["rows"], exact["no_value"], exact["distinct"]) == (True, 100, 0, 100)
    assert (float(exact["lowest"]), float(exact["highest"]), exact["mean"]) == (25.25, 50, 37.625)
    command_line.as_owner(home, "ANALYZE visits")
    known = run("profile", "visits", "--json").json
    assert [one["column"] for one in known] == ["id", "what %", "at", "score"]
    assert [(one["exact"], one["no_value"]) for one in known] == [(False, 0), (False, 0.25), (False, 0), (False, 0)]
    assert known[1]["common"][0]["share"] == 0.25
    lines = [" ".join(line.split()) for line in run("profile", "visits", "score").out.splitlines()]
    assert lines[2].startswith("score numeric 0.0% 200 0.25")
    assert run("profile", "visits", "--where", "id gt 1").code == 2
    assert "no column" in run("profile", "visits", "wat").line
