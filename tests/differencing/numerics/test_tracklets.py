from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from differencing.numerics import tracklets
from tests.parameters import TRACKLETS

link = partial(tracklets.link, parameters=TRACKLETS)

MINUTE = 1.0 / 1440.0
START_MJD = 58408.9


def _detections(tracks, times_min):
    """Return ra, dec, mjd, frame of (east "/min, north "/min) motions that start at offsets (east ", north ")."""
    rows = []
    for number, minutes in enumerate(times_min):
        for east, north, rate_e, rate_n in tracks:
            rows.append((east + rate_e * minutes, north + rate_n * minutes, START_MJD + minutes * MINUTE, number))
    return np.array(rows)


def _on_sky(rows, ra0=150.0, dec0=20.0):
    """Put offsets [arcsec] on the sky around (ra0, dec0), exactly (gnomonic)."""
    xi, eta = np.radians(rows[:, 0] / 3600), np.radians(rows[:, 1] / 3600)
    d0 = np.radians(dec0)
    down = np.cos(d0) - eta * np.sin(d0)
    ra = ra0 + np.degrees(np.arctan2(xi, down))
    dec = np.degrees(np.arctan2(np.sin(d0) + eta * np.cos(d0), np.hypot(xi, down)))
    return ra % 360.0, dec, rows[:, 2], rows[:, 3].astype(int)


def test_a_uniform_motion_is_found_with_its_rate_and_direction():
    rows = _detections([(0.0, 0.0, 0.6, 0.8)], [0, 20, 40, 70])
    tracks = link(*_on_sky(rows))
    assert len(tracks) == 1
    assert tracks[0].members == (0, 1, 2, 3)
    assert tracks[0].rate_arcsec_per_min == pytest.approx(1.0, rel=1e-3)
    # East of north: 0.6 east and 0.8 north.
    assert tracks[0].position_angle_deg == pytest.approx(np.degrees(np.arctan2(0.6, 0.8)), abs=0.1)
    assert tracks[0].rms_arcsec < 0.01


