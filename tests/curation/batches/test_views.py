"""One answer about what was chosen in a list: told before, stored as one group, taken back with one press."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import User
from curation.judgements import batches
from curation.models import ValidationEvent
from detection.models import Detection
from tests.clients import account
from tests.curation.looks import judge
from tests.factories import DetectionFactory, LabelDefinitionFactory, SourceFactory

pytestmark = pytest.mark.django_db


def curator(user: User | None = None) -> Client:
    client = Client()
    client.force_login(user or account("curator"))
    return client


def words(answer) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def given(page: str) -> dict[str, str]:
    """Return what the form of a preview sends besides the answer."""
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: value for name, value in fields if name in ("detections", "group", "shown")}


def test_the_ticked_ones_are_previewed_answered_as_one_group_and_taken_back():
    source, client = SourceFactory(), curator()
    chosen = [DetectionFactory(source=source), DetectionFactory(source=source), DetectionFactory()]
    other = DetectionFactory()
    judge(chosen[2], True)
    label = LabelDefinitionFactory(is_valid=False, title="Ghost").label
    preview = client.post(reverse("curation:batch"), {"detection": [str(row.pk) for row in chosen]})
    page = words(preview)
    assert "Of 2 objects. <strong>1 of the detections are decided already" in page
    assert ValidationEvent.objects.count() == 1, "a preview changes nothing"
    sent = {**given(page), "answer": label, "notes": "All ghosts"}
    listed = client.post(reverse("curation:batch_answer"), sent, follow=True)
    assert "3 detections answered." in words(listed)
    events = ValidationEvent.objects.filter(label=label)
    assert {(event.detection_id, event.is_valid, event.shown) for event in events} == {
        (row.pk, False, "strip") for row in chosen
    }
    assert {str(event.group) for event in events} == {sent["group"]}
    assert Detection.objects.get(pk=other.pk).status == "pending"
    client.post(reverse("curation:batch_answer"), sent)
    assert ValidationEvent.objects.count() == 4, "sent twice, stored once"
    undone = client.post(reverse("curation:batch_undo", args=[sent["group"]]), follow=True)
    assert "Undone: 3 answers withdrawn." in words(undone)
    assert sorted(Detection.objects.values_list("status", flat=True)) == ["pending", "pending", "pending", "validated"]


def test_all_of_a_filter_are_chosen_and_what_is_not_shown_is_stored_as_unseen(monkeypatch):
    monkeypatch.setattr("curation.batches.views._MOST_PICTURES", 1)
    client = curator()
    good = [DetectionFactory(confidence_score=score) for score in (0.9, 0.95)]
    DetectionFactory(confidence_score=0.3)
    page = words(client.post(reverse("curation:batch"), {"all": "1", "query": "score_min=0.8&order=score"}))
    assert given(page)["detections"].split() == [str(good[1].pk), str(good[0].pk)]
    assert "1 more are stored as not seen" in page
    client.post(reverse("curation:batch_answer"), {**given(page), "answer": "real"})
    shown = dict(ValidationEvent.objects.values_list("detection", "shown"))
    assert shown == {good[1].pk: "strip", good[0].pk: "unseen"}


def test_what_was_said_before_is_superseded_by_its_own_person_only():
    user, row = account("curator"), DetectionFactory()
    client = curator(user)
    judge(row, True, person=user)
    page = words(client.post(reverse("curation:batch"), {"detection": [str(row.pk)]}))
    client.post(reverse("curation:batch_answer"), {**given(page), "answer": "bogus"})
    first, second = ValidationEvent.objects.order_by("created_at")
    assert second.supersedes_id == first.pk
    assert Detection.objects.get().status == "rejected"


def test_nothing_and_too_much_are_told_in_the_list(monkeypatch):
    client = curator()
    assert "Nothing was chosen" in words(client.post(reverse("curation:batch"), {}, follow=True))
    for module in ("curation.batches.views", "curation.batches.forms", batches.__name__):
        monkeypatch.setattr(f"{module}.MOST_AT_ONCE", 1)
    rows = [DetectionFactory(), DetectionFactory()]
    asked = {"all": "1", "query": ""}
    assert "At most 1 detections" in words(client.post(reverse("curation:batch"), asked, follow=True))
    sent = {"detections": " ".join(str(row.pk) for row in rows), "group": "x", "shown": "0", "answer": "real"}
    assert "cannot be read" in words(client.post(reverse("curation:batch_answer"), sent, follow=True))
    assert not ValidationEvent.objects.exists()


def test_without_an_answer_the_preview_comes_back_with_what_was_chosen():
    client, row = curator(), DetectionFactory()
    page = words(client.post(reverse("curation:batch"), {"detection": [str(row.pk)]}))
    again = client.post(reverse("curation:batch_answer"), given(page))
    assert again.status_code == 400
    assert given(words(again)) == given(page)
