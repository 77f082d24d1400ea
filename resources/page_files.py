"""Rows to take along: a page of them as a file, with all of their values, and all of them as a statement."""

from __future__ import annotations

import dataclasses
import functools
import io
from collections.abc import Callable

import streamlit as st

from resources import browsing, database
from undertone import catalog, console, export, looks, reading, row_statement
from undertone import database as pools


@dataclasses.dataclass(frozen=True)
class Asked:
    """What is asked for a page of rows. Equal ones have the same answer, for a while."""

    relation: catalog.Relation
    look: looks.Look
    zone: str | None
    size: int


@dataclasses.dataclass(frozen=True)
class Shown:
    """What was asked, and what came."""

    asked: Asked
    page: catalog.Page


@st.cache_data(ttl=browsing.SECONDS, max_entries=200, show_spinner=False)
def get_statement(relation: catalog.Relation, look: looks.Look, zone: str | None) -> str:
    """All rows of a look as a statement for people. Raises CatalogError, and what else is wrong with a look."""
    search = browsing.get_search(relation) if look.search.strip() else None
    fields = browsing.get_about(relation).fields
    return database.get_database().ask(row_statement.statement, relation, fields, look, search, zone=zone)


def writing(shown: Shown, format: str) -> Callable[[], bytes]:
    """What writes the file; it needs no session to be called, and raises what reading and writing raise."""
    opened = database.get_services()
    return functools.partial(_write, opened.data, shown, format, opened.settings.neutralise_formulas)


def _write(pool: pools.Database, shown: Shown, format: str, neutralise: bool) -> bytes:
    rows = pool.ask(_whole, shown)
    columns = [console.Column(column.name, column.type) for column in shown.page.columns]
    file = io.BytesIO()
    export.dump(export.Batches(columns, [rows] if rows else []), format, file, neutralise=neutralise)
    return file.getvalue()


def _whole(connection: pools.Connection, shown: Shown) -> list[reading.Row]:
    """The rows with all of their values: found by their keys, or where there are none, in the same place again."""
    asked, page = shown.asked, shown.page
    if page.keys is not None:
        found = reading.rows_by_key(connection, asked.relation, [column.name for column in page.columns], page.keys)
        return [found[key] for key in page.keys if key in found]
    seconds = database.get_settings().query_seconds
    again = browsing.read_page(connection, asked.relation, asked.look, asked.zone, asked.size, seconds, cut=None)
    return again.rows
