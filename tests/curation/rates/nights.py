"""Nights of scored candidates with people's answers, as many as a calibration needs, made at a stroke."""

from __future__ import annotations

import datetime as dt

import numpy as np
from django.utils import timezone

from detection.models import CandidateScore, Detection, DetectionOrigin, Model
from detection.numerics.mixture import STRATA, draw
from differencing.models import Candidate
from observations.models import Observation
from tests import factories

SHOWN_FROM = 0.5


def scores_of(rng: np.random.Generator, bogus: int, real: int) -> tuple[np.ndarray, np.ndarray]:
    """Return scores and what is real of one night: a tenth of the bogus looks real, and nights differ."""
    shift = rng.normal(0.0, 0.15)
    fools = rng.random(bogus) < 0.12
    logits = np.where(fools, rng.normal(1.0 + shift, 1.8, bogus), rng.normal(-5.0 + shift, 1.5, bogus))
    logits = np.concatenate([logits, rng.normal(4.0 + shift, 2.2, real)])
    return 1.0 / (1.0 + np.exp(-logits)), np.arange(bogus + real) >= bogus


def answered_night(
    model: Model, scores: np.ndarray, is_real: np.ndarray, days_ago: int, *, share: float = 0.05, snr: float = 25.0
) -> Observation:
    """Make a night of one frame, which is returned: all that is shown, and `share` of what is not, has an answer."""
    night = timezone.now().date() - dt.timedelta(days=days_ago)
    frame = factories.ObservationFactory(night=night)
    difference = factories.DifferenceRunFactory(observation=frame)
    run = factories.ModelRunFactory(model=model, observation=frame, hidden_draw={"share": share} if share else None)
    template = factories.CandidateFactory.build(difference_run=difference, observation=frame, snr=snr)
    names = [field.attname for field in Candidate._meta.concrete_fields if field.name not in ("id", "healpix")]
    values = {name: getattr(template, name) for name in names}
    candidates = Candidate.objects.bulk_create(
        Candidate(**values | {"pixel_x": float(k), "status": "detected"}) for k in range(len(scores))
    )
    own = {"model": model, "model_run": run, "weights_sha256": model.weights_sha256}
    CandidateScore.objects.bulk_create(
        CandidateScore(candidate=candidate, score=float(score), **own)
        for candidate, score in zip(candidates, scores, strict=True)
    )
    hidden = np.flatnonzero(scores < SHOWN_FROM)
    kinds = [next(i for i, one in enumerate(STRATA) if one.holds(scores[k], is_vetoed=False)) for k in hidden]
    drawn = draw(kinds, len(STRATA), share, days_ago)
    chances: dict[int, float | None] = dict.fromkeys(map(int, np.flatnonzero(scores >= SHOWN_FROM)))
    chances |= {int(hidden[i]): float(drawn.probabilities[kinds[i]]) for i in drawn.indices}
    Detection.objects.bulk_create(
        Detection(
            candidate=candidates[k], observation=frame, model_run=run, ra=10.0, dec=10.0, pixel_x=float(k), pixel_y=1.0,
            confidence_score=float(scores[k]), model_version=str(model), inclusion_probability=chance,
            origin=DetectionOrigin.PIPELINE if chance is None else DetectionOrigin.SAMPLED,
            status="validated" if is_real[k] else "rejected", is_validated=bool(is_real[k]),
        )
        for k, chance in chances.items()
    )  # fmt: skip
    return frame
