"""Known items among what people review: nothing tells them from others, and what is said of them follows nowhere."""

from __future__ import annotations

import datetime as dt
import random
from uuid import UUID

import pytest
from django.utils import timezone

from catalog.ids import uuid7
from catalog.models import AuditLog, ProcessingJob, SystemConfig, User
from catalog.people import audit
from curation.judgements.gold import GoldRefused, completeness_for, end_known, mark_known
from curation.models import Alert, GoldAnswer, GoldItem, ValidationEvent
from curation.triage import gold
from curation.triage.queue import Holder
from curation.triage.review import reviews
from detection.models import Detection
from tests.clients import account
from tests.curation.cutouts import detection_with_cutouts
from tests.curation.looks import judge
from tests.curation.triage.windows import Window, ids
from tests.factories import CandidateFactory, DetectionFactory, GoldAnswerFactory, GoldItemFactory, SourceFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]


@pytest.fixture(autouse=True)
def expert() -> User:
    """Let every place be a known item's as long as there are any."""
    SystemConfig.objects.create(key="curation.gold_share", value=0.5)
    return account("expert")


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "random", lambda: 0.0)


def known(expert: User, is_valid: bool = True, **given) -> Detection:
    row = detection_with_cutouts(**given)
    judge(row, is_valid, person=expert, label="comet" if is_valid else "cosmic_ray")
    mark_known(row, expert, audit.Actor(expert))
    return row


def test_what_is_decided_can_be_marked_as_known_and_no_longer_be_given(expert: User):
    row = DetectionFactory()
    with pytest.raises(GoldRefused, match="not decided"):
        mark_known(row, expert, audit.Actor(expert))
    judge(row, False, label="cosmic_ray")
    item = mark_known(row, expert, audit.Actor(expert))
    item.refresh_from_db()
    assert (item.is_valid, item.label, item.is_active) == (False, "cosmic_ray", True)
    end_known(row, audit.Actor(expert))
    assert not GoldItem.objects.get().is_active
    assert AuditLog.objects.filter(action__in=("mark_known", "end_known")).count() == 2


def test_what_people_were_told_is_known_does_not_turn_into_something_else(expert: User):
    row = known(expert)
    judge(row, False, person=expert)
    mark_known(row, expert, audit.Actor(expert))
    assert not GoldItem.objects.get().is_valid, "nobody was told of it"
    GoldAnswerFactory(item=GoldItem.objects.get())
    judge(row, True, person=expert)
    with pytest.raises(GoldRefused, match="must not change"):
        mark_known(row, expert, audit.Actor(expert))


def test_a_known_item_is_given_among_others_and_looks_like_one_that_nobody_answered(expert: User, always: None):
    row, other = known(expert), detection_with_cutouts(source=SourceFactory())
    judge(other, True, person=account("curator"))
    Detection.objects.filter(pk=other.pk).update(status="pending")
    window = Window()
    given = window.take(1)
    assert ids(given) == [str(row.pk)]
    [item] = given["items"]
    assert "Nobody has answered yet" in item["html"]
    assert "comet" not in item["html"].lower() and "validated" not in item["html"].lower()
    assert (item["own"], item["context"]["answers_shown"]) == (None, 0)
    [review] = gold.unmarked(reviews([row.pk], window.user), Holder(window.user, UUID(window.key)))
    assert (review.detection.status, review.detection.human_label, review.detection.is_validated) == (
        "pending",
        "",
        False,
    )
    [ordinary] = window.take(1, holding=[str(row.pk)])["items"]
    assert item.keys() == ordinary.keys() and item["context"].keys() == ordinary["context"].keys()


def test_a_known_item_that_a_page_holds_is_not_lost(expert: User, always: None):
    row, _ = known(expert), DetectionFactory()
    window = Window()
    window.take(1)
    assert window.take(0, holding=[str(row.pk)])["lost"] == []
    assert Window().take(0, holding=[str(row.pk)])["lost"] == [str(row.pk)]


def test_the_answer_is_no_judgement_and_its_person_alone_is_told(expert: User, always: None):
    row, _ = known(expert), DetectionFactory()
    events, jobs, before = ValidationEvent.objects.count(), ProcessingJob.objects.count(), row.updated_at
    window, key = Window(), str(uuid7())
    window.take(1)
    reply = window.answer(row, False, id=key, label="cosmic_ray")
    assert reply.status_code == 201
    told = reply.json()
    assert told["feedback"] == (
        "This was an item whose answer is known: real, comet. You said the opposite; only you are told."
    )
    assert (told["id"], told["others"], told["opposed"], told["has_lapsed"]) == (key, [], [], False)
    row.refresh_from_db()
    assert (ValidationEvent.objects.count(), ProcessingJob.objects.count(), row.updated_at) == (events, jobs, before)
    assert not Alert.objects.exists()
    kept = GoldAnswer.objects.get()
    assert (kept.person, kept.is_valid, kept.label, str(kept.event)) == (window.user, False, "cosmic_ray", key)
    again = window.answer(row, False, id=key, label="cosmic_ray")
    assert (again.status_code, again.json()["feedback"]) == (200, told["feedback"])


def test_the_first_answer_counts_whatever_is_said_once_it_is_known(expert: User, always: None):
    row, _ = known(expert), DetectionFactory()
    window, key = Window(), str(uuid7())
    window.take(1)
    window.answer(row, False, id=key)
    undone = window.answer(row, None, kind="withdrawal", supersedes=key)
    assert (undone.status_code, undone.json()["is_held"]) == (201, True)
    assert window.answer(row, True).status_code == 201
    assert GoldAnswer.objects.get().is_valid is False
    assert not ValidationEvent.objects.filter(validator=window.user).exists()


