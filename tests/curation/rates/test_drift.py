"""Nights whose scores differ, or of which more is false, are told of; those that are as before are not."""

from __future__ import annotations

import numpy as np
import pytest
from django.urls import reverse

from catalog.configuration.values import set_value
from catalog.models import AuditLog
from catalog.people.audit import MACHINE
from curation.rates.drift import alarms_among, drift_of, stability_index
from curation.rates.watching import alarms, watch
from observations.models import Observation
from tests import factories
from tests.browsers import client_of
from tests.curation.rates.nights import answered_night

pytestmark = pytest.mark.django_db


@pytest.fixture
def model():
    return factories.ModelFactory(is_active=True)


def night(model, days_ago: int, high: float = 0.1, false: float = 0.2, seed: int | None = None, **frame) -> None:
    """Make a night of 300 candidates, a share `high` of them shown, and a share `false` of these not real."""
    rng = np.random.default_rng(days_ago if seed is None else seed)
    shown = int(300 * high)
    scores = np.concatenate([rng.uniform(0.6, 1.0, shown), rng.uniform(0.0, 0.3, 300 - shown)])
    made = answered_night(model, scores, np.arange(300) >= false * shown, days_ago)
    Observation.objects.filter(pk=made.pk).update(**{"filter_band": "R"} | frame)


def test_nights_that_are_alike_raise_no_alarm(model):
    for k in range(8):
        night(model, k + 1)
    rows = drift_of(model)
    assert rows[0].index is not None
    assert rows[0].index < 0.1
    assert alarms_among(rows) == []


def test_a_night_of_other_scores_is_told_with_numbers(model):
    for k in range(1, 8):
        night(model, k + 1)
    night(model, 1, high=0.5)
    [sentence, *_] = alarms_among(drift_of(model))
    assert sentence.startswith("Scores of night ")
    assert "50 % lie below 0.5, before it was 90 %" in sentence


def test_a_night_of_more_false_ones_is_told(model):
    for k in range(1, 8):
        night(model, k + 1)
    night(model, 1, false=0.9)
    [sentence, *_] = alarms_among(drift_of(model))
    assert "More of what was shown" in sentence
    assert "90 % of 30 answered, before it was 20 %" in sentence


def test_a_band_is_held_against_the_same_band(model):
    for k in range(1, 6):
        night(model, k + 1, filter_band="R")
        night(model, k + 1, high=0.5, seed=k + 100, filter_band="g")
    night(model, 1, high=0.5, filter_band="R")
    night(model, 1, high=0.5, seed=100, filter_band="g")
    told = {row.what for row in drift_of(model) if row.sentence and row.night == drift_of(model)[0].night}
    assert "band R" in told
    assert "band g" not in told


def test_seeing_and_survey_stand_apart(model):
    night(model, 1, seeing=1.2)
    night(model, 1, seed=5, seeing=None)
    assert {row.what for row in drift_of(model)} == {
        "", "band R", "seeing below 2″", "unknown seeing", "survey local",
    }  # fmt: skip


def test_too_few_nights_or_candidates_cannot_be_told(model):
    for k in range(3):
        night(model, k + 1, high=0.1 + 0.4 * (k == 0))
    assert drift_of(model)[0].index is None


def test_the_index_is_that_of_the_literature():
    assert stability_index([50, 50], [50, 50]) == 0.0
    # (.6 - .4) ln 1.5 + (.4 - .6) ln (2/3) of large samples.
    assert stability_index([60000, 40000], [40000, 60000]) == pytest.approx(0.4 * np.log(1.5), rel=1e-4)


def test_what_was_found_is_written_down_once_and_told_on_the_first_page(model):
    for k in range(1, 8):
        night(model, k + 1)
    assert watch() == 0
    assert not AuditLog.objects.filter(action="watch_scores").exists()
    night(model, 0, high=0.5)
    assert watch() > 0
    watch()
    assert AuditLog.objects.filter(action="watch_scores").count() == 1
    assert alarms()[0] in client_of("viewer").get(reverse("home")).content.decode()
    text = client_of("viewer").get(reverse("curation:drift", args=[model.pk])).content.decode()
    assert "Scores of night" in text
    assert "differs" in text
    set_value("curation.blind", True, MACHINE)
    blind = client_of("curator").get(reverse("curation:drift", args=[model.pk])).content.decode()
    assert "Scores of night" not in blind
