"""The command that shows one row: all of it, what refers to what, and one clear line where there is none."""

from __future__ import annotations

import json
import pathlib

from tests.unit import command_line
from undertone import cli_row, looks, references, relations

TABLE = """
DROP TABLE IF EXISTS notes, "odd. 50%";
CREATE TABLE "odd. 50%" ("a""b" text, nr int, big numeric, nothing text, empty text, PRIMARY KEY ("a""b", nr));
INSERT INTO "odd. 50%" VALUES (E'x\\ny', -1, 12345678901234567890.10, NULL, E'\\x1b[31m'), ('z', 2, NULL, NULL, '');
CREATE TABLE notes (id int PRIMARY KEY, who text, nr int, FOREIGN KEY (who, nr) REFERENCES "odd. 50%");
INSERT INTO notes VALUES (1, E'x\\ny', -1), (2, E'x\\ny', -1), (3, NULL, NULL);
GRANT SELECT ON notes, "odd. 50%" TO undertone_reader
"""


def test_a_row_is_shown_in_full_and_as_json_to_the_digit(run: command_line.Run, home: pathlib.Path) -> None:
    command_line.as_owner(home, TABLE)
    shown = run("row", '"odd. 50%"', "--references", "--scores", "--", "x\ny", "-1")
    assert (shown.code, shown.err) == (0, "")
    lines = [line.rstrip() for line in shown.out.splitlines()]
    assert lines[:6] == [
        'a"b      x',
        "         y",
        "nr       -1",
        "big      12345678901234567890.10",
        "nothing  (null)",
        "empty    \x1b[31m",
    ]
    assert "notes who, nr 2" in [" ".join(line.split()) for line in lines]
    written = run("row", "odd. 50%", "--references", "--scores", "--json", "--", "x\ny", "-1")
    assert '"big":12345678901234567890.10' in written.out
    found = written.json
    assert (found["table"], found["key"]) == ('"odd. 50%"', {'a"b': "x\ny", "nr": "-1"})
    assert found["referred_to_by"] == [{"columns": ["who", "nr"], "table": "notes", "rows": 2, "more": False}]
    assert (found["refers_to"], found["scores"]) == ([], [])
    (there,) = run("row", "notes", "1", "--references", "--json").json["refers_to"]
    assert there == {"columns": ["who", "nr"], "table": '"odd. 50%"', "key": ["x\ny", "-1"], "words": "\x1b[31m"}
    assert set(json.loads(run("row", "notes", "3", "--json").out)) == {"table", "key", "row"}


def test_what_is_not_there_is_one_clear_line(run: command_line.Run, home: pathlib.Path) -> None:
    command_line.as_owner(home, TABLE)
    assert "There is no row of notes with this key any more" in run("row", "notes", "4").line
    assert "This link names no row of notes" in run("row", "notes", "x").line
    assert "its key has 1 column" in run("row", "notes", "1", "2").line
    assert "There is no table or view" in run("row", "nowhere", "1").line
    assert run("row", "notes").code == 2


def test_a_count_says_what_it_is() -> None:
    relation = relations.Relation("public", "t", "table", None, None, None)
    said = {(None, False): "not counted in time", (10_000, True): "more than 10,000", (7, False): "7"}
    for (count, more), words in said.items():
        one = references.Pointing(("a",), relation, looks.Look("t"), count, more)
        assert cli_row.counted(one) == words
