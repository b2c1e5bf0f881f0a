"""Injected sources among what people review: nothing tells them from others, and nothing follows from answers."""

from __future__ import annotations

import datetime as dt
import random
import re

import pytest
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from catalog.files import storage
from catalog.ids import uuid7
from catalog.models import AuditLog, ProcessingJob, SystemConfig, User
from curation.injected.ending import KEPT, end_old
from curation.injected.rows import as_stored, source_key
from curation.judgements.gold import completeness_for, found_injected_for
from curation.models import Deferral, GoldAnswer, GoldItem, ValidationEvent
from detection.models import Detection, ForcedPhotometry, Source
from differencing.models import Candidate
from tests.clients import account
from tests.curation.cutouts import cutouts, detection_with_cutouts, store
from tests.curation.triage.windows import Window, ids
from tests.factories import (
    CandidateFactory,
    ForcedPhotometryFactory,
    GoldAnswerFactory,
    InjectedFactory,
    SourceFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    SystemConfig.objects.create(key="curation.fake_share", value=0.5)
    monkeypatch.setattr(random, "random", lambda: 0.0)


def injected(**given) -> Detection:
    item = InjectedFactory(**given)
    store(item.detection, cutouts())
    return item.detection


def ordinary(**given) -> Detection:
    return detection_with_cutouts(**{"source": SourceFactory(), **given})


def anonymous(item: dict, row: Detection) -> str:
    """Return the words of an item without keys, versions of files and what is measured."""
    html = item["html"].replace(str(row.pk), "KEY").replace(str(row.candidate_id), "CANDIDATE")
    html = html.replace(str(row.candidate.difference_run_id), "RUN").replace(
        str(row.source_id or source_key(row.pk)), "SOURCE"
    )
    return re.sub(r"\s+", " ", html)


def test_an_injected_source_looks_like_any_other_item():
    row = injected()
    assert row.candidate is not None
    run = row.candidate.difference_run
    other = ordinary(confidence_score=0.87, candidate__snr=9.2, candidate__difference_run=run)
    window = Window()
    [item] = window.take(1)["items"]
    [plain] = window.take(1, holding=[str(row.pk)])["items"]
    assert (item["id"], plain["id"]) == (str(row.pk), str(other.pk))
    assert item.keys() == plain.keys()
    for name in item.keys() - {"id", "html", "pixels", "all_pixels", "context", "name"}:
        assert item[name] == plain[name], name
    assert {**item["context"], "cutouts": ""} == {**plain["context"], "cutouts": ""}
    looks, usual = anonymous(item, row), anonymous(plain, other)
    usual, looks = (re.sub(r"SIMULATED-\w+|OBS\S+|\d+-\d+-\d+", "", text) for text in (usual, looks))
    assert re.sub(r"<dt>Frame</dt><dd>.*?</dd>", "", looks) == re.sub(r"<dt>Frame</dt><dd>.*?</dd>", "", usual)
    assert "inject" not in str(item).lower()


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("detection:pixels", ""), ("detection:cutouts", ""), ("detection:context", ""),
        ("curation:detection", ""), ("curation:source", ""), ("curation:triage_frame", "detection"),
    ],
)  # fmt: skip
def test_what_an_item_leads_to_answers_for_an_injected_source_and_does_not_tell(name: str, query: str):
    row = injected()
    window = Window()
    key = source_key(row.pk) if name == "curation:source" else row.pk
    path = reverse(name, args=[] if query else [key]) + (f"?{query}={row.pk}" if query else "")
    answer = window.client.get(path, follow=True)
    assert answer.status_code == 200
    assert b"inject" not in answer.content.lower()


def test_the_answer_makes_no_event_and_its_person_alone_is_told():
    row, _ = injected(), ordinary()
    window, key = Window(), str(uuid7())
    window.take(1)
    lines = AuditLog.objects.count()
    reply = window.answer(row, True, id=key)
    assert (reply.status_code, reply.json()["feedback"]) == (
        201, "It was an injected source, on empty sky, S/N 9. You found it; only you are told."
    )  # fmt: skip
    assert window.answer(row, True, id=key).status_code == 200
    kept = GoldAnswer.objects.get()
    assert (kept.person, kept.is_valid, str(kept.event)) == (window.user, True, key)
    assert not ValidationEvent.objects.exists() and not ProcessingJob.objects.exists()
    assert AuditLog.objects.count() == lines
    undone = window.answer(row, None, kind="withdrawal", supersedes=key)
    assert (undone.status_code, undone.json()["is_held"]) == (201, True)
    assert window.answer(row, False).status_code == 200 or GoldAnswer.objects.get().is_valid, "the first counts"
    assert not ValidationEvent.objects.exists()


def test_who_called_it_bogus_is_told_so():
    row, _ = injected(kind="galaxy", injected_snr=6.4), ordinary()
    window = Window()
    window.take(1)
    told = window.answer(row, False).json()["feedback"]
    assert told == "It was an injected source, in a galaxy, S/N 6. You took it for bogus; only you are told."


