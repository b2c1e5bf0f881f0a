import numpy as np
import pytest

from differencing.numerics.spikes import are_spikes
from tests.differencing.numerics.scenes import find, frame_of, pair_of, subtract, with_source


def _with_pixels(frame, pixels):
    data = frame.data.copy()
    for y, x, counts in pixels:
        data[y, x] += counts
    return frame_of(data, frame.mask, gain=frame.gain, read_noise=frame.read_noise, psf=frame.psf)


def _at(peaks, x, y):
    (k,) = np.flatnonzero(np.hypot(peaks.x - x, peaks.y - y) < 2.0)
    return k


@pytest.mark.parametrize("pixels", [[(120, 90, 700.0)], [(120, 90, 300.0), (120, 91, 250.0)]], ids=["one", "two"])
def test_a_pixel_or_two_of_the_science_frame_are_a_spike(pixels):
    pair = pair_of(71)
    difference = subtract(_with_pixels(pair.science, pixels), pair.reference)
    peaks = find(difference)
    assert are_spikes(difference, peaks)[_at(peaks, 90, 120)]


def test_a_pixel_of_the_reference_is_a_negative_spike():
    pair = pair_of(71)
    difference = subtract(pair.science, _with_pixels(pair.reference, [(120, 90, 400.0)]))
    peaks = find(difference)
    k = _at(peaks, 90, 120)
    assert peaks.is_negative[k]
    assert are_spikes(difference, peaks)[k]


@pytest.mark.parametrize("flux", [1500.0, 4000.0, 30000.0])
@pytest.mark.parametrize(("x", "y"), [(90.0, 120.0), (90.5, 119.7)])
def test_a_point_source_is_no_spike_wherever_in_its_pixel_it_stands(flux, x, y):
    pair = pair_of(71)
    difference = subtract(with_source(pair.science, pair.psf_science, x, y, flux), pair.reference)
    peaks = find(difference)
    assert not are_spikes(difference, peaks)[_at(peaks, x, y)]
