"""What moves on a line in one field and night is a tracklet; a repeat replaces them and keeps those that stay."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from catalog.configuration.values import set_value
from catalog.people.audit import MACHINE
from differencing.ids import field_night
from differencing.models import Candidate, CandidateStatus, DifferenceRun, Tracklet
from differencing.stage import tracklets
from observations.models import Observation
from tests import factories

pytestmark = pytest.mark.django_db

NIGHT = dt.date(2024, 3, 1)
RATE = 0.5  # arcsec/min, a main-belt asteroid
DEC = 22.0
SCALE = 1.2  # arcsec/px


@pytest.fixture
def field():
    return factories.FieldFactory()


@pytest.fixture
def frames(field):
    """Four frames of one night, 15 minutes apart."""
    return [
        factories.ObservationFactory(field=field, night=NIGHT, mjd_utc=60370.9 + k * 15.0 / 1440.0) for k in range(4)
    ]


def at(frame, east, north, status=CandidateStatus.DETECTED, **values):
    """Make a candidate at arcseconds from the field's middle."""
    run = frame.difference_runs.first() or factories.DifferenceRunFactory(observation=frame)
    ra, dec = 150.0 + east / 3600.0 / np.cos(np.radians(DEC)), DEC + north / 3600.0
    place = {"pixel_x": 500.0 - east / SCALE, "pixel_y": 500.0 + north / SCALE}
    return factories.CandidateFactory(difference_run=run, ra=ra, dec=dec, **{"status": status, **place, **values})


def asteroid(frames, angle_deg=60.0, start=0.0, **values):
    """Make one candidate a frame on a line towards a position angle, from arcseconds south of the middle."""
    step = RATE * 15.0
    east, north = step * np.sin(np.radians(angle_deg)), step * np.cos(np.radians(angle_deg))
    return [at(frame, k * east, k * north - start, **values) for k, frame in enumerate(frames)]


def link(field, night=NIGHT):
    tracklets.run(field_night(field.pk, night))
    return list(Tracklet.objects.all())


def test_candidates_on_a_line_are_one_tracklet_with_rate_and_direction(field, frames):
    members = asteroid(frames)
    at(frames[0], 200.0, -100.0), at(frames[2], -150.0, 80.0)
    (found,) = link(field)
    assert set(found.members.all()) == set(members)
    assert found.rate_arcsec_per_min == pytest.approx(RATE, rel=1e-3)
    assert found.position_angle == pytest.approx(60.0, abs=0.1)
    assert found.rms_arcsec < 0.01
    assert (found.field, found.night) == (field, NIGHT)


def test_a_star_that_stays_is_no_tracklet(field, frames):
    for frame in frames:
        at(frame, 5.0, 5.0)
    assert link(field) == []


def test_what_is_negative_not_yet_scored_or_gone_takes_no_part(field, frames):
    asteroid(frames, is_negative=True)
    asteroid(frames, status=CandidateStatus.DUPLICATE, start=100.0)
    asteroid(frames, status=CandidateStatus.PENDING, start=200.0)
    assert link(field) == []


def test_a_comet_that_looks_like_no_star_is_a_tracklet_though_every_candidate_was_rejected(field, frames):
    members = asteroid(frames, status=CandidateStatus.REJECTED)
    (found,) = link(field)
    assert set(found.members.all()) == set(members)
    assert not found.is_doubtful


def test_of_an_asteroid_that_was_rejected_once_that_candidate_is_a_member_too(field, frames):
    members = asteroid(frames)
    Candidate.objects.filter(pk=members[2].pk).update(status=CandidateStatus.REJECTED)
    (found,) = link(field)
    assert set(found.members.all()) == set(members)


def test_a_line_that_chance_makes_is_kept_as_doubtful(field, frames):
    members = asteroid(frames[:3])
    (found,) = link(field)
    assert found.chance_rate < 0.01 and not found.is_doubtful
    assert found in Tracklet.objects.moving()
    # So many more that were taken for real that lines of three are common.
    rng = np.random.default_rng(12)
    for frame in frames:
        for east, north in rng.uniform(-60.0, 60.0, (20, 2)):
            at(frame, east, north)
    members[1].dec += 0.9 / 3600.0
    members[1].save()
    link(field)
    for found in Tracklet.objects.filter(members__in=members):
        assert found.is_doubtful and found.chance_rate > 0.05
        assert found not in Tracklet.objects.moving()
    set_value("differencing.tracklet_max_chance_rate", 10.0, MACHINE)
    assert any(not found.is_doubtful for found in link(field))


