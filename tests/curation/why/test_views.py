"""Why a detection has its score: who may see what of it, and what is found alike."""

from __future__ import annotations

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from catalog.configuration.values import set_value
from catalog.models import User
from catalog.people import audit
from catalog.people.audit import MACHINE
from curation.judgements.gold import mark_known
from curation.models import GoldItem
from detection.models import CandidateScore, Detection, Model
from tests.clients import account
from tests.curation.looks import judge
from tests.curation.why.alike import answered, scored
from tests.factories import DetectionFactory, ModelFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_data_root")]


@pytest.fixture
def model() -> Model:
    return ModelFactory(name="realbogus", version="2", training_dataset="64 simulated pairs")


def page_of(who: str | User) -> Client:
    client = Client()
    client.force_login(account(who) if isinstance(who, str) else who)
    return client


def why(row: Detection, client: Client | None = None) -> str:
    answer = (client or page_of("curator")).get(reverse("curation:why", args=[row.pk]), headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def shown(text: str) -> list[str]:
    """Return the keys of the examples in their order."""
    start = reverse("curation:detection", args=["00000000-0000-0000-0000-000000000000"]).partition("0000")[0]
    return [part.partition("/")[0] for part in text.split(f'<a href="{start}')[1:]]


def keys(*rows: Detection) -> list[str]:
    return [str(row.pk) for row in rows]


def test_the_nearest_of_each_kind_are_shown_with_what_people_say_of_them(model):
    row = scored(model, 0.0)
    far, near, other = (
        answered(model, 5.0, True),
        answered(model, 1.0, True, label="supernova_candidate"),
        answered(model, 3.0, False),
    )
    judge(near, True, label="supernova_candidate")
    more = [answered(model, 20.0 + k, True) for k in range(3)]
    text = why(row)
    assert shown(text) == keys(near, far, more[0], other), "three of a kind at most, the nearest first"
    assert "Real, supernova candidate, by 2 people" in text
    assert "Bogus, by 1 person" in text
    # Two of 5, 1, 20, 21, 22 and 3 are 14.09 apart, as the root of the mean square over all pairs.
    for words in ("Almost the same (0.07)", "Alike (0.35)", "No more alike than any other (1.42)", "Very alike (0.21)"):
        assert words in text


def test_what_is_not_answered_or_not_scored_by_this_model_is_no_example(model):
    row = scored(model, 0.0)
    scored(model, 0.1)
    answered(ModelFactory(version="1"), 0.1, True)
    without = answered(model, 0.1, True)
    CandidateScore.objects.filter(candidate=without.candidate).update(features=None)
    boundless = answered(model, 0.1, True)
    features = np.full(48, np.inf, dtype="<f2").tobytes()
    CandidateScore.objects.filter(candidate=boundless.candidate).update(features=features)
    assert shown(why(row)) == []
    assert "No answered detection yet that this model has scored." in why(row)


def test_what_was_answered_without_having_been_seen_is_no_example(model):
    row = scored(model, 0.0)
    answered(model, 0.1, False, shown="unseen")
    seen = answered(model, 0.5, False)
    assert shown(why(row)) == keys(seen)


def test_of_one_object_one_is_shown_and_of_its_own_none(model):
    row, near = scored(model, 0.0), answered(model, 0.2, True)
    again, own = answered(model, 0.3, True), answered(model, 0.1, True)
    Detection.objects.filter(pk=again.pk).update(source=near.source)
    Detection.objects.filter(pk=own.pk).update(source=row.source)
    assert shown(why(row)) == keys(near)


def test_a_known_item_is_no_example_since_its_answer_is_asked_for(model):
    row, known = scored(model, 0.0), answered(model, 0.2, True)
    expert = UserFactory()
    mark_known(known, expert, audit.Actor(expert))
    assert GoldItem.objects.count() == 1
    assert shown(why(row)) == []


def test_an_answer_that_was_taken_back_makes_no_example(model):
    row, other = scored(model, 0.0), answered(model, 0.2, True)
    Detection.objects.filter(pk=other.pk).update(status="pending")
    assert shown(why(row)) == []


def test_who_judges_blind_sees_as_examples_what_they_have_answered_themselves(model):
    row, person = scored(model, 0.0), account("curator")
    client = page_of(person)
    others, own = answered(model, 0.1, True), answered(model, 0.4, True)
    judge(own, True, person=person)
    set_value("curation.blind", True, MACHINE)
    text = why(row, client)
    assert shown(text) == keys(own)
    assert "by you and 1 person" in text
    assert shown(why(row, page_of("viewer"))) == keys(others, own)


@pytest.mark.parametrize("mixes", ["injected", "drawn"])
def test_while_scores_would_mark_some_nothing_is_shown_before_ones_own_answer(model, mixes):
    row, person = scored(model, 0.0), account("curator")
    client = page_of(person)
    decided = answered(model, 0.1, True)
    if mixes == "injected":
        set_value("curation.fake_share", 0.1, MACHINE)
    else:
        DetectionFactory(source=None, origin="sampled", drawn_score=0.6, inclusion_probability=0.02)
    texts = [why(row, client), why(decided, client)]
    assert "shown after your answer" in texts[0]
    assert texts[0] == texts[1], "what is decided may be a known item, which is given as if it waited"
    assert "is real" in why(row, page_of("viewer"))
    judge(row, True, person=person)
    assert "is real" in why(row, client)


def test_a_model_without_features_says_so_and_the_score_in_words_all_the_same(model):
    row = DetectionFactory(model_run__model=model, model_version="realbogus 2", confidence_score=0.87)
    text = why(row)
    assert "about 87 were" in text
    assert "This model (realbogus 2) does not tell what it goes by" in text


def test_opened_by_its_address_it_is_a_page(model):
    page = page_of("viewer").get(reverse("curation:why", args=[scored(model, 0.0).pk]))
    assert "<h1>Why</h1>" in page.content.decode()
