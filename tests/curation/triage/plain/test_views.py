"""Triage without scripts, as the server sees it: leases, answers that count once, and what is refused."""

from __future__ import annotations

import datetime as dt
import html
import random
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import SystemConfig, User
from catalog.people import audit
from curation.judgements.gold import mark_known
from curation.models import Deferral, GoldAnswer, Lease, SavedFilter, ValidationEvent
from detection.models import Detection
from tests.clients import account
from tests.curation.cutouts import cutouts, detection_with_cutouts, store
from tests.curation.looks import judge
from tests.factories import InjectedFactory, SourceFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


class Reader:
    """A browser that runs no scripts: the page that it shows, and where that is."""

    def __init__(self, user: User | None = None) -> None:
        self.user = user or UserFactory()
        self.user.groups.add(Group.objects.get(name="curator"))
        self.client = Client()
        self.client.force_login(self.user)
        self.address = self.text = ""
        self.status = 0

    def get(self, query: str = "by=object") -> Reader:
        return self.follow(f"{reverse('curation:triage_plain')}?{query}")

    def follow(self, address: str) -> Reader:
        return self._shown(self.client.get(address, follow=True), address)

    def say(self, word: str, **typed: Any) -> Reader:
        """Press a button of the form on screen, as it is filled in."""
        form = self.text[self.text.find('id="answer"') :]
        given = {name: html.unescape(value) for name, value in _HIDDEN.findall(form)}
        ticked = re.findall(r'name="covers" value="([^"]+)" form="answer" checked', self.text)
        given |= {"covers": ticked, "level": "medium", "say": word, **typed}
        return self._shown(self.client.post(self.address, given, follow=True), self.address)

    def undo(self) -> Reader:
        [group] = re.findall(r'name="group" value="([^"]+)"', self.text)
        return self._shown(self.client.post(self.address, {"say": "undo", "group": group}, follow=True), self.address)

    def _shown(self, answer: Any, address: str) -> Reader:
        chain = getattr(answer, "redirect_chain", [])
        self.address, self.text, self.status = (
            (chain[-1][0] if chain else address),
            answer.content.decode(),
            answer.status_code,
        )
        return self

    @property
    def place(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.address).query).items()}

    @property
    def shown(self) -> str:
        found = re.search(r'data-detection-id="([^"]+)"', self.text)
        return found[1] if found else ""


def rows_of(*scores: float) -> list[Detection]:
    return [detection_with_cutouts(source=SourceFactory(), confidence_score=score) for score in scores]


def test_whoever_asks_for_nothing_gets_their_saved_filter_a_window_and_one_lease():
    rows = rows_of(0.9, 0.2)
    reader = Reader()
    SavedFilter.objects.create(person=reader.user, name="low", query="score_max=0.5", is_default=True)
    reader.get("")
    assert reader.shown == str(rows[1].pk)
    assert reader.place.keys() == {"score_max", "window", "item"}
    lease = Lease.objects.get()
    assert (str(lease.window), lease.detection_id, lease.holder) == (reader.place["window"], rows[1].pk, reader.user)


def test_another_filter_in_the_same_window_gives_back_what_does_not_fit_and_keeps_what_fits():
    rows = rows_of(0.9, 0.2)
    reader = Reader().get()
    window = reader.place["window"]
    assert reader.get(f"score_min=0.5&window={window}").shown == str(rows[0].pk)
    assert reader.get(f"score_max=0.5&window={window}").shown == str(rows[1].pk)
    assert Lease.objects.get().detection_id == rows[1].pk
    assert Detection.objects.get(pk=rows[0].pk).status == "pending"


def test_the_last_one_that_is_skipped_begins_at_the_top_again():
    rows = rows_of(0.9, 0.8)
    reader = Reader().get()
    assert reader.say("skip").shown == str(rows[1].pk)
    assert reader.say("skip").shown == str(rows[0].pk)
    assert "it begins at the top again" in reader.text
    assert Lease.objects.count() == 1


def test_what_is_asked_for_by_its_address_is_given_whatever_its_state_and_an_answer_replaces_ones_own():
    [row] = rows_of(0.9)
    reader = Reader()
    judge(row, True, person=reader.user)
    reader.get(f"detection={row.pk}")
    assert reader.shown == str(row.pk)
    assert "You said: real (high). A new answer takes its place." in reader.text
    reader.say("label:cosmic_ray")
    first, second = ValidationEvent.objects.order_by("created_at")
    assert (second.is_valid, second.label, second.supersedes_id) == (False, "cosmic_ray", first.pk)
    assert Detection.objects.get(pk=row.pk).status == "rejected"
    assert Reader().get(f"detection={uuid4()}").shown == ""