def test_a_candidate_off_the_line_joins_only_as_far_as_its_own_error_allows(field, frames):
    members = asteroid(frames)
    DifferenceRun.objects.update(registration_rms_px=0.05)
    # 1.1" north of the line: 5 sigma are 0.7" at S/N 50, but 1" at S/N 5 and where the errors are not known.
    off = members[2]
    off.dec, off.snr = off.dec + 1.1 / 3600.0, 50.0
    off.save()
    assert off not in link(field)[0].members.all()
    Candidate.objects.filter(pk=off.pk).update(snr=5.0)
    assert off in link(field)[0].members.all()
    DifferenceRun.objects.update(registration_rms_px=None)
    Candidate.objects.filter(pk=off.pk).update(snr=50.0)
    assert off in link(field)[0].members.all()


def test_a_hot_pixel_under_a_drifting_sky_is_no_tracklet(field, frames):
    asteroid(frames, pixel_x=400.0, pixel_y=300.0)
    assert link(field) == []


@pytest.mark.parametrize(
    ("trail", "exposure_s", "ratio", "is_doubtful"),
    [
        (None, 60.0, None, False),  # moves by half an arcsecond: nothing to see
        (None, 1200.0, 0.0, True),  # moves by 10 arcsec, and is a point of 3.6
        (10.0, 1200.0, 1.0, False),
        (4.0, 1200.0, 0.4, True),
        (30.0, 1200.0, 3.0, True),
    ],
)
def test_the_trails_confirm_or_deny_the_rate(field, frames, trail, exposure_s, ratio, is_doubtful):
    asteroid(frames, trail_length_arcsec=trail)
    Observation.objects.update(exposure_time=exposure_s)
    (found,) = link(field)
    assert found.trail_ratio == (None if ratio is None else pytest.approx(ratio, rel=1e-3))
    assert found.is_doubtful == is_doubtful


@pytest.mark.parametrize(("quality", "is_known"), [("solved", True), ("header", True), ("nominal", False)])
def test_the_direction_is_unknown_where_the_frames_are_not_solved(field, frames, quality, is_known):
    asteroid(frames)
    Observation.objects.update(wcs_quality=quality)
    (found,) = link(field)
    assert (found.position_angle is not None) == is_known


def test_two_points_make_no_line(field, frames):
    asteroid(frames[:2])
    assert link(field) == []


def test_candidates_of_other_fields_and_nights_do_not_join(field, frames):
    members = asteroid(frames[:3])
    step = RATE * 15.0
    for other in (
        factories.ObservationFactory(night=NIGHT, field=factories.FieldFactory(), mjd_utc=frames[3].mjd_utc),
        factories.ObservationFactory(night=NIGHT + dt.timedelta(days=1), field=field, mjd_utc=frames[3].mjd_utc),
    ):
        at(other, 3 * step * np.sin(np.radians(60.0)), 3 * step * np.cos(np.radians(60.0)))
    (found,) = link(field)
    assert set(found.members.all()) == set(members)


def test_a_repeat_keeps_the_tracklet_that_stays_and_deletes_the_one_that_does_not(field, frames):
    kept, gone = asteroid(frames), asteroid(frames, angle_deg=240.0, start=300.0)
    first = {t.pk: frozenset(t.members.all()) for t in link(field)}
    assert set(first.values()) == {frozenset(kept), frozenset(gone)}
    Candidate.objects.filter(pk__in=[c.pk for c in gone]).update(status=CandidateStatus.DUPLICATE)
    (found,) = link(field)
    assert first[found.pk] == set(kept)


