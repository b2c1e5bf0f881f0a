"""What the last night tells of other values is counted by the rules of the stages, on what they kept."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from django.utils import timezone

from catalog.configuration.changes import plan
from catalog.configuration.preview import preview
from catalog.configuration.values import snapshot
from curation.rates.hindsight import hindsight
from detection.models import CandidateScore
from detection.stage.detect import bright_among
from detection.stage.vetoes import refused_by
from detection.thresholds.would_be import would_be_detections
from differencing.models import Candidate
from tests import factories

pytestmark = pytest.mark.django_db
THRESHOLD = "detection.confidence_threshold"


@pytest.fixture
def model():
    """An active model that has scored one night: every way in which candidates differ, and one that moves."""
    model = factories.ModelFactory(is_active=True)
    night = timezone.now().date() - dt.timedelta(days=2)
    frame = factories.ObservationFactory(night=night)
    difference = factories.DifferenceRunFactory(observation=frame, candidates_found=48)
    run = factories.ModelRunFactory(model=model, observation=frame)
    ways = itertools.product(
        ({}, {"is_dipole": True}, {"is_reference_ghost": True}, {"is_negative": True}, {"is_edge": True}),
        ([], [{"code": "crowded"}], [{"code": "trail"}]),
        ((0.1, 25.0), (0.3, 8.0), (0.6, 8.0), (0.9, 25.0)),
    )
    for k, (flags, vetoes, (score, snr)) in enumerate(ways):
        candidate = factories.CandidateFactory(
            difference_run=difference, vetoes=vetoes, snr=snr, significance=snr, pixel_x=float(k), **flags
        )
        factories.CandidateScoreFactory(candidate=candidate, model_run=run, score=score)
    moving = factories.CandidateFactory(
        difference_run=difference, snr=6.0, significance=-6.0, vetoes=[{"code": "trail"}]
    )
    factories.CandidateScoreFactory(candidate=moving, model_run=run, score=0.05)
    factories.TrackletFactory().members.add(moving)
    return model


@pytest.mark.parametrize(
    "asked",
    [{}, {THRESHOLD: 0.25}, {THRESHOLD: 0.95}, {"detection.veto_crowded": False}, {"detection.veto_trail": True},
     {"detection.bright_snr": 7.5}],
)  # fmt: skip
def test_the_database_is_asked_for_what_the_stage_would_make(model, asked):
    config = plan(asked).after
    candidates = list(Candidate.objects.all())
    scores = dict(CandidateScore.objects.values_list("candidate_id", "score"))
    convincing = {key for key, score in scores.items() if score >= config[THRESHOLD]}
    expected = (convincing | bright_among(candidates, config)) - refused_by(config, candidates)
    expected |= {candidate.pk for candidate in candidates if candidate.tracklets.exists()}
    found = CandidateScore.objects.filter(would_be_detections(model, config))
    assert set(found.values_list("candidate_id", flat=True)) == expected
    assert 1 < len(expected) < len(candidates)


def test_a_threshold_tells_what_the_last_night_would_have_given(model):
    now, then = (
        CandidateScore.objects.filter(would_be_detections(model, config)).count()
        for config in (snapshot(), plan({THRESHOLD: 0.25}).after)
    )
    assert now < then
    night = timezone.now().date() - dt.timedelta(days=2)
    (told,) = hindsight(plan({THRESHOLD: 0.25}))
    given = f"The night {night} would have given {then} detections instead of {now}, of 61 scored candidates."
    assert told.sentence == given


def test_what_was_not_kept_is_not_told(model):
    (raised,) = hindsight(plan({"differencing.threshold_sigma": 7.0}))
    assert raised.sentence.startswith("Of 61 candidates") and raised.sentence.endswith("60 reach 7 sigma.")
    (lowered,) = hindsight(plan({"differencing.threshold_sigma": 4.0}))
    assert "is not known: peaks below 5 sigma were not kept." in lowered.sentence
    (most,) = hindsight(plan({"differencing.max_candidates": 40}))
    assert most.sentence.startswith("Of 1 subtraction of the night") and most.sentence.endswith(
        "1 have more candidates."
    )
    found = preview(plan({"preprocessing.min_stars": 20, THRESHOLD: 0.4}))
    assert found.untold == ("preprocessing.min_stars",)
    assert len(found.concerns) == 2


def test_urgency_and_automatic_alerts_are_told(model):
    rows = [score.candidate for score in CandidateScore.objects.filter(score=0.9, candidate__vetoes=[])]
    for candidate in rows:
        factories.DetectionFactory(
            candidate=candidate, model_run=candidate.scores.get().model_run, confidence_score=0.9
        )
    (urgent,) = hindsight(plan({"alerts.high_snr": 20.0}))
    assert ", and 4 of high priority instead of 0," in urgent.sentence
    sure, why = hindsight(plan({"alerts.automatic_threshold": 0.8}))
    assert "3 detections would have been sure and bright enough for an automatic alert instead of 0." in sure.sentence
    assert why.sentence.startswith("It is not known yet how many automatic alerts of")


def test_without_a_scored_night_nothing_is_told():
    assert hindsight(plan({THRESHOLD: 0.25, "alerts.critical_mag": 13.0})) == []
