"""What a site holds before a backup is restored into it, and who uses it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from astrid_site.backup import state
from astrid_site.backup.copying import walk
from astrid_site.backup.manifest import BackupRefused
from catalog.files import remote, storage

# Tables that the first start fills by itself: rows in them are nobody's work.
OF_FIRST_START = frozenset(
    {
        "auth_group", "auth_group_permissions", "auth_permission", "catalog_probe", "curation_labeldefinition",
        "django_content_type", "django_migrations", "django_session",
    }
)  # fmt: skip
_OTHERS = """
SELECT pid, application_name FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
# Workers do not keep their connections: they are looked for this often, and this long.
_LOOKS, _BETWEEN_SECONDS = 5, 0.5
_MOST_TOLD = 8


@dataclass(frozen=True)
class Contents:
    """What there is: whether there are tables at all, which of them hold somebody's rows, and how many files."""

    has_tables: bool
    filled: tuple[str, ...]
    files: int

    @property
    def words(self) -> str:
        """Say what is there, "" for an empty site."""
        counted = sorted(((_count(name), name) for name in self.filled), reverse=True)
        rows = ", ".join(f"{count} {_in_words(name)}" for count, name in counted[:_MOST_TOLD])
        more = f" and {len(self.filled) - _MOST_TOLD} more tables" if len(self.filled) > _MOST_TOLD else ""
        files = f"{self.files} files" if self.files else ""
        return "; ".join(part for part in (rows + more, files) if part)


def contents(*, with_files: bool) -> Contents:
    """Look at the site's database, and at its files if they matter."""
    names = state.tables()
    filled = tuple(name for name in names if name not in OF_FIRST_START and _has_rows(name))
    return Contents(bool(names), filled, sum(1 for _ in _site_files()) if with_files else 0)


def _site_files() -> Iterator[str]:
    return remote.names() if remote.is_configured() else walk(storage.data_root())


def _has_rows(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT EXISTS (SELECT 1 FROM {})").format(sql.Identifier(table)))
        return bool(cursor.fetchone()[0])


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
        return int(cursor.fetchone()[0])


def _in_words(table: str) -> str:
    known = {model._meta.db_table: str(model._meta.verbose_name_plural) for model in apps.get_models()}
    return known.get(table, f"rows in {table}")


def check_nobody_uses_it() -> None:
    """Raise BackupRefused where processes of the site run, or anybody else is connected to its database."""
    if names := _supervised():
        raise BackupRefused(f"The site is running ({names}): stop it, and try again.")
    for look in range(_LOOKS):
        if look:
            time.sleep(_BETWEEN_SECONDS)
        with connection.cursor() as cursor:
            cursor.execute(_OTHERS)
            others = cursor.fetchall()
        if others:
            told = ", ".join(f"process {pid} {name}".strip() for pid, name in others[:_MOST_TOLD])
            raise BackupRefused(f"The database is in use ({told}): stop the site's services, and try again.")


def _supervised() -> str:
    try:
        record = json.loads(storage.resolve("run/supervisor.json").read_text())
        pids = [int(child["pid"]) for child in record["children"]]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return ""
    return ", ".join(f"process {pid}" for pid in pids if psutil.pid_exists(pid))


def known_migrations() -> set[str]:
    """Return the migrations of this version of the program, as "app.name"."""
    return {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
