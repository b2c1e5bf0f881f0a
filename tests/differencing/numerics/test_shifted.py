from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from differencing.numerics import shifted
from differencing.numerics.shifted import Night, ShiftParameters, find_motions

FWHM = 3.0
SIZE = 260
MINUTES = 15.0 * np.arange(12)
SLOW = ShiftParameters(slowest=0.01, fastest=0.15, max_false=0.1)
PARAMETERS = ShiftParameters(slowest=0.1, fastest=0.45, max_false=0.1)
# What a source of S/N 1 adds to the score around it: the PSF with itself.
SPREAD = 2.0 * (FWHM / 2.3548) ** 2


def noise(seed, frames=12, size=SIZE):
    """Return scores of pure noise: of variance 1, correlated as the matched filter does."""
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(frames):
        image = ndimage.gaussian_filter(rng.normal(size=(size + 40, size + 40)), FWHM / 2.3548)[20:-20, 20:-20]
        out.append(image / image.std())
    return np.array(out, dtype=np.float32)


def add(cube, x, y, vx, vy, snr):
    """Add a source that is at (x, y) in the middle of the night to the scores, of one S/N or one for each frame."""
    v, u = np.indices(cube.shape[1:])
    for layer, dt, each in zip(cube, MINUTES - MINUTES.mean(), np.broadcast_to(snr, len(cube)), strict=False):
        layer += each * np.exp(-((u - x - vx * dt) ** 2 + (v - y - vy * dt) ** 2) / (2.0 * SPREAD))
    return cube


def night(cube, weight=None):
    def rows(k, low, high):
        return cube[k, low:high].copy()

    weights = np.ones(len(cube)) if weight is None else weight
    return Night(rows, cube.shape[1:], MINUTES[: len(cube)], weights, FWHM)


def is_it(motion, x, y, vx, vy):
    return np.hypot(motion.x - x, motion.y - y) < 2.5 and np.hypot(motion.vx - vx, motion.vy - vy) < 0.03


def test_what_no_frame_shows_is_found_with_its_place_and_motion():
    truth = (120.4, 140.7, 0.21, -0.13)
    (found,) = find_motions(night(add(noise(1), *truth, 2.5)), PARAMETERS)
    assert is_it(found, *truth)
    # 2.5 in each of twelve frames; noise of 1, and at most a tenth lost between the motions.
    assert found.score == pytest.approx(2.5 * np.sqrt(12), abs=2.5)
    assert found.chance_rate < PARAMETERS.max_false
    assert len(found.scores) == 12


def test_half_of_the_sources_are_found_a_magnitude_below_what_a_single_frame_shows():
    rng = np.random.default_rng(2)
    found = 0
    for seed in range(4):
        cube, truths = noise(100 + seed), []
        for x, y in [(70.0, 70.0), (190.0, 70.0), (70.0, 190.0), (190.0, 190.0)]:
            angle, speed = rng.uniform(0.0, 6.28), rng.uniform(0.15, 0.4)
            truths.append((x, y, speed * np.cos(angle), speed * np.sin(angle)))
            add(cube, *truths[-1], 5.0 * 10 ** (-0.4 * 1.0))
        motions = find_motions(night(cube), PARAMETERS)
        found += sum(any(is_it(motion, *truth) for motion in motions) for truth in truths)
    # A single frame's threshold of 5 sigma is reached by half of what has S/N 5; here S/N 2, of 16 at least half.
    assert found >= 8


def test_of_blank_nights_hardly_one_shows_a_motion():
    found = [len(find_motions(night(noise(200 + seed, size=160)), PARAMETERS)) for seed in range(8)]
    # At most a tenth a night: two or more in eight have a probability of .19, three of .05, four of .009.
    assert sum(found) <= 3


def test_a_star_that_stays_is_no_motion():
    assert find_motions(night(add(noise(3), 120.0, 120.0, 0.0, 0.0, 3.5)), PARAMETERS) == []


