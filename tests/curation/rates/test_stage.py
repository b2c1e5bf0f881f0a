"""A model is calibrated by what people answered, and the rate that is asked for holds on nights that come later."""

from __future__ import annotations

import numpy as np
import pytest
from django.db import DatabaseError, transaction

from catalog.configuration.values import set_value, snapshot
from catalog.models import AuditLog, ProcessingJob
from catalog.people.audit import MACHINE
from curation.rates import answers, stage
from curation.rates.ordering import order_nightly
from detection.models import Calibration, CandidateScore, Detection
from detection.thresholds.curve import answers_lacking, points_of, rates_at, threshold_for, usable_for
from detection.thresholds.in_force import in_force
from tests import factories
from tests.curation.rates.nights import answered_night, scores_of
from tests.keys import keys_named_in

pytestmark = pytest.mark.django_db

BOGUS, REAL = 600, 30


@pytest.fixture
def model():
    return factories.ModelFactory(is_active=True, training_metrics={"threshold_fpr_0_01": 0.73})


def nights(model, count: int, seed: int = 3, real: int = REAL, **more) -> np.random.Generator:
    rng = np.random.default_rng(seed)
    for k in range(count):
        answered_night(model, *scores_of(rng, BOGUS, real), count - k, **more)
    return rng


def calibrate(model) -> Calibration:
    stage.run(str(model.pk))
    return Calibration.objects.filter(model=model).latest("version")


def test_the_rate_that_was_asked_for_is_what_comes_of_it_on_later_nights(model):
    set_value("detection.threshold_by", "false_positive_rate", MACHINE)
    set_value("detection.asked_rate", 0.05, MACHINE)
    rng = nights(model, 8)
    row = calibrate(model)
    now = in_force(model, snapshot())
    assert (now.calibration, now.why) == (row, "")
    later = [scores_of(rng, BOGUS, REAL) for _ in range(40)]
    realised = np.concatenate([scores[~is_real] >= now.threshold for scores, is_real in later]).mean()
    assert 0.8 <= realised / 0.05 <= 1.25
    assert row.withheld_rate_low < realised < row.withheld_rate_high
    # The bare threshold would have shown twice as many.
    assert np.concatenate([scores[~is_real] >= 0.5 for scores, is_real in later]).mean() > 0.07
    assert row.calibration_error < 0.02 < row.calibration_error_raw


def test_the_missed_rate_is_kept_too(model):
    set_value("detection.threshold_by", "missed_rate", MACHINE)
    set_value("detection.asked_rate", 0.1, MACHINE)
    rng = nights(model, 8, real=120)
    calibrate(model)
    now = in_force(model, snapshot())
    assert now.why == ""
    later = [scores_of(rng, BOGUS, REAL) for _ in range(60)]
    missed = np.concatenate([scores[is_real] < now.threshold for scores, is_real in later]).mean()
    assert 0.8 <= missed / 0.1 <= 1.25


def test_until_answers_are_enough_the_cards_threshold_holds_and_that_is_said(model):
    set_value("detection.threshold_by", "false_positive_rate", MACHINE)
    nights(model, 2)
    calibrate(model)
    now = in_force(model, snapshot())
    assert (now.threshold, now.calibration) == (0.73, None)
    assert "card" in now.why
    set_value("detection.threshold_by", "missed_rate", MACHINE)
    now = in_force(model, snapshot())
    assert now.threshold == 0.5
    assert "the score that is set holds" in now.why


def test_a_score_that_is_set_asks_no_calibration(model):
    nights(model, 4)
    calibrate(model)
    assert in_force(model, snapshot()).threshold == 0.5


def test_nights_from_which_nothing_hidden_was_drawn_say_nothing_of_rates(model):
    nights(model, 4, share=0.0)
    row = calibrate(model)
    assert (row.real_count, row.bogus_count, row.curve) == (0, 0, [])
    # What was alerted by itself is known all the same.
    assert row.automatic_objects > 0


def test_answers_stand_for_all_candidates_of_their_nights(model):
    nights(model, 4)
    assert calibrate(model).stands_for == pytest.approx(4 * (BOGUS + REAL), rel=0.02)


def test_what_waits_is_taken_to_be_like_what_was_answered(model):
    nights(model, 4)
    whole = calibrate(model)
    shown = Detection.objects.filter(origin="pipeline").order_by("pk").values_list("pk", flat=True)
    Detection.objects.filter(pk__in=list(shown)[::3]).update(status="pending", is_validated=False)
    part = calibrate(model)
    assert part.version == whole.version + 1
    assert part.stands_for == pytest.approx(whole.stands_for, rel=1e-6)
    at = [rates_at(points_of(row), 0.8, "false_positive_rate").value for row in (whole, part)]
    assert at[1] == pytest.approx(at[0], rel=0.25)


def test_vetoed_and_promoted_ones_do_not_count(model):
    nights(model, 3)
    before = calibrate(model)
    some = Detection.objects.filter(status="rejected", origin="pipeline")[:5]
    keys = [row.pk for row in some]
    for row in some[:3]:
        row.candidate.vetoes = [{"code": "crowded", "value": 1.0, "message": "Crowded."}]
        row.candidate.save()
    Detection.objects.filter(pk__in=keys[3:]).update(origin="promoted")
    assert calibrate(model).bogus_count == before.bogus_count - 5


def test_the_same_answers_add_no_row_and_rows_never_change(model):
    nights(model, 3)
    row = calibrate(model)
    assert calibrate(model) == row
    assert AuditLog.objects.filter(action="calibrate", entity_id=str(row.pk)).count() == 1
    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
        Calibration.objects.filter(pk=row.pk).update(real_count=1)
    with pytest.raises(DatabaseError, match="only ever added"), transaction.atomic():
        row.delete()


def test_without_answers_there_is_no_calibration(model):
    stage.run(str(model.pk))
    assert not Calibration.objects.exists()


def test_another_model_is_calibrated_by_answers_about_what_it_did_not_show(model):
    nights(model, 4)
    other = factories.ModelFactory(is_shadow=True)
    run = factories.ModelRunFactory(model=other)
    CandidateScore.objects.bulk_create(
        CandidateScore(
            candidate_id=row.candidate_id, score=row.score**2, model=other, model_run=run,
            weights_sha256=other.weights_sha256,
        )
        for row in CandidateScore.objects.filter(model=model)
    )  # fmt: skip
    own, shadow = (threshold_for(points_of(calibrate(one)), "false_positive_rate", 0.05) for one in (model, other))
    assert shadow.threshold == pytest.approx(own.threshold**2, rel=0.02)


def test_more_answers_know_the_rate_better_and_how_many_lack_is_about_right(model):
    nights(model, 4)
    few = calibrate(model)
    found = threshold_for(points_of(few), "false_positive_rate", 0.05)
    lacking = answers_lacking(few, found)
    assert found.low <= found.threshold <= found.high
    rng = np.random.default_rng(9)
    for k in range(8):
        answered_night(model, *scores_of(rng, BOGUS, REAL), 20 + k)
    more = calibrate(model)
    better = usable_for(more, "false_positive_rate", 0.05)
    assert better.half_width < found.half_width
    assert better.high - better.low < found.high - found.low
    assert lacking > 0


def test_a_model_is_calibrated_once_a_night_where_somebody_answered(model):
    assert order_nightly() == 0
    factories.ValidationEventFactory()
    assert order_nightly() == 1
    assert order_nightly() == 0
    assert ProcessingJob.objects.get(job_type="recalibrate").entity_id == str(model.pk)


def test_the_stage_names_every_key_that_it_reads():
    assert keys_named_in(stage, answers) == set(stage.READS)
