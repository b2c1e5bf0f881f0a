"""Files that come by address, upload or watched folder: taken in once, refused in words, nothing left over."""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from django.db import connection
from django.db.models.functions import Now

from catalog.configuration.values import set_value, snapshot
from catalog.failures import FailureCode, StageFailure
from catalog.files import storage
from catalog.models import JobStatus, ProcessingJob
from catalog.people.audit import MACHINE
from catalog.work import jobs
from observations.claims.reading import packed, unpacked
from observations.delivery.incoming import submit_upload, submit_url
from observations.delivery.ingest import ingest_paths
from observations.delivery.watch import scan
from observations.models import IncomingFile, Observation
from observations.numerics.fits.facts import Overrides
from tests.lights import write
from tests.webserver import content, serving, speaking

NOTHING = Overrides()
OLD_S = 1_700_000_000.0


@pytest.fixture
def light(tmp_path_factory):
    return write(tmp_path_factory.mktemp("camera") / "light.fits")


def receive(job_type: str = "receive") -> ProcessingJob:
    """Do the one waiting job of a type as a worker does."""
    held = jobs.claim_next([job_type], "me")
    assert held is not None
    jobs.do(held)
    held.refresh_from_db()
    return held


def leftovers(root) -> list[str]:
    return [path.name for path in (root / "incoming").rglob("*")] if (root / "incoming").exists() else []


@pytest.mark.django_db
def test_an_uploaded_frame_becomes_an_observation_whose_processing_is_ordered(light, empty_data_root):
    row, job = submit_upload([light.read_bytes()], "light.fits", NOTHING)
    assert (job.status, job.workflow_id) == (JobStatus.PENDING, row.workflow_id)
    assert receive().status == JobStatus.COMPLETED
    observation = Observation.objects.get()
    row.refresh_from_db()
    assert row.results[0] | {"hdu": 0} == {
        "hdu": 0, "entity_type": "observation", "entity_id": str(observation.pk), "is_new": True, "failure_code": "",
        "error_message": "",
    }  # fmt: skip
    assert observation.original_name == "light.fits"
    ordered = ProcessingJob.objects.filter(workflow_id=row.workflow_id, status=JobStatus.PENDING)
    assert {(job.job_type, job.entity_id) for job in ordered} == {
        ("masters", observation.night.isoformat()), ("preprocess", str(observation.pk)),
    }  # fmt: skip
    assert leftovers(empty_data_root) == []
    assert storage.resolve(observation.fits_file_path).is_file()


@pytest.mark.django_db
def test_an_uploaded_letter_is_refused_in_words_and_not_kept(empty_data_root):
    row, _ = submit_upload([b"Dear diary, " * 1000], "letter.fits", NOTHING)
    job = receive()
    assert (job.status, job.failure_code) == (JobStatus.FAILED, FailureCode.NOT_FITS)
    assert "letter.fits" in job.error_message
    row.refresh_from_db()
    assert row.results[0]["failure_code"] == FailureCode.NOT_FITS
    assert leftovers(empty_data_root) == []


@pytest.mark.django_db
def test_an_upload_over_the_limit_leaves_nothing(empty_data_root):
    set_value("ingest.max_file_mb", 1, MACHINE)
    with pytest.raises(StageFailure, match="larger than 1 MB"):
        submit_upload((b"x" * 100_000 for _ in range(20)), "large.fits", NOTHING)
    assert not IncomingFile.objects.exists()
    assert not ProcessingJob.objects.exists()
    assert not [path for path in (empty_data_root / "incoming").rglob("*") if path.is_file()]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a\0b\n.fits", "", "." * 300])
def test_no_name_of_an_upload_leads_out_of_the_data_root(light, empty_data_root, name):
    row, _ = submit_upload([light.read_bytes()], name, NOTHING)
    assert storage.resolve(row.stored_path).is_relative_to(empty_data_root / "incoming" / str(row.pk))
    assert receive().status == JobStatus.COMPLETED
    assert leftovers(empty_data_root) == []


