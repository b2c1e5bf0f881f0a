from dataclasses import replace

import numpy as np
import pytest

from differencing.numerics import tracklets
from differencing.numerics.motion import Rates, affordable, plane_of
from tests.parameters import TRACKLETS


def link(
    ra, dec, mjd, frame, *, tolerance=np.nan, is_trusted=True, pixels=None, width=0.0, snr=10.0, is_followed=False,
    parameters=TRACKLETS,
):  # fmt: skip
    """Join sightings that are all trusted, of unknown errors, and move over the detector as over the sky."""
    n = len(ra)
    x, y = (3600.0 * (np.asarray(ra) - 150.0), 3600.0 * np.asarray(dec)) if pixels is None else pixels
    sightings = tracklets.Sightings(
        ra, dec, mjd, frame, np.broadcast_to(tolerance, n), np.broadcast_to(is_trusted, n), x, y,
        np.broadcast_to(width, n), np.broadcast_to(snr, n), np.broadcast_to(is_followed, n),
    )  # fmt: skip
    return tracklets.link(sightings, parameters=parameters)


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


@pytest.mark.parametrize(("rate", "expected"), [(29.0, 1), (31.0, 0), (0.08, 1), (0.07, 0)])
def test_only_motions_between_the_limits_count(rate, expected):
    # Limits: 30"/min, and 3" over the 40 minutes.
    assert len(link(*_on_sky(_detections([(0.0, 0.0, rate, 0.0)], [0, 20, 40])))) == expected


def test_two_frames_prove_no_motion():
    assert link(*_on_sky(_detections([(0.0, 0.0, 0.5, 0.0)] * 3, [0, 20]))) == []


def test_frames_of_one_moment_prove_no_motion():
    rows = _detections([(0.0, 0.0, 0.5, 0.0)], [0, 20, 40])
    rows[:, 2] = START_MJD
    assert link(*_on_sky(rows)) == []


def test_nothing_makes_no_track():
    assert link(np.array([]), np.array([]), np.array([]), np.array([], dtype=int)) == []


# --- Crowds, errors, chance ---


def _crowd(seed, frames, per_frame, movers=(), scatter=0.15):
    """Return `per_frame` random points in each of some frames 10 minutes apart over 20', and motions among them."""
    rng = np.random.default_rng(seed)
    times = np.arange(frames) * 10.0
    rows = _detections(movers, times).reshape(-1, 4)
    rows[:, :2] += rng.normal(0.0, scatter, (len(rows), 2))
    points = np.vstack(
        [(*rng.uniform(-600, 600, 2), START_MJD + t * MINUTE, k) for k, t in enumerate(times) for _ in range(per_frame)]
    )
    return np.vstack([rows, points])


def _clumps(seed, frames, stars, radius):
    """Return one false peak a frame, on average, about each of some stars."""
    rng = np.random.default_rng(seed)
    rows = []
    for east, north in rng.uniform(-600, 600, (stars, 2)):
        for k in range(frames):
            for de, dn in rng.normal(0.0, radius, (rng.poisson(1.0), 2)):
                rows.append((east + de, north + dn, START_MJD + 10.0 * k * MINUTE, k))
    return np.array(rows)


CROWDS = {
    "evenly spread": lambda seed: _crowd(seed, 6, 50),
    "about stars": lambda seed: _clumps(seed, 4, 20, 1.5),
    "in the glare of stars": lambda seed: _clumps(seed, 4, 20, 6.0),
}


@pytest.mark.parametrize("crowd", CROWDS)
def test_chance_makes_as_many_tracklets_as_their_chance_rate_says(crowd):
    # Half as many of those in which chance makes the most pairs: each takes seconds, the others hundredths.
    nights = 8 if crowd == "evenly spread" else 16
    found = [track for seed in range(nights) for track in link(*_on_sky(CROWDS[crowd](seed)), tolerance=0.75)]
    expected = nights * 0.5
    # Of Poisson's scatter, four sigma: an estimate that forgot the crowds, or the pairs, would be wrong by 5 and more.
    assert sum(track.chance_rate <= 0.5 for track in found) < expected + 4.0 * np.sqrt(expected)
    assert sum(track.chance_rate <= 0.05 for track in found) < nights * 0.05 + 4.0 * np.sqrt(nights * 0.05)
    if crowd == "evenly spread":
        assert sum(track.chance_rate <= 1.0 for track in found) > 0.4 * nights


