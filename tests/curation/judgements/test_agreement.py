"""What of people's answers is compared, and what is told of it."""

from __future__ import annotations

import pytest

from catalog.models import SystemConfig
from curation.judgements.agreement import Agreement, agreement_for
from curation.models import EventKind, ValidationEvent
from detection.models import Detection
from tests.clients import account
from tests.curation.looks import judge
from tests.factories import DetectionFactory, SourceFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return UserFactory(username="ann")


@pytest.fixture
def bob():
    return UserFactory(username="bob")


def told(**more) -> Agreement:
    return agreement_for(account("viewer"), **more)


def objects(count: int) -> list[Detection]:
    return [DetectionFactory(source=SourceFactory()) for _ in range(count)]


def test_two_people_agree_as_far_as_cohen_says_and_labels_say_about_what_they_do_not(ann, bob):
    for row, first, second in zip(objects(4), "++--", "+-+-", strict=True):
        judge(row, first == "+", person=ann, label="comet" if first == "+" else "")
        judge(row, second == "+", person=bob, label="comet" if second == "+" else "")
    found = told()
    [pair] = found.pairs
    assert (found.objects, {pair.first, pair.second}) == (4, {"ann", "bob"})
    assert (pair.same.part, pair.same.whole) == (2, 4)
    assert pair.kappa is not None and pair.kappa.value == pytest.approx(0.0)
    assert found.together is not None and found.together.items == 4
    # Of three pairs of answers one of which, at least, said comet, two did not agree.
    assert {one.label: (one.differing.part, one.differing.whole) for one in found.labels} == {
        "comet": (2, 3), "bogus": (2, 3)
    }  # fmt: skip


def test_an_answer_about_several_epochs_of_one_object_counts_once(ann, bob):
    source = SourceFactory()
    for _ in range(5):
        row = DetectionFactory(source=source)
        judge(row, True, person=ann)
        judge(row, True, person=bob)
    found = told()
    assert (found.objects, found.pairs[0].same.whole, found.together) == (1, 1, None)


def test_a_second_thought_and_an_answer_given_with_those_of_others_on_screen_are_not_independent(ann, bob):
    first, second = objects(2)
    judge(first, True, person=ann)
    judge(first, False, person=bob)
    judge(first, True, person=bob, visible_context={"answers_shown": 1})
    judge(second, True, person=ann)
    judge(second, True, person=bob, visible_context={"answers_shown": 1})
    found = told()
    assert found.objects == 1
    assert found.pairs[0].same.value == 0.0, "what bob said first"


def test_what_was_taken_back_is_not_compared(ann, bob):
    [row] = objects(1)
    judge(row, True, person=ann)
    judge(row, False, person=bob)
    event = ValidationEvent.objects.get(validator=bob)
    judge(row, None, person=bob, kind=EventKind.WITHDRAWAL, supersedes_id=event.pk)
    assert told() == Agreement(0, (), None, ())


def test_only_what_was_said_since_is_compared(ann, bob):
    rows = objects(2)
    for row in rows:
        judge(row, True, person=ann)
        judge(row, True, person=bob)
    since = ValidationEvent.objects.filter(detection=rows[1]).earliest("created_at").created_at
    assert told(since=since).objects == 1


def test_who_judges_blind_is_told_nothing_of_what_they_have_not_judged(ann, bob):
    SystemConfig.objects.create(key="curation.blind", value=True)
    row, other = objects(2)
    for judged in (row, other):
        judge(judged, True, person=ann)
        judge(judged, False, person=bob)
    looker = account("curator")
    assert agreement_for(looker).objects == 0
    judge(row, True, person=looker)
    assert agreement_for(looker).objects == 1
    assert told().objects == 2
