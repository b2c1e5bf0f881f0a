"""When archives are asked: by UTC, what was missed once, and as people have said last."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Callable

import pytest
from django.utils import timezone

from catalog.models import ProcessingJob, RunStatus
from catalog.people.audit import MACHINE
from catalog.work import jobs
from observations.archives import keeping, schedule
from observations.archives.ordering import order_due, order_run
from observations.archives.question import Question, QuestionRefused, question_of, written
from observations.archives.stage import ask as asking
from observations.models import Archive, ArchiveKind, ArchiveRun, RunPurpose
from tests.archiveserver import Offer

MIDNIGHT, NOON = dt.time(0, 0), dt.time(12, 0)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


BEGINS = at("2025-01-01")


def nightly(time: dt.time, **more: object) -> Archive:
    return Archive(is_on=True, nightly_at=time, begins_at=BEGINS, **more)


@pytest.mark.parametrize(
    ("time", "now", "expected"),
    [
        (NOON, "2026-06-01 11:59:59", "2026-06-01 12:00"),
        (NOON, "2026-06-01 12:00", "2026-06-02 12:00"),
        (dt.time(23, 50), "2026-06-02 00:20", "2026-06-02 23:50"),
        (MIDNIGHT, "2026-12-31 23:59:59", "2027-01-01 00:00"),
        (MIDNIGHT, "2026-06-01 00:00", "2026-06-02 00:00"),
    ],
    ids=["before", "at it", "it took until the next day", "over the year's end", "midnight itself"],
)
def test_the_time_of_the_night_comes_once_a_day(time, now, expected):
    assert schedule.next_time(nightly(time), at(now)) == at(expected)


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-06-01"])
def test_a_change_of_the_clocks_neither_doubles_nor_drops_a_night(day):
    """Europe's clocks change at 01:00 UTC of the first two days."""
    with timezone.override("Europe/Berlin"):
        archive, asked = nightly(dt.time(1, 30)), [at(f"{day} 01:29").astimezone(timezone.get_current_timezone())]
        for _ in range(3):
            asked.append(schedule.next_time(archive, asked[-1]))
    assert [time.astimezone(dt.UTC).isoformat()[11:16] for time in asked[1:]] == ["01:30"] * 3
    assert {later - earlier for earlier, later in itertools.pairwise(asked[1:])} == {dt.timedelta(days=1)}


def test_what_is_by_hand_alone_or_off_is_not_asked_by_itself_whatever_came_of_it():
    now = at("2026-06-01 12:00")
    by_hand, is_off = Archive(is_on=True), Archive(is_on=False, every_minutes=5)
    for archive in (by_hand, is_off):
        assert schedule.next_time(archive, now) is None
        assert schedule.after_failure(archive, now, 60.0) is None
    assert schedule.after_failure(nightly(NOON, failures=3), now, 7200.0) >= now + dt.timedelta(hours=2)
    assert schedule.after_failure(nightly(NOON, failures=3), now, None) > now


def test_the_span_reaches_back_from_the_newest_image_and_not_before_the_begin():
    now = at("2026-06-01 12:00")
    archive = nightly(NOON, overlap_hours=48.0, seen_until=at("2026-05-30 12:00"))
    assert schedule.window_of(archive, now).start == at("2026-05-28 12:00")
    archive.seen_until = at("2025-01-01 01:00")
    assert schedule.window_of(archive, now).start == archive.begins_at
    archive.seen_until, archive.goes_on_at = now, at("2026-02-01")
    assert schedule.window_of(archive, now).start == at("2026-02-01"), "what was not finished goes on at its place"
    times = [at("2026-05-31"), at("2027-01-01")]
    assert schedule.seen_until(archive, times, now) == now
    archive.seen_until = None
    assert schedule.seen_until(archive, times, now) == at("2026-05-31"), "the future is a wrong clock's"
    assert schedule.seen_until(archive, [], now) is None


