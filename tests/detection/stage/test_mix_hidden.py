"""Some of what the model hides is drawn for review, once, with its probability, and without a source."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from catalog.configuration.values import set_value
from catalog.models import ProcessingJob
from catalog.people.audit import MACHINE
from curation.models import Alert
from detection.models import CandidateScore, Detection, Model, ModelRun
from detection.numerics.mixture import STRATA
from detection.stage import mix_hidden
from differencing.ids import field_night
from differencing.models import Candidate
from tests.curation.looks import judge
from tests.factories import (
    CandidateFactory,
    CandidateScoreFactory,
    DetectionFactory,
    DifferenceRunFactory,
    FieldFactory,
    ModelFactory,
    ModelRunFactory,
    ObservationFactory,
)

pytestmark = pytest.mark.django_db
HIDDEN = [0.001] * 30 + [0.05] * 6 + [0.2] * 3 + [0.45]


@pytest.fixture
def model() -> Model:
    return ModelFactory(is_active=True, model_path="models/a.pt", weights_sha256="a" * 64)


def scored_frame(model, field, scores=HIDDEN, **values) -> ModelRun:
    """Return the run of a model over a frame, whose candidates it has rejected with these scores."""
    frame = ObservationFactory(field=field)
    run = ModelRunFactory(model=model, observation=frame, status="completed")
    difference = DifferenceRunFactory(observation=frame)
    for score in scores:
        candidate = CandidateFactory(difference_run=difference, status="rejected", **values)
        CandidateScoreFactory(candidate=candidate, model_run=run, model=model, score=score)
    return run


def mix(run: ModelRun) -> list[Detection]:
    mix_hidden.run(field_night(run.observation.field_id, run.observation.night))
    return list(Detection.objects.filter(origin="sampled").order_by("pk"))


def test_without_a_share_nothing_is_drawn(model):
    run = scored_frame(model, FieldFactory())
    assert mix(run) == []
    run.refresh_from_db()
    assert run.hidden_draw is None, "a share that is set later draws from it"


def test_what_is_drawn_waits_with_its_own_score_its_probability_and_a_place_among_the_others(model):
    run = scored_frame(model, FieldFactory())
    shown = CandidateFactory(difference_run=DifferenceRunFactory(observation=run.observation, parameters_hash="b"))
    DetectionFactory(candidate=shown, model_run=run, confidence_score=0.8)
    set_value("detection.hidden_share", 0.3, MACHINE)
    rows = mix(run)
    run.refresh_from_db()
    strata = {one["stratum"]: one for one in run.hidden_draw["strata"]}
    assert [one["hidden"] for one in strata.values()] == [30, 6, 3, 1, 0, 0]
    assert sum(one["drawn"] for one in strata.values()) == len(rows) > 5
    assert list(strata) == [stratum.name for stratum in STRATA]
    for row in rows:
        assert (row.status, row.source, row.queue_score) == ("pending", None, 0.8)
        assert row.confidence_score == CandidateScore.objects.get(candidate=row.candidate).score < 0.5
        [kind] = [s.name for s in STRATA if s.holds(row.confidence_score, is_vetoed=False)]
        assert row.urgency is not None, "in the order of urgency it must not stand out"
        assert row.inclusion_probability == strata[kind]["probability"]
    assert not ProcessingJob.objects.exists() and not Alert.objects.exists()


def test_a_repeat_draws_nothing_and_a_frame_that_comes_later_is_drawn_from_by_itself(model):
    field = FieldFactory()
    set_value("detection.hidden_share", 0.2, MACHINE)
    first = scored_frame(model, field)
    rows = mix(first)
    assert mix(first) == rows
    later = scored_frame(model, field)
    assert {row.observation_id for row in mix(later)} - {first.observation_id} == {later.observation_id}
    first.refresh_from_db()
    later.refresh_from_db()
    assert first.hidden_draw["seed"] != later.hidden_draw["seed"]


def test_what_moves_what_is_promoted_and_what_another_model_scored_is_not_drawn(model):
    field = FieldFactory()
    set_value("detection.hidden_share", 1.0, MACHINE)
    run = scored_frame(model, field)
    moving, promoted = Candidate.objects.all()[:2]
    Candidate.objects.filter(pk=moving.pk).update(status="linked")
    DetectionFactory(candidate=promoted, origin="promoted", model_run=run)
    scored_frame(ModelFactory(), field)
    keys = {row.candidate_id for row in mix(run)}
    assert len(keys) == len(HIDDEN) - 2
    assert not keys & {moving.pk, promoted.pk}


def test_of_what_is_vetoed_the_strata_are_its_own(model):
    set_value("detection.hidden_share", 1.0, MACHINE)
    run = scored_frame(model, FieldFactory(), [0.05, 0.9], is_dipole=True)
    mix(run)
    run.refresh_from_db()
    assert [one["drawn"] for one in run.hidden_draw["strata"]] == [0, 0, 0, 0, 1, 1]


def test_a_drawn_one_has_its_probability_and_nothing_else_has_one(model):
    set_value("detection.hidden_share", 1.0, MACHINE)
    [row] = mix(scored_frame(model, FieldFactory(), [0.1]))
    for values in ({"inclusion_probability": None}, {"inclusion_probability": 0.0}, {"origin": "pipeline"}):
        with pytest.raises(IntegrityError, match="sampled_has_probability"), transaction.atomic():
            Detection.objects.filter(pk=row.pk).update(**values)


def test_called_real_it_is_joined_to_a_source_as_what_was_promoted_is(model):
    set_value("detection.hidden_share", 1.0, MACHINE)
    first, second = mix(scored_frame(model, FieldFactory(), [0.1, 0.2]))
    judge(first, False)
    assert not ProcessingJob.objects.exists()
    judge(second, True)
    assert ProcessingJob.objects.get().job_type == "detect"
    assert set(Detection.objects.without_their_source()) == {second}
