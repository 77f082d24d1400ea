"""What saved queries promise: nobody's is overwritten unasked, nothing of one is ever lost."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from typing import Any

import pytest

from undertone import database, library, parameters

Execute = Callable[..., list[tuple[object, ...]]]


def query(name: str = "Mine", **more: Any) -> library.Saved:
    options: dict[str, Any] = {
        "id": None,
        "name": name,
        "description": "What it tells",
        "tags": ("one", "two"),
        "statement": "SELECT :x",
        "parameters": {"x": parameters.Value("text", "é 👍 %s"), "y": parameters.Value("integer", None)},
        "chart": {"kind": "bar", "x": "a", "y": ["b"], "color": None},
        "target": "scores",
        "version": 1,
        "who": "ann",
        "at": None,
    }
    return library.Saved(**(options | more))


def save(pool: database.Database, one: library.Saved, **more: Any) -> library.Saved:
    with pool.lend() as connection:
        return library.save(connection, one, **more)


def remove(pool: database.Database, id: int, **more: Any) -> None:
    with pool.lend() as connection:
        library.remove(connection, id, **more)


def again(pool: database.Database, seen: library.Saved, **changes: Any) -> library.Saved:
    """A new version of the one that was seen."""
    return save(pool, dataclasses.replace(seen, **changes), replace=seen.id)


def names(found: list[library.Saved]) -> list[str]:
    return [one.name for one in found]


def test_what_is_saved_comes_back_as_it_was(store_pool: database.Database) -> None:
    kept = save(store_pool, query())
    assert kept == dataclasses.replace(query(), id=kept.id, at=kept.at)
    assert kept.at is not None
    assert store_pool.ask(library.saved) == [kept]
    assert store_pool.ask(library.find, "mine") == kept
    assert store_pool.ask(library.versions, kept.id) == [kept]
    plain = save(store_pool, query("Plain", chart=None, parameters={}, tags=(), description="", target="data"))
    assert store_pool.ask(library.find, "Plain") == plain


def test_a_new_version_leaves_the_old_one(store_pool: database.Database) -> None:
    first = save(store_pool, query())
    second = again(store_pool, first, name="Renamed", statement="SELECT 2", who="bob")
    assert (second.id, second.version, second.who) == (first.id, 2, "bob")
    assert store_pool.ask(library.saved) == [second]
    assert store_pool.ask(library.versions, first.id) == [second, first]
    with pytest.raises(library.LibraryError, match="There is no saved query called 'Mine'"):
        store_pool.ask(library.find, "Mine")
    save(store_pool, query("Mine"))  # the name is free again


@pytest.mark.parametrize("taken", ["Mine", "MINE", "  mine ", "mi\u200dne", "Ｍine", "Mine\ufe0f"])
def test_a_name_that_is_taken_is_not_given_again(store_pool: database.Database, taken: str) -> None:
    first = save(store_pool, query("Mine"))
    other = save(store_pool, query("Other"))
    with pytest.raises(library.LibraryError, match=r"is a saved query called .* already; choose another name"):
        save(store_pool, query(taken, statement="SELECT 'stolen'"))
    with pytest.raises(library.LibraryError, match="already"):
        again(store_pool, other, name=taken)
    assert store_pool.ask(library.saved) == [first, other]
    assert len(store_pool.ask(library.versions, other.id)) == 1


def test_the_name_of_one_that_ships_is_taken(store_pool: database.Database) -> None:
    with pytest.raises(library.LibraryError, match="'table SIZES' is the name of a query that ships"):
        save(store_pool, query("table SIZES"))
    assert store_pool.ask(library.find, "table sizes").id is None


def test_of_two_who_changed_one_version_the_second_is_told(store_pool: database.Database) -> None:
    seen = save(store_pool, query())
    mine = again(store_pool, seen, statement="SELECT 'mine'", who="bob")
    with pytest.raises(
        library.LibraryError, match="bob has saved version 2 of it meanwhile, and you have changed version 1"
    ):
        again(store_pool, seen, statement="SELECT 'yours'")
    assert store_pool.ask(library.versions, seen.id) == [mine, seen]
    assert again(store_pool, mine, statement="SELECT 'yours'").version == 3


def test_of_many_at_once_one_saves(store_pool: database.Database) -> None:
    seen = save(store_pool, query())
    together = threading.Barrier(6)
    outcomes: list[str] = []

    def act(what: Callable[[], object]) -> None:
        together.wait()
        try:
            what()
            outcomes.append("saved")
        except library.LibraryError:
            outcomes.append("told")

    for actions in (
        [lambda n=n: again(store_pool, seen, statement=f"SELECT {n}") for n in range(6)],
        [lambda n=n: save(store_pool, query("new", statement=f"SELECT {n}")) for n in range(6)],
    ):
        outcomes.clear()
        threads = [threading.Thread(target=act, args=(action,)) for action in actions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["saved", *["told"] * 5]
    assert [one.version for one in store_pool.ask(library.versions, seen.id)] == [2, 1]


def test_removing_keeps_all_versions_and_saving_brings_it_back(store_pool: database.Database) -> None:
    seen = save(store_pool, query())
    remove(store_pool, seen.id or 0, version=1, who="bob")
    assert store_pool.ask(library.saved) == []
    last, first = store_pool.ask(library.versions, seen.id)
    assert first == seen
    assert last == dataclasses.replace(seen, version=2, who="bob", at=last.at, removed=True)
    assert store_pool.ask(library.removed) == [last]
    with pytest.raises(library.LibraryError, match="bob has removed it meanwhile"):
        again(store_pool, seen)
    with pytest.raises(library.LibraryError, match="removed already"):
        remove(store_pool, seen.id or 0)
    back = again(store_pool, last, who="ann")
    assert (back.version, back.removed) == (3, False)
    assert store_pool.ask(library.saved) == [back]
    assert store_pool.ask(library.removed) == []


def test_a_removed_name_is_free_and_then_the_removed_one_needs_another(store_pool: database.Database) -> None:
    old = save(store_pool, query())
    remove(store_pool, old.id or 0)
    new = save(store_pool, query(statement="SELECT 'new'"))
    (gone,) = store_pool.ask(library.removed)
    with pytest.raises(library.LibraryError, match="already"):
        again(store_pool, gone)
    assert names([again(store_pool, gone, name="Old")]) == ["Old"]
    assert store_pool.ask(library.find, "Mine") == new


def test_a_removed_query_is_restored_as_it_was_by_the_first_who_wants_it(store_pool: database.Database) -> None:
    seen = save(store_pool, query())
    remove(store_pool, seen.id or 0, who="bob")
    gone = store_pool.ask(library.find_removed, " MINE ")
    with pytest.raises(library.LibraryError, match="No query called 'Other' was removed"):
        store_pool.ask(library.find_removed, "Other")
    with store_pool.lend() as connection:
        back = library.restore(connection, gone, who="cat")
    assert back == dataclasses.replace(seen, version=3, who="cat", at=back.at)
    assert store_pool.ask(library.saved) == [back]
    assert store_pool.ask(library.removed) == []
    with (
        pytest.raises(library.LibraryError, match="cat has saved version 3 of it meanwhile"),
        store_pool.lend() as again,
    ):
        library.restore(again, gone, who="dan")
    assert store_pool.ask(library.saved) == [back]


def test_of_removed_queries_of_one_name_the_last_one_is_found(store_pool: database.Database) -> None:
    for word in ("first", "second"):
        kept = save(store_pool, query(statement=f"SELECT '{word}'"))
        remove(store_pool, kept.id or 0)
    assert store_pool.ask(library.find_removed, "Mine").statement == "SELECT 'second'"


def test_who_has_seen_an_old_version_does_not_remove_a_newer_one(store_pool: database.Database) -> None:
    seen = save(store_pool, query())
    newer = again(store_pool, seen)
    with pytest.raises(library.LibraryError, match="meanwhile"):
        remove(store_pool, seen.id or 0, version=1)
    assert store_pool.ask(library.saved) == [newer]
    remove(store_pool, seen.id or 0)
    assert store_pool.ask(library.saved) == []


def test_what_was_never_there(store_pool: database.Database) -> None:
    assert store_pool.ask(library.versions, 12345) == []
    with pytest.raises(library.LibraryError, match="not there any more; save it as a new one"):
        save(store_pool, query(), replace=12345)
    with pytest.raises(library.LibraryError, match="removed already"):
        remove(store_pool, 12345)
    for name in ("nowhere", "", "\0", "\ud800", "x" * 1000, "' OR true --"):
        with pytest.raises(library.LibraryError, match="There is no saved query"):
            store_pool.ask(library.find, name)


# --- finding


def test_searching(store_pool: database.Database) -> None:
    save(store_pool, query("Alpha", tags=("size",), description="100% sure", statement="SELECT a_b"))
    save(store_pool, query("beta", tags=("Text", "size"), description="", statement="SELECT 'ÄPFEL'"))
    for search, tag, found in (
        ("", None, ["Alpha", "beta"]),
        ("ALPHA", None, ["Alpha"]),
        ("100%", None, ["Alpha"]),
        ("%", None, ["Alpha"]),
        ("_", None, ["Alpha"]),
        ("äpfel", None, ["beta"]),
        ("text", None, ["beta"]),
        ("\\", None, []),
        ("", "size", ["Alpha", "beta"]),
        ("", "siz", []),
        ("beta", "size", ["beta"]),
        ("\0", None, []),
        ("", "\ud800", []),
    ):
        assert names(store_pool.ask(library.saved, search, tag)) == found, (search, tag)


def test_those_that_ship_are_searched_alike() -> None:
    shipped = library.shipped()
    assert names(library.matching(shipped, "tABLE siz", None)) == ["Table sizes"]
    assert set(names(library.matching(shipped, "", "scores"))) >= {"Labels by week", "Reviews with their scores"}
    assert library.matching(shipped, "no such words", None) == []


# --- what can be kept


@pytest.mark.parametrize(
    "name",
    [
        "'; DROP TABLE undertone.saved_queries; --",
        "%s %(x)s :x 100%",
        "<script>alert(1)</script> **bold** [a](javascript:b)",
        "名前 👩‍👩‍👧 می‌خواهم",
        "x" * library.NAME,
        "\\",
    ],
)
def test_odd_names_are_names(store_pool: database.Database, name: str) -> None:
    kept = save(store_pool, query(name, who=name, description=name, tags=(name[:50],)))
    assert kept.name == name
    assert store_pool.ask(library.find, name) == kept
    assert store_pool.ask(library.saved, name) == [kept]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "needs a name"),
        ({"name": " \t\n"}, "needs a name"),
        ({"name": "\u200d"}, "needs a name"),
        ({"name": "a\u202eb"}, "cannot be seen"),
        ({"name": "a\x07b"}, "cannot be seen"),
        ({"name": "a\0b"}, "cannot be kept"),
        ({"name": "a\ud800b"}, "cannot be kept"),
        ({"name": "x" * 201}, "The name is 201 characters long; at most 200"),
        ({"description": "x" * 5001}, "The description is 5,001 characters long"),
        ({"description": "\0"}, "The description has characters"),
        ({"tags": ("x" * 51,)}, "A tag is 51 characters long"),
        ({"tags": tuple(map(str, range(21)))}, "21 tags; at most 20"),
        ({"statement": " \n"}, "no statement"),
        ({"statement": "SELECT '\ud83d'"}, "The statement has characters"),
        ({"statement": "x" * 49_153}, "The statement is 49,153 characters long"),
        ({"statement": "é" * 40_000}, "longer than 49,152 bytes"),
        ({"target": "store"}, "one of data, scores"),
        ({"parameters": {"x": parameters.Value("array", "1")}}, "The parameter :x is of no kind"),
        ({"parameters": {"x": parameters.Value("text", "\0")}}, "The value of :x has characters"),
        ({"parameters": {str(n): parameters.Value("text", None) for n in range(201)}}, "201 parameters"),
        ({"chart": {"x": float("nan")}}, "The chart cannot be kept"),
        ({"chart": {"x": object()}}, "The chart cannot be kept"),
        ({"chart": {"x": "a\0b"}}, "The chart has characters"),
        ({"chart": {"x": "\ud800"}}, "The chart has characters"),
        ({"chart": {"x": "x" * 20_000}}, "The chart is"),
        ({"who": "\0"}, "Your name has characters"),
    ],
)
def test_what_cannot_be_kept_is_told_and_changes_nothing(
    store_pool: database.Database, execute: Execute, changes: dict[str, Any], said: str
) -> None:
    seen = save(store_pool, query("Before"))
    for replace in (None, seen.id):
        with pytest.raises(library.LibraryError, match=said):
            save(store_pool, query(**changes), replace=replace)
    assert store_pool.ask(library.saved) == [seen]
    assert execute("SELECT count(*) FROM undertone.saved_versions") == [(1,)]


def test_white_space_around_is_not_kept(store_pool: database.Database) -> None:
    kept = save(store_pool, query("  two \n words ", description=" said \n so ", tags=(" a  b ", "a b", "", " ")))
    assert (kept.name, kept.description, kept.tags) == ("two words", "said \n so", ("a b",))


def test_the_length_of_a_statement_is_a_setting(store_pool: database.Database) -> None:
    long = query("Long", statement="SELECT 1".ljust(100_000))
    assert save(store_pool, long, length=100_000).statement == long.statement
    with pytest.raises(library.LibraryError, match="at most 99,999"):
        save(store_pool, dataclasses.replace(long, name="Other"), length=99_999)