@pytest.mark.parametrize(
    ("east", "north", "angle"), [(0.5, 0.0, 90.0), (0.0, 0.5, 0.0), (-0.5, 0.0, 270.0), (0.0, -0.5, 180.0)]
)
def test_the_position_angle_is_counted_from_north_over_east(east, north, angle):
    (track,) = link(*_on_sky(_detections([(0.0, 0.0, east, north)], [0, 20, 40])))
    assert (track.position_angle_deg - angle + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize(("ra0", "dec0"), [(0.0, 10.0), (359.999, -45.0), (200.0, 80.0), (30.0, 89.9), (77.0, -89.95)])
def test_a_motion_is_the_same_across_ra_zero_and_near_the_poles(ra0, dec0):
    # A second, static source 20' away moves the mean of the field off the track.
    rows = _detections([(-20.0, 5.0, 0.9, -0.4), (800.0, 900.0, 0.0, 0.0)], [0, 15, 30, 45])
    tracks = link(*_on_sky(rows, ra0, dec0))
    assert [t.members for t in tracks] == [(0, 2, 4, 6)]
    assert tracks[0].rate_arcsec_per_min == pytest.approx(np.hypot(0.9, 0.4), rel=2e-3)


def test_stars_do_not_move():
    stars = np.random.default_rng(1).uniform(-600, 600, (40, 2))
    rows = _detections([(x, y, 0.0, 0.0) for x, y in stars], [0, 20, 40, 60])
    rows[:, :2] += np.random.default_rng(2).normal(0, 0.2, (len(rows), 2))
    assert link(*_on_sky(rows)) == []


def test_random_points_make_no_track():
    # 4 x 15 points over 20' x 20': chance triples within 1" of a line are expected 0.1 times.
    rng = np.random.default_rng(3)
    rows = _detections([(x, y, 0.0, 0.0) for x, y in np.zeros((15, 2))], [0, 20, 40, 60])
    rows[:, :2] = rng.uniform(-600, 600, (len(rows), 2))
    assert link(*_on_sky(rows), parameters=replace(TRACKLETS, max_rate_arcsec_per_min=3.0)) == []


def test_an_asteroid_is_found_among_stars_and_random_points():
    rng = np.random.default_rng(4)
    stars = [(x, y, 0.0, 0.0) for x, y in rng.uniform(-600, 600, (10, 2))]
    rows = _detections([*stars, (30.0, -40.0, 0.5, 0.1)], [0, 20, 40, 60])
    rows[:, :2] += rng.normal(0, 0.15, (len(rows), 2))
    noise = _detections([(0.0, 0.0, 0.0, 0.0)] * 4, [0, 20, 40, 60])
    noise[:, :2] = rng.uniform(-600, 600, (16, 2))
    tracks = link(*_on_sky(np.vstack([rows, noise])))
    assert [t.members for t in tracks] == [(10, 21, 32, 43)]
    # 0.15" at both ends of 60 minutes.
    assert tracks[0].rate_arcsec_per_min == pytest.approx(np.hypot(0.5, 0.1), abs=0.01)


def test_two_asteroids_that_cross_stay_two():
    rows = _detections([(-20.0, 0.0, 0.6, 0.0), (0.0, -30.0, 0.0, 0.6)], [0, 20, 40, 60, 80])
    tracks = link(*_on_sky(rows))
    assert sorted(t.members for t in tracks) == [(0, 2, 4, 6, 8), (1, 3, 5, 7, 9)]


def test_a_detection_belongs_to_one_track_only():
    rng = np.random.default_rng(5)
    rows = _detections([(0.0, 0.0, 0.5, 0.0)] * 5, [0, 20, 40, 60])
    rows[:, :2] += rng.normal(0, 0.8, (len(rows), 2))
    members = [m for t in link(*_on_sky(rows)) for m in t.members]
    assert members and len(members) == len(set(members))


def test_a_frame_in_which_it_was_missed_does_not_break_the_track():
    rows = _detections([(0.0, 0.0, 0.7, 0.2)], [0, 20, 40, 60])
    rows = np.vstack([rows[[0, 1, 3]], [[300.0, 300.0, rows[2, 2], 2]]])
    (track,) = link(*_on_sky(rows))
    assert track.members == (0, 1, 2)


def test_members_are_named_in_the_order_of_time_whatever_the_input_s():
    rows = _detections([(0.0, 0.0, 0.7, 0.2)], [0, 20, 40])[[2, 0, 1]]
    (track,) = link(*_on_sky(rows))
    assert track.members == (1, 2, 0)
    assert track.position_angle_deg == pytest.approx(np.degrees(np.arctan2(0.7, 0.2)), abs=0.1)


def test_a_motion_that_changes_its_speed_is_none():
    rows = _detections([(0.0, 0.0, 0.7, 0.0)], [0, 20, 40])
    rows[1, 0] += 4.0
    assert link(*_on_sky(rows)) == []


@pytest.mark.parametrize(("rate", "expected"), [(9.0, 1), (11.0, 0), (0.08, 1), (0.07, 0)])
def test_only_motions_between_the_limits_count(rate, expected):
    # Limits: 10"/min, and 3" over the 40 minutes.
    assert len(link(*_on_sky(_detections([(0.0, 0.0, rate, 0.0)], [0, 20, 40])))) == expected


def test_two_frames_prove_no_motion():
    assert link(*_on_sky(_detections([(0.0, 0.0, 0.5, 0.0)] * 3, [0, 20]))) == []


def test_frames_of_one_moment_prove_no_motion():
    rows = _detections([(0.0, 0.0, 0.5, 0.0)], [0, 20, 40])
    rows[:, 2] = START_MJD
    assert link(*_on_sky(rows)) == []


def test_nothing_makes_no_track():
    assert link(np.array([]), np.array([]), np.array([]), np.array([], dtype=int)) == []