@pytest.mark.parametrize(
    ("question", "says"),
    [
        (Question(positions=("CIRCLE 1 2",)), "needs 3 numbers"),
        (Question(positions=("CIRCLE 1 95 1",)), "not on the sky"),
        (Question(positions=("CIRCLE 1 nan 1",)), "needs 3 numbers"),
        (Question(positions=("POLYGON 1 2 3 4",)), "six or more"),
        (Question(positions=("BOX 1 2 3 4",)), "no position"),
        (Question(positions=("CIRCLE 5h 2 1",)), "no number"),
        (Question(band_from_nm=700.0, band_to_nm=500.0), "shorter one first"),
        (Question(calib_levels=(5,)), "0 (raw) to 4"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_refused_in_words(question, says):
    with pytest.raises(QuestionRefused, match=says.replace("(", r"\(").replace(")", r"\)")):
        written(question)


def test_a_question_is_read_as_it_was_written_and_old_rows_have_the_defaults():
    question = Question(("CIRCLE 83.63 22.01 0.5",), 400.0, None, ("A",), ("B",), (2, 3), 50, "*.fits", 1)
    assert question_of(Archive(question=written(question))) == question
    low, high = question.band_m or (0.0, 0.0)
    assert low == pytest.approx(4e-7) and math.isinf(high)
    assert question_of(Archive(question={"depth": 4})) == Question(depth=4)


def ask(archive: Archive, purpose: RunPurpose = RunPurpose.FETCH) -> ArchiveRun:
    """Ask at once, as beat and a worker do."""
    run = order_run(archive, purpose)
    order_due()
    jobs.do(jobs.claim_next(["ask"], "me"))
    run.refresh_from_db()
    archive.refresh_from_db()
    return run


def is_asked_at_once(archive: Archive) -> bool:
    """Tell whether the next asking waits already."""
    return archive.runs.filter(status__in=(RunStatus.PENDING, RunStatus.RUNNING)).exists()


def forget_askings() -> None:
    ArchiveRun.objects.all().delete()
    ProcessingJob.objects.filter(job_type="ask").delete()


def wish(archive: Archive, **changed: object) -> keeping.Wish:
    values = {
        "survey": "", "kind": ArchiveKind(archive.kind), "place": archive.address, "question": question_of(archive),
        "begins_at": archive.begins_at, "every_minutes": archive.every_minutes,
    }  # fmt: skip
    return keeping.Wish(**values | changed)


@pytest.fixture
def meanwhile(monkeypatch) -> Callable[..., ArchiveRun]:
    """Return what asks an archive while somebody does something: after its row was read, before it answers."""

    def do(archive: Archive, act: Callable[[], object]) -> ArchiveRun:
        send = asking.sia2.ask

        def act_first(*arguments, **more):
            act()
            return send(*arguments, **more)

        with monkeypatch.context() as patch:
            patch.setattr(asking.sia2, "ask", act_first)
            return ask(archive)

    return do


@pytest.mark.django_db
def test_nights_that_were_missed_are_one_question_and_the_next_one_is_tonight(archive, archive_server, work):
    archive.every_minutes, archive.nightly_at = None, dt.time(3, 0)
    archive.next_at = timezone.now() - dt.timedelta(days=9)
    archive.save()
    work()
    archive.refresh_from_db()
    assert archive.runs.count() == len(archive_server.questions) == 1
    left = archive.next_at - timezone.now()
    assert dt.timedelta(0) < left <= dt.timedelta(days=1) and archive.next_at.time() == dt.time(3, 0)


@pytest.mark.django_db
def test_what_is_changed_while_an_archive_is_asked_holds(archive, archive_server, lights, meanwhile):
    archive.every_minutes, archive.nightly_at = None, dt.time(3, 0)
    archive.question = written(Question())
    archive.save()
    archive_server.offers = [Offer("ivo://d/s?1", "/1.fits", lights[0])]
    run = meanwhile(archive, lambda: keeping.keep(wish(archive, every_minutes=10), MACHINE, Archive.objects.get()))
    assert run.status == RunStatus.COMPLETED and archive.every_minutes == 10
    assert is_asked_at_once(archive), "not at the old time of the night"
    assert archive.seen_until == at("2025-11-21"), "what is asked for is the same"

    forget_askings()
    earlier = archive.begins_at - dt.timedelta(days=400)
    meanwhile(archive, lambda: keeping.keep(wish(archive, begins_at=earlier), MACHINE, Archive.objects.get()))
    assert archive.seen_until is None, "all of it is asked for, from its new begin"
    assert schedule.window_of(archive, timezone.now()).start == earlier

    forget_askings()
    meanwhile(archive, lambda: keeping.switch(archive, is_on=False, actor=MACHINE))
    assert (archive.is_on, archive.next_at) == (False, None) and not is_asked_at_once(archive)


@pytest.mark.django_db
def test_an_address_that_is_mended_while_the_old_one_fails_is_asked_at_once(archive, archive_server, meanwhile):
    archive_server.refusing = [(503, "7200")]
    right = f"{archive_server.endpoint}?right"
    run = meanwhile(archive, lambda: keeping.keep(wish(archive, place=right), MACHINE, Archive.objects.get()))
    assert run.status == RunStatus.FAILED and archive.address == right
    assert archive.next_at <= timezone.now()


@pytest.mark.django_db
def test_an_archive_is_asked_by_one_at_a_time(archive, archive_server, lights):
    archive_server.offers = [Offer("ivo://d/s?1", "/1.fits", lights[0])]
    order_due()
    order_run(archive, RunPurpose.FETCH)
    order_run(archive, RunPurpose.PREVIEW)
    assert order_due() == 0 and jobs.claim_next(["ask"], "me") is not None
    assert jobs.claim_next(["ask"], "me") is None, "two askings would write the same products"
