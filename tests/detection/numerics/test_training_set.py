import numpy as np
import pytest

from detection.numerics import faults
from detection.numerics.training_set import TrainingSetParameters, Truth, label, make_training_set
from detection.numerics.views import network_input
from differencing.numerics.peaks import Peaks
from tests.parameters import ZOGY

SMALL = TrainingSetParameters(ZOGY, seed=6, pairs=2, shape=(300, 300))


@pytest.fixture(scope="module")
def small_set():
    return make_training_set(SMALL)


def peaks(x, y, negative) -> Peaks:
    x, y, negative = np.array(x, float), np.array(y, float), np.array(negative, bool)
    return Peaks(x, y, np.where(negative, -8.0, 8.0), negative)


def truth(x, y, negative) -> Truth:
    return Truth(np.array(x, float), np.array(y, float), np.array(negative, bool), np.array(["hostless"] * len(x)))


def test_only_the_nearest_peak_of_a_truth_is_real_and_its_wings_are_left_out():
    is_real, kind, keep = label(
        peaks([50.3, 51.5, 56.0, 80.0], [50, 50, 50, 50], [False, False, True, False]),
        truth([50], [50], [False]),
        2.0,
        7.0,
    )
    assert is_real.tolist() == [True, False, False, False]
    assert keep.tolist() == [True, False, False, True]
    assert kind.tolist() == ["hostless", "bogus", "bogus", "bogus"]


def test_a_peak_of_the_wrong_sign_is_not_the_truth():
    is_real, _, keep = label(peaks([50], [50], [False]), truth([50], [50], [True]), 2.0, 7.0)
    assert not is_real.any()
    assert not keep.any()


def test_no_peaks_and_no_truths_are_both_possible():
    is_real, _, keep = label(peaks([], [], []), truth([50], [50], [True]), 2.0, 7.0)
    assert len(is_real) == len(keep) == 0
    is_real, _, keep = label(peaks([3], [3], [False]), truth([], [], []), 2.0, 7.0)
    assert not is_real.any()
    assert keep.all()


def test_pairs_give_both_classes_finite_and_of_their_group(small_set):
    assert small_set.is_real.any()
    assert (~small_set.is_real).any()
    assert small_set.stamps.shape[1:] == (4, 63, 63)
    assert set(small_set.group.tolist()) == {"pair 6.0", "pair 6.1"}
    assert ((small_set.kind == "bogus") == ~small_set.is_real).all()
    # The parabola's height is the threshold at least.
    assert small_set.snr.min() >= SMALL.threshold_sigma


def test_real_positive_ones_are_bright_in_the_middle_of_science_and_difference(small_set):
    chosen = small_set.select(np.isin(small_set.kind, ["hostless", "on host", "moving"]))
    fresh = network_input(chosen.stamps, chosen.fwhm_px)[0].astype(float)
    # A peak of 4.5 sigma or more spread over a FWHM of 3 px stands out by more than 1 sigma in its middle on average.
    assert np.sinh(fresh[:, 2, 14:17, 14:17]).mean() > 1.0
    assert np.median(fresh[:, 0, 15, 15]) > 1.0


def test_vanished_ones_are_negative(small_set):
    chosen = small_set.select(small_set.kind == "vanished")
    assert len(chosen) > 0
    gone = network_input(chosen.stamps, chosen.fwhm_px)[0].astype(float)
    assert gone[:, 2, 14:17, 14:17].mean() < 0


def test_the_same_seed_gives_the_same_examples():
    tiny = TrainingSetParameters(ZOGY, seed=6, pairs=1, shape=(200, 200))
    first, second = make_training_set(tiny), make_training_set(tiny)
    np.testing.assert_array_equal(first.stamps, second.stamps)
    np.testing.assert_array_equal(first.kind, second.kind)


def test_progress_is_told_after_each_pair():
    seen: list[tuple[int, int]] = []
    part = make_training_set(
        TrainingSetParameters(ZOGY, seed=6, pairs=2, shape=(200, 200)), lambda *told: seen.append(told)
    )
    assert [pairs for pairs, _ in seen] == [1, 2]
    assert 0 < seen[0][1] < seen[1][1] == len(part)


def test_cosmic_rays_are_sharper_than_a_star_and_positive():
    rays = faults.cosmic_rays(np.random.default_rng(1), (100, 100), 30, 5.0)
    assert len(rays) == 30
    assert min(ray.min() for ray in rays) >= 0
    single = [ray for ray in rays if 0 < np.count_nonzero(ray > 0.5 * ray.max()) <= 2]
    assert len(single) > 5


def test_saturation_clips_and_bleeds_along_columns_only():
    data = np.zeros((101, 101), dtype=np.float32)
    data[50, 30] = 1e6
    clipped, is_saturated = faults.bleeds(np.random.default_rng(3), data, 1000.0)
    assert clipped.max() == 1000.0
    assert is_saturated[:, 30].any()
    assert not np.delete(is_saturated, 30, axis=1).any()
    assert data.max() == 1e6


def test_the_warp_has_the_rms_asked_for():
    errors = [faults.warp(np.random.default_rng(seed), (512, 512), 0.3) for seed in range(20)]
    # Products of two sines of amplitude 2 a have an rms of a; few waves fit the frame, hence the tolerance.
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(0.3, rel=0.1)
