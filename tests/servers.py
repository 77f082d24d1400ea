"""A real PostgreSQL for the tests, from the packaged binaries, also as root."""

from __future__ import annotations

import os
import pathlib
import subprocess
from typing import Any

import testing.postgresql

from tests import ground, running
from undertone import privileges

# -N: no fsync while initialising, 0.7 s against 4 s. The locale is the embedded server's.
INITDB = "-U postgres -A trust -N -E UTF8 --no-locale --locale-provider=builtin --builtin-locale=C.UTF-8"


class Postgresql(testing.postgresql.Postgresql):  # type: ignore[misc]
    """testing.postgresql's server, run as an account that PostgreSQL accepts, never the machine's own binaries."""

    def __init__(self, **settings: Any) -> None:
        self._account = privileges.account_for("nobody")
        self._home = ground.new("test")
        binaries = privileges.reachable_binaries(self._account, self._home)
        base = self._home / "server"
        base.mkdir(mode=0o755)
        super().__init__(
            base_dir=str(base),
            initdb=str(binaries / "initdb"),
            postgres=str(binaries / "postgres"),
            initdb_args=INITDB,
            port=running.free_port(),
            # Little log is kept, since it may lie in memory; and nothing is kept against a loss of power.
            postgres_args="-h 127.0.0.1 -F -c logging_collector=off -c max_connections=200 -c max_wal_size=128MB"
            " -c full_page_writes=off",
            **settings,
        )

    def initialize_database(self) -> None:
        for place in (self.base_dir, f"{self.base_dir}/data", f"{self.base_dir}/tmp"):
            self._account.own(pathlib.Path(place))
        command = [self.initdb, "-D", f"{self.base_dir}/data", "--lc-messages=C", *INITDB.split()]
        subprocess.run(command, check=True, capture_output=True, **self._account.popen)

    def get_server_commandline(self) -> list[str]:
        command: list[str] = super().get_server_commandline()
        if os.geteuid() == 0:
            # setpriv is part of util-linux, as is su; the library gives no way to pass `user=` to Popen.
            account = self._account
            command = ["setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups", *command]
        return command

    def cleanup(self) -> None:
        super().cleanup()
        subprocess.run(["rm", "-rf", str(self._home)], check=False)
