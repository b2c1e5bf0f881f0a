"""What an archive offers becomes observations: each file once, none lost, whatever its server does."""

from __future__ import annotations

import datetime as dt
from http.server import BaseHTTPRequestHandler

import pytest
from astropy.time import Time

from catalog.configuration.values import set_value
from catalog.failures import FailureCode
from catalog.models import JobStatus, ProcessingJob
from catalog.people.audit import MACHINE
from catalog.work import jobs, sweeper
from observations.archives import products, schedule
from observations.archives.ordering import order_due, order_run
from observations.delivery.incoming import submit_url
from observations.models import (
    Archive,
    ArchiveHost,
    ArchiveProduct,
    ArchiveRun,
    IncomingFile,
    Observation,
    ProductState,
    RunPurpose,
)
from observations.numerics.fits.facts import Overrides
from tests.archiveserver import DATALINK, Offer
from tests.webserver import content, redirect

pytestmark = pytest.mark.django_db


def offers(lights: list[bytes]) -> list[Offer]:
    """Return one frame a day, the first of unknown size."""
    return [
        Offer(f"ivo://distant/survey?{n}", f"/files/{n}.fits", body, mjd=61000.0 + n, size_kb=10 if n else None)
        for n, body in enumerate(lights)
    ]


def lately(archive: Archive, lights: list[bytes]) -> list[Offer]:
    """Return one frame a day until today, and let the archive be asked for no more than these days."""
    today = Time.now().mjd
    archive.begins_at = dt.datetime.now(dt.UTC) - dt.timedelta(days=6)
    archive.save()
    return [Offer(f"ivo://d/s?{n}", f"/files/{n}.fits", body, mjd=today - n - 0.1) for n, body in enumerate(lights)]


def states() -> dict[str, str]:
    return dict(ArchiveProduct.objects.order_by("title").values_list("title", "state"))


def test_what_an_archive_offers_becomes_observations_of_its_survey_each_fetched_once(
    archive, archive_server, work, lights
):
    archive_server.offers = offers(lights)
    work()
    assert Observation.objects.filter(survey=archive.survey).count() == len(lights)
    assert set(states().values()) == {ProductState.FETCHED}
    run = ArchiveRun.objects.get()
    assert (run.found_count, run.known_count, run.size_bytes, run.unsized_count) == (6, 0, 50_000, 1)
    assert archive_server.agents == {"AstrID/0.1.0"}
    assert not ProcessingJob.objects.filter(job_type__in=("ask", "fetch")).exclude(status="completed").exists()
    archive.refresh_from_db()
    assert archive.seen_until == dt.datetime(2025, 11, 26, tzinfo=dt.UTC), "the newest image's own time"
    # The same again, and under other addresses, as archives move: nothing is fetched twice.
    for offer in list(archive_server.offers):
        archive_server.change(offer.path, path=f"/moved{offer.path}")
    work(again=True)
    again = ArchiveRun.objects.latest("created_at")
    assert (again.found_count, again.known_count) == (3, 3), "two days of overlap"
    assert set(archive_server.wholes.values()) == {1} and len(archive_server.wholes) == 6
    assert ArchiveProduct.objects.get(title="5").access_url.endswith("/moved/files/5.fits")
    assert len(archive_server.questions) == 2 and "image" in archive_server.questions[0]["DPTYPE"]


def test_the_same_frame_under_two_names_is_one_observation(archive, archive_server, work, lights):
    archive_server.offers = [
        Offer("ivo://distant/survey?a", "/a.fits", lights[0]),
        Offer("ivo://distant/survey?b", "/b.fits", lights[0]),
    ]
    work()
    assert Observation.objects.count() == 1
    assert set(states().values()) == {ProductState.FETCHED}


