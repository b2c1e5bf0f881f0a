"""Which frames a science frame is compared with: rules on rows."""

from __future__ import annotations

import datetime as dt

import pytest

from catalog.configuration.values import set_value, snapshot
from catalog.failures import FailureCode, NotPossible, StageFailure
from catalog.models import AuditLog, ProcessingJob, RunStatus
from catalog.people.audit import MACHINE
from differencing.references import (
    choose_reference,
    material,
    note_possible_gain,
    order_new_reference,
    possible_gain_mag,
)
from observations.models import Observation, ObservationStatus
from tests import factories

pytestmark = pytest.mark.django_db

TONIGHT = dt.date(2024, 3, 10)


@pytest.fixture
def field():
    return factories.FieldFactory()


def frame(field, *, nights_ago=0, minutes=0.0, band="R", fwhm_px=3.0, noise=10.0, aligned=True, **values):
    """Make a preprocessed frame: nights before tonight, minutes into the night."""
    night = TONIGHT - dt.timedelta(days=nights_ago)
    start = dt.datetime.combine(night, dt.time(21), dt.UTC) + dt.timedelta(minutes=minutes)
    run = {name: values.pop(name) for name in ("status", "transparency") if name in values}
    observation = factories.ObservationFactory(
        field=field,
        night=night,
        observation_time=start,
        mjd_utc=60379.875 - nights_ago + minutes / 1440.0,
        filter_band=band,
        status=values.pop("state", ObservationStatus.PREPROCESSED),
        **values,
    )
    factories.PreprocessRunFactory(
        observation=observation,
        wcs_aligned=aligned,
        fwhm_px=fwhm_px,
        background_noise=noise,
        completed_at=start,
        **{"failure_code": "clouded", "error_message": "Clouds."} if run.get("status") == RunStatus.FAILED else {},
        **run,
    )
    return observation


def members(science):
    return list(choose_reference(science, snapshot()).members)


def set_key(key, value):
    set_value(key, value, MACHINE)


def is_waiting(science):
    with pytest.raises(StageFailure) as caught:
        choose_reference(science, snapshot())
    assert caught.value.code == FailureCode.WAITING_FOR_REFERENCE
    return len(caught.value.sentence) > 40


def test_earlier_nights_come_before_more_and_sharper_frames_of_the_same_night(field):
    science = frame(field)
    tonight = [frame(field, minutes=20.0 * k, fwhm_px=2.0) for k in range(1, 6)]
    earlier = [frame(field, nights_ago=n) for n in (1, 2, 3)]
    assert set(members(science)) == set(earlier)
    assert not set(members(science)) & set(tonight)


def test_where_the_field_has_frames_older_than_thirty_days_younger_ones_do_not_serve(field):
    science = frame(field)
    for nights in (1, 2, 29, 30):
        frame(field, nights_ago=nights, fwhm_px=2.0)
    old = [frame(field, nights_ago=nights) for nights in (31, 32, 400)]
    assert set(members(science)) == set(old)


def test_a_single_old_frame_comes_before_a_stack_of_the_last_thirty_days(field):
    science = frame(field)
    for nights in (1, 2, 3):
        frame(field, nights_ago=nights, fwhm_px=2.0)
    old = frame(field, nights_ago=31)
    assert members(science) == [old]


def test_a_frame_that_adds_nothing_to_the_best_is_left_out_of_the_stack(field):
    science = frame(field)
    good = [frame(field, nights_ago=1, minutes=k) for k in range(3)]
    # A tenth of the best one's weight is a noise of 3.2 times its.
    near, poor = frame(field, nights_ago=1, noise=31.0), frame(field, nights_ago=1, noise=32.0)
    assert set(members(science)) == {*good, near} and poor not in members(science)
    set_key("differencing.reference_min_weight", 0.0)
    assert poor in members(science)


def test_three_frames_are_stacked_however_poor_two_of_them_are(field):
    science = frame(field)
    night = [frame(field, nights_ago=1, minutes=k, noise=10.0 if k == 0 else 200.0) for k in range(3)]
    assert members(science) == night


def test_longer_exposures_count_by_the_light_that_they_gather(field):
    science = frame(field)
    frame(field, nights_ago=1, exposure_time=60.0, noise=10.0)
    best = frame(field, nights_ago=2, exposure_time=240.0, noise=20.0)
    assert members(science) == [best]


def test_equal_frames_are_ordered_by_time_and_not_by_when_they_came(field):
    set_key("differencing.reference_max_stack", 3)
    science = frame(field)
    late, early = ([frame(field, nights_ago=1, minutes=k + m) for m in range(2)] for k in (10, 0))
    assert members(science) == [*early, late[0]]


# --- The first of a field and band ---


def first_of(science):
    choice = choose_reference(science, snapshot())
    return choice.is_first, set(choice.members)


