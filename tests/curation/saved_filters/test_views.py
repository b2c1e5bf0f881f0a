"""Filters under a name: one's own, those of others that they share, and the default that triage begins with."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import User
from curation.models import SavedFilter
from curation.saved_filters.saved import NotSaved, default_query, kept, save_filter
from tests.browsers import onlooker
from tests.clients import account
from tests.factories import DetectionFactory, ObservationFactory

pytestmark = pytest.mark.django_db
HISTORY = "/filters/history"


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def save(client: Client, name: str, query: str, **more) -> str:
    sent = {"name": name, "query": query, "next": "/detections/?field=M31", **more}
    answer = client.post(reverse("curation:save_filter"), sent)
    assert answer.headers["Location"] == "/detections/?field=M31"
    return answer.headers["Location"]


def test_what_a_page_is_narrowed_to_is_kept_without_its_place_and_empty_fields():
    assert kept("score_min=0.8&score_max=&label=ghost&cursor=abc&detection=1") == "score_min=0.8&label=ghost"


def test_a_filter_is_offered_to_its_person_and_to_others_only_if_it_is_shared():
    one, other = account("curator"), account("administrator")
    save(client_of(one), "Bright ones", "score_min=0.9")
    save(client_of(one), "For all", "label=ghost", is_shared="on")
    page = client_of(one).get("/detections/").content.decode()
    assert 'href="/detections/?score_min=0.9">Bright ones</a>' in page
    page = client_of(other).get("/triage/").content.decode()
    assert 'href="/triage/?label=ghost">For all</a>' in page
    assert "Bright ones" not in page
    assert SavedFilter.objects.visible_to(other).get().name == "For all"


def test_triage_begins_with_the_default_of_its_person_and_there_is_one():
    one = account("curator")
    client = client_of(one)
    save(client, "First", "score_min=0.9", is_default="on")
    save(client, "Second", "field=M31", is_default="on")
    assert SavedFilter.objects.get(is_default=True).name == "Second"
    assert client.get("/triage/").headers["Location"] == "/triage/?field=M31"
    assert client.get("/triage/?by=object").status_code == 200, "there is a way round it"
    assert default_query(account("administrator")) == ""


def test_the_same_name_replaces_and_only_ones_own_can_be_deleted():
    one, other = account("curator"), account("administrator")
    save(client_of(one), "Mine", "score_min=0.9", is_shared="on")
    save(client_of(one), "Mine", "score_min=0.5", is_shared="on")
    row = SavedFilter.objects.get()
    assert row.query == "score_min=0.5"
    address = reverse("curation:delete_filter", args=[row.pk])
    assert client_of(other).post(address).status_code == 404
    client_of(one).post(address)
    assert not SavedFilter.objects.exists()


def test_there_are_not_endlessly_many(monkeypatch):
    monkeypatch.setattr("curation.saved_filters.saved._MOST_SAVED", 1)
    one = account("curator")
    save_filter(one, "a", "", is_shared=False, is_default=False)
    with pytest.raises(NotSaved, match="delete one first"):
        save_filter(one, "b", "", is_shared=False, is_default=False)


def test_a_filter_tells_what_it_would_have_given_on_the_last_observed_nights():
    days = [dt.date(2024, 4, 1), dt.date(2024, 4, 5), dt.date(2024, 4, 9)]
    frames = [ObservationFactory(night=day) for day in days]
    for frame in frames[:2]:
        for score in (0.95, 0.5):
            DetectionFactory(observation=frame, confidence_score=score)
    client = onlooker("viewer")
    answer = client.get(f"{HISTORY}?score_min=0.9&cursor=x&night_from=2024-04-09")
    assert [(one.night, one.frames, one.detections) for one in answer.context["nights"][:3]] == [
        (days[2], 1, 0), (days[1], 1, 1), (days[0], 1, 1),
    ]  # fmt: skip
    text = answer.content.decode()
    assert "Over the last 4 observed nights this would have given" in text and "2 detections" in text
    assert "There are no more nights." in text
    (found,) = client.get(answer.context["nights"][1].url).context["page"].rows
    assert found.confidence_score == 0.95 and found.observation_id == frames[1].pk
    one = client.get(f"{HISTORY}?nights=1")
    assert [(night.night, night.detections) for night in one.context["nights"]] == [(days[2], 0)]


def test_a_site_without_nights_says_so():
    assert "No night has been observed yet" in onlooker("viewer").get(HISTORY).content.decode()


def test_a_filter_that_cannot_be_followed_is_said_to_and_gives_no_numbers():
    ObservationFactory()
    answer = onlooker("viewer").get(f"{HISTORY}?score_min=abc")
    text = answer.content.decode()
    assert "Score from: Enter a number." in text and answer.context["nights"] == []
    assert 'href="/detections/?score_min=abc"' in text
