"""Whoever said something first hears of it when somebody says the opposite, once."""

from __future__ import annotations

from uuid import uuid4

import pytest

from catalog.hiding import hidden_from
from catalog.models import SystemConfig
from curation.models import Contradiction, EventKind, ValidationEvent
from curation.triage import news
from detection.models import Detection
from tests.curation.looks import judge
from tests.curation.triage.plain.test_views import Reader, rows_of
from tests.curation.triage.windows import Window
from tests.factories import DetectionFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]


def brought(window: Window, *told: str) -> dict[str, object] | None:
    answer = window.send("triage_presence", told=list(told))
    assert answer.status_code == 200, answer.content
    found: dict[str, object] | None = answer.json()["news"]
    return found


def test_the_earlier_of_two_who_disagree_is_told_until_their_page_has_told_it():
    row, window = DetectionFactory(), Window()
    judge(row, True, person=window.user)
    rosalind = UserFactory(username="Rosalind")
    judge(row, False, person=rosalind, label="cosmic_ray")
    first, again = brought(window), brought(window)
    assert first is not None
    assert first == again, "the answer may have been lost on its way"
    assert "Rosalind said bogus, Cosmic ray (high) about " in str(first["text"])
    assert str(first["text"]).endswith(", where you said real.")
    assert first["detection"] == str(row.pk)
    assert brought(window, *first["keys"]) is None
    assert brought(window) is None
    assert brought(Window(rosalind)) is None, "the later one was told with their answer"


def test_who_agrees_is_no_news_and_nobody_hears_of_what_others_are_told():
    row, window = DetectionFactory(), Window()
    judge(row, True, person=window.user)
    judge(row, True, label="agn")
    assert not Contradiction.objects.exists()
    judge(row, False)
    [keys] = Contradiction.objects.filter(person=window.user).values_list("pk", flat=True)
    assert brought(Window(), str(keys)) is None, "which marks nothing of other people"
    assert brought(window) is not None


def test_one_answer_about_several_epochs_is_one_piece_of_news():
    rows, window, group = [DetectionFactory() for _ in range(3)], Window(), uuid4()
    other = UserFactory(username="Rosalind")
    for row in rows:
        judge(row, True, person=window.user)
    for row in rows:
        judge(row, False, person=other, group=group)
    found = brought(window)
    assert found is not None
    assert ", 3 epochs, where you said real." in str(found["text"])
    assert brought(window, *found["keys"]) is None


@pytest.mark.parametrize("who", ["own", "other"])
def test_what_was_taken_back_before_it_was_told_is_no_news(who: str):
    row, window, other = DetectionFactory(), Window(), UserFactory()
    judge(row, True, person=window.user)
    judge(row, False, person=other)
    person = window.user if who == "own" else other
    event = ValidationEvent.objects.get(validator=person)
    judge(row, None, person=person, kind=EventKind.WITHDRAWAL, supersedes_id=event.pk)
    assert brought(window) is None
    assert not Contradiction.objects.exists()


def test_who_says_the_same_once_more_is_no_news_but_who_is_contradicted_anew_is_told_anew():
    row, window, other = DetectionFactory(), Window(), UserFactory()
    judge(row, True, person=window.user)
    judge(row, False, person=other)
    first = brought(window)
    assert first is not None
    brought(window, *first["keys"])
    judge(row, False, "expert", person=other)
    assert brought(window) is None
    judge(row, True, "low", person=window.user)
    judge(row, False, person=other)
    assert brought(window) is not None


def test_who_judges_blind_is_told_since_they_have_answered_and_nobody_else_is():
    SystemConfig.objects.create(key="curation.blind", value=True)
    SystemConfig.objects.create(key="curation.required_answers", value=3)
    row, window, third = DetectionFactory(), Window(), Window()
    judge(row, True, person=window.user)
    judge(row, False, person=UserFactory(username="Rosalind"))
    assert brought(third) is None
    found = brought(window)
    assert found is not None
    assert "Rosalind said bogus" in str(found["text"])
    own = ValidationEvent.objects.get(validator=window.user)
    judge(row, None, person=window.user, kind=EventKind.WITHDRAWAL, supersedes_id=own.pk)
    assert brought(window) is None, "blind again"


def test_to_ask_for_news_costs_one_query_where_there_is_none(django_assert_num_queries):
    window = Window()
    # Known with the account that sends a request.
    hidden_from(window.user)
    with django_assert_num_queries(1):
        assert news.next_for(window.user) is None


def test_the_page_without_scripts_tells_it_too_and_once():
    rows = rows_of(0.9, 0.8)
    reader = Reader().get()
    reader.say("real")
    Detection.objects.filter(pk=rows[0].pk).update(status="pending")
    Reader(UserFactory(username="Rosalind")).get(f"detection={rows[0].pk}").say("bogus")
    reader.follow(reader.address)
    assert "Rosalind said bogus (medium) about " in reader.text
    assert f"item={rows[0].pk}" in reader.text
    reader.follow(reader.address)
    assert "Rosalind said bogus" not in reader.text