def test_a_true_motion_in_a_crowd_is_beyond_chance_and_chance_lines_are_not():
    rows = _crowd(3, 6, 100, movers=[(-30.0, 20.0, 0.5, 0.3)])
    best, *others = link(*_on_sky(rows), tolerance=0.75)
    assert best.members == tuple(range(6))
    assert best.chance_rate < 1e-3
    assert others and all(track.chance_rate > TRACKLETS.max_chance_rate for track in others)


def test_a_motion_that_is_sure_makes_no_other_doubtful():
    # Three long, certain motions, whose shuffled members would line up by chance, beside one seen four times.
    movers = [(-300.0 + 150.0 * k, 200.0, 0.4, 0.1) for k in range(3)]
    rows = _crowd(8, 12, 3, movers=movers, scatter=0.1)
    short = _detections([(100.0, -300.0, 0.3, 0.2)], np.arange(4) * 10.0)
    tracks = link(*_on_sky(np.vstack([rows, short])), tolerance=0.5)
    assert sorted(len(track.members) for track in tracks)[-4:] == [4, 12, 12, 12]
    assert all(track.chance_rate < TRACKLETS.max_chance_rate for track in tracks if len(track.members) >= 4)


def test_the_same_night_has_the_same_chances():
    rows = _on_sky(_crowd(5, 6, 50, movers=[(-30.0, 20.0, 0.5, 0.3)]))
    assert link(*rows) == link(*rows) != []


def test_a_member_lies_within_its_own_error():
    rows = _detections([(0.0, 0.0, 0.5, 0.0)], [0, 20, 40, 60])
    rows[2, 1] += 0.6
    (track,) = link(*_on_sky(rows), tolerance=np.array([0.2, 0.2, 0.2, 0.2]))
    assert track.members == (0, 1, 3)
    (track,) = link(*_on_sky(rows), tolerance=np.array([0.2, 0.2, 0.9, 0.2]))
    assert track.members == (0, 1, 2, 3)


def test_no_error_is_so_large_that_anything_joins():
    rows = _detections([(0.0, 0.0, 0.5, 0.0)], [0, 20, 40, 60])
    rows[2, 1] += 3.0 * TRACKLETS.max_rms_arcsec
    (track,) = link(*_on_sky(rows), tolerance=20.0)
    assert track.members == (0, 1, 3)


def test_residuals_that_repeat_at_a_star_hide_no_motion_and_make_none():
    rng = np.random.default_rng(6)
    stars = [(x, y, 0.0, 0.0) for x, y in rng.uniform(-600, 600, (60, 2))]
    rows = _detections([*stars, (30.0, -40.0, 0.3, 0.1)], [0, 20, 40])
    rows[:, :2] += rng.normal(0, 0.3, (len(rows), 2))
    (track,) = link(*_on_sky(rows))
    assert track.members == (60, 121, 182)
    # Sixty stars in each of three frames, moved at random, would make chance lines.
    assert track.chance_rate < 0.02


def test_a_slow_motion_is_not_taken_for_a_star():
    # 4.5" in an hour: the middle sighting has company within 3" in every frame.
    (track,) = link(*_on_sky(_detections([(0.0, 0.0, 0.075, 0.0)], [0, 15, 30, 45, 60])), tolerance=0.5)
    assert track.members == (0, 1, 2, 3, 4)


def test_what_stays_on_its_pixel_while_the_sky_drifts_is_no_motion():
    rows = _detections([(0.0, 0.0, 0.5, 0.2), (50.0, 50.0, -0.5, 0.2)], [0, 20, 40, 60])
    x, y = np.full(8, 100.0), np.full(8, 200.0)
    x[1::2], y[1::2] = 300.0 + 10.0 * np.arange(4), 400.0
    (track,) = link(*_on_sky(rows), pixels=(x, y))
    assert track.members == (1, 3, 5, 7)