@pytest.mark.django_db
def test_what_is_given_beside_an_upload_fills_what_its_header_lacks(tmp_path, empty_data_root):
    nowhere = write(tmp_path / "nowhere.fits", OBJCTRA=None, OBJCTDEC=None)
    submit_upload([nowhere.read_bytes()], "nowhere.fits", NOTHING)
    assert receive().failure_code == FailureCode.NO_POINTING
    submit_upload([nowhere.read_bytes()], "nowhere.fits", Overrides(ra_deg=10.0, dec_deg=-5.0))
    assert receive().status == JobStatus.COMPLETED
    assert Observation.objects.get().ra == pytest.approx(10.0, abs=0.01)


def test_what_was_given_survives_the_way_through_a_row():
    given = Overrides(ra_deg=10.0, dec_deg=-5.0, band="R")
    assert unpacked(packed(given)) == given
    assert packed(NOTHING) == {}


@pytest.mark.django_db
def test_a_fetched_frame_is_taken_in_with_its_size(light, settings, empty_data_root):
    with serving({"/night/light.fits?v=1": content(light.read_bytes())}) as host:
        settings.ASTRID_OUTGOING_HOSTS = [host]
        row, _ = submit_url(f"http://{host}/night/light.fits?v=1", NOTHING)
        assert receive("download").status == JobStatus.COMPLETED
    row.refresh_from_db()
    assert (row.name, row.size_bytes) == ("light.fits", light.stat().st_size)
    assert Observation.objects.count() == 1
    assert leftovers(empty_data_root) == []