def test_the_first_stack_of_earlier_nights_is_the_first_reference_and_one_of_the_same_night_is_not(field):
    night = [frame(field, nights_ago=1, minutes=5.0 * k) for k in range(4)]
    assert first_of(night[0]) == (False, set(night[1:]))
    assert first_of(frame(field)) == (True, set(night))


def test_too_few_earlier_frames_for_a_stack_are_no_first_reference(field):
    science = frame(field)
    one, _ = frame(field, nights_ago=1, fwhm_px=2.0), frame(field, nights_ago=2)
    assert first_of(science) == (False, {one})


def test_the_first_reference_is_that_of_the_second_night_in_whatever_order_frames_are_compared(field):
    nights = [[frame(field, nights_ago=ago, minutes=5.0 * k) for k in range(3)] for ago in (20, 10, 5, 0)]
    for later in nights[1:]:
        assert all(first_of(science) == (True, set(nights[0])) for science in later)


def test_what_would_be_too_young_for_a_frame_is_not_promoted_on_its_account(field):
    young = [frame(field, nights_ago=ago, fwhm_px=2.0) for ago in (20, 15)]
    old, science = frame(field, nights_ago=40), frame(field)
    assert first_of(science) == (False, {old})
    after = frame(field, nights_ago=-30)
    assert first_of(after) == (True, {*young, old})


def test_there_is_one_first_reference_also_when_it_has_been_withdrawn(field):
    science = frame(field)
    night = [frame(field, nights_ago=1, minutes=k) for k in range(3)]
    factories.ReferenceFactory(field=field, best_member=night[0], is_automatic=True).members.set(night)
    assert first_of(science) == (False, set(night))


# --- What is promoted ---


def test_a_promoted_reference_of_the_last_thirty_days_serves_where_the_field_has_nothing_older(field):
    science = frame(field)
    night = [frame(field, nights_ago=3, minutes=k) for k in range(3)]
    frame(field, nights_ago=1, fwhm_px=2.0)
    assert choose_reference(science, snapshot()).promoted is None
    reference = promoted(field, *night)
    assert choose_reference(science, snapshot()).promoted == reference
    old = frame(field, nights_ago=31)
    choice = choose_reference(science, snapshot())
    assert (choice.promoted, choice.members) == (None, (old,))


def test_the_best_of_a_promoted_reference_leads_its_members(field):
    science = frame(field)
    night = [frame(field, nights_ago=40, minutes=k) for k in range(3)]
    reference = promoted(field, night[2], night[0], night[1])
    assert choose_reference(science, snapshot()).members == (night[2], night[0], night[1])
    assert choose_reference(science, snapshot()).promoted == reference


def given(field, first=None, last=None):
    return factories.ReferenceFactory(
        field=field, best_member=None, origin="given", is_active=True, first_mjd_utc=first, last_mjd_utc=last
    )


@pytest.mark.parametrize("epochs", [(None, None), (55000.0, 56500.0), (60379.0 - 40, 60379.0 - 35)])
def test_an_image_that_was_given_comes_before_the_rest_of_the_night(field, epochs):
    science = frame(field)
    for k in range(1, 4):
        frame(field, minutes=20.0 * k)
    reference = given(field, *epochs)
    choice = choose_reference(science, snapshot())
    assert (choice.promoted, choice.members) == (reference, ())


def test_an_image_that_was_taken_in_the_science_night_does_not_serve(field):
    science = frame(field)
    other = frame(field, minutes=20.0)
    given(field, 60379.8, 60379.9)
    assert members(science) == [other]


# --- A better one ---


def test_a_deeper_reference_is_announced_with_what_it_would_gain(field):
    first = [frame(field, nights_ago=90, minutes=k) for k in range(3)]
    reference = promoted(field, *first)
    for night in range(40, 49):
        frame(field, nights_ago=night)
    frame(field)
    # Twelve equal frames for three: 1.25 log10(4).
    assert possible_gain_mag(reference, snapshot()) == pytest.approx(0.75, abs=0.01)
    note_possible_gain(reference, snapshot())
    reference.refresh_from_db()
    assert reference.deeper_by_mag == pytest.approx(0.75, abs=0.01)


def test_what_would_gain_less_than_a_tenth_of_a_magnitude_is_not_announced(field):
    reference = promoted(field, *[frame(field, nights_ago=90, minutes=k) for k in range(6)])
    frame(field, nights_ago=40)
    frame(field)
    assert possible_gain_mag(reference, snapshot()) is None


def test_a_new_reference_leaves_out_the_last_thirty_days_and_the_newest_night_in_any_case(field):
    old = [frame(field, nights_ago=50 + k) for k in range(3)]
    recent = [frame(field, nights_ago=k) for k in (1, 2, 3)]
    frame(field)
    assert {run.observation for run in material(field.pk, "R", snapshot())} == set(old)
    Observation.objects.filter(pk=old[0].pk).update(status=ObservationStatus.ARCHIVED)
    assert {run.observation for run in material(field.pk, "R", snapshot())} == {*old[1:], *recent}