def test_a_download_that_is_cut_goes_on_where_it_was_cut_and_begins_anew_with_another_file(
    archive, archive_server, work, lights
):
    archive_server.offers = [
        Offer("ivo://distant/survey?a", "/a.fits", lights[0], cuts=[3000, 2000]),
        Offer("ivo://distant/survey?b", "/b.fits", lights[1], cuts=[4000]),
    ]
    work()
    assert states() == {"a": ProductState.FOUND, "b": ProductState.FOUND}
    assert "broke off" in ArchiveProduct.objects.get(title="a").reason
    archive_server.change("/b.fits", body=lights[2], etag='"2"')
    work(again=True)
    work(again=True)
    assert set(states().values()) == {ProductState.FETCHED}
    assert archive_server.sent_bytes["/a.fits"] == len(lights[0]), "no byte of it came twice"
    assert archive_server.ranges == [
        ("/a.fits", "bytes=3000-"), ("/b.fits", "bytes=4000-"), ("/a.fits", "bytes=5000-")
    ]  # fmt: skip
    assert archive_server.sent_bytes["/b.fits"] == 4000 + len(lights[2])
    assert Observation.objects.count() == 2


def html(handler: BaseHTTPRequestHandler) -> None:
    content(b"<html><body>Please log in</body></html>" * 100)(handler)


def test_what_is_no_frame_is_refused_in_words_and_what_is_gone_is_gone(archive, archive_server, work, lights):
    short = content(lights[1][:4000], claimed=4000)
    archive_server.offers = [
        Offer("ivo://distant/survey?html", "/html.fits", b"", answer=html),
        Offer("ivo://distant/survey?inside", "/inside.fits", b"", answer=redirect("http://127.0.0.1:9/secret")),
        Offer("ivo://distant/survey?forbidden", "/f.fits", b"", answer=lambda handler: handler.send_error(403)),
        Offer("ivo://distant/survey?gone", "/gone.fits", b"", answer=lambda handler: handler.send_error(410)),
        Offer("ivo://distant/survey?short", "/short.fits", b"", answer=short),
        Offer("ivo://distant/survey?picture", "/picture.jpg", b"", access_format="image/jpeg"),
        Offer("ivo://distant/survey?whole", "/whole.fits", lights[0]),
    ]
    work()
    for _ in range(2):
        work(again=True)
    found = {row.title: row for row in ArchiveProduct.objects.all()}
    assert {title: row.state for title, row in found.items()} == {
        "html": "refused", "inside": "refused", "forbidden": "refused", "gone": "gone", "short": "refused",
        "picture": "refused", "whole": "fetched",
    }  # fmt: skip
    assert "web page" in found["html"].reason
    assert "not on the public internet" in found["inside"].reason
    assert "403" in found["forbidden"].reason
    assert "image/jpeg" in found["picture"].reason
    assert found["short"].failure_code == FailureCode.TRUNCATED and found["short"].tries == 2, "it is tried three times"
    assert Observation.objects.count() == 1
    assert not list(IncomingFile.objects.exclude(stored_path=""))
    assert ArchiveRun.objects.earliest("created_at").refused_count == 1


def test_a_link_is_followed_to_the_file_itself_and_refused_where_there_is_none(archive, archive_server, work, lights):
    archive_server.offers = [
        Offer("ivo://distant/survey?1", "/links?ID=one", b"", access_format=DATALINK),
        Offer("ivo://distant/survey?2", "/links?ID=two", b"", access_format=DATALINK),
        Offer("one", "/one.fits", lights[0], is_listed=False),
    ]
    work()
    assert states() == {"1": ProductState.FETCHED, "2": ProductState.REFUSED}
    assert "#this" in ArchiveProduct.objects.get(title="2").reason
    assert archive_server.wholes == {"/one.fits": 1}


def test_an_answer_that_is_cut_short_is_asked_for_in_parts_until_all_is_there(archive, archive_server, work, lights):
    archive_server.offers, archive_server.most_rows = lately(archive, lights), 2
    work()
    assert set(states().values()) == {ProductState.FETCHED} and len(states()) == 6
    run = ArchiveRun.objects.get()
    assert run.question_count == len(archive_server.questions) > 3
    assert not run.is_more


