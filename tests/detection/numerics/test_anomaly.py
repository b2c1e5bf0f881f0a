import numpy as np
import pytest

from detection.numerics.anomaly import anomaly, as_arrays, fit_ordinary, from_arrays
from detection.numerics.examples import standardised
from detection.numerics.views import network_input
from tests.detection.numerics.test_views import star_stamps


def images(count: int, seed: int) -> np.ndarray:
    """Stars of several brightnesses in the middle of noise."""
    rng = np.random.default_rng(seed)
    drawn = zip(rng.uniform(0, 80, count), rng.integers(1_000_000, size=count), strict=True)
    stamps = [star_stamps(3.0, amplitude=float(peak), seed=int(one)) for peak, one in drawn]
    return network_input(standardised(np.concatenate(stamps)), 3.0)[0]


@pytest.fixture(scope="module")
def ordinary():
    return fit_ordinary(images(900, seed=1))


def test_others_of_the_same_kind_have_all_ranks_alike(ordinary):
    # The mean of 300 even ranks is a half to .02, and the 300 that they are ranked by scatter as much.
    assert anomaly(ordinary, images(300, seed=2)).mean() == pytest.approx(0.5, abs=0.08)


def test_a_ring_is_not_ordinary(ordinary):
    y, x = np.mgrid[:63, :63] - 31
    ring = star_stamps(3.0, amplitude=30.0)
    ring[0, :3] += 40.0 * np.exp(-((np.hypot(x, y) - 9.0) ** 2) / 4.0)
    assert anomaly(ordinary, network_input(ring, 3.0)[0])[0] == 1.0


def test_what_a_weights_file_keeps_says_the_same(ordinary):
    kept = as_arrays(ordinary, "anomaly.") | {"temperature": np.ones(1, np.float32)}
    again = from_arrays(kept, "anomaly.")
    some = images(5, seed=3)
    np.testing.assert_array_equal(anomaly(again, some), anomaly(ordinary, some))
    assert from_arrays({"temperature": np.ones(1, np.float32)}, "anomaly.") is None


def test_too_few_stamps_are_refused():
    with pytest.raises(ValueError, match="too few"):
        fit_ordinary(images(20, seed=1))
