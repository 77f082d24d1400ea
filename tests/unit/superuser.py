"""Statements as the superuser, for what an owner of tables may not make: foreign data wrappers, roles."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import psycopg2
import sqlalchemy

from undertone import database, embedded

Place = Callable[[str], sqlalchemy.URL]


def connect(place: Place) -> database.Connection:
    """A connection to the test's database, which commits each statement."""
    address = place(embedded.SUPERUSER)
    connection: database.Connection = psycopg2.connect(
        host=address.host, port=address.port, user=address.username, dbname=address.database
    )
    connection.autocommit = True
    return connection


def execute(place: Place, statements: str) -> None:
    """Run statements and commit."""
    with contextlib.closing(connect(place)) as connection, connection.cursor() as cursor:
        cursor.execute(statements)
