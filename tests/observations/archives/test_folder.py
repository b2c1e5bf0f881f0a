"""A watched folder as an archive: what is whole in it is taken in once, as its survey's, and what is not waits."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest
from django.utils import timezone

from catalog.configuration.values import set_value
from catalog.models import ProcessingJob, RunStatus
from catalog.people.audit import MACHINE
from catalog.work import jobs
from observations.archives import keeping
from observations.archives.ordering import order_due, order_run
from observations.delivery import watch
from observations.models import Archive, ArchiveKind, ArchiveRun, IncomingFile, Observation, RunPurpose
from tests.factories import SurveyFactory

pytestmark = pytest.mark.django_db
# The files of a test are a moment old: whoever asks so much later finds them settled.
LATER_S = 3600.0


@pytest.fixture
def folder(tmp_path_factory, empty_data_root) -> Path:
    return tmp_path_factory.mktemp("delivered")


@pytest.fixture
def archive(folder) -> Archive:
    survey = SurveyFactory(name="beside")
    return Archive.objects.create(
        survey=survey,
        kind=ArchiveKind.FOLDER,
        folder=str(folder),
        is_on=True,
        nightly_at=dt.time(3, 0),
        begins_at=dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
    )


@pytest.fixture
def later(monkeypatch) -> None:
    """Let the clock of whoever looks be ahead."""
    look = watch.time.time
    monkeypatch.setattr(watch.time, "time", lambda: look() + LATER_S)


def ask(archive: Archive, purpose: RunPurpose = RunPurpose.FETCH) -> ArchiveRun:
    """Ask, and take in what was found."""
    run = order_run(archive, purpose)
    order_due()
    while (job := jobs.claim_next(["ask", "receive"], "me")) is not None:
        jobs.do(job)
    run.refresh_from_db()
    archive.refresh_from_db()
    return run


def test_a_folder_that_grows_is_taken_in_file_by_file_each_once(archive, folder, lights, later):
    for n in range(2):
        (folder / f"{n}.fits").write_bytes(lights[n])
    assert (ask(archive).found_count, Observation.objects.filter(survey=archive.survey).count()) == (2, 2)
    (folder / "night2").mkdir()
    (folder / "night2" / "2.fits").write_bytes(lights[2])
    (folder / "notes.txt").write_text("clouds")
    run = ask(archive)
    assert (run.names, run.size_bytes) == (["2.fits"], len(lights[2]))
    assert Observation.objects.count() == IncomingFile.objects.count() == 3
    assert ask(archive).found_count == 0
    (folder / "0.fits").write_bytes(lights[3])
    assert ask(archive).names == ["0.fits"], "another frame under its name"
    assert Observation.objects.count() == 4
    assert len(list(folder.glob("*.fits"))) == 2, "nothing is removed from it"


def test_a_file_that_is_written_to_still_waits_for_the_next_look_which_is_soon(archive, folder, lights, monkeypatch):
    file = folder / "a.fits"
    file.write_bytes(lights[0][:5000])
    run = ask(archive)
    assert (run.found_count, run.is_more) == (0, True) and not IncomingFile.objects.exists()
    left = archive.next_at - timezone.now()
    assert left <= dt.timedelta(minutes=1), "whoever copies beyond the time of the night waits for no other night"
    # Its time is that of the content, long ago; that it is still written to only the other clock says.
    file.write_bytes(lights[0])
    os.utime(file, (1e9, 1e9))
    assert ask(archive).found_count == 0
    clock = watch.time.time
    monkeypatch.setattr(watch.time, "time", lambda: clock() + LATER_S)
    run = ask(archive)
    assert (run.found_count, run.is_more, Observation.objects.count()) == (1, False, 1)
    assert archive.next_at.time() == dt.time(3, 0)


def test_a_folder_that_is_not_there_is_a_failure_with_its_name_and_not_an_empty_one(archive, folder):
    folder.rmdir()
    for purpose in (RunPurpose.FETCH, RunPurpose.TEST):
        run = ask(archive, purpose)
        assert run.status == RunStatus.FAILED and str(folder) in run.error_message
    assert archive.failures == 1 and archive.next_at is not None
    folder.mkdir()
    assert ask(archive).status == RunStatus.COMPLETED and archive.failures == 0


def test_a_test_and_a_preview_of_a_folder_and_a_pause_take_nothing(archive, folder, lights, later):
    (folder / "a.fits").write_bytes(lights[0])
    assert "1 files in it are new" in ask(archive, RunPurpose.TEST).words
    assert ask(archive, RunPurpose.PREVIEW).names == ["a.fits"]
    set_value("ingest.paused", True, MACHINE)
    run = order_run(archive, RunPurpose.FETCH)
    order_due()
    job = jobs.claim_next(["ask"], "me")
    if job is not None:
        jobs.do(job)
    assert not ProcessingJob.objects.filter(job_type="receive").exists()
    set_value("ingest.paused", False, MACHINE)
    run.refresh_from_db()
    assert ask(archive).found_count == 1 and Observation.objects.count() == 1


def test_the_programs_own_files_are_no_folder_to_be_watched(archive, empty_data_root):
    for place in (empty_data_root, empty_data_root / "raw", empty_data_root.parent):
        archive.folder = str(place)
        archive.is_on = False
        archive.save()
        with pytest.raises(keeping.Refused, match="own data"):
            keeping.switch(archive, is_on=True, actor=MACHINE)
