"""PostgreSQL's own programs, found and run: no password ever stands on a command line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connection

from astrid_site.backup.manifest import BackupRefused
from astrid_site.running import postgres

# What libpq reads of its surroundings, by the names that Django has for it.
_VARIABLES = {
    "host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE",
    "options": "PGOPTIONS", "service": "PGSERVICE", "passfile": "PGPASSFILE", "sslmode": "PGSSLMODE",
    "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY", "sslrootcert": "PGSSLROOTCERT",
}  # fmt: skip
_CHUNK_BYTES = 2**20
# Of what a program complains about, its last words.
_MOST_WORDS = 2000


@dataclass(frozen=True)
class Programs:
    """pg_dump, pg_restore and psql of one version; `folder` is where they lie."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


def server_major() -> int:
    """Return the server's major version: 16."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0]) // 10000


def programs(at_least: int) -> Programs:
    """Return programs that understand a server, or a dump, of this major version.

    Those on the PATH come first, for the embedded server those that came with it. Raises BackupRefused where all are
    too old.
    """
    found = [one for one in (_at(folder) for folder in _folders()) if one is not None]
    fitting = next((one for one in found if one.major >= at_least), None)
    if fitting is None:
        known = ", ".join(f"{one.version} in {one.folder}" for one in found) or "none"
        raise BackupRefused(
            f"pg_dump, pg_restore and psql of PostgreSQL {at_least} or newer are needed, and found were: {known}. "
            f"Install them (on Debian: apt install postgresql-client-{at_least}) and put them on the PATH."
        )
    return fitting


def _folders() -> Iterator[Path]:
    on_path = shutil.which("pg_dump")
    if on_path is not None and not settings.EMBEDDED_POSTGRES:
        yield Path(on_path).parent
    came_with_us = postgres.installed_programs()
    if came_with_us is not None:
        yield came_with_us


def _at(folder: Path) -> Programs | None:
    """Return the programs of a folder; None where one of them is missing or says no version."""
    if not all((folder / name).is_file() for name in ("pg_dump", "pg_restore", "psql")):
        return None
    told = subprocess.run([str(folder / "pg_dump"), "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"\d+(\.\d+)*", told)
    return None if version is None else Programs(folder, version[0])


def run(command: list[str], watch: Callable[[str], None] | None = None) -> None:
    """Run a program on the configured database; what it tells on the way, line by line, goes to `watch`."""
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=_variables()
    ) as it:
        told: list[str] = []
        for line in it.stderr or ():
            told = [*told, line][-20:]
            if watch is not None:
                watch(line.strip())
    if it.returncode:
        raise BackupRefused(f"{Path(command[0]).name} failed: {''.join(told)[-_MOST_WORDS:].strip()}")


def dumped_sql(found: Programs, dump: Path) -> Iterator[bytes]:
    """Yield the statements that a dump holds, part by part. Raises BackupRefused where it cannot be read to its end."""
    command = [
        str(found.folder / "pg_restore"),
        "--no-owner",
        "--no-privileges",
        "--schema=public",
        "-f",
        "-",
        str(dump),
    ]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=_variables()) as reading,
    ):
        try:
            while reading.stdout and (part := reading.stdout.read(_CHUNK_BYTES)):
                yield part
            status = reading.wait()
        finally:
            reading.kill()
        if status:
            raise BackupRefused(f"The dump cannot be read to its end: {_words(errors)}")


@contextmanager
def statements(found: Programs) -> Iterator[Callable[[bytes], object]]:
    """Give what takes statements for one transaction of the configured database; an exception rolls it back.

    A process that dies before the end sends no COMMIT: nothing has happened then.
    """
    command = [str(found.folder / "psql"), "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", "-"]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors, env=_variables()
        ) as taking,
    ):
        try:
            if taking.stdin is None:
                raise BackupRefused("psql takes no statements.")
            taking.stdin.write(b"BEGIN;\n")
            yield taking.stdin.write
            taking.stdin.write(b"COMMIT;\n")
            taking.stdin.close()
            status = taking.wait()
        except BrokenPipeError as error:
            taking.wait()
            raise BackupRefused(f"The database refused: {_words(errors)}") from error
        finally:
            taking.kill()
        if status:
            raise BackupRefused(f"The database refused: {_words(errors)}")


def _words(errors: IO[bytes]) -> str:
    errors.seek(0)
    return errors.read().decode(errors="replace")[-_MOST_WORDS:].strip()


def _variables() -> dict[str, str]:
    """Return the surroundings of a program that is to reach the configured database."""
    given = connection.get_connection_params()
    ours = {_VARIABLES[name]: str(value) for name, value in given.items() if name in _VARIABLES and value}
    return {**os.environ, **ours, "LC_ALL": "C", "PGAPPNAME": "astrid backup"}
