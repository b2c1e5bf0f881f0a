"""A site in a database and a data root of its own, with a backup of it, and empty ones to restore into."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.test import override_settings

from astrid_site.backup import making
from catalog.chain import sealing
from catalog.models import RemovedFile
from catalog.people import audit
from curation.alerts.publishing import publish_pending
from tests.factories import AlertFactory
from tests.observations.stored import stored_frame


@contextmanager
def database(name: str, template: str = "template0") -> Iterator[None]:
    """Use a database of its own for the block."""
    given = connection.settings_dict["NAME"]
    connection.close()

    def order(statement: str) -> None:
        with psycopg.connect(**{**connection.get_connection_params(), "dbname": "postgres"}, autocommit=True) as other:
            other.execute(statement)

    order(f'DROP DATABASE IF EXISTS "{name}"')
    order(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = given
        order(f'DROP DATABASE "{name}"')


@dataclass(frozen=True)
class Site:
    """A data root, a backup, and what was said when it was made."""

    root: Path
    backup: Path
    said: list[str]


@pytest.fixture(scope="module")
def site(django_db_setup: None, django_db_blocker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Make a site with a frame, a published alert and a sealed line, and a backup of it."""
    folder = tmp_path_factory.mktemp("site")
    root, backup = folder / "root", folder / "backups" / "first"
    said: list[str] = []
    backup.parent.mkdir()
    root.mkdir()
    name = connection.settings_dict["NAME"]
    with (
        django_db_blocker.unblock(),
        override_settings(ASTRID_DATA_ROOT=root, SECRET_KEY="the secret of the site"),
        database(f"{name}_site", name),
    ):
        (root / "secret_key").write_text("the secret of the site")
        stored_frame(observation_id="the one")
        lost, removed = stored_frame(), stored_frame()
        for row in (lost, removed):
            (root / row.fits_file_path).unlink()
        RemovedFile.objects.create(entity_type="observation", entity_id=removed.pk, kept_days=90)
        audit.record(("survey", "a"), "look")
        AlertFactory(detection__cutouts_path="")
        publish_pending()
        sealing.seal(everything=True)
        making.make(making.Wanted(backup), said.append)
        yield Site(root, backup, said)


@pytest.fixture
def copied(site: Site, tmp_path: Path) -> Path:
    """Return a copy of the backup, to be spoilt."""
    return Path(shutil.copytree(site.backup, tmp_path / "copied"))


@pytest.fixture
def empty_site(site: Site, tmp_path: Path) -> Iterator[Path]:
    """Give an empty database and an empty data root; return the latter."""
    root = tmp_path / "empty"
    root.mkdir()
    name = connection.settings_dict["NAME"]
    with override_settings(ASTRID_DATA_ROOT=root), database(f"{name}_empty"):
        yield root
