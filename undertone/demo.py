"""The demo shop, Kettle & Pine: loaded once into a new embedded database, so that there is something to look at."""

from __future__ import annotations

import logging
import pathlib

from psycopg2 import sql

from undertone import database

DIRECTORY = pathlib.Path(__file__).parent.parent / "sql" / "demo"
# Parents before children, because of the foreign keys.
TABLES = ("products", "customers", "orders", "order_items", "reviews", "support_tickets", "survey_answers")
log = logging.getLogger(__name__)


def load_demo(owner: database.Database) -> bool:
    """Load the demo, in one transaction, unless it ever was loaded or one of its names is taken; whether it was now.

    A person may drop its tables: they do not come back.
    """
    with owner.lend() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7286551006)")
        cursor.execute("SELECT to_regclass('undertone.demo') IS NOT NULL")
        (was_loaded,) = cursor.fetchone()
        if was_loaded:
            return False
        cursor.execute("CREATE TABLE undertone.demo AS SELECT now() AS loaded_at")
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s)",
            (list(TABLES),),
        )
        (taken,) = cursor.fetchone()
        if taken:
            log.warning("the demo is left out: there are tables of its names already")
            connection.commit()
            return False
        cursor.execute("SET LOCAL search_path TO public")
        cursor.execute((DIRECTORY / "schema.sql").read_text())
        for table in TABLES:
            statement = sql.SQL("COPY {} FROM STDIN WITH (FORMAT csv, HEADER)").format(sql.Identifier(table))
            with (DIRECTORY / f"{table}.csv").open(encoding="utf-8", newline="") as file:
                cursor.copy_expert(statement, file)
            # Later ids go on where the demo ends, where the schema counts for itself.
            cursor.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))
        connection.commit()
        return True