def test_going_back_shows_ones_own_answer_and_no_other(expert: User, always: None):
    row, _ = known(expert), DetectionFactory()
    window = Window()
    window.take(1)
    window.answer(row, False)
    said = window.send("triage_said", detection=str(row.pk)).json()
    assert said["own"]["said"] == "bogus (medium)"
    assert expert.username not in said["said"]


def test_without_its_images_a_known_item_cannot_be_answered_either(expert: User, always: None):
    row, _ = known(expert), DetectionFactory()
    window = Window()
    window.take(1)
    assert window.answer(row, True, visible_context={}).status_code == 422
    assert GoldAnswer.objects.get().is_valid is None


def test_the_queue_goes_on_where_it_was_before_a_known_item(expert: User, always: None, monkeypatch):
    rows = [DetectionFactory(source=SourceFactory(), confidence_score=score) for score in (0.9, 0.8, 0.7)]
    row, window = known(expert, confidence_score=0.1), Window()
    monkeypatch.setattr(random, "random", lambda: 1.0)
    assert ids(window.take(1)) == [str(rows[0].pk)]
    monkeypatch.setattr(random, "random", lambda: 0.0)
    assert ids(window.take(1, after=str(rows[0].pk))) == [str(row.pk)]
    assert ids(window.take(1, after=str(row.pk))) == [str(rows[1].pk)], "not from what lies below its score"


@pytest.mark.parametrize(
    "reason", ["nothing else waits", "switched off", "judged it", "marked it", "not these", "ended"]
)
def test_nobody_is_given_a_known_item_where(reason: str, expert: User, always: None):
    row, window, query = known(expert), Window(), ""
    if reason != "nothing else waits":
        DetectionFactory(source=SourceFactory())
    if reason == "switched off":
        SystemConfig.objects.update(is_active=False)
    elif reason == "judged it":
        judge(row, True, person=window.user)
    elif reason == "marked it":
        window = Window(expert)
    elif reason == "not these":
        query = "score_max=0.5"
        DetectionFactory(source=SourceFactory(), confidence_score=0.4)
    elif reason == "ended":
        end_known(row, audit.Actor(expert))
    assert str(row.pk) not in ids(window.take(3, query=query))


def test_a_known_item_is_given_once_and_again_only_if_it_was_left_for_a_day(expert: User, always: None):
    row, _ = known(expert), DetectionFactory()
    first = Window()
    assert str(row.pk) in ids(first.take(1))
    later = Window(first.user)
    assert str(row.pk) not in ids(later.take(1))
    GoldAnswer.objects.update(updated_at=timezone.now() - dt.timedelta(days=2))
    assert str(row.pk) in ids(later.take(1))
    later.answer(row, True)
    GoldAnswer.objects.update(updated_at=timezone.now() - dt.timedelta(days=2))
    assert str(row.pk) not in ids(Window(first.user).take(1))


def test_who_asks_for_a_known_item_themselves_judges_it(expert: User, always: None):
    row, _ = known(expert), DetectionFactory()
    window = Window()
    window.take(1)
    window.take(1, one=str(row.pk))
    reply = window.answer(row, True)
    assert reply.status_code == 201 and "feedback" not in reply.json()
    assert ValidationEvent.objects.filter(validator=window.user, detection=row).exists()


def test_the_known_item_is_given_whose_score_stands_out_least(expert: User, monkeypatch):
    rows = [DetectionFactory(source=SourceFactory(), confidence_score=score) for score in (0.95, 0.85, 0.75)]
    # Enough for a window's share of what is left.
    for _ in range(6):
        DetectionFactory(source=SourceFactory(), confidence_score=0.1)
    known(expert, confidence_score=0.2)
    near = known(expert, confidence_score=0.8)
    drawn = iter([0.0, 1.0, 1.0, 1.0])
    monkeypatch.setattr(random, "random", lambda: next(drawn))
    assert ids(Window().take(4)) == [str(row.pk) for row in (rows[0], rows[1], near, rows[2])]


def test_known_items_come_as_often_as_is_configured(expert: User, monkeypatch):
    drawn = iter([0.6, 0.4, 0.7])
    monkeypatch.setattr(random, "random", lambda: next(drawn))
    rows = [known(expert) for _ in range(3)]
    for _ in range(3):
        DetectionFactory(source=SourceFactory())
    given = ids(Window().take(3))
    assert len(given) == 3 and len({*given} & {str(row.pk) for row in rows}) == 1


def test_completeness_is_told_by_kind_and_snr_of_oneself_and_to_experts_of_all(expert: User):
    person, other = account("curator"), account("curator")
    for snr, is_valid, said in ((-8.0, True, True), (8.0, True, False), (30.0, True, True), (6.0, False, False)):
        row = DetectionFactory(candidate=CandidateFactory(snr=snr))
        item = GoldItemFactory(detection=row, is_valid=is_valid, label="comet" if is_valid else "")
        GoldAnswerFactory(item=item, person=person, is_valid=said)
        GoldAnswerFactory(item=item, person=other)
    told = completeness_for(person)
    assert [(one.kind, one.snr_from, one.snr_to, one.right.part, one.right.whole) for one in told] == [
        ("comet", 7.0, 10.0, 1, 2), ("comet", 20.0, 50.0, 1, 1), ("bogus", 0.0, 7.0, 1, 1)
    ]  # fmt: skip
    assert completeness_for(other) == [], "what was not answered is no answer"
    assert completeness_for(expert) == told