@pytest.mark.django_db
def test_a_cut_download_is_tried_again_and_never_an_observation(light, settings, empty_data_root):
    whole = light.read_bytes()
    with serving({"/a.fits": content(whole[: len(whole) // 2], claimed=len(whole))}) as host:
        settings.ASTRID_OUTGOING_HOSTS = [host]
        submit_url(f"http://{host}/a.fits", NOTHING)
        job = receive("download")
    assert (job.status, job.retry_count) == (JobStatus.PENDING, 1)
    assert (job.failure_code, job.error_details) == (FailureCode.NETWORK_FAULT, {})
    assert f"After {len(whole) // 2} of {len(whole)} bytes" in job.error_message
    assert not Observation.objects.exists()


@pytest.mark.django_db
def test_a_server_that_fails_is_asked_three_times_and_then_the_network_is_the_reason(settings, empty_data_root):
    with serving({"/a.fits": lambda handler: handler.send_error(503)}) as host:
        settings.ASTRID_OUTGOING_HOSTS = [host]
        submit_url(f"http://{host}/a.fits", NOTHING)
        for status in (JobStatus.PENDING, JobStatus.PENDING, JobStatus.FAILED):
            job = receive("download")
            assert (job.status, job.failure_code, job.error_details) == (status, FailureCode.NETWORK_FAULT, {})
            ProcessingJob.objects.update(scheduled_at=Now())


@pytest.mark.django_db
def test_a_server_without_the_file_is_asked_once(settings, empty_data_root):
    with serving({"/a.fits": lambda handler: handler.send_error(404)}) as host:
        settings.ASTRID_OUTGOING_HOSTS = [host]
        submit_url(f"http://{host}/a.fits", NOTHING)
        job = receive("download")
    assert (job.status, job.failure_code, job.error_details) == (JobStatus.FAILED, FailureCode.DOWNLOAD_FAILED, {})


@pytest.mark.django_db(transaction=True)
def test_a_cancel_frees_a_worker_from_a_server_that_drips_its_headers(settings, empty_data_root):
    settings.JOB_HEARTBEAT_SECONDS = 0.05
    dripping, over = threading.Event(), threading.Event()

    def drip(plain: socket.socket) -> None:
        plain.sendall(b"HTTP/1.1 200 OK\r\n")
        while not over.wait(0.05):
            plain.sendall(b"X-Patience: 1\r\n")
            dripping.set()

    def work() -> str:
        try:
            receive("download")
        except jobs.JobLost as loss:
            return str(loss)
        finally:
            connection.close()
        return "it was not stopped"

    with speaking(drip) as host, ThreadPoolExecutor(1) as worker:
        settings.ASTRID_OUTGOING_HOSTS = [host]
        _, job = submit_url(f"http://{host}/a.fits", NOTHING)
        told = worker.submit(work)
        try:
            assert dripping.wait(60.0)
            jobs.cancel(job, MACHINE)
            assert "cancelled" in told.result(55.0)
        finally:
            over.set()
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED


@pytest.mark.django_db
def test_an_address_of_the_inside_is_refused(empty_data_root):
    submit_url("http://169.254.169.254/latest/meta-data", NOTHING)
    job = receive("download")
    assert (job.status, job.failure_code) == (JobStatus.FAILED, FailureCode.ADDRESS_REFUSED)
    assert leftovers(empty_data_root) == []


# --- The watched folder ---


def settled(path, seconds: float = 60.0):
    """Return the time at which a file counts as written so long ago."""
    return max(path.stat().st_mtime, path.stat().st_ctime) + seconds


@pytest.mark.django_db
def test_a_settled_file_of_the_watched_folder_is_taken_in_once(light, empty_data_root):
    now = settled(light)
    assert scan(str(light.parent), now) == 1
    assert receive().status == JobStatus.COMPLETED
    assert Observation.objects.count() == 1
    assert scan(str(light.parent), now) == 0
    assert light.is_file(), "what was delivered stays where it is"


@pytest.mark.django_db
def test_a_file_that_is_still_written_to_and_one_with_a_working_name_are_left_alone(light, empty_data_root):
    shutil.copy(light, light.with_name(".hidden.fits"))
    shutil.copy(light, light.with_name("next.fits.part"))
    growing = light.with_name("growing.fits")
    growing.write_bytes(light.read_bytes()[:5000])
    assert scan(str(light.parent), settled(growing, 1.0)) == 0
    assert scan(str(light.parent), settled(growing)) == 2
    assert set(IncomingFile.objects.values_list("name", flat=True)) == {"light.fits", "growing.fits"}


@pytest.mark.django_db
def test_a_file_that_was_refused_half_written_is_taken_in_when_it_is_whole(light, empty_data_root):
    whole = light.read_bytes()
    light.write_bytes(whole[:5000])
    scan(str(light.parent), settled(light))
    assert receive().failure_code == FailureCode.TRUNCATED
    light.write_bytes(whole)
    assert scan(str(light.parent), settled(light)) == 1
    assert receive().status == JobStatus.COMPLETED
    assert IncomingFile.objects.count() == 1


@pytest.mark.django_db
def test_the_files_of_one_look_are_one_workflow(light, empty_data_root):
    shutil.copy(light, light.with_name("again.fits"))
    os.utime(light, (OLD_S, OLD_S))
    assert scan(str(light.parent), settled(light)) == 2
    assert len(set(ProcessingJob.objects.values_list("workflow_id", flat=True))) == 1


# --- No room, no answer ---


@pytest.fixture
def full(monkeypatch):
    """Return a context in which nothing can be linked or written anew."""

    @contextmanager
    def no_room():
        def refuse(*_, **__):
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("catalog.files.storage.os.link", refuse)
            patch.setattr("catalog.files.storage.tempfile.mkstemp", refuse)
            yield

    return no_room


@pytest.mark.django_db
def test_an_upload_that_finds_no_room_is_kept_and_taken_in_when_there_is_some(light, empty_data_root, full):
    submit_upload([light.read_bytes()], "light.fits", NOTHING)
    with full():
        job = receive()
    assert (job.status, job.failure_code) == (JobStatus.PENDING, FailureCode.DISK_FULL)
    assert job.error_message.startswith("light.fits: No room for")
    assert not Observation.objects.exists()
    ProcessingJob.objects.update(scheduled_at=Now())
    assert receive().status == JobStatus.COMPLETED
    assert Observation.objects.get().original_name == "light.fits"
    assert leftovers(empty_data_root) == []


@pytest.mark.django_db
def test_a_download_that_finds_no_room_blames_the_disk_and_leaves_no_stump(
    light, settings, empty_data_root, monkeypatch
):
    def refuse(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with serving({"/light.fits": content(light.read_bytes())}) as host:
        settings.ASTRID_OUTGOING_HOSTS = [host]
        row, _ = submit_url(f"http://{host}/light.fits", NOTHING)
        with monkeypatch.context() as patch:
            patch.setattr("observations.delivery.stage._Progress.__call__", refuse)
            job = receive("download")
        assert "No room for" in job.error_message
        assert (job.status, job.failure_code) == (JobStatus.PENDING, FailureCode.DISK_FULL)
        assert leftovers(empty_data_root) == [str(row.pk)], "the empty folder alone"
        ProcessingJob.objects.update(scheduled_at=Now())
        assert receive("download").status == JobStatus.COMPLETED


@pytest.fixture
def shared(tmp_path, settings):
    """Let machines share a storage; return the folder that it keeps things in."""
    settings.STORAGES = {
        "products": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "shared", "allow_overwrite": True},
        }
    }
    return tmp_path / "shared"


@pytest.mark.django_db
def test_what_the_web_machine_was_given_a_worker_elsewhere_takes_in(light, settings, tmp_path, shared):
    settings.ASTRID_DATA_ROOT = tmp_path / "web"
    submit_upload([light.read_bytes()], "light.fits", NOTHING)
    settings.ASTRID_DATA_ROOT = tmp_path / "worker"
    assert receive().status == JobStatus.COMPLETED
    observation = Observation.objects.get()
    assert (shared / observation.fits_file_path).read_bytes() == light.read_bytes()
    for root in (shared, tmp_path / "worker"):
        assert not [path for path in (root / "incoming").rglob("*") if path.is_file()]
    settings.ASTRID_DATA_ROOT = tmp_path / "third"
    assert storage.open_stored(observation.fits_file_path).read_bytes() == light.read_bytes()


@pytest.mark.django_db
def test_an_upload_that_the_shared_storage_does_not_take_leaves_nothing(light, settings, tmp_path, shared):
    settings.ASTRID_DATA_ROOT = tmp_path / "web"
    shared.write_text("a file where a folder should be")
    with pytest.raises(storage.StorageUnreachable):
        submit_upload([light.read_bytes()], "light.fits", NOTHING)
    assert not IncomingFile.objects.exists()
    assert not [path for path in (tmp_path / "web").rglob("*") if path.is_file()]


# --- All at once ---


@pytest.mark.django_db(transaction=True)
def test_sixteen_deliveries_of_one_frame_at_once_by_all_routes_are_one_observation(
    light, settings, empty_data_root, tmp_path
):
    zipped = tmp_path / "light.fits.gz"
    zipped.write_bytes(gzip.compress(light.read_bytes()))
    with serving({"/light.fits": content(light.read_bytes())}) as host:
        settings.ASTRID_OUTGOING_HOSTS = [host]

        def deliver(number: int) -> str:
            try:
                if number % 4 == 0:
                    submit_url(f"http://{host}/light.fits", NOTHING)
                elif number % 4 == 1:
                    submit_upload([light.read_bytes()], f"upload{number}.fits", NOTHING)
                else:
                    path = zipped if number % 4 == 2 else light
                    found = ingest_paths([path], overrides=NOTHING, config=snapshot(), report=str)
                    return found[0].failure_code
                held = jobs.claim_next(["receive", "download"], f"worker {number}")
                jobs.do(held)
                held.refresh_from_db()
                return held.failure_code or held.status
            finally:
                connection.close()

        with ThreadPoolExecutor(16) as pool:
            ended = list(pool.map(deliver, range(16)))
    assert set(ended) == {"", JobStatus.COMPLETED}
    assert Observation.objects.count() == 1
    assert ProcessingJob.objects.filter(job_type="preprocess").count() == 1
    assert np.unique([row["entity_id"] for file in IncomingFile.objects.all() for row in file.results]).size == 1
    assert leftovers(empty_data_root) == []
