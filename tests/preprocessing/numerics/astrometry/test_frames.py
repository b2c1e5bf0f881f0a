from dataclasses import replace

import numpy as np
import pytest

from observations.numerics.fits.wcs import nominal_wcs
from observations.numerics.frame import Frame, Stars
from preprocessing.numerics.astrometry.frames import match_frames
from preprocessing.numerics.astrometry.matching import MatchFailed, MatchParameters

SKY_ARCSEC = 1200.0


def _sky(seed, half_arcsec=SKY_ARCSEC, density=2.8e-5):
    rng = np.random.default_rng(seed)
    count = int(density * (2 * half_arcsec) ** 2)
    return rng.uniform(-half_arcsec, half_arcsec, (count, 2)), rng.uniform(0.01, 1, count) ** -1.0


def _seen(sky, *, scale, size, angle_deg=0.0, is_mirrored=False, seed=0):
    """Show the sky with pixels of this scale: a frame of `size` px that loses one star in ten, and its stars."""
    xy, flux = sky
    rng = np.random.default_rng(seed)
    a = np.radians(angle_deg)
    turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) @ np.diag([-1.0 if is_mirrored else 1.0, 1.0])
    places = xy @ turn.T / scale + size / 2
    keep = ((places > 0) & (places < size)).all(axis=1) & (rng.uniform(size=len(xy)) < 0.9)
    x, y = (places[keep] + rng.normal(0, 0.1, (keep.sum(), 2))).T
    order = np.argsort(-flux[keep])
    x, y, light = x[order], y[order], flux[keep][order] * rng.normal(1, 0.05, keep.sum())
    same = np.ones(x.size)
    stars = Stars(x, y, light, 0.01 * same, 3 * same, 0 * same, same < 0, same > 0, 3.0)
    image = np.zeros((size, size), dtype=np.float32)
    return Frame(image, image > 0, pixel_scale_arcsec=scale), stars


def _match(one, other):
    return match_frames(one, other, MatchParameters())


@pytest.mark.parametrize(
    ("scale", "size"), [(2.4, 250), (3.6, 170), (0.6, 1000), (0.4, 1500)], ids=["bin2", "bin3", "half", "third"]
)
@pytest.mark.parametrize("turned", [{}, {"angle_deg": 180.0}, {"angle_deg": 90.0, "is_mirrored": True}])
def test_frames_of_two_scales_match_without_any_position(scale, size, turned):
    sky = _sky(1)
    found = _match(_seen(sky, scale=scale, size=size, seed=2, **turned), _seen(sky, scale=1.2, size=500, seed=3))
    assert found.transform.scale == pytest.approx(scale / 1.2, rel=2e-3)
    assert found.transform.is_flipped == turned.get("is_mirrored", False)
    # Centroids of 0.1 px an axis in each frame, in pixels of the target.
    assert found.rms_px < 0.2 * max(1.0, scale / 1.2)


@pytest.mark.parametrize(("true", "size"), [(2.4, 250), (0.6, 1000)])
def test_frames_of_one_claimed_scale_that_match_at_another_are_told_so(true, size):
    sky = _sky(4)
    frame, stars = _seen(sky, scale=true, size=size, seed=5)
    claimed = replace(frame, pixel_scale_arcsec=1.2), stars
    with pytest.raises(MatchFailed, match=r"2 times as large .* forgot the binning"):
        _match(claimed, _seen(sky, scale=1.2, size=500, seed=6))


def test_frames_of_two_skies_are_not_said_to_have_forgotten_a_binning():
    with pytest.raises(MatchFailed) as refusal:
        _match(_seen(_sky(1), scale=1.2, size=500, seed=2), _seen(_sky(9), scale=1.2, size=500, seed=3))
    assert "binning" not in str(refusal.value)


def test_a_claim_that_forgot_the_binning_does_not_part_frames_of_one_camera():
    sky = _sky(4)
    frame, stars = _seen(sky, scale=1.2, size=500, seed=5)
    found = _match((replace(frame, pixel_scale_arcsec=2.4), stars), _seen(sky, scale=1.2, size=500, seed=6))
    assert found.transform.scale == pytest.approx(1.0, abs=1e-3)


def test_a_wide_frame_is_asked_for_the_stars_that_the_small_one_can_show():
    sky = _sky(7, half_arcsec=2400.0, density=4e-4)
    (wide, wide_stars), (small, small_stars) = (
        _seen(sky, scale=3.6, size=1300, seed=8),
        _seen(sky, scale=1.2, size=420, angle_deg=20.0, seed=9),
    )
    wide = replace(wide, wcs=nominal_wcs(150.0, 2.0, 3.6, wide.shape))
    # Where it points is known to a minute of arc, and how it is turned is not.
    small = replace(small, wcs=nominal_wcs(150.01, 2.01, 1.2, small.shape))
    found = _match((wide, wide_stars), (small, small_stars))
    assert found.count > 0.7 * len(small_stars)
    assert found.transform.scale == pytest.approx(3.0, rel=5e-3)


def test_what_does_not_match_says_both_scales():
    with pytest.raises(MatchFailed, match=r"2\.40 arcsec and the other of 1\.20 arcsec"):
        _match(_seen(_sky(10), scale=2.4, size=250), _seen(_sky(11), scale=1.2, size=500))
