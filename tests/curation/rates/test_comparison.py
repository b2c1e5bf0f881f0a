"""Two models side by side on what both have scored."""

from __future__ import annotations

import numpy as np
import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from catalog.configuration.values import snapshot
from curation.rates.comparison import compare, most_different
from detection.models import CandidateScore
from tests import factories
from tests.browsers import client_of
from tests.curation.rates.nights import answered_night

pytestmark = pytest.mark.django_db


@pytest.fixture
def models():
    """An active model that shows two bogus of three, and a shadow that shows one, and misses one of the real."""
    active, shadow = factories.ModelFactory(is_active=True), factories.ModelFactory(is_shadow=True)
    scores = np.array([0.9, 0.8, 0.1, 0.95, 0.97, 0.99])
    answered_night(active, scores, np.array([False, False, False, True, True, True]), 3, share=1.0)
    run = factories.ModelRunFactory(model=shadow, is_shadow=True)
    given = dict(zip(scores, (0.6, 0.2, 0.1, 0.3, 0.9, 0.9), strict=True))
    CandidateScore.objects.bulk_create(
        CandidateScore(
            candidate_id=row.candidate_id, score=given[row.score], model=shadow, model_run=run, weights_sha256="f" * 64
        )
        for row in CandidateScore.objects.filter(model=active)
    )
    return active, shadow


def client_user(role):
    user = factories.UserFactory()
    user.groups.add(Group.objects.get(name=role))
    return user


def test_counts_and_rates_are_of_what_both_have_scored(models):
    active, shadow = models
    found = compare(shadow, active, snapshot())
    assert (found.frames, found.both, found.neither, found.only_own, found.only_other) == (1, 3, 1, 0, 2)
    assert found.agreement == pytest.approx(4 / 6)
    assert found.own.false_positive_rate.value == pytest.approx(1 / 3)
    assert found.other.false_positive_rate.value == pytest.approx(2 / 3)
    assert (found.own.missed_rate.value, found.other.missed_rate.value) == (pytest.approx(1 / 3), 0.0)
    assert found.other.missed_rate.high > 0.5
    assert not found.is_enough


def test_answers_count_by_what_they_stand_for(models):
    active, shadow = models
    CandidateScore.objects.get(model=active, score=0.1).candidate.detections.update(inclusion_probability=0.25)
    found = compare(shadow, active, snapshot())
    assert found.other.false_positive_rate.value == pytest.approx(2 / 6)


def test_where_they_differ_most_comes_first(models):
    active, shadow = models
    rows = most_different(shadow, active, client_user("administrator"))
    assert (rows[0].score, rows[0].other) == (0.3, 0.95)


def test_the_page_shows_both_and_says_that_one_frame_is_too_few(models):
    _, shadow = models
    text = client_of("administrator").get(reverse("curation:comparison", args=[shadow.pk])).content.decode()
    assert "too few to decide by" in text
    assert "33 %" in text
    assert "67 %" in text
    assert reverse("detection:activate_model", args=[shadow.pk]) in text


def test_the_page_says_why_there_is_nothing_to_compare(models):
    active, _ = models
    client = client_of("viewer")
    assert "This is the model in use" in client.get(reverse("curation:comparison", args=[active.pk])).content.decode()
    other = factories.ModelFactory()
    assert "in shadow first" in client.get(reverse("curation:comparison", args=[other.pk])).content.decode()
