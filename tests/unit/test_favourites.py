"""What favourites promise: each person's own, in each database, of any name, as long as nobody removes them."""

from __future__ import annotations

import pytest

from undertone import database, favourites

NAMES = ['a "quoted" name', "100% %s", "отзывы", "x" * 63, "new\nline", "dots.and/slashes", "O'Brien; --"]


def test_everybody_has_their_own_in_each_database(store_pool: database.Database) -> None:
    one, other = favourites.Favourite("public", "reviews"), favourites.Favourite("app", "Reviews")
    with store_pool.lend() as connection:
        favourites.add(connection, "ada", "embedded", one)
        favourites.add(connection, "ada", "embedded", other)
        favourites.add(connection, "ada", "embedded", one)  # twice is once
        favourites.add(connection, "ada", "db:5432/shop", other)
        favourites.add(connection, "bob", "embedded", other)
    with store_pool.lend() as connection:
        assert favourites.read(connection, "ada", "embedded") == [one, other]
        assert [favourite.label for favourite in favourites.read(connection, "ada", "embedded")] == [
            "reviews",
            'app."Reviews"',
        ]
        assert favourites.read(connection, "ada", "db:5432/shop") == [other]
        favourites.remove(connection, "ada", "embedded", one)
        favourites.remove(connection, "ada", "embedded", one)
    with store_pool.lend() as connection:
        assert favourites.read(connection, "ada", "embedded") == [other]
        assert favourites.read(connection, "bob", "embedded") == [other]


def test_any_name_is_kept_as_it_is(store_pool: database.Database) -> None:
    given = [favourites.Favourite("Odd. Schema", name) for name in NAMES]
    with store_pool.lend() as connection:
        for favourite in given:
            favourites.add(connection, "ada 100%", "embedded", favourite)
        assert favourites.read(connection, "ada 100%", "embedded") == given
        for favourite in given:
            favourites.remove(connection, "ada 100%", "embedded", favourite)
        assert favourites.read(connection, "ada 100%", "embedded") == []


@pytest.mark.parametrize("name", ["nul\0", "half \ud83d"])
def test_what_is_no_name_is_refused(store_pool: database.Database, name: str) -> None:
    with store_pool.lend() as connection, pytest.raises(favourites.FavouriteError, match="cannot be the name"):
        favourites.add(connection, "ada", "embedded", favourites.Favourite("public", name))


def test_there_is_an_end_to_them(store_pool: database.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(favourites, "MOST", 2)
    given = [favourites.Favourite("public", name) for name in "abc"]
    with store_pool.lend() as connection:
        favourites.add(connection, "ada", "embedded", given[0])
        favourites.add(connection, "ada", "embedded", given[1])
        favourites.add(connection, "ada", "embedded", given[1])
        with pytest.raises(favourites.FavouriteError, match="2 favourites already"):
            favourites.add(connection, "ada", "embedded", given[2])
        favourites.add(connection, "bob", "embedded", given[2])
        assert favourites.read(connection, "ada", "embedded") == given[:2]
