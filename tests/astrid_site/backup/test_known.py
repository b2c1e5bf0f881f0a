"""The site knows when it was backed up last, and says where that is too long ago; never of another's backup."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from astrid_site.backup import known
from astrid_site.backup.manifest import Dump, Files, FilesAre, Manifest, State
from astrid_site.monitoring.alarms import mail_alarms
from catalog.configuration.values import set_value
from catalog.models import AuditLog
from catalog.people import audit
from catalog.people.audit import MACHINE
from catalog.work import sweeper
from tests.clients import account

FIRST, SECOND = Path("/backups/first"), Path("/backups/second")


def made(days_ago: float = 0.0, kept: FilesAre = FilesAre.COPIED) -> Manifest:
    """Return what a backup says that was made so long ago."""
    at = timezone.now() - dt.timedelta(days=days_ago)
    return Manifest(
        State(at.isoformat(), (), {}, 0, "", None), Dump(3_000_000, "", "16", 16), Files(kept, 9, 10**9), ""
    )


@pytest.mark.django_db
def test_the_newest_backup_is_known_with_its_place_its_size_and_whether_it_was_read_again():
    assert known.newest() is None
    known.note_made(FIRST, made(3.0))
    known.note_made(SECOND, made(1.0, FilesAre.LISTED))
    found = known.newest()
    assert (found.folder, found.size_bytes, found.verified_at) == (str(SECOND), 3_000_000, None)
    assert found.age_s == pytest.approx(86_400.0, abs=60.0)
    assert known.note_verified(FIRST, is_whole=True) and known.note_verified(SECOND, is_whole=True)
    assert known.newest().verified_at is not None
    assert not known.note_verified(Path("/of/another/site"), is_whole=True), "it is not told of"
    assert known.note_verified(SECOND, is_whole=False)
    found = known.newest()
    assert (found.folder, found.size_bytes) == (str(FIRST), 1_003_000_000), "what is spoilt is none"
    assert found.verified_at is not None


@pytest.mark.django_db
def test_a_restored_site_has_no_backup_until_one_is_made():
    known.note_made(FIRST, made())
    audit.record(("backup", "2031-03-01"), "restore", summary="Restored from /backups/first.")
    assert known.newest() is None, "it was one of the site that is restored, and holds nothing of what comes"
    known.note_verified(FIRST, is_whole=True)
    assert known.newest() is None
    known.note_made(SECOND, made())
    assert known.newest().folder == str(SECOND)


@pytest.mark.django_db
def test_an_old_backup_is_told_in_the_admin_by_metrics_and_once_a_day_by_mail_where_somebody_asked(
    client, settings, monkeypatch
):
    settings.ASTRID_SENDS_MAIL, settings.ASTRID_MAIL_FROM = True, "AstrID <astrid@example.org>"
    settings.ASTRID_MAIL_ALARMS_TO = ["ops@example.org"]
    for queue in settings.QUEUES:
        sweeper.answer(queue)
    client.force_login(account("administrator"))

    def admin() -> str:
        return " ".join(client.get("/admin/").content.decode().split())

    assert not mail_alarms() and "none is known, and nobody is warned" in admin()
    assert "astrid_backup_age_seconds" not in client.get("/metrics").content.decode()
    set_value("backup.warn_after_days", 2, MACHINE)
    assert mail_alarms() and "- backup: no backup of this site is known" in mail.outbox[0].body
    known.note_made(FIRST, made(3.0))
    assert "Not well: the last backup is 3 d old" in admin()
    figures = dict(line.split(" ") for line in client.get("/metrics").content.decode().splitlines() if line[0] != "#")
    assert float(figures["astrid_backup_age_seconds"]) == pytest.approx(3 * 86_400.0, abs=60.0)
    with monkeypatch.context() as later:
        later.setattr("astrid_site.monitoring.alarms._HOUR_SECONDS", 0.0)
        assert not mail_alarms(), "once a day"
        later.setattr("astrid_site.monitoring.alarms._DAY_SECONDS", 0.0)
        assert mail_alarms() and f"3 d old ({known.newest().host}:{FIRST})" in mail.outbox[1].body
    known.note_made(SECOND, made())
    assert mail_alarms() and mail.outbox[2].subject == "[AstrID] It is well again"
    assert "Not well" not in admin() and "1.0 GB, with its files" in admin()


@pytest.mark.django_db(transaction=True)
def test_the_command_notes_what_it_made_and_what_it_found(tmp_path, settings):
    # The server of the tests is up: none is to be started for the data root of some test.
    settings.EMBEDDED_POSTGRES = False
    folder = tmp_path / "backup"
    call_command("backup", folder, "--no-files")
    assert (known.newest().folder, known.newest().files) == (str(folder), FilesAre.LEFT_OUT)
    call_command("backup", folder, "--verify")
    assert known.newest().verified_at is not None
    (folder / "database.dump").write_bytes(b"cut")
    with pytest.raises(CommandError):
        call_command("backup", folder, "--verify")
    assert known.newest() is None
    lines = AuditLog.objects.filter(entity_id="backup").order_by("created_at")
    assert [line.action for line in lines] == ["make_backup", "verify_backup", "find_backup_spoilt"]
