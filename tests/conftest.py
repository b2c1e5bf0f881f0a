"""What all tests share: the embedded server for those that need a database, and the real frames."""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.core.management.commands import flush
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, transaction
from django.test import override_settings

from astrid_site.running import postgres
from tests.once import once, workers
from tests.order import import_all_files, longest_first
from tests.settings import TEST_ROOT_PREFIX

pytest_plugins = ["tests.nights", "tests.starts"]

REPOSITORY = Path(__file__).resolve().parent.parent


TEMPLATE = "astrid_migrated"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: Any,
) -> None:
    """Start the embedded server before the first test that needs it; of several workers one migrates for all."""
    postgres.ensure_running()
    if workers() > 1:
        with django_db_blocker.unblock():
            once(tmp_path_factory, "migrated", lambda _: _migrate_template())
        connection.settings_dict["TEST"]["TEMPLATE"] = TEMPLATE


def _migrate_template() -> None:
    """Make the database that those of the workers are copies of."""
    given = connection.settings_dict
    name, named = given["NAME"], given["TEST"]["NAME"]
    given["TEST"]["NAME"] = TEMPLATE
    try:
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    finally:
        connection.close()
        settings.DATABASES["default"]["NAME"] = given["NAME"] = name
        given["TEST"]["NAME"] = named


@pytest.fixture(scope="module", autouse=True)
def _whatever_is_loaded_stays() -> None:
    """Let the collector of garbage pass over what earlier files have loaded: to look through it took a tenth of all."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Remember what the data migrations wrote: each flush after a test with real transactions puts it back."""
    with django_db_blocker.unblock():
        migrated = _all_rows()
    _let_flush_pass()
    # Django would make the content types and permissions anew here, under other keys than those of the rows.
    flush.emit_post_migrate_signal = lambda *_: _put_back(migrated)


def _all_rows() -> dict[str, bytes]:
    """Return what is in each table that is not empty, as PostgreSQL copies it."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.django_table_names(only_existing=True, include_views=False):
            with cursor.copy(f"COPY {connection.ops.quote_name(table)} TO STDOUT") as rows:
                found[table] = b"".join(rows)
    return {table: rows for table, rows in found.items() if rows}


def _put_back(found: dict[str, bytes]) -> None:
    # In one transaction: keys of other rows are looked at when it ends.
    with transaction.atomic(), connection.cursor() as cursor:
        for table, rows in found.items():
            with cursor.copy(f"COPY {connection.ops.quote_name(table)} FROM STDIN") as copy:
                copy.write(rows)


def _let_flush_pass() -> None:
    """Let the flush after a test with real transactions, and nothing else, take away what the database's triggers keep.

    It deletes: to truncate would make hundreds of files anew each time, for the few rows that a test has written.
    """

    def sql_flush(self: Any, _style: object, tables: list[str], **_: object) -> list[str]:
        named = [self.quote_name(table) for table in tables]
        # As truncating does, it waits for those who are still writing. No trigger is asked, of keys or of ours.
        begin = [f"LOCK TABLE {', '.join(named)}", "SET LOCAL session_replication_role = replica"]
        return [*begin, *(f"DELETE FROM {table}" for table in named)] if tables else []

    # Of the class: what drives a browser has a connection of its own beside this one.
    type(connection.ops).sql_flush = sql_flush  # type: ignore[method-assign,assignment]


def pytest_collection(session: pytest.Session) -> None:
    """Share among the workers of a whole run what is compiled at the first import."""
    if workers() > 1 and session.config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        import_all_files()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    longest_first(items)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real frames, ASTRID_TEST_DATA or shared/data beside the clone; skip where there is none."""
    folder = Path(os.environ.get("ASTRID_TEST_DATA") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real frames: {folder} does not exist (set ASTRID_TEST_DATA)")
    return folder


@pytest.fixture
def empty_data_root(tmp_path: Path):
    """Give a test a data root of its own."""
    with override_settings(ASTRID_DATA_ROOT=tmp_path):
        yield tmp_path


def _remove_root(root: Path) -> None:
    with override_settings(ASTRID_DATA_ROOT=root, EMBEDDED_POSTGRES=True):
        postgres.stop()
    shutil.rmtree(root, ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    """Clear away what a killed run of the tests left running."""
    # Of what a page makes nearly nothing outlives it, and a page makes thousands; the default is seven hundred.
    gc.set_threshold(10_000, 10, 10)
    if hasattr(config, "workerinput"):
        return
    for root in Path(tempfile.gettempdir()).glob(f"{TEST_ROOT_PREFIX}*-*"):
        pid = root.name.removeprefix(TEST_ROOT_PREFIX).split("-")[0]
        # Another run of the tests may be clearing away the same one.
        with contextlib.suppress(FileNotFoundError, postgres.ServerUnavailable):
            if pid.isdigit() and not psutil.pid_exists(int(pid)) and root.stat().st_uid == os.geteuid():
                _remove_root(root)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing running."""
    if not hasattr(config, "workerinput"):
        _remove_root(settings.ASTRID_DATA_ROOT)


@pytest.fixture
def kept_connection():
    """Keep the one connection in whose transaction the rows are, which the end of a request would close."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