def test_a_tracklet_that_gains_a_frame_is_the_only_one_of_its_motion(field, frames):
    members = asteroid(frames[:3])
    link(field)
    step = RATE * 15.0
    members.append(at(frames[3], 3 * step * np.sin(np.radians(60.0)), 3 * step * np.cos(np.radians(60.0))))
    (found,) = link(field)
    assert set(found.members.all()) == set(members)


def test_the_fastest_motion_looked_for_is_configurable(field, frames):
    set_value("differencing.tracklet_max_rate_arcsec_per_min", 0.4, MACHINE)
    asteroid(frames)
    assert link(field) == []


def test_a_night_without_candidates_is_no_error(field):
    assert link(field) == []


def test_the_simulated_asteroid_is_the_nights_only_tracklet(night):
    (found,) = Tracklet.objects.all()
    assert found.members.count() == 3
    # 0.3 px/min at 1.2 arcsec/px; centroids of S/N 15 over 45 minutes.
    assert found.rate_arcsec_per_min == pytest.approx(0.36, rel=0.03)
    for candidate in found.members.select_related("observation"):
        (truth,) = night.sources(candidate.observation, "asteroid")
        assert np.hypot(candidate.pixel_x - truth["x"], candidate.pixel_y - truth["y"]) < 1.0


@pytest.mark.parametrize("code", ["flash_train", "cosmic_ray", "fixed_pixel"])
def test_what_is_no_light_of_the_sky_joins_no_tracklet(field, frames, code):
    asteroid(frames, vetoes=[{"code": code, "value": 4.0, "message": "No source."}])
    assert link(field) == []


def test_what_is_wider_than_a_star_may_move(field, frames):
    reason = {"code": "wider_than_star", "value": 2.0, "message": "A comet."}
    members = asteroid(frames, status=CandidateStatus.REJECTED, fwhm=7.0, snr=40.0, vetoes=[reason])
    (found,) = link(field)
    assert set(found.members.all()) == set(members)
    assert not found.is_doubtful
    # They were rejected before it was known that they move.
    assert set(Candidate.objects.out_of_step()) == set(members)


def test_a_round_coma_denies_no_rate_since_the_telescope_may_follow_it(field, frames):
    reason = {"code": "wider_than_star", "value": 2.0, "message": "A comet."}
    asteroid(frames, status=CandidateStatus.REJECTED, fwhm=7.0, snr=40.0, ellipticity=0.1, vetoes=[reason])
    Observation.objects.update(exposure_time=3000.0)
    (found,) = link(field)
    assert found.trail_ratio is None and not found.is_doubtful


def test_bumps_in_the_wings_of_a_comet_are_no_tracklets(field, frames):
    reason = {"code": "wider_than_star", "value": 2.5, "message": "A comet."}
    members = asteroid(frames, status=CandidateStatus.REJECTED, fwhm=8.0, snr=60.0, vetoes=[reason])
    for east in (-12.0, 14.0, 20.0):
        for candidate in asteroid(frames, status=CandidateStatus.REJECTED, snr=6.0):
            candidate.ra += east / 3600.0 / np.cos(np.radians(DEC))
            candidate.save()
    (found,) = link(field)
    assert set(found.members.all()) == set(members)


def test_what_the_telescope_follows_moves_though_it_stays_on_its_pixel(field, frames):
    members = asteroid(frames, pixel_x=400.0, pixel_y=300.0)
    for frame in frames:
        factories.PreprocessRunFactory(observation=frame, ellipticity=0.7)
    (found,) = link(field)
    assert set(found.members.all()) == set(members)


def test_a_trail_is_placed_as_badly_as_its_ends_are_known(field, frames):
    members = asteroid(frames, snr=50.0, position_error_px=0.1, ellipticity=0.5)
    DifferenceRun.objects.update(registration_rms_px=0.05)
    off = members[2]
    off.dec += 1.5 / 3600.0
    off.save()
    assert off not in link(field)[0].members.all()
    Candidate.objects.update(position_error_px=0.5)
    assert off in link(field)[0].members.all()


def test_what_is_linked_still_moves_and_is_not_judged_again(field, frames):
    asteroid(frames, status=CandidateStatus.LINKED)
    assert len(link(field)) == 1
    assert not Candidate.objects.out_of_step().exists()