def test_a_star_just_too_faint_to_be_told_in_most_frames_is_no_motion():
    for seed in range(30, 36):
        found = find_motions(night(add(noise(seed, size=160), 80.0, 80.0, 0.0, 0.0, 1.95)), SLOW)
        assert not [motion for motion in found if np.hypot(motion.x - 80.0, motion.y - 80.0) < 10.0]


@pytest.mark.parametrize("speed", [0.1, 0.13])
def test_what_moves_slowly_does_not_hide_itself_as_a_star(speed):
    # 5.5 and 7 FWHM in the night, so that a third of the frames have it at one place.
    truth = (120.0, 120.0, speed, 0.0)
    (found,) = find_motions(night(add(noise(12), *truth, 3.6)), PARAMETERS)
    assert is_it(found, *truth)
    assert found.score == pytest.approx(3.6 * np.sqrt(12), abs=2.5)


def test_an_artefact_of_one_frame_is_no_motion_however_bright():
    cube = noise(4)
    cube[5, 100:104, 100:104] = 500.0
    assert find_motions(night(cube), PARAMETERS) == []


def test_what_is_in_one_half_of_the_night_only_is_no_motion():
    snr = np.where(np.arange(12) < 6, 4.0, 0.0)
    assert find_motions(night(add(noise(5), 120.0, 120.0, 0.3, 0.0, snr)), PARAMETERS) == []


def test_two_motions_are_two_and_each_is_found_once():
    truths = [(90.0, 90.0, 0.2, 0.2), (170.0, 150.0, -0.3, 0.1)]
    cube = noise(6)
    for truth in truths:
        add(cube, *truth, 3.0)
    found = find_motions(night(cube), PARAMETERS)
    assert len(found) == 2
    assert all(any(is_it(motion, *truth) for motion in found) for truth in truths)


def test_across_the_strips_nothing_is_lost_or_found_twice(monkeypatch):
    truth = (120.4, 140.7, 0.21, -0.2)
    cube = add(noise(7), *truth, 3.0)
    whole = find_motions(night(cube), PARAMETERS)
    monkeypatch.setattr(shifted, "_STRIP_PX", 47)
    parts = find_motions(night(cube), PARAMETERS)
    assert len(whole) == len(parts) == 1
    assert is_it(parts[0], *truth)
    assert parts[0].score == pytest.approx(whole[0].score, abs=0.2)


def test_what_is_not_known_counts_as_nothing():
    truth = (120.4, 140.7, 0.21, -0.13)
    cube = add(noise(8), *truth, 3.2)
    cube[::3] = np.nan
    (found,) = find_motions(night(cube), PARAMETERS)
    assert is_it(found, *truth)
    assert found.score == pytest.approx(3.2 * 8 / np.sqrt(12), abs=2.5)


def test_a_shallow_frame_counts_less():
    truth = (120.4, 140.7, 0.21, -0.13)
    snr = np.where(np.arange(12) % 2 == 0, 3.0, 0.6)
    cube = add(noise(9), *truth, snr)
    (weighted,) = find_motions(night(cube, weight=snr / 3.0), PARAMETERS)
    assert is_it(weighted, *truth)
    # The best sum of twelve: sqrt(6 (3² + .6²)) = 7.5, where equal weights give 6.2.
    assert weighted.score == pytest.approx(7.5, abs=2.0)


def test_no_motion_is_looked_for_that_moves_by_less_than_three_fwhm_or_faster_than_the_limit():
    grid = shifted.motions(night(noise(10, size=8)), PARAMETERS)
    speed = np.hypot(*grid.T)
    assert speed.min() >= 0.1 and speed.max() <= PARAMETERS.fastest
    slow = replace(PARAMETERS, slowest=0.0)
    assert np.hypot(*shifted.motions(night(noise(10, size=8)), slow).T).min() >= 3.0 * FWHM / 165.0
    assert find_motions(night(noise(11, frames=1, size=60)), PARAMETERS) == []
