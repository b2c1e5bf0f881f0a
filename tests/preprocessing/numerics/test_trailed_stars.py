"""Stars that are lines: each found once, at its middle."""

import numpy as np
import pytest

from preprocessing.numerics.stars import find_stars
from preprocessing.numerics.trailed_stars import are_trailed, find_lines, seen_across

SHAPE = (400, 400)
SKY, NOISE = 500.0, 10.0


def _image(length, angle=0.6, seed=1, count=16, sigma=1.4):
    """Return an image of lines on a loose grid, and their middles; the light of each is alike along it."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(np.arange(4.0), np.arange(4.0)), axis=-1).reshape(-1, 2)[:count] * 92 + 60
    middles = grid + rng.uniform(-8, 8, grid.shape)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    image = np.zeros(SHAPE)
    for (cx, cy), light in zip(middles, rng.uniform(1.2, 4.0, count), strict=True):
        along = np.clip((x - cx) * np.cos(angle) + (y - cy) * np.sin(angle), -length / 2, length / 2)
        far = np.hypot(x - cx - along * np.cos(angle), y - cy - along * np.sin(angle))
        image += light * 3 * NOISE * np.exp(-0.5 * (far / sigma) ** 2)
    return rng.normal(SKY + image, NOISE).astype(np.float32), middles


@pytest.mark.parametrize("length", [15, 25, 40])
def test_each_line_is_found_once_at_its_middle(length):
    data, middles = _image(length)
    lines = find_lines(data, np.zeros(SHAPE, dtype=bool), background=SKY, noise=NOISE)
    xy, light = lines.xy, lines.flux
    apart = np.hypot(*(xy[:, None, :] - middles[None, :, :]).transpose(2, 0, 1))
    assert len(xy) == len(middles)
    # A fortieth of the length, and the noise of a barycentre at this brightness.
    assert apart.min(axis=1).max() < 1.5
    assert len(set(apart.argmin(axis=1))) == len(middles)
    assert np.all(np.diff(light) <= 0)
    assert lines.is_long.all()
    # What noise hides of the ends is a tenth of such faint lines.
    assert lines.length_px == pytest.approx(length, rel=0.2)
    assert lines.angle == pytest.approx(0.6, abs=0.03)


def test_round_stars_are_no_lines_and_lines_are():
    for length, expected in ((0.5, False), (12, True), (30, True)):
        data, _ = _image(length)
        stars = find_stars(data, np.zeros(SHAPE, dtype=bool), background=SKY, noise=NOISE)
        assert are_trailed(stars) is expected


def test_masked_and_missing_pixels_take_no_part():
    data, middles = _image(25)
    mask = np.zeros(SHAPE, dtype=bool)
    x, y = (round(value) for value in middles[5])
    mask[y - 30 : y + 31, x - 30 : x + 31] = True
    data[:20] = np.nan
    xy = find_lines(data, mask, background=SKY, noise=NOISE).xy
    assert np.isfinite(xy).all()
    assert np.hypot(*(xy - middles[5]).T).min() > 25


def test_an_empty_sky_has_no_lines():
    data = np.random.default_rng(2).normal(SKY, NOISE, SHAPE).astype(np.float32)
    lines = find_lines(data, np.zeros(SHAPE, dtype=bool), background=SKY, noise=NOISE)
    assert lines.xy.shape == (0, 2) and len(lines) == 0


def test_what_the_telescope_followed_is_short_and_the_lines_are_not():
    data, middles = _image(25)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    data += (15 * NOISE * np.exp(-0.5 * ((x - 200) ** 2 + (y - 110) ** 2) / 1.4**2)).astype(np.float32)
    lines = find_lines(data, np.zeros(SHAPE, dtype=bool), background=SKY, noise=NOISE)
    short = lines.xy[~lines.is_long]
    assert short == pytest.approx(np.array([[200.0, 110.0]]), abs=0.3)
    assert lines.is_long.sum() == len(middles)


@pytest.mark.parametrize("length", [12, 30])
def test_the_width_across_is_the_seeing_and_not_the_length(length):
    data, _ = _image(length)
    seen = seen_across(data, np.zeros(SHAPE, dtype=bool), background=SKY, noise=NOISE)
    assert seen.fwhm_px == pytest.approx(1.4 * 2.3548, rel=0.1)