def test_more_images_of_one_minute_than_an_answer_holds_are_no_silent_loss(
    archive, archive_server, work, lights, monkeypatch
):
    monkeypatch.setattr(schedule, "_AHEAD", dt.timedelta(minutes=1))
    archive.begins_at = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=6)
    archive.save()
    now = Time.now().mjd
    archive_server.offers = [Offer(f"ivo://d/s?{n}", f"/{n}.fits", body, mjd=now) for n, body in enumerate(lights[:3])]
    archive_server.most_rows = 2
    work()
    run = ArchiveRun.objects.get()
    assert run.status == "failed" and "one minute" in run.error_message


def test_a_question_that_takes_too_many_requests_goes_on_at_its_place(
    archive, archive_server, work, lights, monkeypatch
):
    monkeypatch.setattr("observations.archives.stage.ask.MOST_QUESTIONS", 3)
    archive_server.offers, archive_server.most_rows = lately(archive, lights[:4]), 2
    runs = 0
    while runs < 8:
        work(again=True)
        runs += 1
        if not ArchiveRun.objects.latest("created_at").is_more:
            break
    assert 1 < runs < 8
    assert set(states().values()) == {ProductState.FETCHED} and len(states()) == 4
    assert set(archive_server.wholes.values()) == {1}


def test_what_the_service_says_against_a_question_is_told_in_its_words(archive, archive_server, work):
    archive_server.complaint = "BAND: no such wavelength"
    work()
    run = ArchiveRun.objects.get()
    assert (run.status, run.failure_code) == ("failed", FailureCode.DOWNLOAD_FAILED)
    assert "BAND: no such wavelength" in run.error_message
    archive.refresh_from_db()
    assert archive.failures == 1 and archive.next_at is not None


def test_a_server_that_is_busy_is_left_alone_as_long_as_it_asks(archive, archive_server, work, lights):
    archive_server.offers, archive_server.refusing = offers(lights)[:2], [(503, "3000")]
    before = dt.datetime.now(dt.UTC)
    work()
    assert len(archive_server.begun) == 1
    archive.refresh_from_db()
    assert archive.next_at >= before + dt.timedelta(seconds=2990)
    host = ArchiveHost.objects.get()
    assert host.resting_until >= before + dt.timedelta(seconds=2990) and "503" in host.reason
    work()
    assert len(archive_server.begun) == 1, "nobody asks it meanwhile"
    work(again=True)
    assert set(states().values()) == {ProductState.FETCHED}
    host.refresh_from_db()
    assert host.failures == 0


def test_a_file_whose_server_is_busy_waits_and_nothing_is_lost(archive, archive_server, work, lights):
    archive_server.offers = offers(lights)[:2]
    order_due()
    jobs.do(jobs.claim_next(["ask"], "me"))
    archive_server.refusing = [(429, "120")]
    work()
    assert set(states().values()) == {ProductState.FOUND}
    assert sum(ArchiveProduct.objects.values_list("tries", flat=True)) == 1, "the other one was not even asked for"
    work(again=True)
    assert set(states().values()) == {ProductState.FETCHED}


def test_a_server_that_never_gives_a_file_is_given_up_with_the_last_reason_and_tried_again_on_order(
    archive, archive_server, work, lights, monkeypatch
):
    monkeypatch.setattr(products, "MOST_TRIES", 2)
    archive_server.offers = [Offer("ivo://d/s?1", "/1.fits", lights[0], cuts=[100, 100])]
    work()
    work(again=True)
    row = ArchiveProduct.objects.get()
    assert row.state == ProductState.REFUSED and row.reason.startswith("Given up after 2 tries.")
    products.fetch_again(row, MACHINE)
    work(again=True)
    assert states() == {"1": ProductState.FETCHED}