def test_only_who_was_given_it_can_ask_for_it_again_by_its_address():
    row, _ = injected(), ordinary()
    first = Window()
    first.take(1)
    reloaded = Window(first.user)
    assert ids(reloaded.take(1, one=str(row.pk))) == [str(row.pk)]
    assert reloaded.take(0, holding=[str(row.pk)])["lost"] == []
    reloaded.answer(row, True)
    assert GoldAnswer.objects.get().is_valid
    stranger = Window().take(1, one=str(row.pk))
    assert (stranger["items"], stranger["empty"]["code"]) == ([], "gone")


@pytest.mark.parametrize("kind", ["snooze", "opinion"])
def test_putting_it_off_keeps_nothing_and_can_be_undone(kind: str):
    row, _ = injected(), ordinary()
    window, key = Window(), str(uuid7())
    window.take(1)
    body = {"id": key, "detection": str(row.pk), "kind": kind, "others": []}
    assert window.send("triage_deferrals", **body).status_code == 201
    undone = window.send("triage_deferrals", **{**body, "id": str(uuid7()), "kind": "withdrawal", "supersedes": key})
    assert undone.json()["is_held"] is True
    assert not Deferral.objects.exists()


@pytest.mark.parametrize("reason", ["switched off", "nothing else waits", "not these", "decided ones", "answered"])
def test_nobody_is_given_an_injected_source_where(reason: str):
    row, window, query = injected(), Window(), ""
    if reason != "nothing else waits":
        ordinary()
    if reason == "switched off":
        SystemConfig.objects.update(is_active=False)
    elif reason == "not these":
        query = "score_min=0.88"
    elif reason == "decided ones":
        query = "status=validated"
    elif reason == "answered":
        GoldAnswerFactory(item=row.gold, person=window.user, is_valid=True)
    assert str(row.pk) not in ids(window.take(3, query=query))


def test_filters_of_the_queue_hold_for_injected_sources_too():
    row, _ = injected(), ordinary(confidence_score=0.9)
    assert str(row.pk) in ids(Window().take(3, query="score_min=0.5&origin=pipeline"))


def test_its_history_is_shown_and_is_in_no_table():
    row, _ = injected(), ordinary()
    measured = ForcedPhotometryFactory(source=SourceFactory())
    stored = as_stored(measured)
    GoldItem.objects.filter(detection=row).update(history=[{**stored, "source_id": str(row.pk)}])
    before = (ForcedPhotometry.objects.count(), Source.objects.count())
    window = Window()
    items = {item["id"]: item for item in window.take(2)["items"]}
    assert len(items[str(row.pk)]["epochs"]) == 2
    assert "Light curve of" in window.client.get(reverse("curation:detection", args=[row.pk])).content.decode()
    assert (ForcedPhotometry.objects.count(), Source.objects.count()) == before


def test_old_ones_are_deleted_with_their_cutouts_and_answered_ones_keep_the_answer_alone():
    fresh, unanswered, answered = injected(), injected(), injected()
    GoldAnswerFactory(item=unanswered.gold, person=account("curator"))
    GoldAnswerFactory(item=answered.gold, person=account("curator"), is_valid=True)
    long_ago = timezone.now() - KEPT - dt.timedelta(minutes=1)
    GoldItem.objects.exclude(detection=fresh).update(created_at=long_ago)
    paths = [row.cutouts_path for row in (fresh, unanswered, answered)]
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert end_old() == 2
    assert [storage.exists(path) for path in paths] == [True, False, False]
    assert set(Detection.with_injected.filter(is_injected=True)) == {fresh, answered}
    assert Candidate.with_injected.filter(is_injected=True).count() == 2
    assert GoldAnswer.objects.get().item.detection_id == answered.pk
    ordinary()
    assert str(answered.pk) not in ids(Window().take(3))
    assert end_old() == 0


def test_completeness_on_injected_sources_is_by_kind_and_the_snr_that_was_injected():
    person, other = account("curator"), account("curator")
    expert: User = account("expert")
    for snr, kind, said in ((6.0, "sky", True), (6.5, "sky", False), (30.0, "galaxy", True)):
        item = InjectedFactory(
            kind=kind, injected_snr=snr, detection__candidate=CandidateFactory(snr=99.0, is_injected=True)
        )
        GoldAnswerFactory(item=item, person=person, is_valid=said)
        GoldAnswerFactory(item=item, person=other, is_valid=True)
    told = [
        (one.person, one.kind, one.snr_from, one.snr_to, one.right.part, one.right.whole)
        for one in found_injected_for(person)
    ]
    name = person.get_username()
    assert told == [(name, "in a galaxy", 20.0, 50.0, 1, 1), (name, "on empty sky", 0.0, 7.0, 1, 2)]
    of_all = [one for one in found_injected_for(expert) if not one.person]
    assert [(one.right.part, one.right.whole) for one in of_all] == [(2, 2), (3, 4)]
    assert completeness_for(expert) == [], "what experts have marked is counted apart"
