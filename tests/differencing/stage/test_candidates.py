"""Peaks become rows: found again they keep their identity, and what people judged is never deleted."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.wcs import WCS
from django.db import connection
from django.test.utils import CaptureQueriesContext

from detection.models import Detection
from differencing.models import Candidate, CandidateStatus
from differencing.numerics.measure import Measurements
from differencing.numerics.trailed import Trails, no_trails
from differencing.numerics.vetoes.veto import Veto
from differencing.numerics.wide import Comas, no_comas
from differencing.stage.candidates import replace_candidates
from observations.models import WcsQuality
from tests import factories

pytestmark = pytest.mark.django_db

FWHM = 3.0


def peaks(*places, **values):
    """Return measurements at (x, y) with plain values."""
    n = len(places)
    x, y = np.array(places, float).reshape(n, 2).T
    numbers = {
        "significance": 20.0, "flux": 1000.0, "flux_error": 50.0, "snr": 20.0, "fwhm": FWHM, "ellipticity": 0.2,
        "theta_deg": 0.0, "masked_share": 0.0, "position_error": 0.1,
    }  # fmt: skip
    flags = ["is_negative", "is_saturated", "is_blended", "is_edge", "is_dipole", "is_reference_ghost"]
    defaults = numbers | dict.fromkeys(flags, False)
    shapes = {"trails": values.get("trails", no_trails(n)), "comas": values.get("comas", no_comas(n))}
    plain = {k: np.broadcast_to(values.get(k, v), n).copy() for k, v in defaults.items()}
    return Measurements(x=x, y=y, **shapes, **plain)


def sky(*, angle_deg=0.0, ra=150.0, dec=2.0):
    """Return a WCS of 1 arcsec/px, north up and east left, turned by an angle from +x to +y."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [101.0, 101.0]
    a = np.radians(angle_deg)
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    wcs.wcs.cd = np.diag([-1.0, 1.0]) @ turn.T / 3600.0
    wcs.wcs.set()
    return wcs


@pytest.fixture
def run():
    return factories.DifferenceRunFactory(observation__wcs_quality=WcsQuality.HEADER)


def replace(run, *places, wcs=None, **values):
    return replace_candidates(run, peaks(*places, **values), wcs or sky())


def test_a_peak_becomes_a_candidate_with_its_numbers_and_its_place_on_the_sky(run):
    (made,) = replace(run, (110.0, 90.0), snr=18.0, is_blended=True)
    made.refresh_from_db()
    assert (made.pixel_x, made.pixel_y, made.snr, made.is_blended) == (110.0, 90.0, 18.0, True)
    # 10 px right of the centre is 10 arcsec west, 10 below is 10 arcsec south.
    assert made.ra == pytest.approx(150.0 - 10 / 3600 / np.cos(np.radians(2.0)), abs=1e-7)
    assert made.dec == pytest.approx(2.0 - 10 / 3600, abs=1e-7)
    assert made.observation == run.observation


def test_found_again_within_one_fwhm_it_keeps_its_id_and_takes_the_new_values(run):
    (old,) = replace(run, (110.0, 90.0))
    (new,) = replace(run, (110.0 + 0.9 * FWHM, 90.0), snr=33.0)
    assert new.pk == old.pk
    assert (Candidate.objects.get().pixel_x, Candidate.objects.get().snr) == (110.0 + 0.9 * FWHM, 33.0)


def test_beyond_one_fwhm_it_is_another_one_and_the_old_is_gone(run):
    (old,) = replace(run, (110.0, 90.0))
    (new,) = replace(run, (110.0 + 1.1 * FWHM, 90.0))
    assert new.pk != old.pk
    assert Candidate.objects.get() == new


def test_a_peak_of_the_other_sign_is_another_candidate(run):
    (old,) = replace(run, (110.0, 90.0))
    (new,) = replace(run, (110.0, 90.0), is_negative=True, flux=-1000.0, snr=-20.0, significance=-20.0)
    assert new.pk != old.pk


def test_two_new_peaks_never_share_one_old_row(run):
    replace(run, (110.0, 90.0))
    found = replace(run, (109.5, 90.0), (110.5, 90.0))
    assert len({c.pk for c in found}) == Candidate.objects.count() == 2