def test_never_more_jobs_than_there_is_room_for_and_people_find_a_place(archive, archive_server, settings, lights):
    settings.ASTRID_DOWNLOADS = 4
    set_value("ingest.archive_at_once", 2, MACHINE)
    archive_server.offers = offers(lights)
    order_due()
    jobs.do(jobs.claim_next(["ask"], "me"))
    for _ in range(3):
        order_due()
    fetches = ProcessingJob.objects.filter(job_type="fetch", status=JobStatus.PENDING)
    assert fetches.count() == 2, "of one server"
    set_value("ingest.archive_at_once", 16, MACHINE)
    order_due()
    assert fetches.count() == 3, "of all archives: one place is left"
    submit_url("https://archive.example.org/a.fits", Overrides())
    assert jobs.claim_next(["download", "fetch"], "me").job_type == "download"


def test_no_more_than_so_many_are_fetched_in_a_night(archive, archive_server, work, lights):
    archive.most_per_night = 2
    archive.save()
    archive_server.offers = offers(lights)[:3]
    work()
    assert sorted(states().values()) == ["fetched"] * 2 + ["found"]
    ArchiveProduct.objects.filter(ordered_at__isnull=False).update(ordered_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    work()
    assert set(states().values()) == {ProductState.FETCHED}


def test_what_is_not_public_yet_is_fetched_when_it_is(archive, archive_server, work, lights):
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%S")
    archive_server.offers = [Offer("ivo://d/s?1", "/1.fits", lights[0], released=soon)]
    work()
    assert states() == {"1": ProductState.FOUND} and not archive_server.wholes
    work(again=True)
    assert states() == {"1": ProductState.FETCHED}


def test_a_preview_and_a_test_tell_and_fetch_nothing(archive, archive_server, work, lights):
    archive.is_on, archive.next_at = False, None
    archive.save()
    archive_server.offers = offers(lights)
    preview = order_run(archive, RunPurpose.PREVIEW)
    assert order_run(archive, RunPurpose.PREVIEW) == preview, "twice is once"
    test = order_run(archive, RunPurpose.TEST)
    work()
    preview.refresh_from_db()
    test.refresh_from_db()
    assert (preview.new_count, preview.size_bytes, preview.unsized_count) == (6, 50_000, 1)
    assert preview.names[0] == "0, 2025-11-21 00:00:00"
    assert "answers" in test.words
    assert not ArchiveProduct.objects.exists() and not archive_server.wholes


def test_a_job_that_a_person_cancels_before_it_begins_leaves_nothing_open(archive, archive_server, lights):
    archive_server.offers = offers(lights)[:1]
    order_due()
    jobs.do(jobs.claim_next(["ask"], "me"))
    order_due()
    jobs.cancel(ProcessingJob.objects.get(job_type="fetch"), MACHINE)
    order_due()
    row = ArchiveProduct.objects.get()
    assert (row.state, row.failure_code) == (ProductState.REFUSED, FailureCode.CANCELLED)


def test_a_worker_that_dies_at_a_file_leaves_what_came_for_the_next(archive, archive_server, work, lights):
    archive_server.offers = [Offer("ivo://d/s?1", "/1.fits", lights[0], cuts=[5000])]
    order_due()
    jobs.do(jobs.claim_next(["ask"], "me"))
    order_due()
    held = jobs.claim_next(["fetch"], "dead")
    ProcessingJob.objects.filter(pk=held.pk).update(task_id="t1")
    sweeper.lose("t1")
    row = ArchiveProduct.objects.get()
    assert (row.state, row.failure_code) == (ProductState.FOUND, FailureCode.WORKER_LOST)
    work(again=True)
    work(again=True)
    assert states() == {"1": ProductState.FETCHED}
    assert archive_server.sent_bytes["/1.fits"] == len(lights[0])


def test_times_that_were_missed_are_one_question(archive, archive_server, work):
    archive.next_at = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    archive.every_minutes = 1
    archive.save()
    work()
    assert len(archive_server.questions) == 1
    archive.refresh_from_db()
    assert archive.next_at > dt.datetime.now(dt.UTC)
