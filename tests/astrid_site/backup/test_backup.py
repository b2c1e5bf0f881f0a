"""A backup holds every row and file, is refused where a byte of it is not as it was, and restored is the site again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from astrid_site.backup import checking, making, manifest, programs, restoring, state
from astrid_site.backup import site as present
from astrid_site.backup.manifest import BackupRefused, FilesAre
from astrid_site.backup.progress import Progress
from catalog.chain.verifying import verify
from catalog.files import storage
from catalog.models import AuditLog
from curation.alerts.feed import OtherNumbering, end_of_feed, feed_page
from curation.alerts.publishing import publish_pending
from observations.models import Observation
from tests.clients import account
from tests.factories import AlertFactory


def quiet(_line: str) -> None:
    """Say nothing."""


def files(root: Path) -> dict[str, bytes]:
    """Return the files of a site that are to be in a backup."""
    found = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    return {name: content for name, content in found.items() if name.split("/")[0] not in storage.OF_THIS_MACHINE}


def test_a_backup_holds_the_files_their_hashes_and_the_rows_of_one_moment(site):
    made = checking.check(site.backup, quiet)
    assert files(site.backup / "files") == files(site.root) != {}
    assert subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=site.backup).returncode == 0
    assert made.state.tables["observations_observation"].rows >= 4
    assert (made.state.feed.sequence, made.state.audit_position > 0) == (1, True)
    assert "observations.0001_initial" in made.state.migrations
    assert made.state.tables == state.state(Progress(quiet)).tables


def test_files_that_rows_name_and_that_are_not_there_are_told_but_not_what_retention_removed(site):
    told = [line for line in site.said if "which is not there" in line]
    # A frame's, and the weights of a model that has none.
    assert (manifest.read(site.backup).files.missing, len(told)) == (2, 2)
    assert sum("raw/" in line for line in told) == 1


def test_only_its_owner_may_read_a_backup_and_the_secret_is_in_it_unless_left_out(site, tmp_path):
    assert site.backup.stat().st_mode & 0o777 == 0o700
    for name in ("database.dump", "manifest.json", "SHA256SUMS", "secret_key"):
        assert (site.backup / name).stat().st_mode & 0o777 == 0o600
    assert (site.backup / "secret_key").read_text() == "the secret of the site"
    made = making.make(making.Wanted(tmp_path / "none", files=False, secret=False), quiet)
    assert (made.secret_sha256, made.files.kept) == ("", FilesAre.LEFT_OUT)
    assert sorted(path.name for path in (tmp_path / "none").iterdir()) == ["database.dump", "manifest.json"]


def test_the_next_backup_links_what_has_not_changed_and_is_whole_without_the_first(site, tmp_path):
    first = tmp_path / "backups" / "first"
    shutil.copytree(site.backup, first, copy_function=shutil.copy2)
    storage.write_atomically("processed/new.fits", b"new")
    second = tmp_path / "backups" / "second"
    making.make(making.Wanted(second), quiet)
    names = files(first / "files")
    assert [(second / "files" / name).samefile(first / "files" / name) for name in names] == [True] * len(names)
    assert set(files(second / "files")) - set(names) == {"processed/new.fits"}
    storage.write_atomically("processed/new.fits", b"another")
    third = tmp_path / "backups" / "third"
    making.make(making.Wanted(third), quiet)
    shutil.rmtree(second)
    assert (third / "files/processed/new.fits").read_bytes() == b"another"
    checking.check(third, quiet)
    whole = tmp_path / "backups" / "whole"
    making.make(making.Wanted(whole, is_whole=True), quiet)
    assert not any((whole / "files" / name).samefile(third / "files" / name) for name in names)
    storage.remove("processed/new.fits")


def test_a_place_that_would_be_lost_with_the_site_or_holds_something_is_refused(site):
    with pytest.raises(BackupRefused, match="inside the data root"):
        making.make(making.Wanted(site.root / "backup"), quiet)
    with pytest.raises(BackupRefused, match="there already"):
        making.make(making.Wanted(site.backup), quiet)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: flip(next((folder / "files" / "raw").glob("*.fits"))), "was altered"),
        (lambda folder: next((folder / "files" / "raw").glob("*.fits")).unlink(), "is missing"),
        (lambda folder: os.truncate(folder / "database.dump", 5000), "has 5000 bytes, and had"),
        (lambda folder: flip(folder / "database.dump"), "database.dump was altered"),
        (lambda folder: flip(folder / "SHA256SUMS"), "SHA256SUMS was altered"),
        (lambda folder: (folder / "manifest.json").unlink(), "is no backup"),
        (
            lambda folder: (folder / "manifest.json").write_text(
                (folder / "manifest.json").read_text().replace('"rows": 1', '"rows": 2')
            ),
            "altered after it was written",
        ),
    ],
)
def test_a_backup_that_is_not_as_it_was_is_refused_with_what_is_wrong(copied, spoil, words):
    call_command("backup", copied, "--verify")
    spoil(copied)
    with pytest.raises(CommandError, match=words):
        call_command("backup", copied, "--verify")


def test_another_version_of_the_program_or_of_the_server_is_refused(site):
    made = manifest.read(site.backup)
    known = set(made.state.migrations)
    with pytest.raises(BackupRefused, match=r"does not know the migrations observations\.0001_initial"):
        checking.check_versions(made, known - {"observations.0001_initial"}, may_migrate=True)
    with pytest.raises(BackupRefused, match=r"lacks the migrations catalog\.9999_new"):
        checking.check_versions(made, known | {"catalog.9999_new"}, may_migrate=False)
    assert checking.check_versions(made, known | {"catalog.9999_new"}, may_migrate=True).major >= 16
    with pytest.raises(BackupRefused, match="PostgreSQL 99 or newer are needed"):
        programs.programs(99)


# pytest-django makes the database, of which the site's is a copy, where a test of the run is marked.
@pytest.mark.django_db
def test_no_password_stands_on_a_command_line(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "PASSWORD", "hush")
    variables = programs._variables()
    assert variables["PGPASSWORD"] == "hush"
    assert variables["PGDATABASE"] == connection.settings_dict["NAME"]


def test_a_manifest_is_json_that_says_which_format_it_has(site):
    document = json.loads((site.backup / "manifest.json").read_text())
    assert document["format"] == 1
    assert document["dump"]["made_by"].startswith("16")


# --- Restoring ---


@pytest.fixture(autouse=True)
def _looks_once(monkeypatch):
    monkeypatch.setattr(present, "_LOOKS", 1)


def restored(site, **options: bool) -> list[str]:
    return restoring.restore(restoring.Wanted(site.backup, **options), quiet)


@pytest.mark.django_db
def test_a_site_after_its_first_start_is_empty(empty_data_root):
    found = present.contents(with_files=True)
    assert (found.has_tables, found.filled, found.words) == (True, (), "")


def test_rows_files_secret_and_audit_chain_are_as_they_were(site, empty_site):
    report = restored(site)
    found, made = state.state(Progress(quiet)), manifest.read(site.backup).state
    # The restore itself is in the audit log.
    assert {name for name in made.tables if found.tables[name] != made.tables[name]} == {"catalog_auditlog"}
    assert AuditLog.objects.get(action="restore").change_summary == f"Restored from {site.backup}."
    assert files(empty_site) == files(site.root)
    assert (empty_site / "secret_key").read_text() == "the secret of the site"
    assert verify().hash == made.audit_hash
    assert any("all counts and hashes are the backup's" in line for line in report)
    assert any("2 files that rows name were not there" in line for line in report)
    readers_that_were_ahead_are_told_and_the_others_notice_nothing()


def readers_that_were_ahead_are_told_and_the_others_notice_nothing() -> None:
    reader = account("curator")
    at_backup = end_of_feed(reader)
    with connection.cursor() as cursor:
        # What readers got after the backup was made, and what took its number since.
        AlertFactory()
        publish_pending()
        ahead = end_of_feed(reader)
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM curation_alertpublication WHERE sequence = 2")
        cursor.execute("SET session_replication_role = origin")
    with pytest.raises(OtherNumbering):
        feed_page(ahead, 10, reader)
    assert feed_page(at_backup, 10, reader).rows == []
    AlertFactory()
    publish_pending()
    with pytest.raises(OtherNumbering):
        feed_page(ahead, 10, reader)
    assert [row.sequence for row in feed_page(at_backup, 10, reader).rows] == [2]


def test_a_site_that_is_not_empty_is_refused_saying_what_is_in_it_and_set_aside_if_asked(site, empty_site):
    restored(site)
    (empty_site / "raw" / "mine.fits").write_bytes(b"mine")
    with pytest.raises(BackupRefused, match=r"not empty: .*\d observations.*files"):
        restored(site)
    assert (empty_site / "raw" / "mine.fits").is_file()
    report = restored(site, replace=True)
    assert files(site.root) == {
        name: content for name, content in files(empty_site).items() if not name.startswith("before-restore")
    }
    assert [path.read_bytes() for path in empty_site.glob("before-restore-*/raw/mine.fits")] == [b"mine"]
    assert "before_restore_" in report[-1]
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'before_restore_%%'")
        ((schema,),) = cursor.fetchall()
        cursor.execute(f'SELECT count(*) FROM "{schema}".catalog_auditlog')
        assert cursor.fetchone()[0] > 1


def test_a_restore_that_was_cut_off_in_the_database_has_changed_no_row_and_is_begun_again(
    site, empty_site, monkeypatch
):
    sql = programs.dumped_sql

    def cut_off(*arguments):
        yield from sql(*arguments)
        raise BackupRefused("cut off")

    monkeypatch.setattr(programs, "dumped_sql", cut_off)
    with pytest.raises(BackupRefused, match="cut off"):
        restored(site)
    assert state.tables() == []
    assert files(empty_site) == files(site.root)
    monkeypatch.setattr(programs, "dumped_sql", sql)
    restored(site)
    assert Observation.objects.filter(observation_id="the one").exists()


def test_nothing_is_touched_where_the_backup_is_not_whole(copied, empty_site):
    flip(copied / "database.dump")
    with pytest.raises(CommandError, match="is not whole"):
        call_command("restore", copied)
    assert state.tables() == []
    assert files(empty_site) == {}


def test_a_site_in_use_is_refused(site, empty_site):
    with connection.copy("other").cursor() as cursor:
        cursor.execute("SELECT 1")
        with pytest.raises(BackupRefused, match="The database is in use"):
            restored(site)
        cursor.db.close()
