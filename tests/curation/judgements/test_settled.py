"""What is found again of an object that people decided about inherits nothing, and is confirmed with one answer."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from catalog.configuration.values import set_value
from catalog.ids import uuid7
from catalog.people import audit
from catalog.people.audit import MACHINE
from curation.judgements.batches import take_back_batch
from curation.judgements.settled import confirm, settled_of, waiting_of_settled
from curation.models import ValidationEvent
from curation.triage.items import item_of
from curation.triage.review import reviews
from detection.models import Detection, Source
from tests.clients import account
from tests.curation.looks import judge, moving, seen
from tests.factories import SourceFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def variable() -> Source:
    """A source that ada called a variable, with two new detections."""
    source: Source = SourceFactory()
    judge(seen(source), True, person=UserFactory(username="ada"), label="variable_star")
    seen(source, days=1)
    seen(source, days=2)
    return source


def pending() -> list[Detection]:
    return list(Detection.objects.filter(status="pending").order_by("observation__mjd_utc"))


def test_new_detections_wait_and_are_told_as_known(variable):
    rows, person = pending(), account("curator")
    assert len(rows) == 2 and {row.human_label for row in rows} == {""}
    assert {one.sentence for one in settled_of(rows, person).values()} == {"known, labelled variable star by ada"}
    assert "Known, labelled variable star by ada" in item_of(reviews([rows[0].pk], person)[0], person, {})["html"]
    browser = Client()
    browser.force_login(person)
    assert (
        browser.get(reverse("curation:detections")).content.decode().count("known, labelled variable star by ada") == 2
    )


def test_one_answer_confirms_them_as_one_group_and_one_undo_takes_it_back(variable):
    user, group = account("curator"), uuid7()
    [one] = waiting_of_settled(user)
    assert confirm([one.key], group, user, audit.Actor(user)) == 2
    events = ValidationEvent.objects.filter(validator=user)
    assert {(e.group, e.is_valid, e.label, e.shown) for e in events} == {(group, True, "variable_star", "unseen")}
    assert not pending() and waiting_of_settled(user) == []
    assert confirm([one.key], uuid7(), user, audit.Actor(user)) == 0, "sent again it does nothing"
    assert len(take_back_batch(group, UserFactory(), MACHINE)) == 0, "others' answers are theirs"
    assert len(take_back_batch(group, user, audit.Actor(user))) == 2
    assert len(pending()) == 2
    assert len(take_back_batch(group, user, audit.Actor(user))) == 0


def test_an_object_about_which_people_decided_differently_is_not_settled(variable):
    judge(pending()[0], False)
    assert waiting_of_settled(account("curator")) == []


def test_nothing_is_known_of_what_nobody_decided():
    source = SourceFactory()
    rows = [seen(source), seen(source, days=1)]
    assert settled_of(rows, account("curator")) == {} and waiting_of_settled(account("curator")) == []


def test_what_moves_is_one_object(variable):
    first, second = seen(), seen(days=0.01)
    moving(first, second)
    judge(first, False)
    sentences = {one.sentence: len(one.waiting) for one in waiting_of_settled(account("curator"))}
    [by] = [sentence for sentence in sentences if "not real" in sentence]
    assert sentences[by] == 1


def test_who_judges_blind_is_told_of_nothing_that_only_others_decided(variable):
    set_value("curation.blind", True, MACHINE)
    assert waiting_of_settled(account("curator")) == []
    ada = ValidationEvent.objects.get().validator
    ada.groups.add(*account("curator").groups.all())
    [one] = waiting_of_settled(type(ada).objects.get(pk=ada.pk))
    assert len(one.waiting) == 2


def test_the_page_shows_what_an_answer_covers_before_it_is_given(variable):
    browser = Client()
    browser.force_login(account("curator"))
    url = reverse("curation:known")
    page = browser.get(url).content.decode()
    assert "2 new detections of 1 of them" in " ".join(page.split()) and "Show what that covers" in page
    preview = browser.get(url, {"object": str(variable.pk)})
    assert "Confirm 2 detections" in preview.content.decode() and len(pending()) == 2
    group = str(preview.context["group"])
    sent = {"object": str(variable.pk), "group": group}

    def post(name: str, data: dict[str, str]) -> str:
        return browser.post(reverse(f"curation:{name}"), data, follow=True).content.decode()

    after = post("confirm_known", sent)
    assert "2 detections are confirmed." in after and "Take all of that back" in after
    assert "Nothing was left to confirm" in post("confirm_known", sent)
    assert "2 answers are taken back" in post("undo_known", sent)
    assert len(pending()) == 2
    for wrong in ({}, {"object": "x", "group": "y"}, {"object": str(uuid7()), "group": str(uuid7())}):
        assert "Nothing was left" in post("confirm_known", wrong)


def test_what_one_answer_cannot_cover_is_told_and_left(variable, monkeypatch):
    monkeypatch.setattr("curation.judgements.settled.MOST_AT_ONCE", 1)
    browser = Client()
    browser.force_login(account("curator"))
    sent = {"object": str(variable.pk), "group": str(uuid7())}
    told = browser.post(reverse("curation:confirm_known"), sent, follow=True).content.decode()
    assert "One detection is confirmed. 1 more of what you chose wait still" in told
    assert len(pending()) == 1
