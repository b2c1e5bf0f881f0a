"""The database for a command that runs alone: started if nothing runs, brought up to date, stopped if started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from astrid_site.running import postgres


@contextmanager
def usable(report: Callable[[str], None], *, is_owner: bool = False) -> Iterator[None]:
    """Make the database usable for the block.

    The embedded server is started if it is down, given the tables that it lacks, and stopped afterwards if it was
    started here, or if this command is its owner, which also ends what a killed one left running. A server named by
    DATABASE_URL is its administrator's: it must be there and up to date.
    """
    try:
        started = postgres.ensure_running()
    except postgres.ServerUnavailable as error:
        raise CommandError(str(error)) from error
    try:
        if lacks_migrations():
            if not settings.EMBEDDED_POSTGRES:
                raise CommandError("The database is not up to date: run manage.py migrate first.")
            report("Preparing the database")
            call_command("migrate", verbosity=0, interactive=False)
        yield
    finally:
        connection.close()
        if started or (is_owner and settings.EMBEDDED_POSTGRES):
            postgres.stop(only_if_unused=True)


@contextmanager
def reachable() -> Iterator[None]:
    """Make the database answer for the block, with whatever tables it has: a server started here is stopped again.

    Raises postgres.ServerUnavailable.
    """
    started = postgres.ensure_running()
    try:
        yield
    finally:
        connection.close()
        if started:
            postgres.stop(only_if_unused=True)


def lacks_migrations() -> bool:
    """Tell whether the database has not all tables of this version."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