def test_a_new_reference_is_ordered_only_where_there_are_frames_for_a_stack(field):
    reference = promoted(field, frame(field, nights_ago=50))
    frame(field)
    with pytest.raises(NotPossible, match="too few"):
        order_new_reference(reference, MACHINE)
    for night in (41, 42):
        frame(field, nights_ago=night)
    order_new_reference(reference, MACHINE)
    job = ProcessingJob.objects.get()
    assert (job.job_type, job.entity_type, job.entity_id) == ("reference", "reference", str(reference.pk))
    assert AuditLog.objects.filter(action="order_reference", entity_id=str(reference.pk)).exists()


def test_fewer_than_three_earlier_frames_are_not_stacked_and_the_deepest_serves_alone(field):
    science = frame(field)
    frame(field, nights_ago=1, fwhm_px=5.0)
    best = frame(field, nights_ago=2, fwhm_px=2.5)
    assert members(science) == [best]


@pytest.mark.parametrize("worse", [{"noise": 30.0}, {"transparency": 0.3}], ids=["noise", "haze"])
def test_noise_and_haze_count_against_a_reference_as_seeing_does(field, worse):
    science = frame(field)
    frame(field, nights_ago=1, fwhm_px=2.5, **worse)
    best = frame(field, nights_ago=2, fwhm_px=3.0)
    assert members(science) == [best]


def test_a_stack_holds_no_more_than_the_best_of_the_configured_number(field):
    set_key("differencing.reference_max_stack", 3)
    science = frame(field)
    earlier = [frame(field, nights_ago=1, minutes=k, fwhm_px=2.0 + 0.1 * k) for k in range(5)]
    assert members(science) == earlier[:3]


def test_nights_within_the_excluded_days_do_not_serve(field):
    set_key("differencing.reference_exclude_days", 5)
    science = frame(field)
    for nights in (1, 3, 5):
        frame(field, nights_ago=nights)
    old = frame(field, nights_ago=6)
    assert members(science) == [old]


def test_a_later_night_is_never_the_reference(field):
    science = frame(field)
    for k in range(4):
        frame(field, nights_ago=-1, minutes=k)
    assert is_waiting(science)


def test_within_one_night_the_others_are_stacked_without_the_science_frame(field):
    night = [frame(field, minutes=5.0 * k) for k in range(4)]
    for science in night:
        assert set(members(science)) == set(night) - {science}


def test_with_two_others_in_the_night_the_sharper_serves_only_beyond_fifteen_minutes(field):
    science = frame(field)
    frame(field, minutes=14.0, fwhm_px=2.0)
    far = frame(field, minutes=16.0, fwhm_px=4.0)
    assert members(science) == [far]


def test_beyond_fifteen_minutes_seeing_decides_and_not_the_gap(field):
    science = frame(field)
    sharp = frame(field, minutes=16.0, fwhm_px=2.0)
    frame(field, minutes=90.0, fwhm_px=4.0)
    assert members(science) == [sharp]


def test_where_no_gap_is_long_enough_the_longest_counts_also_backwards_in_time(field):
    early = frame(field, minutes=-12.0, fwhm_px=4.0)
    science = frame(field)
    frame(field, minutes=3.0, fwhm_px=2.0)
    assert members(science) == [early]


def test_the_minimal_gap_is_configurable(field):
    set_key("differencing.reference_min_gap_minutes", 2.0)
    science = frame(field)
    sharp = frame(field, minutes=3.0, fwhm_px=2.0)
    frame(field, minutes=90.0, fwhm_px=4.0)
    assert members(science) == [sharp]


@pytest.mark.parametrize(
    "other",
    [
        {"band": "r"},
        {"aligned": False},
        {"status": RunStatus.FAILED},
        {"state": ObservationStatus.ARCHIVED},
        {"fwhm_px": None},
    ],
    ids=["another band", "not registered", "failed", "archived", "no seeing"],
)
def test_a_frame_that_cannot_serve_leaves_the_science_frame_waiting(field, other):
    science = frame(field)
    frame(field, nights_ago=1, **other)
    assert is_waiting(science)


@pytest.mark.parametrize("band", ["", "unknown"])
def test_two_unknown_filters_never_match(field, band):
    science = frame(field, band=band)
    promoted(field, frame(field, nights_ago=1, band=band), filter_band=band)
    with pytest.raises(StageFailure, match="--band") as caught:
        choose_reference(science, snapshot())
    assert caught.value.code == FailureCode.NO_BAND


def test_frames_of_another_field_do_not_serve(field):
    science = frame(field)
    frame(factories.FieldFactory(ra=151.0), nights_ago=1)
    assert is_waiting(science)


