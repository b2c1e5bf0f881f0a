"""Leases: two people never hold one detection, none is lost, and the state of a detection says what is so."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from catalog import counting
from catalog.ids import uuid7
from catalog.models import SystemConfig
from catalog.people import audit
from curation import tasks
from curation.judgements.verdicts import Judgement
from curation.models import Lease, ValidationEvent
from curation.triage import queue
from curation.triage.answers import answer
from curation.triage.orders import Order
from curation.triage.queue import Holder, Queue
from detection.models import Detection
from tests.clocks import database_time
from tests.curation.looks import judge
from tests.factories import (
    CandidateFactory,
    DetectionFactory,
    DifferenceRunFactory,
    LeaseFactory,
    ModelRunFactory,
    SourceFactory,
    UserFactory,
)
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db


def waiting(status: str = "pending", **narrowed) -> Queue:
    return Queue(status, Detection.objects.filter(**narrowed))


def holder(user=None) -> Holder:
    return Holder(user or UserFactory(), uuid4())


def detections(count: int, **given) -> list[Detection]:
    """Return detections of one frame, the best first, each of a source of its own."""
    run = DifferenceRunFactory()
    model_run = ModelRunFactory(observation=run.observation)
    return [
        DetectionFactory(
            candidate=CandidateFactory(difference_run=run),
            model_run=model_run,
            source=SourceFactory(),
            confidence_score=1.0 - number / 1000.0,
            **given,
        )
        for number in range(count)
    ]


def lapse(*rows: Detection) -> None:
    Lease.objects.filter(detection__in=rows).update(expires_at=timezone.now() - dt.timedelta(seconds=1))


def states() -> dict[str, int]:
    """Return how many detections are in each state; every lease must agree with it."""
    leased = set(Lease.objects.values_list("detection", flat=True))
    looked_at = set(Detection.objects.filter(status="validating").values_list("pk", flat=True))
    assert leased == looked_at
    found: dict[str, int] = {}
    for state in Detection.objects.values_list("status", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


# What the page says of its screen.
SHOWN = {"images": ["science", "reference", "difference"]}


def say(detection, person: Holder, is_valid: bool | None = True, **more):
    given = {"was_held": True, **{name: more.pop(name) for name in ("was_held",) if name in more}}
    judgement = Judgement(id=uuid7(), detection_id=detection.pk, is_valid=is_valid, visible_context=SHOWN, **more)
    return answer([judgement], person, audit.Actor(person.user), **given)


def test_the_best_score_comes_first_and_the_next_ones_follow_it():
    rows = detections(5)
    person = holder()
    first = queue.take(waiting(), person, 2).keys
    assert first == [rows[0].pk, rows[1].pk]
    assert queue.take(waiting(), person, 2, after=first[-1]).keys == [rows[2].pk, rows[3].pk]
    assert states() == {"validating": 4, "pending": 1}


def test_equal_scores_are_all_come_to():
    rows = detections(6)
    Detection.objects.update(confidence_score=0.9)
    person, last = holder(), None
    seen: list[UUID] = []
    for _ in range(3):
        keys = queue.take(waiting(), person, 2, after=last).keys
        seen, last = seen + keys, keys[-1]
    assert seen == sorted(row.pk for row in rows)


def test_what_one_holds_is_given_to_nobody_else():
    detections(4)
    first, second = holder(), holder()
    held = queue.take(waiting(), first, 3).keys
    other = queue.take(waiting(), second, 3).keys
    assert (len(held), len(other)) == (3, 1)
    assert not set(held) & set(other)


def test_two_windows_of_one_person_hold_different_ones():
    detections(4)
    user = UserFactory()
    here, there = holder(user), holder(user)
    assert not set(queue.take(waiting(), here, 2).keys) & set(queue.take(waiting(), there, 2).keys)
    assert queue.take(waiting(), here, 2).keys == []


def test_what_was_passed_over_comes_again_at_the_end():
    rows = detections(3)
    person = holder()
    queue.take(waiting(), person, 3)
    queue.release(person, [rows[0].pk])
    taken = queue.take(waiting(), person, 2, after=rows[2].pk)
    assert (taken.keys, taken.is_from_the_top) == ([rows[0].pk], True)


def test_a_query_is_followed_and_nothing_outside_of_it_is_given():
    rows = detections(4)
    low = waiting(confidence_score__lt=rows[1].confidence_score)
    assert queue.take(low, holder(), 9).keys == [rows[2].pk, rows[3].pk]
    assert queue.remaining(low, UserFactory()) == 2


def test_an_answer_ends_the_lease_and_an_undone_one_brings_it_back():
    [row] = detections(1)
    person = holder()
    queue.take(waiting(), person, 1)
    kept = say(row, person, False)
    assert (kept.has_lapsed, states()) == (False, {"rejected": 1})
    undone = say(row, person, None, kind="withdrawal", supersedes_id=kept.event.pk)
    assert undone.is_held
    assert states() == {"validating": 1}
    assert queue.take(waiting(), holder(), 1).keys == []


def test_what_two_contradict_each_other_about_waits_for_a_third_and_is_put_to_neither_again():
    [row] = detections(1)
    first, second, third = holder(), holder(), holder()
    queue.take(waiting(), first, 1)
    say(row, first, True)
    say(row, second, False, was_held=False)
    assert states() == {"pending": 1}
    assert queue.take(waiting(), first, 1).keys == queue.take(waiting(), second, 1).keys == []
    assert queue.rest(waiting(), first, Detection.objects.all()).answered == 1
    assert queue.take(waiting(), third, 1).keys == [row.pk]


def test_a_lapsed_lease_is_put_back_by_the_clock_and_by_whoever_asks_next():
    rows = detections(2)
    gone = holder()
    queue.take(waiting(), gone, 2)
    lapse(rows[0])
    assert tasks.put_back() == 1
    assert states() == {"pending": 1, "validating": 1}
    lapse(rows[1])
    assert queue.take(waiting(), holder(), 5).keys == [rows[0].pk, rows[1].pk]


def test_a_lease_lasts_as_long_as_is_configured_by_the_database_s_clock():
    SystemConfig.objects.create(key="curation.lease_minutes", value=3)
    detections(1)
    before = database_time()
    queue.take(waiting(), holder(), 1)
    assert before <= Lease.objects.get().expires_at - dt.timedelta(minutes=3) <= database_time()


def test_a_sign_of_life_lengthens_a_lease_also_one_that_lapsed_and_that_nobody_took():
    rows = detections(2)
    person = holder()
    keys = queue.take(waiting(), person, 2).keys
    lapse(*rows)
    assert queue.hold(keys, person) == set(keys)
    lapse(rows[0])
    tasks.put_back()
    assert queue.hold(keys, person) == set(keys)
    assert Lease.objects.filter(expires_at__gt=timezone.now()).count() == 2
    assert states() == {"validating": 2}


def test_who_comes_back_too_late_is_told_and_both_answers_are_kept():
    [row] = detections(1)
    late, other = holder(), holder()
    queue.take(waiting(), late, 1)
    lapse(row)
    assert queue.take(waiting(), other, 1).keys == [row.pk]
    assert queue.hold([row.pk], late) == set()
    assert say(row, other, True).has_lapsed is False
    kept = say(row, late, False)
    assert (kept.is_new, kept.has_lapsed) == (True, True)
    assert [event.validator for event in kept.others] == [other.user]
    assert ValidationEvent.objects.count() == 2
    assert states() == {"pending": 1}


def test_the_answer_that_is_sent_again_is_not_told_to_be_late():
    [row] = detections(1)
    person = holder()
    queue.take(waiting(), person, 1)
    judgement = Judgement(id=uuid7(), detection_id=row.pk, is_valid=True, visible_context=SHOWN)
    outcomes = [answer([judgement], person, audit.Actor(person.user), was_held=True) for _ in range(2)]
    assert [(kept.is_new, kept.has_lapsed) for kept in outcomes] == [(True, False), (False, False)]


def test_somebody_s_answer_from_elsewhere_leaves_the_lease_and_the_state_agrees():
    [row] = detections(1)
    person = holder()
    queue.take(waiting(), person, 1)
    judge(row, True)
    assert (row.status, Lease.objects.count()) == ("validated", 1)
    queue.release(person)
    row.refresh_from_db()
    assert row.status == "validated"


def test_what_is_given_back_waits_again_but_not_what_an_answer_is_under_way_for():
    rows = detections(3)
    person = holder()
    queue.take(waiting(), person, 3)
    assert queue.release(person, [rows[1].pk]) == 1
    assert queue.release(person, kept=[rows[0].pk]) == 1
    assert Lease.objects.get().detection == rows[0]
    assert states() == {"validating": 1, "pending": 2}


def test_nobody_gives_back_what_another_holds():
    LeaseFactory()
    assert queue.release(holder()) == 0
    assert Lease.objects.count() == 1


def test_what_a_closed_window_held_comes_back_to_its_person_after_some_silence():
    rows = detections(2)
    user = UserFactory()
    closed, here = holder(user), holder(user)
    queue.take(waiting(), closed, 2)
    assert queue.take(waiting(), here, 2).keys == []
    Lease.objects.update(seen_at=timezone.now() - dt.timedelta(seconds=60))
    assert queue.take(waiting(), holder(), 2).keys == [], "others wait until the leases lapse"
    queue.note_presence(closed)
    assert queue.take(waiting(), here, 2).keys == []
    Lease.objects.update(seen_at=timezone.now() - dt.timedelta(seconds=60))
    assert queue.take(waiting(), here, 2).keys == [row.pk for row in rows]


def test_a_person_takes_over_what_their_other_window_holds_and_nothing_of_others():
    rows = detections(3)
    user = UserFactory()
    queue.take(waiting(), holder(), 1)
    queue.take(waiting(), holder(user), 2)
    here = holder(user)
    left = queue.rest(waiting(), here, Detection.objects.all())
    assert (left.held_in_other_windows, left.held_by_others) == (2, 1)
    assert queue.take_over(waiting(), here, 5) == [rows[1].pk, rows[2].pk]
    assert set(Lease.objects.filter(window=here.window).values_list("detection", flat=True)) == {rows[1].pk, rows[2].pk}


def test_one_that_somebody_asks_for_is_theirs_unless_another_has_it():
    row, other = detections(2)
    person, rival = holder(), holder()
    assert queue.take_one(row.pk, person).holder == person.user
    assert queue.take_one(row.pk, rival).holder == person.user
    lapse(row)
    assert queue.take_one(row.pk, rival).holder == rival.user
    assert queue.take_one(uuid7(), person) is None
    judge(other, True)
    assert queue.take_one(other.pk, person).holder == person.user
    other.refresh_from_db()
    assert other.status == "validated"


def test_decided_ones_are_reviewed_under_a_lease_too_and_keep_their_state():
    rows = detections(2, status="rejected")
    first, second = holder(), holder()
    assert queue.take(waiting("rejected"), first, 1).keys == [rows[0].pk]
    assert queue.take(waiting("rejected"), second, 1).keys == [rows[1].pk]
    queue.release(first)
    assert set(Detection.objects.values_list("status", flat=True)) == {"rejected"}


def test_an_archived_one_stays_archived_when_its_lease_ends():
    lease = LeaseFactory()
    Detection.objects.update(status="archived")
    queue.release(Holder(lease.holder, lease.window))
    assert Detection.objects.get().status == "archived"


def test_counting_stops_at_a_thousand(monkeypatch):
    monkeypatch.setattr(counting, "MOST_COUNTED", 3)
    detections(6)
    assert queue.remaining(waiting(), UserFactory()) == 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("status", ["pending", "rejected"])
def test_sixteen_people_at_once_never_get_the_same_one(status):
    rows = detections(70, status=status)
    people = [holder() for _ in range(16)]
    meeting = threading.Barrier(len(people))

    def take(person: Holder) -> list:
        try:
            meeting.wait(timeout=PATIENCE_SECONDS)
            got, last = [], None
            for _ in range(2):
                keys = queue.take(waiting(status), person, 2, after=last).keys
                got += keys
                last = keys[-1] if keys else last
            return got
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        taken = list(pool.map(take, people))
    every = [key for keys in taken for key in keys]
    assert len(every) == len(set(every))
    assert set(every) <= {row.pk for row in rows}
    for person, keys in zip(people, taken, strict=True):
        assert set(Lease.objects.filter(holder=person.user).values_list("detection", flat=True)) == set(keys)
    if status == "pending":
        assert len(every) == 64, "nobody goes away empty while something waits"
        assert states() == {"validating": 64, "pending": 6}


@pytest.mark.django_db(transaction=True)
def test_taking_answering_giving_back_and_lapsing_at_once_neither_block_nor_disagree():
    detections(12)
    people = [holder() for _ in range(8)]

    def work(person: Holder) -> int:
        try:
            said = 0
            for turn in range(4):
                for key in queue.take(waiting(), person, 2).keys:
                    if turn % 2:
                        queue.release(person, [key])
                    else:
                        say(Detection(pk=key), person, True)
                        said += 1
                lapse(*Detection.objects.all()[turn::4])
                tasks.put_back()
                queue.hold(list(Lease.objects.values_list("detection", flat=True)[:3]), person)
                queue.release(person)
            return said
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        said = sum(pool.map(work, people))
    assert ValidationEvent.objects.count() == said
    found = states()
    assert found.get("validated", 0) + found.get("pending", 0) == 12


def epochs_of(source, *scores: float) -> list[Detection]:
    return [DetectionFactory(source=source, confidence_score=score) for score in scores]


def test_an_object_is_one_item_led_by_its_best_detection():
    first, second = SourceFactory(), SourceFactory()
    of_first = epochs_of(first, 0.95, 0.6)
    of_second = epochs_of(second, 0.9, 0.92, 0.5)
    person = holder()
    assert queue.take(waiting(), person, 8).keys == [of_first[0].pk, of_second[1].pk]
    assert set(Lease.objects.values_list("item", flat=True)) == {first.pk, second.pk}
    assert queue.take(waiting(), holder(), 8).keys == [], "nobody else is given another epoch of what is looked at"
    assert states() == {"validating": 2, "pending": 3}, "no lock grows with the epochs"
    assert queue.remaining(waiting(), UserFactory()) == 2
    assert queue.remaining(waiting(), UserFactory(), by_detection=True) == 5


def test_an_object_that_was_passed_over_does_not_come_back_by_another_epoch():
    passed = epochs_of(SourceFactory(), 0.95, 0.6)
    [later] = epochs_of(SourceFactory(), 0.5)
    person = holder()
    [first] = queue.take(waiting(), person, 1).keys
    queue.release(person)
    taken = queue.take(waiting(), person, 2, after=first)
    assert taken.keys == [later.pk, passed[0].pk]
    assert taken.is_from_the_top


def test_of_an_object_the_best_detection_that_the_query_shows_leads():
    rows = epochs_of(SourceFactory(), 0.95, 0.6)
    assert queue.take(waiting(confidence_score__lt=0.9), holder(), 8).keys == [rows[1].pk]


def test_detections_are_reviewed_one_by_one_where_that_is_wanted():
    rows = epochs_of(SourceFactory(), 0.95, 0.6)
    person = Holder(UserFactory(), uuid4(), by_detection=True)
    assert queue.take(waiting(), person, 8).keys == [row.pk for row in rows]
    assert set(Lease.objects.values_list("item", flat=True)) == {row.pk for row in rows}


def test_an_object_with_hundreds_of_detections_hides_none_behind_it():
    epochs_of(SourceFactory(), *(0.99 - number / 10_000 for number in range(40)))
    behind = epochs_of(SourceFactory(), 0.5)
    assert queue.take(waiting(), holder(), 2).keys[1:] == [behind[0].pk]


def test_who_asks_for_another_epoch_of_what_they_hold_goes_on_with_that():
    rows = epochs_of(SourceFactory(), 0.95, 0.6)
    person = holder()
    queue.take(waiting(), person, 1)
    assert queue.take_one(rows[1].pk, person).detection_id == rows[1].pk
    assert states() == {"pending": 1, "validating": 1}


def test_another_epoch_of_what_somebody_looks_at_is_theirs():
    rows = epochs_of(SourceFactory(), 0.95, 0.6)
    one, other = holder(), holder()
    queue.take(waiting(), one, 1)
    assert queue.take_one(rows[1].pk, other).holder == one.user
    assert queue.take(waiting(), other, 4).keys == []


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("score", "0123"), ("uncertain", "2310"), ("newest", "3210"), ("oldest", "0123"),
        ("novelty", "3012"), ("urgency", "2301"), ("unusual", "2031"), ("disagreement", "1302"),
    ],
)  # fmt: skip
def test_each_order_is_followed_from_the_first_to_the_last(order: str, expected: str):
    rows = detections(4)
    known = [(0.5, 1), (0.5, None), (None, 4), (1.0, 3)]
    of_models = [(0.5, None), (None, 0.6), (0.9, None), (0.5, 0.2)]
    for row, score, (novelty, urgency), (anomaly, disagreement) in zip(
        rows, (0.99, 0.9, 0.55, 0.4), known, of_models, strict=True
    ):
        more = {"novelty": novelty, "urgency": urgency, "anomaly": anomaly, "disagreement": disagreement}
        Detection.objects.filter(pk=row.pk).update(confidence_score=score, **more)
    wanted = [rows[int(number)].pk for number in expected]
    every, person = Queue("pending", Detection.objects.all(), order=Order(order)), holder()
    first = queue.take(every, person, 2)
    second = queue.take(every, person, 2, after=first.keys[-1])
    assert first.keys + second.keys == wanted
    assert not second.is_from_the_top
    queue.release(person)
    one_by_one: list[UUID] = []
    for _ in rows:
        one_by_one += queue.take(every, person, 1, after=one_by_one[-1] if one_by_one else None).keys
    assert one_by_one == wanted
    assert queue.take_over(every, Holder(person.user, uuid4()), 9) == wanted


def test_an_object_has_its_place_by_the_one_of_its_detections_that_comes_first_in_the_order():
    source = SourceFactory()
    old = epochs_of(source, 0.99)
    between = epochs_of(SourceFactory(), 0.95)
    new = epochs_of(source, 0.6)
    newest = Queue("pending", Detection.objects.all(), order=Order.NEWEST)
    assert queue.take(newest, holder(), 9).keys == [new[0].pk, between[0].pk]
    assert old