def test_two_peaks_of_one_trail_are_one_motion():
    rows = _detections([(0.0, 0.0, 0.9, 0.0), (1.5, 0.0, 0.9, 0.0)], [0, 20, 40, 60])
    (track,) = link(*_on_sky(rows), tolerance=0.5)
    assert len(track.members) == 4


def test_the_slowest_and_the_fastest_motion_are_bounds():
    rows = _on_sky(_detections([(0.0, 0.0, 0.5, 0.0)], [0, 20, 40, 60]))
    assert link(*rows, parameters=replace(TRACKLETS, min_rate_arcsec_per_min=0.6)) == []
    assert link(*rows, parameters=replace(TRACKLETS, max_rate_arcsec_per_min=0.4)) == []
    assert len(link(*rows)) == 1


def test_what_was_not_taken_for_real_joins_last():
    # A true motion with one rejected member, and a second one of rejected sightings only.
    rows = _detections([(0.0, 0.0, 0.5, 0.0), (0.0, 200.0, 0.4, 0.1)], [0, 20, 40, 60])
    trusted = np.array([True, False] * 4)
    trusted[4] = False
    first, second = link(*_on_sky(rows), is_trusted=trusted)
    assert (first.members, second.members) == ((0, 2, 4, 6), (1, 3, 5, 7))


def test_rejected_sightings_do_not_make_a_trusted_motion_doubtful():
    rows = _crowd(9, 4, 150, movers=[(-30.0, 20.0, 4.0, 3.0)], scatter=0.1)[[0, 1, 2, *range(4, 604)]]
    trusted = np.arange(len(rows)) < 3
    best = link(*_on_sky(rows), tolerance=0.75, is_trusted=trusted)[0]
    assert set(best.members) >= {0, 1, 2}
    assert best.chance_rate < TRACKLETS.max_chance_rate
    crowded = link(*_on_sky(rows), tolerance=0.75)
    assert not [t for t in crowded if len(t.members) == 3 and t.chance_rate < TRACKLETS.max_chance_rate]


def test_in_a_large_night_every_long_motion_is_found():
    movers = [(-400.0 + 90.0 * k, 300.0 - 80.0 * k, 0.8 * np.cos(k), 0.8 * np.sin(k)) for k in range(8)]
    rows = _crowd(11, 15, 120, movers=movers)
    tracks = link(*_on_sky(rows), tolerance=0.75, parameters=replace(TRACKLETS, max_rate_arcsec_per_min=2.0))
    sure = [t for t in tracks if t.chance_rate < TRACKLETS.max_chance_rate]
    # Member k of frame f is row 8 f + k; a random point may stand for one that is hidden by it.
    wanted = {tuple(range(k, 120, 8)) for k in range(8)}
    assert len(wanted & {t.members for t in sure}) >= 7
    assert len(sure) == 8


def test_the_bumps_in_a_comet_s_wings_are_no_motions_of_their_own_and_do_not_make_the_comet_s_doubtful():
    comet = (-40.0, 10.0, 0.9, 0.2)
    rng = np.random.default_rng(21)
    rows = _detections(
        [comet, *[(comet[0] + x, comet[1] + y, 0.9, 0.2) for x, y in rng.uniform(-22, 22, (6, 2))]], [0, 20, 40]
    )
    is_comet = np.arange(len(rows)) % 7 == 0
    tracks = link(
        *_on_sky(rows), tolerance=1.0, is_trusted=False,
        width=np.where(is_comet, 9.0, 0.0), snr=np.where(is_comet, 60.0, 6.0),
    )  # fmt: skip
    assert [t.members for t in tracks] == [(0, 7, 14)]
    assert tracks[0].chance_rate < TRACKLETS.max_chance_rate