def test_a_lone_frame_waits_and_is_told_what_to_add(field):
    science = frame(field)
    with pytest.raises(StageFailure, match=r"in R .*Add an earlier night"):
        choose_reference(science, snapshot())


def promoted(field, *made_of, **values):
    reference = factories.ReferenceFactory(field=field, best_member=made_of[0], is_active=True, **values)
    reference.members.set(made_of)
    return reference


def test_a_promoted_reference_comes_before_what_the_rules_would_choose(field):
    science = frame(field)
    earlier = [frame(field, nights_ago=n) for n in (1, 2, 3, 4)]
    reference = promoted(field, earlier[3])
    choice = choose_reference(science, snapshot())
    assert choice.promoted == reference
    assert choice.members == (earlier[3],)


def test_a_promoted_reference_with_a_frame_of_the_science_night_is_passed_over(field):
    science = frame(field)
    tonight = frame(field, minutes=60.0)
    earlier = [frame(field, nights_ago=n) for n in (1, 2, 3)]
    promoted(field, *earlier, tonight)
    choice = choose_reference(science, snapshot())
    assert choice.promoted is None
    assert set(choice.members) == set(earlier)


def test_the_excluded_days_hold_for_a_promoted_reference_too(field):
    set_key("differencing.reference_exclude_days", 2)
    science = frame(field)
    near, far = frame(field, nights_ago=2), frame(field, nights_ago=3)
    promoted(field, near)
    choice = choose_reference(science, snapshot())
    assert (choice.promoted, choice.members) == (None, (far,))


def test_a_promoted_reference_of_another_band_or_one_that_is_not_promoted_does_not_count(field):
    science = frame(field)
    near, far = frame(field, nights_ago=1), frame(field, nights_ago=2, fwhm_px=9.0)
    promoted(field, far, filter_band="B")
    factories.ReferenceFactory(field=field, best_member=far, is_active=False).members.set([far])
    choice = choose_reference(science, snapshot())
    assert (choice.promoted, choice.members) == (None, (near,))


def test_frames_of_the_science_frames_own_scale_come_first(field):
    science = frame(field, pixel_scale=2.4)
    deep = [frame(field, nights_ago=40 + k, pixel_scale=1.2, noise=8.0) for k in range(3)]
    own = [frame(field, nights_ago=50 + k, pixel_scale=2.4) for k in range(3)]
    assert set(members(science)) == set(own)
    assert not set(members(frame(field, pixel_scale=1.2))) & set(own)
    assert set(members(frame(field, pixel_scale=1.2))) == set(deep)


def test_frames_of_another_scale_serve_where_there_are_no_others(field):
    science = frame(field, pixel_scale=2.4)
    others = [frame(field, nights_ago=40 + k, pixel_scale=1.2) for k in range(3)]
    assert set(members(science)) == set(others)


def test_far_deeper_frames_of_another_scale_come_before_a_poor_one_of_the_own(field):
    science = frame(field, pixel_scale=2.4)
    frame(field, nights_ago=60, pixel_scale=2.4, noise=30.0)
    deep = [frame(field, nights_ago=40 + k, pixel_scale=1.2) for k in range(3)]
    assert set(members(science)) == set(deep)


def test_a_stack_holds_frames_of_one_scale_only(field):
    for k in range(3):
        frame(field, nights_ago=40 + k, pixel_scale=1.2)
        frame(field, nights_ago=50 + k, pixel_scale=2.4)
    scales = {member.pixel_scale for member in members(frame(field, pixel_scale=3.6))}
    assert len(scales) == 1


def test_a_reference_that_nobody_chose_gives_way_to_frames_of_the_own_scale(field):
    coarse = [frame(field, nights_ago=60 + k, pixel_scale=2.4) for k in range(3)]
    reference = promoted(field, *coarse, is_automatic=True)
    own = [frame(field, nights_ago=50 + k, pixel_scale=1.2) for k in range(3)]
    assert set(members(frame(field, pixel_scale=1.2))) == set(own)
    reference.is_automatic = False
    reference.save()
    assert set(members(frame(field, pixel_scale=1.2))) == set(coarse)


def test_depth_is_told_by_the_light_of_the_stars_whatever_camera_counts_it(field):
    science = frame(field, pixel_scale=3.6)
    small = [frame(field, nights_ago=40 + k, pixel_scale=1.2, noise=10.0) for k in range(3)]
    large = [frame(field, nights_ago=50 + k, pixel_scale=2.4, noise=15.0) for k in range(3)]
    for rows, light in ((small, 1.0), (large, 6.0)):
        for row in rows:
            run = row.preprocess_runs.get()
            run.wcs_info = {"transparency": light}
            run.save()
    assert set(members(science)) == set(large)
