"""What speaks for telling about a source, and what for taking it back."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import pytest
from django.utils import timezone

from catalog.configuration.values import set_value, snapshot
from catalog.models import ProcessingJob
from catalog.people.audit import MACHINE
from curation.alerts.rule import looks_at, sources_of_night, sources_to_consider
from curation.models import Alert
from detection.models import Detection
from tests import factories
from tests.curation.looks import consider, judge, moving, seen

pytestmark = pytest.mark.django_db


def test_another_threshold_is_no_reason_to_take_anything_back():
    row = seen()
    consider(row.source)
    set_value("alerts.automatic_threshold", 1.0, MACHINE)
    assert consider(row.source) == ["new"]
    set_value("alerts.automatic", False, MACHINE)
    assert consider(row.source) == ["new"]


def test_a_verdict_that_agrees_with_little_confidence_takes_nothing_back():
    row = seen()
    consider(row.source)
    judge(row, True, "low")
    assert consider(row.source) == ["new"]


def test_people_who_disagree_make_no_alert_and_take_none_back():
    row, other = seen(), seen()
    consider(row.source)
    for detection in (row, other):
        judge(detection, True)
        judge(detection, False)
    assert consider(row.source) == ["new"]
    assert consider(other.source) == []


def test_an_artefact_that_people_rejected_is_not_told_again_when_it_comes_back():
    row = seen()
    consider(row.source)
    judge(row, False, label="subtraction_artefact")
    again = seen(row.source, days=1.0)
    assert consider(row.source) == ["new", "retraction"]
    judge(again, True)
    assert consider(row.source) == ["new", "retraction", "new"]


def test_one_rejected_frame_leaves_the_others_that_were_told():
    row = seen()
    consider(row.source)
    judge(seen(row.source, days=1.0), False, label="satellite")
    assert consider(row.source) == ["new"]


@pytest.mark.parametrize("rejected", [0, 2])
def test_one_rejected_detection_of_those_that_were_told_takes_back_what_only_the_score_spoke_for(rejected):
    rows = [seen()]
    rows += [seen(rows[0].source, days=day) for day in (0.01, 0.02)]
    assert consider(rows[0].source) == ["new"]
    judge(rows[rejected], False)
    assert consider(rows[0].source) == ["new", "retraction"]


def test_one_rejected_detection_takes_nothing_back_that_another_person_stands_for_however_unsure():
    row = seen()
    other = seen(row.source, days=0.01)
    consider(row.source)
    judge(other, True, "low")
    judge(row, False)
    assert consider(row.source) == ["new"]


def test_what_rested_on_two_detections_stands_when_one_is_lost():
    row = seen()
    seen(row.source, days=0.01)
    consider(row.source)
    Detection.objects.filter(pk=row.pk).update(status="archived")
    set_value("alerts.automatic", False, MACHINE)
    assert consider(row.source) == ["new"]


def test_the_label_that_a_person_gave_lasts_through_later_frames():
    row = seen()
    judge(row, True, label="supernova_candidate")
    consider(row.source)
    seen(row.source, days=1.0)
    assert consider(row.source) == ["new"], "nothing about it has changed"
    seen(row.source, days=2.0, snr=90.0)
    consider(row.source)
    latest = Alert.objects.latest("created_at")
    assert latest.title.startswith("Update on supernova candidate")
    assert "Nobody has reviewed" not in latest.message


def test_numbers_of_a_frame_that_was_rejected_are_replaced_by_those_of_one_that_stands():
    first = seen()
    judge(first, True)
    second = seen(first.source, days=1.0)
    assert consider(first.source) == ["new"]
    assert Alert.objects.get().detection == second
    judge(second, False)
    assert consider(first.source) == ["new", "update"]
    assert Alert.objects.latest("created_at").detection == first


def test_a_confirmed_detection_is_told_without_any_verdict():
    row = seen(score=0.6)
    Detection.objects.filter(pk=row.pk).update(status="confirmed")
    assert consider(row.source) == ["new"]
    assert "confirmed by independent evidence" in Alert.objects.get().message


@pytest.mark.parametrize("flag", ["is_dipole", "is_reference_ghost"])
def test_a_known_artefact_is_not_told_by_itself(flag):
    row = seen()
    setattr(row.candidate, flag, True)
    row.candidate.save()
    assert consider(row.source) == []


def test_a_cancelled_alert_was_not_told():
    row = seen()
    consider(row.source)
    Alert.objects.update(status="cancelled")
    assert consider(row.source) == ["new", "new"]


def test_a_retraction_says_who_or_what_took_it_back():
    reasons = {}
    for name, change in {
        "people": lambda row: judge(row, False, "expert"),
        "lost": lambda row: Detection.objects.filter(pk=row.pk).update(status="archived"),
        "nowhere": lambda row: factories.Observation.objects.filter(pk=row.observation_id).update(
            wcs_quality="nominal"
        ),
    }.items():
        row = seen()
        consider(row.source)
        change(row)
        consider(row.source)
        reasons[name] = Alert.objects.get(detection=row, alert_type="retraction").message
    assert "it was judged not real by curator" in reasons["people"]
    assert "(expert confidence)" in reasons["people"]
    assert "no longer found when its frame was processed again" in reasons["lost"]
    assert "the position of its frame is no longer known" in reasons["nowhere"]


def test_a_moving_object_is_told_once_though_it_is_another_source_in_every_frame():
    rows = [seen(days=k / 100.0) for k in range(4)]
    moving(*rows)
    assert [consider(row.source) for row in reversed(rows)] == [[], [], [], ["new"]]


def test_what_was_told_before_its_motion_was_known_is_taken_back_for_the_first_of_the_tracklet():
    rows = [seen(days=k / 100.0) for k in range(3)]
    assert [consider(row.source) for row in rows] == [["new"]] * 3
    moving(*rows)
    assert [consider(row.source) for row in rows] == [["new", "update"], ["new", "retraction"], ["new", "retraction"]]
    retraction = Alert.objects.get(detection=rows[1], alert_type="retraction")
    assert f"it is the moving object that is reported as {rows[0].source}" in retraction.message


def test_a_motion_that_chance_explains_moves_nothing():
    rows = [seen(days=k / 100.0) for k in range(3)]
    moving(*rows, is_doubtful=True)
    assert [consider(row.source) for row in rows] == [["new"]] * 3
    assert {alert.alert_metadata["tracklet_size"] for alert in Alert.objects.all()} == {None}
    ProcessingJob.objects.all().delete()
    judge(rows[0], False)
    (job,) = ProcessingJob.objects.filter(job_type="alerts", status="pending")
    assert job.entity_id == str(rows[0].source_id)


def test_a_rejected_first_position_of_a_moving_object_leaves_the_telling_to_the_next():
    rows = [seen(days=k / 100.0) for k in range(2)]
    moving(*rows)
    assert [consider(row.source) for row in rows] == [["new"], []]
    judge(rows[0], False)
    jobs = ProcessingJob.objects.filter(job_type="alerts", status="pending").values_list("entity_id", flat=True)
    assert set(jobs) == {str(row.source_id) for row in rows}
    assert [consider(row.source) for row in rows] == [["new", "retraction"], ["new"]]


def test_a_person_who_judges_a_later_position_real_is_told_about_all_the_same():
    rows = [seen(days=k / 100.0) for k in range(2)]
    moving(*rows)
    judge(rows[1], True, label="asteroid")
    assert consider(rows[1].source) == ["new"]


def test_a_clock_that_runs_behind_reorders_nothing(monkeypatch):
    row = seen()
    consider(row.source)
    person = judge(row, True)
    before = timezone.now() - dt.timedelta(minutes=10)
    monkeypatch.setattr(timezone, "now", lambda: before)
    consider(row.source)
    judge(row, False, person=person)
    assert row.status == "rejected"
    assert consider(row.source) == ["new", "update", "retraction"]


def ordered(*rows: Detection) -> list[UUID]:
    return sorted(row.source_id for row in rows if row.source_id is not None)


def test_what_follows_from_one_frame_concerns_sources_that_may_be_told_about_and_no_others():
    sure = seen()
    told, real, _ = (seen(score=0.6) for _ in range(3))
    Detection.objects.update(observation=sure.observation)
    factories.AlertFactory(detection=told)
    Detection.objects.filter(pk=real.pk).update(status="validated")
    assert sources_to_consider(sure.observation_id) == ordered(sure, told, real)
    set_value("alerts.automatic", False, MACHINE)
    assert sources_to_consider(sure.observation_id) == ordered(told, real)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"candidate__snr": 9.9},
        {"candidate__snr": -9.9},
        {"candidate__snr": -10.0},
        {"confidence_score": 0.98},
        {"candidate__is_dipole": True},
        {"candidate__is_reference_ghost": True},
        {"candidate__vetoes": [{"code": "flash_train", "value": 4.0, "message": "Equal steps."}]},
        {"status": "archived"},
        {"alerts.automatic": False},
        {"alerts.automatic_threshold": 1.0},
        {"alerts.automatic_min_snr": 26.0},
    ],
    ids=str,
)
def test_a_frame_orders_a_look_exactly_where_the_rule_would_tell_by_itself(change):
    row = seen()
    for name, value in change.items():
        if name.startswith("alerts."):
            set_value(name, value, MACHINE)
        else:
            owner, field = (row.candidate, name.removeprefix("candidate__")) if "__" in name else (row, name)
            type(owner).objects.filter(pk=owner.pk).update(**{field: value})
    is_told = any(look.ground for look in looks_at(row.source, snapshot()))
    assert is_told == (change in ({}, {"candidate__snr": -10.0}))
    assert bool(sources_to_consider(row.observation_id)) == is_told


def test_what_follows_from_a_nights_tracklets_concerns_what_moves_and_what_was_told():
    field = factories.FieldFactory()
    moves, told, _ = (seen(field=field) for _ in range(3))
    moving(moves, seen(field=factories.FieldFactory()))
    moving(seen(field=field), is_doubtful=True)
    factories.AlertFactory(detection=told)
    assert sources_of_night(field.pk, moves.observation.night) == ordered(moves, told)