def test_two_peaks_of_one_coma_are_one_sighting():
    rows = _detections([(0.0, 0.0, 0.5, 0.0), (2.0, 1.0, 0.5, 0.0)], [0, 20, 40])
    wide = link(*_on_sky(rows), tolerance=0.5, width=6.0, snr=np.tile([20.0, 19.0], 3))
    assert [t.members for t in wide] == [(0, 2, 4)]


def test_what_was_taken_for_real_beside_a_comet_is_a_thing_of_its_own():
    rows = _detections([(0.0, 0.0, 0.5, 0.0), (15.0, 0.0, -0.3, 0.5)], [0, 20, 40])
    width, snr = np.tile([9.0, 0.0], 3), np.tile([60.0, 8.0], 3)
    tracks = link(*_on_sky(rows), tolerance=0.3, width=width, snr=snr)
    assert {t.members for t in tracks} == {(0, 2, 4), (1, 3, 5)}


def test_a_slow_motion_in_a_crowd_need_not_be_told_from_the_fast_ones_that_chance_makes():
    rows = _crowd(9, 4, 60, movers=[(-30.0, 20.0, 0.5, 0.3)], scatter=0.1)[[0, 1, 2, *range(4, 244)]]
    slow = link(*_on_sky(rows), tolerance=0.75, is_trusted=False)
    assert slow[0].members == (0, 1, 2) and slow[0].chance_rate < TRACKLETS.max_chance_rate
    fast = _crowd(9, 4, 60, movers=[(-300.0, 20.0, 8.0, 6.0)], scatter=0.1)[[0, 1, 2, *range(4, 244)]]
    found = link(*_on_sky(fast), tolerance=0.75, is_trusted=False)
    assert not any(t.members == (0, 1, 2) and t.chance_rate < TRACKLETS.max_chance_rate for t in found)


def test_what_chance_makes_more_than_once_a_night_is_not_even_doubtful():
    tracks = link(*_on_sky(_crowd(5, 4, 150)), tolerance=1.5, is_trusted=False)
    assert all(t.chance_rate <= 1.0 for t in tracks)
    assert link(
        *_on_sky(_crowd(5, 4, 150)), tolerance=1.5, is_trusted=False, parameters=replace(TRACKLETS, max_chance_rate=1e4)
    )


def test_half_an_arcsecond_a_second_is_found_where_its_exposures_follow_fast():
    rows = _crowd(8, 4, 10, movers=[(-100.0, 20.0, 23.2, 17.4)], scatter=0.1)
    rows[:, 2] = START_MJD + (rows[:, 2] - START_MJD) * 0.1
    rows[:4, 0] = -100.0 + 23.2 * (rows[:4, 2] - START_MJD) / MINUTE
    rows[:4, 1] = 20.0 + 17.4 * (rows[:4, 2] - START_MJD) / MINUTE
    best = link(*_on_sky(rows), tolerance=0.75, is_trusted=False)[0]
    assert set(best.members) == {0, 1, 2, 3}
    assert best.rate_arcsec_per_min == pytest.approx(29.0, rel=0.01)
    assert best.chance_rate < TRACKLETS.max_chance_rate


def test_in_a_night_of_too_many_pairs_only_the_fastest_motions_are_left_out():
    rates = Rates(0.01, 30.0, 3.0)
    few, many = (
        plane_of(*np.random.default_rng(2).uniform(0, 900, (2, 20 * n)), np.repeat(15.0 * np.arange(20), n),
                 np.ones(20 * n), np.repeat(np.arange(20), n))
        for n in (20, 800)
    )  # fmt: skip
    assert affordable(few, rates, 3) == rates
    assert 0.5 < affordable(many, rates, 3).fastest < 30.0


@pytest.mark.parametrize(("is_followed", "expected"), [(True, 1), (False, 0), (np.array([True, False, True]), 0)])
def test_what_stays_on_its_pixel_moves_only_where_the_stars_are_lines(is_followed, expected):
    rows = _detections([(0.0, 0.0, 3.0, 0.0)], [0, 10, 20])
    fixed = (np.full(3, 400.0), np.full(3, 300.0))
    assert len(link(*_on_sky(rows), pixels=fixed, tolerance=0.5, is_followed=is_followed)) == expected
