"""What a database holds at one moment: rows and a hash of each table, migrations, ends of audit chain and feed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from astrid_site.backup.manifest import Feed, State, Table
from astrid_site.backup.progress import Progress
from catalog.chain.content import BEGINNING

_TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname
"""
# A sum is that of the rows in any order; fifteen hexadecimal digits of each row's hash fit into a bigint.
_TABLE = "SELECT count(*), coalesce(sum(('x' || left(md5(line::text), 15))::bit(60)::bigint), 0)::text FROM {} line"
# As rows are written as text, so that another server's settings change no hash.
_AS_TEXT = (
    "SET LOCAL timezone = 'UTC'", "SET LOCAL datestyle = 'ISO'", "SET LOCAL intervalstyle = 'postgres'",
    "SET LOCAL extra_float_digits = 1", "SET LOCAL bytea_output = 'hex'",
)  # fmt: skip
_MIGRATIONS = "SELECT app || '.' || name FROM django_migrations ORDER BY app, name"
_HEAD = "SELECT position, hash FROM catalog_auditseal ORDER BY position DESC LIMIT 1"
_FEED = """
SELECT first.id::text, last.id::text, last.sequence
FROM (SELECT * FROM curation_alertpublication ORDER BY sequence LIMIT 1) first,
    (SELECT * FROM curation_alertpublication ORDER BY sequence DESC LIMIT 1) last
"""
# Every column that holds the place of a file; what a model looked at is a subtraction's, and told of there.
_PATHS = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = 'public' AND column_name LIKE '%\\_path' AND data_type = 'character varying'
AND column_name <> 'input_image_path'
ORDER BY table_name, column_name
"""
# What retention removed is not missed.
_NOT_REMOVED = "AND NOT EXISTS (SELECT 1 FROM catalog_removedfile gone WHERE gone.entity_id = line.id)"
_AT_ONCE = 10_000


@contextmanager
def snapshot() -> Iterator[str]:
    """Read, during the block, the database as it is at its beginning; give the key by which pg_dump reads the same."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            key = str(cursor.fetchone()[0])
        yield key


def state(progress: Progress) -> State:
    """Return what the database holds; call it in a transaction."""
    made_at = timezone.now().isoformat(timespec="seconds")
    counted = dict(_counted(progress))
    with connection.cursor() as cursor:
        cursor.execute(_MIGRATIONS)
        migrations = tuple(str(row[0]) for row in cursor.fetchall())
        cursor.execute(_HEAD)
        position, digest = cursor.fetchone() or (0, BEGINNING)
        cursor.execute(_FEED)
        feed = cursor.fetchone()
    return State(made_at, migrations, counted, position, digest, None if feed is None else Feed(*feed))


def tables() -> list[str]:
    """Return the names of all tables."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        return [str(row[0]) for row in cursor.fetchall()]


def _counted(progress: Progress) -> Iterator[tuple[str, Table]]:
    for name in tables():
        progress(f"Counting the rows of {name}")
        with connection.cursor() as cursor:
            for setting in _AS_TEXT:
                cursor.execute(setting)
            cursor.execute(sql.SQL(_TABLE).format(sql.Identifier(name)))
            yield name, Table(*cursor.fetchone())


def named_files() -> Iterator[str]:
    """Yield the places of files that rows name, relative to the data root; call it in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_PATHS)
        columns = cursor.fetchall()
        cursor.execute("SELECT to_regclass('public.catalog_removedfile') IS NOT NULL")
        # The table of an earlier version of the program is not there yet.
        kept = sql.SQL(_NOT_REMOVED if cursor.fetchone()[0] else "")
    for table, column in columns:
        statement = sql.SQL("SELECT line.{column} FROM {table} line WHERE line.{column} <> '' {kept}").format(
            column=sql.Identifier(column), table=sql.Identifier(table), kept=kept
        )
        with connection.chunked_cursor() as cursor:
            cursor.execute(statement)
            while rows := cursor.fetchmany(_AT_ONCE):
                yield from (str(row[0]) for row in rows)