def test_what_somebody_else_reviews_is_not_given_and_the_page_says_who():
    [row] = rows_of(0.9)
    Reader(UserFactory(username="Rosalind")).get()
    reader = Reader().get(f"detection={row.pk}")
    assert reader.shown == ""
    assert "Rosalind is reviewing it now" in reader.text


def test_what_others_decided_after_a_lease_had_expired_is_not_asked_again():
    rows = rows_of(0.9, 0.8)
    reader = Reader().get()
    Lease.objects.update(expires_at=timezone.now() - dt.timedelta(minutes=1))
    Reader().get()
    judge(rows[0], True)
    Lease.objects.exclude(holder=reader.user).delete()
    reader.follow(reader.address)
    assert reader.shown == str(rows[1].pk)
    assert "others have decided it meanwhile" in reader.text


def test_decided_detections_are_reviewed_one_by_one():
    rows = rows_of(0.9, 0.8)
    for row in rows:
        judge(row, False)
    reader = Reader().get("status=rejected")
    assert reader.shown == str(rows[0].pk)
    reader.say("real")
    assert reader.shown == str(rows[1].pk)
    reader.follow(reader.address)
    assert reader.shown == str(rows[1].pk)


def test_an_answer_that_was_taken_back_is_not_given_again_by_an_old_page():
    rows = rows_of(0.9, 0.8)
    reader = Reader().get()
    old_address, old_text = reader.address, reader.text
    reader.say("real", notes="typed")
    reader.undo()
    assert reader.shown == str(rows[0].pk)
    assert ValidationEvent.objects.count() == 2
    reader.address, reader.text = old_address, old_text
    reader.say("real", notes="typed")
    assert reader.status == 422
    assert "have taken it back or replaced it since" in reader.text
    assert ">\ntyped</textarea>" in reader.text
    assert ValidationEvent.objects.count() == 2
    reader.say("real", notes="typed")
    assert Detection.objects.get(pk=rows[0].pk).status == "validated"


def test_an_undo_that_is_pressed_twice_withdraws_once():
    rows_of(0.9, 0.8)
    reader = Reader().get().say("bogus")
    address, text = reader.address, reader.text
    for _ in range(2):
        reader.address, reader.text = address, text
        assert "Undone: " in reader.undo().text
    assert ValidationEvent.objects.filter(kind="withdrawal").count() == 1


def test_nobody_takes_back_what_they_did_not_say_here():
    [row] = rows_of(0.9)
    group = uuid4()
    judge(row, True, group=group)
    reader = Reader().get()
    answer = reader.client.post(reader.address, {"say": "undo", "group": str(group)}, follow=True)
    assert "There is nothing to undo." in answer.content.decode()
    assert not ValidationEvent.objects.filter(kind="withdrawal").exists()


def test_a_page_that_was_made_for_another_person_says_who_is_logged_in_and_keeps_what_was_typed():
    rows = rows_of(0.9, 0.8)
    reader = Reader().get()
    other = Reader(UserFactory(username="Rosalind"))
    reader.client.force_login(other.user)
    reader.say("real", notes="typed")
    assert reader.status == 409
    assert "You are logged in as Rosalind now." in reader.text
    assert ">\ntyped</textarea>" in reader.text
    assert not ValidationEvent.objects.exists()
    assert rows


