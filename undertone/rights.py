"""What a database account may do, by the server's own account: the lock behind everything that asks through it."""

from __future__ import annotations

from dataclasses import dataclass

from undertone import database, gate, queries, units

SQL = queries.load("doctor")
# A member of these can do what they can, whatever else it lacks. Those that only look at statistics are left out.
POWERFUL = {
    "pg_write_all_data": "may write to every table",
    "pg_read_all_data": "may read every table",
    "pg_write_server_files": "may write files of the server",
    "pg_read_server_files": "may read files of the server",
    "pg_execute_server_program": "may run programs on the server",
    "pg_signal_backend": "may end other people's sessions",
    "pg_read_all_settings": "may read every setting",
    "pg_read_all_stats": "may read what other people are asking",
    "pg_monitor": "may read what other people are asking",
    "pg_maintain": "may lock and rebuild every table",
    "pg_checkpoint": "may make the server write everything to disk",
    "pg_create_subscription": "may fetch rows from other servers",
    "pg_database_owner": "owns this database",
}
ADVICE = "use an account that only reads (sql/reader_role.sql)"
NAMES_SHOWN = 5
LOOKS = ("pg_prepared_xact", "pg_blocking_pids", "pg_safe_snapshot_blocking_pids", "pg_notification_queue_usage")


@dataclass(frozen=True)
class Rights:
    """An account of a database, and what it may do there.

    `powers`: of createdb, createrole, replication, bypassrls. `roles`: those it belongs to. `writable` names up to ten
    of the `writable_count` relations, sequences among them, that it may change. `schemas`: where it may create things,
    up to ten. `functions`: those that may do more than answer and that it may call.
    """

    account: str
    database: str
    superuser: bool
    powers: tuple[str, ...]
    roles: tuple[str, ...]
    owned: int
    writable: tuple[str, ...]
    writable_count: int
    schemas: tuple[str, ...]
    creates_schemas: bool
    temporary: bool
    functions: tuple[str, ...]
    readable: int

    def dangers(self) -> list[str]:
        """What it may do beyond reading, each as the end of a sentence that starts with its name; best none."""
        if self.superuser:
            return ["is a superuser: no right holds it"]
        found = [f"has {', '.join(self.powers)}"] if self.powers else []
        found += [f"is in {role}: {POWERFUL[role]}" for role in self.roles if role in POWERFUL]
        if others := [role for role in self.roles if role not in POWERFUL and not role.startswith("pg_")]:
            found.append(f"can become {_named(others, len(others))}")
        if self.owned:
            found.append(f"owns {self.owned:,} tables, views and sequences")
        if self.writable:
            found.append(f"may change {_named(self.writable, self.writable_count)}")
        if self.schemas:
            found.append(f"may create in {_named(self.schemas, len(self.schemas))}")
        if self.creates_schemas:
            found.append("may create schemas")
        return found

    def notes(self) -> list[str]:
        """What every account may do unless it is taken from all; Undertone's gate and its transactions hold it."""
        found = ["may make temporary tables"] if self.temporary else []
        if self.functions:
            number = units.count(len(self.functions), "function")
            found.append(f"may call {number} that may do more than answer, such as {self.functions[0]}")
        return found


def look(connection: database.Connection) -> Rights:
    """The rights of the account that `connection` has."""
    account, name, superuser, powers = SQL.account(connection)
    writable = SQL.writable(connection)
    creates_schemas, temporary = SQL.in_database(connection)
    functions = [name for (name,) in SQL.callable(connection)]
    return Rights(
        account=account,
        database=name,
        superuser=superuser,
        powers=tuple(powers),
        # A superuser counts as a member of all.
        roles=() if superuser else tuple(role for (role,) in SQL.member_of(connection)),
        owned=SQL.owned(connection),
        writable=tuple(name for name, _ in writable),
        writable_count=writable[0][1] if writable else 0,
        schemas=tuple(schema for (schema,) in SQL.creatable(connection)),
        creates_schemas=creates_schemas,
        temporary=temporary,
        functions=tuple(name for name in functions if not gate.HARMLESS.fullmatch(name) and name not in LOOKS),
        readable=SQL.readable(connection),
    )


def warnings(pool: database.Database) -> list[str]:
    """What a person must know before they let others ask under this account, in sentences; best none.

    Raises DatabaseError.
    """
    found = pool.ask(look)
    if found.superuser:
        return [
            f"{found.account} is a superuser: no right of the server's holds what is asked here, only Undertone itself;"
            f" {ADVICE}."
        ]
    if dangers := found.dangers():
        return [f"{found.account} can do more than read: it {'; it '.join(dangers)}. {ADVICE[0].upper()}{ADVICE[1:]}."]
    return []


def _named(names: tuple[str, ...] | list[str], count: int) -> str:
    shown = ", ".join(names[:NAMES_SHOWN])
    return f"{shown} and {count - NAMES_SHOWN:,} more" if count > NAMES_SHOWN else shown