def test_each_peak_keeps_its_own_id_when_neighbours_move_together(run):
    before = replace(run, (100.0, 90.0), (102.5, 90.0))
    after = replace(run, (100.4, 90.0), (102.9, 90.0))
    assert [c.pk for c in after] == [c.pk for c in before]


def test_a_candidate_of_another_frame_is_not_taken_for_this_one(run):
    other = factories.CandidateFactory(pixel_x=110.0, pixel_y=90.0)
    (made,) = replace(run, (110.0, 90.0))
    assert made.pk != other.pk
    assert Candidate.objects.filter(pk=other.pk).exists()


def test_a_candidate_moves_to_the_new_run_of_its_frame(run):
    (old,) = replace(run, (110.0, 90.0))
    second = factories.DifferenceRunFactory(observation=run.observation, parameters_hash="another")
    (new,) = replace(second, (110.0, 90.0))
    assert (new.pk, new.difference_run) == (old.pk, second)


def test_a_candidate_with_a_detection_is_marked_and_not_deleted_when_it_is_not_found_again(run):
    (old,) = replace(run, (110.0, 90.0))
    factories.DetectionFactory(candidate=old)
    replace(run)
    old.refresh_from_db()
    assert old.status == CandidateStatus.DUPLICATE
    assert Detection.objects.count() == 1


def test_a_marked_candidate_that_is_found_again_waits_for_its_score_again(run):
    (old,) = replace(run, (110.0, 90.0))
    factories.DetectionFactory(candidate=old)
    replace(run)
    (back,) = replace(run, (110.0, 90.0))
    assert (back.pk, back.status) == (old.pk, CandidateStatus.PENDING)


def test_a_detected_candidate_found_again_stays_detected(run):
    (old,) = replace(run, (110.0, 90.0))
    Candidate.objects.filter(pk=old.pk).update(status=CandidateStatus.DETECTED)
    (again,) = replace(run, (110.1, 90.0))
    again.refresh_from_db()
    assert again.status == CandidateStatus.DETECTED


def test_no_peaks_leave_no_candidates(run):
    replace(run, (110.0, 90.0))
    assert replace(run) == []
    assert not Candidate.objects.exists()


@pytest.mark.parametrize(
    ("theta_deg", "turned_deg", "east_of_north"),
    [
        (90.0, 0.0, 0.0),  # along +y, which is north
        (0.0, 0.0, 90.0),  # along +x, which is west: the same axis as east
        (135.0, 0.0, 45.0),  # up and to the left is north-east
        (45.0, 0.0, 135.0),
        (120.0, 30.0, 0.0),  # the camera is turned by 30 degrees, and so is north
    ],
)
def test_position_angles_run_from_north_through_east(run, theta_deg, turned_deg, east_of_north):
    (made,) = replace(run, (100.0, 100.0), theta_deg=theta_deg, wcs=sky(angle_deg=turned_deg))
    away = abs(made.position_angle - east_of_north) % 180.0
    assert min(away, 180.0 - away) < 0.01


@pytest.mark.parametrize("dec", [75.0, -75.0])
def test_position_angles_hold_far_from_the_equator_where_ra_runs_fast(run, dec):
    (made,) = replace(run, (100.0, 100.0), theta_deg=135.0, wcs=sky(dec=dec))
    assert made.position_angle == pytest.approx(45.0, abs=0.05)


def test_position_angles_hold_across_ra_zero(run):
    (made,) = replace(run, (100.0, 100.0), theta_deg=135.0, wcs=sky(ra=1e-9))
    assert made.position_angle == pytest.approx(45.0, abs=0.05)
    assert 0.0 <= made.ra < 360.0


def test_without_a_known_orientation_there_is_no_position_angle(run):
    run.observation.wcs_quality = WcsQuality.NOMINAL
    (made,) = replace(run, (100.0, 100.0))
    assert made.position_angle is None


def test_a_shape_that_could_not_be_measured_is_null_and_not_zero(run):
    (made,) = replace(run, (100.0, 100.0), fwhm=np.nan, ellipticity=np.nan, theta_deg=np.nan)
    made.refresh_from_db()
    assert (made.fwhm, made.ellipticity, made.position_angle) == (None, None, None)