@pytest.mark.parametrize(
    ("word", "typed", "why"),
    [
        ("", {}, "press one of the answers"),
        ("label:no_such", {}, "There is no label"),
        ("nonsense", {}, "There is no such answer"),
        ("real", {"level": "certain"}, "correct what is marked below"),
        ("real", {"detection": "x"}, "This page was damaged on its way"),
        ("real", {"covers": ["x"]}, "This page was damaged on its way"),
        ("real", {"context": "{}"}, "Its images were not on screen"),
        ("real", {"tags": ",".join("abcdefghijklmnopqrstuvwxyz")}, "correct what is marked below"),
        ("real", {"detection": str(uuid4())}, "It no longer exists"),
        ("snooze", {"until": "9999"}, "correct what is marked below"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_a_reason_and_stays_typed(word: str, typed: dict[str, Any], why: str):
    rows_of(0.9)
    reader = Reader().get()
    reader.say(word, notes="typed", **typed)
    assert reader.status == 422
    assert why in html.unescape(reader.text)
    assert ">\ntyped</textarea>" in reader.text
    assert not ValidationEvent.objects.exists()
    assert not Deferral.objects.exists()


def test_an_answer_tells_what_was_on_screen_and_how_long_it_was_looked_at():
    [row] = rows_of(0.9)
    judge(row, True)
    SystemConfig.objects.create(key="curation.required_answers", value=2)
    Detection.objects.update(status="pending")
    Reader().get().say("real")
    event = ValidationEvent.objects.order_by("-created_at")[0]
    context = event.visible_context
    assert context["images"] == ["science", "reference", "difference"]
    assert (context["answers_shown"], context["blind"], context["drawn"]) == (1, False, "pictures")
    assert context["cutouts"]
    assert event.seconds_taken is not None


def test_what_lies_in_another_window_can_be_taken_over():
    [row] = rows_of(0.9)
    first = Reader().get()
    second = Reader(first.user).get()
    assert "The rest is in your other window." in second.text
    answer = second.client.post(second.address, {"say": "take over"}, follow=True)
    assert f'data-detection-id="{row.pk}"' in answer.content.decode()
    assert str(Lease.objects.get().window) == second.place["window"]


def test_a_known_item_looks_like_any_other_and_its_person_is_told_afterwards(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(random, "random", lambda: 0.0)
    SystemConfig.objects.create(key="curation.gold_share", value=0.5)
    expert = account("expert")
    [row, other] = rows_of(0.9, 0.5)
    judge(row, True, person=expert, label="comet")
    mark_known(row, expert, audit.Actor(expert))
    reader = Reader().get()
    assert reader.shown == str(row.pk)
    assert "Nobody has answered yet." in reader.text
    assert "comet (high)" not in reader.text
    reader.follow(reader.address)
    assert reader.shown == str(row.pk), "also when it is loaded again"
    reader.say("bogus")
    assert "You said the opposite; only you are told." in reader.text
    assert GoldAnswer.objects.get().is_valid is False
    assert ValidationEvent.objects.filter(validator=reader.user).count() == 0
    assert reader.shown == str(other.pk)
    assert reader.undo().shown == str(row.pk)
    assert "You said: bogus" in reader.text


@pytest.mark.parametrize("said", ["real", "bogus", "opinion"])
def test_an_injected_source_is_answered_about_like_any_other_and_leaves_no_judgement(
    monkeypatch: pytest.MonkeyPatch, said: str
):
    monkeypatch.setattr(random, "random", lambda: 0.0)
    SystemConfig.objects.create(key="curation.fake_share", value=0.5)
    injected = InjectedFactory().detection
    store(injected, cutouts())
    [other] = rows_of(0.5)
    reader = Reader().get()
    assert reader.shown == str(injected.pk)
    assert reader.text.count("data:image/png") >= 3, "with its pictures"
    reader.say(said)
    told = {"real": "You found it; only you are told.", "bogus": "You took it for bogus; only you are told."}
    assert told.get(said, "opinion") in reader.text
    assert "no longer exists" not in reader.text
    assert [one.is_valid for one in GoldAnswer.objects.all()] == [{"real": True, "bogus": False}.get(said)]
    assert not ValidationEvent.objects.exists() and not Deferral.objects.exists()
    assert reader.shown == str(other.pk)


def test_an_object_of_more_epochs_than_a_strip_holds_is_answered_about_whole_or_in_part(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("curation.triage.review.MOST_EPOCHS", 2)
    source = SourceFactory()
    rows = [detection_with_cutouts(source=source, confidence_score=0.9) for _ in range(4)]
    for number, row in enumerate(rows):
        store(row, cutouts(number))
    reader = Reader().get()
    assert "answer about 2 further epochs too" in reader.text
    reader.say("real", covers_unseen="1")
    assert sorted(ValidationEvent.objects.values_list("shown", flat=True)) == ["large", "strip", "unseen", "unseen"]
    reader.undo()
    reader.say("bogus")
    said = ValidationEvent.objects.filter(is_valid=False).values_list("shown", flat=True)
    assert sorted(said) == ["large", "strip"]