def test_without_a_known_width_a_peak_is_found_again_within_three_pixels(run):
    (old,) = replace(run, (100.0, 100.0), fwhm=np.nan)
    (near,) = replace(run, (102.9, 100.0), fwhm=np.nan)
    (far,) = replace(run, (106.1, 100.0), fwhm=np.nan)
    assert near.pk == old.pk != far.pk


def test_many_candidates_take_no_more_statements_than_one(run):
    places = [(20.0 + 10.0 * k, 90.0) for k in range(30)]
    with CaptureQueriesContext(connection) as one:
        replace(run, places[0])
    with CaptureQueriesContext(connection) as many:
        replace(run, *places)
    assert Candidate.objects.count() == 30
    # One of them was there before: that is one statement more.
    assert len(many) <= len(one) + 1
    with CaptureQueriesContext(connection) as again:
        replace(run, *places)
    assert len(again) <= len(one) + 1


def test_a_trail_is_kept_with_its_direction_on_the_sky_and_a_point_has_none(run):
    # Along +x, which is west in a grid that is not turned, and 30 degrees from there in one that is.
    numbers = (110.0, 90.0, 8.0, 0.5, 0.0, 2.0, 5000.0, 100.0, 400.0)
    trails = Trails(*(np.array([number, np.nan]) for number in numbers))
    trailed, point = replace(run, (110.0, 90.0), (50.0, 50.0), trails=trails)
    trailed.refresh_from_db()
    assert trailed.trail_length_arcsec == pytest.approx(8.0, rel=1e-6)
    assert (trailed.trail_length_error_arcsec, trailed.trail_angle_error) == (pytest.approx(0.5), 2.0)
    assert (trailed.trail_flux, trailed.trail_flux_error, trailed.trail_chi2_gain) == (5000.0, 100.0, 400.0)
    assert trailed.trail_angle == pytest.approx(90.0, abs=0.01)
    point.refresh_from_db()
    assert point.trail_length_arcsec is None and point.trail_angle is None
    replace(run, (110.0, 90.0), (50.0, 50.0))
    trailed.refresh_from_db()
    assert trailed.trail_length_arcsec is None


def test_the_direction_of_a_trail_is_unknown_where_the_frame_is_not_solved(run):
    run.observation.wcs_quality = WcsQuality.NOMINAL
    trails = Trails(*(np.array([number]) for number in (110.0, 90.0, 8.0, 0.5, 0.0, 2.0, 5000.0, 100.0, 400.0)))
    (made,) = replace(run, (110.0, 90.0), trails=trails)
    assert made.trail_length_arcsec is not None
    assert made.trail_angle is None and made.trail_angle_error is None


def test_a_candidate_that_is_found_again_has_the_error_of_its_new_position(run):
    (first,) = replace(run, (50.0, 50.0), position_error=0.2)
    (again,) = replace(run, (50.3, 50.0), position_error=0.1)
    again.refresh_from_db()
    assert again == first
    assert (again.pixel_x, again.position_error_px) == (50.3, 0.1)


def test_what_speaks_against_a_peak_is_kept_and_replaced_with_it(run):
    veto = Veto("flash_train", 4.0, "Four peaks of this frame stand in a row.")
    (made,) = replace_candidates(run, peaks((110.0, 90.0)), sky(), [(veto,)])
    assert Candidate.objects.get(pk=made.pk).vetoes == [
        {"code": "flash_train", "value": 4.0, "message": "Four peaks of this frame stand in a row."}
    ]
    replace_candidates(run, peaks((110.2, 90.1)), sky(), [()])
    assert Candidate.objects.get(pk=made.pk).vetoes == []


def test_a_coma_has_the_light_and_the_width_of_a_profile_as_wide(run):
    comas = Comas(*(np.array([value, np.nan]) for value in (50.2, 60.1, 0.4, 4000.0, 160.0, 7.5, 80.0)))
    wide, star = replace(run, (50.2, 60.1), (80.0, 80.0), comas=comas)
    assert (wide.flux, wide.flux_error, wide.snr, wide.fwhm) == (4000.0, 160.0, 25.0, 7.5)
    assert (star.flux, star.flux_error, star.snr, star.fwhm) == (1000.0, 50.0, 20.0, FWHM)
    assert wide.significance == star.significance
